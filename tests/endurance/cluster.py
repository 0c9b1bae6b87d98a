"""Replicas, workers and a CRM, and the failures that the endurance test causes."""

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

from app.operations.planning import Defaults
from app.privacy.retention import Retention, RetentionPeriods
from app.sandbox import Customer, Fault, Office, serve_sandbox
from app.storage.database import Database, StoreUnavailableError
from app.storage.encryption import Keyring
from app.storage.migrations import upgrade
from app.storage.schema import submissions
from app.submissions.operator_actions import OperatorActions
from app.submissions.repository import SubmissionRepository
from tests.endurance.comparison import Comparison, compare
from tests.endurance.cutting_proxy import CuttingProxy, cutting_proxy
from tests.endurance.load import KEY, PARK_CUSTOMER, RETRY_CUSTOMER, Load
from tests.endurance.process import Process, faketime
from tests.servers import STARTS_WITHIN, client_of, eventually, free_port

LEASE_SECONDS = 5  # short, so that another worker soon takes over from a dead one
START_SECONDS = 4
CLOCK_READ_SECONDS = 2  # longer than libfaketime caches the clock's offset
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
class Cluster:
    """Web replicas and workers on one database, with the sandbox as the CRM."""

    office: Office
    database_url: str
    replicas: list[Process]
    workers: list[Process]
    load: Load
    proxy: CuttingProxy | None = None
    disturbances: Counter[str] = field(default_factory=Counter)
    released: set[str] = field(default_factory=set)  # by an operator; may be sent twice

    def reset(self) -> None:
        """Starts what has ended, waits until nothing is due, and forgets earlier results."""
        for process in (*self.replicas, *self.workers):
            if process.running is None or process.running.poll() is not None:
                process.start()
        for url in self.load.urls:
            eventually(lambda url=url: _answers(url), within=STARTS_WITHIN)  # type: ignore[misc]
        self.office.clear_faults()
        self.compare()
        self.office.reset()
        self.load = Load(self.load.urls)
        self.disturbances.clear()

    def kill(self, process: Process) -> None:
        process.end()
        self.disturbances["kill -9"] += 1

    def freeze(self, process: Process, seconds: float) -> None:
        """Pauses the process for longer than its lease, so that another takes over; then resumes it."""
        process.send(signal.SIGSTOP)
        time.sleep(seconds)
        process.send(signal.SIGCONT)
        self.disturbances["SIGSTOP"] += 1

    def restart_database(self) -> None:
        """Kills one of PostgreSQL's processes; the server then restarts all of them, as after a crash."""
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(self.database_url, autocommit=True) as connection,
        ):
            row = connection.execute("SELECT pg_backend_pid()").fetchone()
            assert row is not None
            os.kill(row[0], signal.SIGKILL)
        self.disturbances["PostgreSQL restarted"] += 1

    def set_clock(self, process: Process, offset: str) -> None:
        """Sets the clock of one running process wrong for some seconds; the others keep the right time."""
        clock = process.folder / f"clock-{id(process)}"
        clock.write_text("+0d")
        process.end()
        process.start(clock)
        time.sleep(START_SECONDS)
        clock.write_text(offset)
        time.sleep(LEASE_SECONDS)
        clock.write_text("+0d")
        time.sleep(CLOCK_READ_SECONDS)
        if process.running is None or process.running.poll() is not None:  # the wrong clock ended it
            process.start()
        self.disturbances["clock off"] += 1

    def cut_commit(self) -> None:
        """Cuts the connection of the next commit, before or after it takes effect."""
        if self.proxy is not None:
            self.proxy.cut.set()
            self.disturbances["commit cut"] += 1

    def make_unreadable(self) -> None:
        """Overwrites the payload of a waiting submission."""
        waiting = (submissions.c.due_at.is_not(None)) & submissions.c.claim.is_(None)
        self.office.inject(Fault(status=503))  # so that some wait
        time.sleep(1)
        try:
            with self._connected() as connection:
                waiting_id = connection.execute(select(submissions.c.id).where(waiting).limit(1)).scalar()
                change = update(submissions).where(submissions.c.id == waiting_id, waiting).values(payload=b"spoiled")
                self.disturbances["unreadable"] += connection.execute(change).rowcount
        finally:  # even if the database is down
            self.office.clear_faults()

    def expire_and_release(self) -> None:
        """Makes some delivered and uncertain submissions older than their retention period. Then retention runs while
        an operator releases the uncertain ones."""
        long_ago = datetime.now(UTC) - timedelta(days=400)
        with self._connected() as connection:
            for status in ("delivered", "uncertain"):
                of_status = (submissions.c.status == status) & submissions.c.erased_at.is_(None)
                ids = connection.execute(select(submissions.c.id).where(of_status).limit(5)).scalars().all()
                conditions = submissions.c.id.in_(ids), submissions.c.due_at.is_(None)
                connection.execute(update(submissions).where(*conditions).values(settled_at=long_ago))
        self.released |= set(ids)  # even if retention comes first
        database = Database(self.database_url)
        try:
            asyncio.run(_erase_and_release(database, ids))
        finally:
            database.close()
        self.disturbances["retention and operator"] += 1

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        database = Database(self.database_url)
        try:
            with database.engine.begin() as connection:
                yield connection
        finally:
            database.close()

    def compare(self, within: float = 60) -> Comparison:
        """Waits until nothing is due, then compares."""
        return compare(self.database_url, self.office, self.load.accepted, self.released, within)


