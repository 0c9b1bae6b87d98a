"""The console's overview and a search by e-mail with 1,000,000 submissions, beside the same with 10,000.

On SQLite and PostgreSQL in one run: `python -m benchmarks.console`. Rows are made, not posted: three months of three
customers, 2 % of them stuck, and the counts that the tally would have made of them.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
from sqlalchemy import Connection, Engine, insert, text

from app.domain.campaigns import Campaign
from app.domain.submission import GROUPS, Operation, Status
from app.main import create_app
from app.service import build_service, prepare_database
from app.settings import Settings
from app.storage.counts import Counted, Timed, add, add_times, day_of
from app.storage.encryption import KeyedHash, Keyring
from app.storage.person_index import HOW_FAR
from app.storage.schema import person_index, steps, submissions
from app.storage.sealed import payload_place
from tests.serving import postgresql_server

FEW, MANY = 10_000, 1_000_000
DAYS = 90
ROUNDS = 40
OVERVIEW_WANTED, SEARCH_WANTED = 3.0, 1.5
CUSTOMERS = ("M00001", "M00002", "M00003")
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "a secret key for benchmarks alone"
HOST = "https://leads.example.se"
BATCH = 5_000
SOUGHT = "anna@example.se"
CAMPAIGNS = [
    Campaign(source, medium, f"vecka-{week}")
    for source, medium, week in [
        (s, m, w) for s, m in (("google", "cpc"), ("facebook", "social"), ("nyhetsbrev", "email")) for w in range(6)
    ]
]


@dataclass(frozen=True)
class Took:
    """Milliseconds, a median each."""

    overview: float
    search: float


def settings_for(url: str) -> Settings:
    return Settings.model_validate(
        {
            "secret_key": SECRET,
            "encryption_keys": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            "database_url": url,
            "public_url": HOST,
            "console_password": "benchmark",
            "vitec": {"base_url": "http://127.0.0.1:9", "username": "partner"},
            "customers": [{"id": one, "name": one, "password": "secret"} for one in CUSTOMERS],
        }
    )


def fill(url: str, rows: int) -> None:
    service = build_service(settings_for(url))
    if not service.database.is_sqlite:
        from app.storage.migrations import upgrade

        upgrade(service.database)
    prepare_database(service.database)
    made = _Made(rows)
    engine = service.database.engine
    for start in range(0, rows, BATCH):
        made.batch(engine, start, min(rows, start + BATCH))
    with engine.begin() as connection:
        made.counts(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if service.database.is_sqlite else "VACUUM ANALYZE"))
    service.database.close()


class _Made:
    """Submissions from the first of the days to now."""

    def __init__(self, rows: int) -> None:
        self._random = random.Random(1)
        self._rows = rows
        self._start = datetime.now(UTC) - timedelta(days=DAYS)
        self._step = timedelta(days=DAYS) / rows
        self._contacts = KeyedHash(SECRET, "contacts")
        payload = {"application": {"firstName": "Anna"}, "marketing": {}, "more": "x" * 300}
        self._keyring, self._payload = Keyring([KEY]), payload
        self._sealed = Keyring([KEY]).seal(payload, payload_place(""))
        self._received: Counter[Counted] = Counter()
        self._delivered: Counter[Counted] = Counter()
        self._times: Counter[Timed] = Counter()

    def batch(self, engine: Engine, start: int, end: int) -> None:
        rows, of_steps, hashes = [], [], []
        for number in range(start, end):
            at = self._start + self._step * number
            identity = str(UUID(int=(int(at.timestamp() * 1000) << 80) | 0x7 << 76 | number))
            row = self._row(identity, at, number)
            rows.append(row)
            of_steps.append(
                {
                    "submission_id": identity,
                    "position": 0,
                    "operation": row["operation"],
                    "resource": row["resource"],
                    "status": row["step"],
                    "attempts": 1,
                }
            )
            hashes.append({"hash": row["email_hash"], "submission_id": identity})
        for row in rows:
            del row["step"]
        with engine.begin() as connection:
            connection.execute(insert(submissions), rows)
            connection.execute(insert(steps), of_steps)
            connection.execute(insert(person_index), sorted(hashes, key=lambda one: str(one["hash"])))
            if end == self._rows:
                connection.execute(insert(person_index), [{"hash": HOW_FAR, "submission_id": rows[-1]["id"]}])

    def _row(self, identity: str, at: datetime, number: int) -> dict[str, object]:
        chosen = self._random
        customer, home = chosen.choice(CUSTOMERS), f"OBJ{chosen.randrange(60)}"
        operation = Operation.VIEWING if number % 3 == 0 else Operation.INTEREST
        status = Status.DELIVERED
        if number % 50 == 0:
            status = chosen.choice((Status.REJECTED, Status.FAILED, Status.UNCERTAIN, Status.HELD))
        if number > self._rows - 20:
            status = Status.PENDING
        day = day_of(at)
        counted = Counted(day, customer, operation.value, home, chosen.choice(CAMPAIGNS))
        self._received[counted] += 1
        if status is Status.DELIVERED:
            self._delivered[counted] += 1
            self._times[Timed(day, customer, operation.value, chosen.randrange(-8, 20))] += 1
        contact = SOUGHT if number % (self._rows // 5) == 7 else f"person{number}@example.se"
        payload = self._keyring.seal(self._payload, payload_place(identity)) if contact == SOUGHT else self._sealed
        pending = status is Status.PENDING
        return {
            "id": identity,
            "customer_id": customer,
            "operation": operation.value,
            "resource": home,
            "status": status.value,
            "language": "sv",
            "received_at": at,
            "delivery_since": at,
            "settled_at": None if pending else at + timedelta(seconds=1),
            "payload": payload,
            "email_hash": self._contacts.digest(contact),
            "function_group": GROUPS[operation].value,
            "due_at": at if pending else None,
            "step": "waiting" if pending or status is Status.HELD else status.value,
        }

    def counts(self, connection: Connection) -> None:
        add(connection, "submissions", self._received)
        add(connection, "delivered", self._delivered)
        add(connection, "views", Counter({counted: count * 20 for counted, count in self._received.items()}))
        add_times(connection, self._times)


async def measure(urls: Sequence[str]) -> list[Took]:
    """Alternating between the databases, so that whatever else the machine does meets all of them."""
    clients = [await _signed_in(url) for url in urls]
    overviews: list[list[float]] = [[] for _ in urls]
    searches: list[list[float]] = [[] for _ in urls]
    for number in range(-3, ROUNDS):  # the first few warm up
        for place, client in enumerate(clients):
            overview, search = (
                await _timed(client, "/console"),
                await _timed(client, f"/console/submissions?q={SOUGHT}"),
            )
            if number >= 0:
                overviews[place].append(overview)
                searches[place].append(search)
    return [
        Took(statistics.median(one), statistics.median(other)) for one, other in zip(overviews, searches, strict=True)
    ]


async def _signed_in(url: str) -> httpx.AsyncClient:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(settings_for(url))), base_url=HOST)
    answer = await client.post("/console/sign-in", data={"password": "benchmark"}, headers={"Origin": HOST})
    assert answer.status_code == 303, answer.text
    found = await client.get("/console/submissions", params={"q": SOUGHT})
    assert found.text.count('class="reference"') == 5, "the search must find what is there"
    return client


async def _timed(client: httpx.AsyncClient, path: str) -> float:
    start = time.perf_counter()
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return (time.perf_counter() - start) * 1000


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, tuple[str, str]]]:
    """Of each kind one for the few and one for the many."""
    with postgresql_server(folder / "postgresql") as server:
        address = server.render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # while rows are made; no figure here writes
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE few")
            connection.execute("CREATE DATABASE many")
        few, many = (server.set(database=name).render_as_string(hide_password=False) for name in ("few", "many"))
        yield {"SQLite": (f"sqlite:///{folder}/few.db", f"sqlite:///{folder}/many.db"), "PostgreSQL": (few, many)}


def main() -> int:
    """0 when both figures are met on both databases."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--many", type=int, default=MANY)
    asked = parser.parse_args()
    met = True
    with tempfile.TemporaryDirectory(prefix="intresse-console-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        with databases(Path(folder)) as kinds:
            for kind, (few, many) in kinds.items():
                fill(few, FEW)
                fill(many, asked.many)
                small, large = asyncio.run(measure((few, many)))
                for figure, one, other, wanted in (
                    ("overview", small.overview, large.overview, OVERVIEW_WANTED),
                    ("search by e-mail", small.search, large.search, SEARCH_WANTED),
                ):
                    met = met and other / one <= wanted
                    print(f"{kind:10}  {figure:16}  {one:6.1f} : {other:6.1f} ms  {other / one:.2f}  <= {wanted}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
