"""Replicas, workers and a CRM, and the failures that the long run causes."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import Connection, make_url, select, update
from sqlalchemy.exc import DBAPIError

from app.operations.specification import Defaults
from app.privacy.retention import Retention, RetentionPeriods
from app.sandbox import Customer, Fault, Office, serve_sandbox
from app.storage.database import Database, StoreUnavailableError
from app.storage.encryption import Keyring
from app.storage.migrations import upgrade
from app.storage.schema import submissions
from app.submissions.operator_actions import OperatorActions
from app.submissions.repository import SubmissionRepository
from tests.endurance.comparison import Verdict, judge
from tests.endurance.cutting_proxy import CuttingProxy, cutting_proxy
from tests.endurance.load import AGAIN, KEY, PARKED, Load
from tests.endurance.process import Process, faketime
from tests.servers import STARTS_WITHIN, eventually, free_port

LEASE_SECONDS = 5  # the shortest there is
START_SECONDS = 4
CLOCK_READ_SECONDS = 2  # how long a process believes what it has read of its clock, and some more
CLOCKS = ("+3650d", "+1h", "-1h", "-400d")
SECRET_KEY = "a secret key for endurance alone"
KEYRING = Keyring([b"01234567890123456789012345678901"])
CONFIGURATION = """
secret_key = "{secret_key}"
encryption_keys = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
database_url = "{database_url}"
public_url = "https://leads.example.se"
[vitec]
base_url = "{vitec_url}"
username = "partner"
requests_per_second = 1000
[delivery]
retry_seconds = [1]
lease_seconds = {lease}
[[customers]]
id = "M00001"
name = "Igen"
password = "secret"
api_key_hashes = ["{key_hash}"]
[[customers]]
id = "M00002"
name = "Parkerad"
password = "secret"
api_key_hashes = ["{key_hash}"]
on_ambiguous = "park"
"""


@dataclass
class Stage:
    """Replicas of the web and workers on one database, in front of the sandbox."""

    office: Office
    database_url: str
    webs: list[Process]
    workers: list[Process]
    load: Load
    proxy: CuttingProxy | None = None
    kills: Counter[str] = field(default_factory=Counter)
    released: set[str] = field(default_factory=set)  # by an operator, who may send twice

    def begin_anew(self) -> None:
        """All at work, nothing left to do, and nothing known of what was."""
        for process in (*self.webs, *self.workers):
            if process.running is None or process.running.poll() is not None:
                process.start()
        for url in self.load.urls:
            eventually(lambda url=url: _answers(url), within=STARTS_WITHIN)  # type: ignore[misc]
        self.office.clear_faults()
        self.verdict()
        self.office.reset()
        self.load = Load(self.load.urls)
        self.kills.clear()

    def kill(self, process: Process) -> None:
        process.end()
        self.kills["kill -9"] += 1

    def freeze(self, process: Process, seconds: float) -> None:
        """Longer than its lease, so that another takes over; then it wakes up."""
        process.send(signal.SIGSTOP)
        time.sleep(seconds)
        process.send(signal.SIGCONT)
        self.kills["SIGSTOP"] += 1

    def restart_database(self) -> None:
        """The server's own way out of a crash: one of its processes is killed, and it starts all anew."""
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(self.database_url, autocommit=True) as connection,
        ):
            row = connection.execute("SELECT pg_backend_pid()").fetchone()
            assert row is not None
            os.kill(row[0], signal.SIGKILL)
        self.kills["PostgreSQL restarted"] += 1

    def set_clock(self, process: Process, off: str) -> None:
        """The clock of one process is wrong for some seconds, while it runs; the others' is right."""
        clock = process.folder / f"clock-{id(process)}"
        clock.write_text("+0d")
        process.end()
        process.start(clock)
        time.sleep(START_SECONDS)
        clock.write_text(off)
        time.sleep(LEASE_SECONDS)
        clock.write_text("+0d")
        time.sleep(CLOCK_READ_SECONDS)
        if process.running is None or process.running.poll() is not None:  # it did not start with such a clock
            process.start()
        self.kills["clock off"] += 1

    def cut_commit(self) -> None:
        """Of whoever commits next, before or after it has happened."""
        if self.proxy is not None:
            self.proxy.cut.set()
            self.kills["commit cut"] += 1

    def spoil(self) -> None:
        """One that waits can't be read any more."""
        waiting = (submissions.c.due_at.is_not(None)) & submissions.c.claim.is_(None)
        self.office.inject(Fault(status=503))  # so that some do wait
        time.sleep(1)
        try:
            with self._connected() as connection:
                some = connection.execute(select(submissions.c.id).where(waiting).limit(1)).scalar()
                spoiled = update(submissions).where(submissions.c.id == some, waiting).values(payload=b"spoiled")
                self.kills["unreadable"] += connection.execute(spoiled).rowcount
        finally:  # also while the database is away
            self.office.clear_faults()

    def decide(self) -> None:
        """What is uncertain outlives its time, and an operator releases it in the same moment as retention comes by;
        what was delivered outlives it as well."""
        long_ago = datetime.now(UTC) - timedelta(days=400)
        with self._connected() as connection:
            for status in ("delivered", "uncertain"):
                of_status = (submissions.c.status == status) & submissions.c.erased_at.is_(None)
                ids = connection.execute(select(submissions.c.id).where(of_status).limit(5)).scalars().all()
                these = submissions.c.id.in_(ids), submissions.c.due_at.is_(None)
                connection.execute(update(submissions).where(*these).values(settled_at=long_ago))
        self.released |= set(ids)  # whether it comes in time or not
        database = Database(self.database_url)
        try:
            asyncio.run(_decide(database, ids))
        finally:
            database.close()
        self.kills["retention and operator"] += 1

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        engine = Database(self.database_url)
        try:
            with engine.engine.begin() as connection:
                yield connection
        finally:
            engine.close()

    def verdict(self, within: float = 60) -> Verdict:
        """Once nothing is left to do."""
        return judge(self.database_url, self.office, self.load.accepted, self.released, within)


