"""Accepted leads against what the CRM received, while processes are killed, frozen and restarted.

The oracle is the list of submissions that were answered 202, and what the sandbox carried out. Nothing accepted may be
missing there; nothing may be there twice, but for a customer that wants what may have been carried out sent again.

    python -m tests.endurance --minutes 5        # `make soak`: the figures of the README, on each database
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import select

from app.storage.database import Database
from app.storage.migrations import upgrade
from app.storage.schema import attempts, submissions
from app.vitec.sandbox import Customer, Office, serve_sandbox
from tests.serving import eventually, free_port

ROOT = Path(__file__).parents[2]
AGAIN, PARKED = "M00001", "M00002"  # what each wants with what may have been carried out
LEASE_SECONDS = 5  # the shortest there is
KEY = "endurance-key"
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
class Process:
    """`intresse` with these arguments, started anew whenever it was killed."""

    arguments: list[str]
    folder: Path
    running: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        environment = os.environ | {"INTRESSE_CONFIG": str(self.folder / "intresse.toml"), "PYTHONUTF8": "1"}
        with (self.folder / "processes.log").open("ab") as log:
            command = [sys.executable, "-m", "app", *self.arguments]
            self.running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    def send(self, number: int) -> None:
        if self.running and self.running.poll() is None:
            self.running.send_signal(number)

    def end(self, number: int = signal.SIGKILL, within: float = 30) -> float:
        """Seconds until it had ended."""
        began = time.monotonic()
        self.send(signal.SIGCONT)
        self.send(number)
        if self.running:
            self.running.wait(within)
        return time.monotonic() - began


@dataclass
class Load:
    """Posts by API key, each of an estate of its own, until stopped; `accepted` are those that were answered 202."""

    urls: list[str]
    accepted: dict[str, str] = field(default_factory=dict)  # id by estate
    refused: Counter[str] = field(default_factory=Counter)
    stopped: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self, threads: int = 3) -> Iterator[None]:
        posting = [threading.Thread(target=self._post, args=(number,), daemon=True) for number in range(threads)]
        for thread in posting:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in posting:
                thread.join(30)

    def _post(self, thread: int) -> None:
        headers = {"Authorization": f"Bearer {KEY}", "Prefer": "respond-async"}
        number = 0
        with httpx.Client(timeout=20, headers=headers) as client:
            while not self.stopped.is_set():
                number += 1
                estate, customer = f"E{thread}-{number}", (AGAIN, PARKED)[number % 2]
                body = {"firstName": "Anna", "lastName": estate, "email": {"emailAddress": f"{estate}@example.se"}}
                url = f"{random.choice(self.urls)}/Advertising/Estate/{customer}/{estate}/interest"
                try:
                    answer = client.post(url, json=body)
                except httpx.HTTPError as error:  # killed before it answered: nobody was promised anything
                    self.refused[type(error).__name__] += 1
                    self.stopped.wait(0.05)
                    continue
                if answer.status_code == 202:
                    self.accepted[estate] = answer.json()["id"]
                else:
                    self.refused[str(answer.status_code)] += 1
                self.stopped.wait(0.01)


@dataclass(frozen=True)
class Verdict:
    """`lost`: accepted, and neither at the CRM nor kept for a person. `twice`: at the CRM more than once; `unmarked` of
    those, without an attempt that says so or where nothing may be sent again."""

    accepted: int
    delivered: int
    parked: int
    lost: list[str]
    twice: int
    unmarked: list[str]

    @property
    def holds(self) -> bool:
        return not self.lost and not self.unmarked


@dataclass
class Stage:
    """Replicas of the web and workers on one database, in front of the sandbox."""

    office: Office
    database_url: str
    webs: list[Process]
    workers: list[Process]
    load: Load
    kills: Counter[str] = field(default_factory=Counter)

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
        database = Database(self.database_url)
        try:
            eventually(lambda: not _pending(database), within=within)
            return self._judge(database)
        finally:
            database.close()

    def _judge(self, database: Database) -> Verdict:
        carried_out = Counter(one.path.split("/")[4] for one in self.office.received if one.carried_out)
        with database.engine.connect() as connection:
            rows = connection.execute(select(submissions.c.id, submissions.c.customer_id, submissions.c.status)).all()
            ambiguous = select(attempts.c.submission_id).where(attempts.c.outcome == "ambiguous").distinct()
            marked = set(connection.execute(ambiguous).scalars())
        known = {row.id: row for row in rows}
        estates = {identity: estate for estate, identity in self.load.accepted.items()}
        lost = [
            estate
            for identity, estate in estates.items()
            if identity not in known or (not carried_out[estate] and known[identity].status != "uncertain")
        ]
        twice = [estate for estate, times in carried_out.items() if times > 1]
        by_estate = {estate: known[identity] for identity, estate in estates.items() if identity in known}
        unmarked = [
            estate
            for estate in twice
            if estate in by_estate and (by_estate[estate].customer_id == PARKED or by_estate[estate].id not in marked)
        ]
        statuses = Counter(row.status for row in rows)
        return Verdict(len(estates), statuses["delivered"], statuses["uncertain"], lost, len(twice), unmarked)


def _pending(database: Database) -> bool:
    with database.engine.connect() as connection:
        return bool(connection.execute(select(submissions.c.id).where(submissions.c.due_at.is_not(None))).first())


@contextmanager
def staged(folder: Path, database_url: str, *, webs: int = 1, workers: int = 2) -> Iterator[Stage]:
    """Everything is up when it begins, and ended at its end."""
    from hashlib import sha256

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
            eventually(lambda url=url: _answers(url), within=30)  # type: ignore[misc]
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
