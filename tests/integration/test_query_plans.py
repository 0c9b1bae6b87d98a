"""The plans of the recurring queries: none scans a table that grows with delivered submissions."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection, event, insert, make_url, text

from app.alarms.detection import IncidentDetector, Thresholds
from app.alarms.store import IncidentStore
from app.domain.ids import new_id
from app.domain.submission import Status
from app.maintenance import key_rotation
from app.metrics import gauges
from app.privacy.retention import Retention, RetentionPeriods
from app.privacy.retention_job import RetentionJob
from app.statistics.counter_job import CounterJob
from app.storage import clock
from app.storage.database import Database
from app.storage.driver import compiled
from app.storage.schema import attempts, steps, submissions
from app.submissions.person_index import PersonIndex
from tests.conftest import CUSTOMER, new_database
from tests.databases import put_migrated
from tests.integration.storage_helpers import CONTACT_HASH, KEYRING, MINUTE, application, opened, outbox_of, store

pytestmark = pytest.mark.anyio

Job = Callable[[Database], Awaitable[object]]
Ran = list[tuple[str, Any]]

DAY = timedelta(days=1)
PERIODS = RetentionPeriods(30 * DAY, 30 * DAY, 90 * DAY)
DELIVERED_BEFORE = 3000  # enough for PostgreSQL to prefer an index to a scan
GROWING = {table.name for table in (submissions, steps, attempts)}
# Partial indexes of what is to be done: to read all of one is no scan of the table.
SMALL = {
    "ix_submissions_due",
    "ix_submissions_need_a_person",
    "ix_submissions_undecided",
    "ix_steps_need_a_person",
}


async def alarm(database: Database) -> None:
    """With an incident, so that its end is queried too."""
    thresholds = Thresholds(5 * MINUTE, MINUTE, PERIODS, {CUSTOMER: MINUTE})
    store = IncidentStore(database, lambda kind, customer: ["webhook"])
    for _ in range(2):
        await store.observe(IncidentDetector(thresholds, [CUSTOMER]))


JOBS: dict[str, Job] = {
    "retention": lambda database: RetentionJob(Retention(database, PERIODS)).run_once(),
    "alarms": alarm,
    "gauges": lambda database: database.read(gauges._query),
    "claims": lambda database: outbox_of(database).claim_due({CUSTOMER: 2}, 2),
    "key rotation": lambda database: key_rotation.rotate(database, KEYRING),
    "counters": lambda database: CounterJob(database, KEYRING).count(),
    "person index": lambda database: PersonIndex(database, CONTACT_HASH).fill(),
    "clock": clock.tick,
}


@pytest.fixture(scope="module")
def template(postgresql: URL) -> Iterator[str]:
    """A filled database on PostgreSQL: to fill one takes ten times as long as to copy it."""
    with new_database(postgresql, "migrated") as url:
        fill(url)
        yield str(make_url(url).database)


@pytest.fixture(scope="module")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same on SQLite."""
    file = tmp_path_factory.mktemp("filled") / "intresse.db"
    put_migrated(f"sqlite:///{file}")
    fill(f"sqlite:///{file}")
    return file


@pytest.fixture
def database(database_url: str, filled_file: Path) -> Iterator[Database]:
    """A filled database of each kind."""
    if database_url.startswith("sqlite"):
        shutil.copy(filled_file, database_url.removeprefix("sqlite:///"))
    with opened(database_url) as database:
        yield database


@pytest.fixture
def ran(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ran]:
    """The statements that run, with the parameters that the driver gets."""
    ran: Ran = []
    run_in_driver = compiled.run_in_driver

    def see(_: Any, __: Any, statement: str, parameters: Any, *more: Any) -> None:
        ran.append((statement, parameters))

    def run(connection: Connection, sql: str, inputs: Sequence[Any] | None = None) -> Any:
        ran.append((sql, inputs or ()))
        return run_in_driver(connection, sql, inputs)

    event.listen(database.engine, "before_cursor_execute", see)
    monkeypatch.setattr(compiled, "run_in_driver", run)
    yield ran
    event.remove(database.engine, "before_cursor_execute", see)