@contextmanager
def staged(folder: Path, database_url: str, *, webs: int = 1, workers: int = 2, cuts: bool = False) -> Iterator[Stage]:
    """Everything is up when it begins, and ended at its end."""
    office = Office([Customer(AGAIN, "secret"), Customer(PARKED, "secret")])
    with ExitStack() as stack:
        proxy, served_url = stack.enter_context(cutting_proxy(make_url(database_url))) if cuts else (None, database_url)
        vitec_url = stack.enter_context(serve_sandbox(office))
        key_hash = sha256(KEY.encode()).hexdigest()
        configuration = CONFIGURATION.format(
            secret_key=SECRET_KEY,
            database_url=served_url,
            vitec_url=vitec_url,
            lease=LEASE_SECONDS,
            key_hash=key_hash,
        )
        (folder / "intresse.toml").write_text(configuration, "utf-8")
        database = Database(database_url)
        upgrade(database)
        database.close()
        ports = [free_port() for _ in range(webs)]
        web = [Process(["serve", "--no-deliver", "--port", str(port)], folder) for port in ports]
        work = [Process(["deliver"], folder) for _ in range(workers)]
        for process in (*web, *work):
            stack.callback(process.end)
            process.start()
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        for url in urls:
            eventually(lambda url=url: _answers(url), within=STARTS_WITHIN)  # type: ignore[misc]
        yield Stage(office, database_url, web, work, Load(urls), proxy)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


async def _decide(database: Database, ids: Sequence[str]) -> None:
    repository = SubmissionRepository(database, KEYRING)
    actions = OperatorActions(database, KEYRING, {AGAIN: Defaults(), PARKED: Defaults()})
    retention = Retention(database, RetentionPeriods(*(timedelta(days=90),) * 3))

    async def release() -> None:
        for identity in ids:
            if submission := await repository.get(identity):
                await actions.release(submission)

    with contextlib.suppress(StoreUnavailableError):
        await asyncio.gather(retention.erase_expired(), release())


def disturb(stage: Stage, until: float, choose: random.Random, *, everything: bool = False) -> None:
    """Something bad every second or so, to any process, until that moment of the monotonic clock."""
    kinds: list[Callable[[], None]] = [lambda: _restarted(stage, choose.choice([*stage.workers, *stage.webs]))] * 6
    kinds.append(lambda: stage.freeze(choose.choice(stage.workers), LEASE_SECONDS + 1))
    if stage.database_url.startswith("postgresql"):
        kinds.append(stage.restart_database)
    if everything:
        everyone = [*stage.workers, *stage.webs]
        kinds += [stage.spoil, stage.decide, stage.cut_commit, stage.cut_commit]
        kinds += [lambda: stage.set_clock(choose.choice(everyone), choose.choice(CLOCKS))] * 2 if faketime() else []
    while time.monotonic() < until:
        time.sleep(choose.uniform(0.2, 1.5))
        with contextlib.suppress(DBAPIError):  # the database is being restarted
            choose.choice(kinds)()


def _restarted(stage: Stage, process: Process) -> None:
    stage.kill(process)
    process.start()