@contextmanager
def running_cluster(
    folder: Path, database_url: str, *, replicas: int = 1, workers: int = 2, cuts: bool = False
) -> Iterator[Cluster]:
    """Starts all processes and ends them with the context. `cuts`: connects through `CuttingProxy`."""
    office = Office([Customer(RETRY_CUSTOMER, "secret"), Customer(PARK_CUSTOMER, "secret")])
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
        ports = [free_port() for _ in range(replicas)]
        web = [Process(["serve", "--no-deliver", "--port", str(port)], folder) for port in ports]
        work = [Process(["deliver"], folder) for _ in range(workers)]
        for process in (*web, *work):
            stack.callback(process.end)
            process.start()
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        for url in urls:
            eventually(lambda url=url: _answers(url), within=STARTS_WITHIN)  # type: ignore[misc]
        yield Cluster(office, database_url, web, work, Load(urls), proxy)


def _answers(url: str) -> bool:
    try:
        with client_of(url) as client:
            return client.get("/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


async def _erase_and_release(database: Database, ids: Sequence[str]) -> None:
    repository = SubmissionRepository(database, KEYRING)
    actions = OperatorActions(database, KEYRING, {RETRY_CUSTOMER: Defaults(), PARK_CUSTOMER: Defaults()})
    retention = Retention(database, RetentionPeriods(*(timedelta(days=90),) * 3))

    async def release() -> None:
        for submission_id in ids:
            if submission := await repository.get(submission_id):
                await actions.release(submission)

    with contextlib.suppress(StoreUnavailableError):
        await asyncio.gather(retention.erase_expired(), release())


def disturb(cluster: Cluster, until: float, rng: random.Random, *, everything: bool = False) -> None:
    """Causes a random failure about once a second. `until` is a time of `time.monotonic()`."""
    actions: list[Callable[[], None]] = [
        lambda: _restart(cluster, rng.choice([*cluster.workers, *cluster.replicas]))
    ] * 6
    actions.append(lambda: cluster.freeze(rng.choice(cluster.workers), LEASE_SECONDS + 1))
    if cluster.database_url.startswith("postgresql"):
        actions.append(cluster.restart_database)
    if everything:
        everyone = [*cluster.workers, *cluster.replicas]
        actions += [cluster.make_unreadable, cluster.expire_and_release, cluster.cut_commit, cluster.cut_commit]
        actions += [lambda: cluster.set_clock(rng.choice(everyone), rng.choice(CLOCKS))] * 2 if faketime() else []
    while time.monotonic() < until:
        time.sleep(rng.uniform(0.2, 1.5))
        with contextlib.suppress(DBAPIError):  # the database is being restarted
            rng.choice(actions)()


def _restart(cluster: Cluster, process: Process) -> None:
    cluster.kill(process)
    process.start()
