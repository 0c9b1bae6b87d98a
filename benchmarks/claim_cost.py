"""The cost of a claim with few and with many rows in the table (half delivered, half waiting, one in a thousand
uncertain); and of a retention run with nothing to erase."""

import asyncio
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert

from app.delivery.circuit_breaker import CircuitBreaker
from app.delivery.outbox import Outbox
from app.domain.ids import new_id
from app.domain.submission import Operation, PlannedStep
from app.intake.intake import Intake
from app.intake.new_submission import NewSubmission
from app.privacy.retention import Retention, RetentionPeriods
from app.privacy.retention_job import RetentionJob
from app.storage.database import Database
from app.storage.encryption import KeyedHash, Keyring
from app.storage.schema import steps, submissions
from benchmarks.databases import database_url
from benchmarks.empty_application import EMPTY

FEW, MANY = 1_000, 1_000_000
CLAIMS = 200
WARM_UP = 20
CUSTOMERS = [f"M{number:05}" for number in range(20)]
KEYRING = Keyring([bytes(32)])
LEASE = timedelta(minutes=5)
GOAL = 1.3
RETENTION_GOAL_MILLISECONDS = 5.0
PERIODS = RetentionPeriods(timedelta(days=30), timedelta(days=30), timedelta(days=90))
ROUNDS = 50
_BATCH = 20_000


@dataclass(frozen=True)
class ClaimCost:
    """Median milliseconds: a claim of one submission among few rows and among many, and a retention run among many."""

    few: float
    many: float
    retention: float

    @property
    def ratio(self) -> float:
        return self.many / self.few


def measure_claim_cost(kind: str, folder: Path) -> ClaimCost:
    """Alternates between both tables, so that other work on the disk affects them alike."""
    with database_url(kind, folder / "few") as few, database_url(kind, folder / "many") as many:
        return asyncio.run(_measure(Database(few), Database(many)))


async def _measure(few: Database, many: Database) -> ClaimCost:
    await _fill(few, FEW)
    await _fill(many, MANY)
    os.sync()
    seconds: dict[Database, list[float]] = {few: [], many: []}
    outboxes = {database: _outbox(database) for database in seconds}
    for number in range(-WARM_UP, CLAIMS):
        for database, outbox in outboxes.items():
            start = time.perf_counter()
            claims = await outbox.claim_due(dict.fromkeys(CUSTOMERS, 1), 1)
            if number >= 0:
                seconds[database].append(time.perf_counter() - start)
            assert len(claims) == 1
    retention = await _retention(many)
    for database in seconds:
        database.close()
    few_ms, many_ms = (statistics.median(seconds[database]) * 1000 for database in (few, many))
    return ClaimCost(few_ms, many_ms, retention)


async def _retention(database: Database) -> float:
    job, seconds = RetentionJob(Retention(database, PERIODS)), []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await job.run_once()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1000


async def _fill(database: Database, rows: int) -> None:
    for batch in _batches(rows - CLAIMS - WARM_UP):
        await database.write(lambda connection, batch=batch: _insert(connection, batch))  # type: ignore[misc]
    await _accept(database)
    if not database.is_sqlite:  # as autovacuum soon would
        with closing(database.engine.raw_connection()) as connection:  # VACUUM can't run in a transaction
            connection.cursor().execute("VACUUM ANALYZE")


def _outbox(database: Database) -> Outbox:
    logins = CircuitBreaker(database, KeyedHash("benchmark", "resources"), LEASE, LEASE)
    return Outbox(database, KEYRING, logins, LEASE, timedelta(seconds=5))


def _batches(rows: int) -> Iterator[list[dict[str, object]]]:
    """Waiting submissions are due later, as after an outage of Vitec."""
    now = datetime.now(UTC)
    for start in range(0, rows, _BATCH):
        yield [
            {
                "id": new_id(datetime.now(UTC)),
                "customer_id": CUSTOMERS[number % len(CUSTOMERS)],
                "operation": "interest",
                "resource": "OBJ1",
                "status": "pending" if number % 2 else "delivered" if number % 1000 else "uncertain",
                "language": "sv",
                "received_at": now,
                "settled_at": None if number % 2 else now,
                "delivery_since": now,
                "payload": bytes(60),
                "function_group": "advertising",
                "due_at": now + timedelta(hours=1) if number % 2 else None,
            }
            for number in range(start, min(start + _BATCH, rows))
        ]


def _insert(connection: Connection, rows: list[dict[str, object]]) -> None:
    connection.execute(insert(submissions), rows)
    common = {"position": 0, "operation": "interest", "resource": "OBJ1", "status": "waiting", "attempts": 0}
    connection.execute(insert(steps), [{"submission_id": row["id"], **common} for row in rows])


async def _accept(database: Database) -> None:
    intake = Intake(database, KEYRING, KeyedHash("benchmark", "contacts"), lambda _: None)
    running = asyncio.create_task(intake.run())
    earlier = datetime.now(UTC) - timedelta(hours=1)
    for number in range(CLAIMS + WARM_UP):
        step = PlannedStep(Operation.INTEREST, ("OBJ1",), {"firstName": "Anna"})
        customer = CUSTOMERS[number % len(CUSTOMERS)]
        stored = replace(EMPTY, bodies=(step.body,))
        await intake.accept(
            NewSubmission(
                new_id(datetime.now(UTC)),
                customer,
                Operation.INTEREST,
                ("OBJ1",),
                "sv",
                earlier,
                stored,
                {},
                (step,),
                None,
            )
        )
    intake.stop()
    await running
