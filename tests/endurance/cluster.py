"""Replicas, workers and a CRM, and everything bad that can happen to them."""

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import httpx
import psycopg

from app.sandbox import Customer, Office, serve_sandbox
from app.storage.database import Database
from app.storage.migrations import upgrade
from tests.endurance.comparison import Verdict, judge
from tests.endurance.load import AGAIN, KEY, PARKED, Load
from tests.endurance.process import Process
from tests.servers import eventually, free_port

LEASE_SECONDS = 5  # the shortest there is
CONFIGURATION = """
secret_key = "a secret key for endurance alone"
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
    kills: Counter[str] = field(default_factory=Counter)

    def begin_anew(self) -> None:
        """All at work, nothing left to do, and nothing known of what was."""
        for process in (*self.webs, *self.workers):
            if process.running is None or process.running.poll() is not None:
                process.start()
        for url in self.load.urls:
            eventually(lambda url=url: _answers(url))  # type: ignore[misc]
        self.office.lift()
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

    def verdict(self, within: float = 60) -> Verdict:
        """Once nothing is left to do."""
        return judge(self.database_url, self.office, self.load.accepted, within)


@contextmanager
def staged(folder: Path, database_url: str, *, webs: int = 1, workers: int = 2) -> Iterator[Stage]:
    """Everything is up when it begins, and ended at its end."""
    office = Office([Customer(AGAIN, "secret"), Customer(PARKED, "secret")])
    with ExitStack() as stack:
        vitec_url = stack.enter_context(serve_sandbox(office))
        key_hash = sha256(KEY.encode()).hexdigest()
        configuration = CONFIGURATION.format(
            database_url=database_url, vitec_url=vitec_url, lease=LEASE_SECONDS, key_hash=key_hash
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
            eventually(lambda url=url: _answers(url))  # type: ignore[misc]
        yield Stage(office, database_url, web, work, Load(urls))


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def disturb(stage: Stage, until: float, choose: random.Random) -> None:
    """Something bad every second or so, to any process, until that moment of the monotonic clock."""
    kinds: list[Callable[[], None]] = [lambda: _restarted(stage, choose.choice([*stage.workers, *stage.webs]))] * 6
    kinds.append(lambda: stage.freeze(choose.choice(stage.workers), LEASE_SECONDS + 1))
    if stage.database_url.startswith("postgresql"):
        kinds.append(stage.restart_database)
    while time.monotonic() < until:
        time.sleep(choose.uniform(0.2, 1.5))
        choose.choice(kinds)()


def _restarted(stage: Stage, process: Process) -> None:
    stage.kill(process)
    process.start()