def fill(database_url: str) -> None:
    with opened(database_url) as database:
        asyncio.run(_fill(database))


async def _fill(database: Database) -> None:
    """Some submissions of each kind, delivered and pending, old and new."""
    now = datetime.now(UTC)
    await store(database, *(application() for _ in range(3)))
    statuses = [Status.PENDING, Status.HELD, Status.FAILED, Status.REJECTED, *[Status.DELIVERED] * DELIVERED_BEFORE]
    rows: list[dict[str, Any]] = []
    row: dict[str, Any]
    for number, status in enumerate(statuses):
        at = now - DELIVERED_BEFORE * MINUTE + number * MINUTE
        row = {"id": new_id(at), "customer_id": CUSTOMER, "operation": "interest", "resource": "OBJ1", "language": "sv"}
        row |= {"status": status.value, "received_at": at, "delivery_since": at, "function_group": "advertising"}
        row |= {"payload": KEYRING.encrypt({}, "none"), "due_at": at if status is Status.PENDING else None}
        rows.append(row | {"settled_at": None if status in {Status.PENDING, Status.HELD} else at})
    step: dict[str, Any] = {
        "position": 0,
        "operation": "interest",
        "resource": "OBJ1",
        "status": "delivered",
        "attempts": 1,
    }
    step |= dict.fromkeys(("result", "upstream"), KEYRING.encrypt({}, "none"))
    tried = {"position": 0, "outcome": "delivered"}

    def work(connection: Connection) -> None:
        connection.execute(insert(submissions), rows)
        connection.execute(insert(steps), [{"submission_id": row["id"], **step} for row in rows])
        of_attempts = [{"submission_id": row["id"], "started_at": row["received_at"], **tried} for row in rows]
        connection.execute(insert(attempts), of_attempts)

    await database.write(work)
    while await CounterJob(database, KEYRING).count():
        pass
    if not database.is_sqlite:  # as PostgreSQL does by itself; nobody does on SQLite
        await database.write(lambda connection: connection.execute(text("ANALYZE")))


@pytest.mark.parametrize("job", JOBS)
async def test_no_job_scans_a_table_that_grows(
    database: Database, ran: Ran, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    monkeypatch.setattr(key_rotation, "READ_BATCH", DELIVERED_BEFORE // 10)
    await JOBS[job](database)
    statements = {statement: parameters for statement, parameters in ran if statement.startswith(_EXPLAINABLE)}
    assert statements or (job == "clock" and not database.is_sqlite)
    scans = _sqlite_scans if database.is_sqlite else _postgresql_scans
    found = await database.write(
        lambda connection: {name: scans(connection, name, statements[name]) for name in statements}
    )
    assert {statement: scanned for statement, scanned in found.items() if scanned} == {}


_EXPLAINABLE = ("SELECT", "WITH", "UPDATE", "INSERT", "DELETE")


def _sqlite_scans(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """`SCAN submissions` and the like, except scans of a small index."""
    values = parameters[0] if isinstance(parameters, list) else parameters
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).scalars(3).all()
    scans = [line.split() for line in plan if line.startswith("SCAN ")]
    return [" ".join(words) for words in scans if words[1] in GROWING and words[-1] not in SMALL]


def _postgresql_scans(connection: Connection, statement: str, parameters: Any) -> list[str]:
    values = parameters[0] if isinstance(parameters, list) else parameters
    [root] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()
    return [f"{node['Node Type']} {node.get('Index Name', '')}" for node in _nodes(root["Plan"]) if _is_scan(node)]


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _is_scan(node: dict[str, Any]) -> bool:
    if node.get("Relation Name") not in GROWING:
        return False
    by_index = node["Node Type"] in {"Index Scan", "Index Only Scan"}
    return node["Node Type"] == "Seq Scan" or (
        by_index and "Index Cond" not in node and node["Index Name"] not in SMALL
    )
