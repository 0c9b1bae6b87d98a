"""Number of leads that each form received, in time buckets of about 17 minutes. The counter job writes it; it is kept
for as long as silence detection needs it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select

from app.domain.ids import first_id_of
from app.domain.submission import Status
from app.operations.registry import POSTED
from app.storage.conflict_insert import conflict_insert
from app.storage.schema import arrivals, submissions, tallied

RECEIVED = "received"  # the counter job's round that counts them
ARRIVALS_KEPT = timedelta(weeks=6)
SPELL_LENGTH = 7  # leading characters of a submission's id, which name a bucket of 2^20 ms
_SPELL = func.substr(submissions.c.id, 1, SPELL_LENGTH)
_WHOSE = (submissions.c.customer_id, submissions.c.operation)


@dataclass(frozen=True)
class Arrivals:
    """How many submissions one customer's form received in one time bucket. `last_at` is when the latest was
    received."""

    customer_id: str
    operation: str
    number: int
    last_at: datetime


def add_arrivals(connection: Connection, rows: Iterable[Row[Any]]) -> None:
    """Adds leads to their buckets. `rows` are rows of `submissions`. Held submissions are left out: most are spam."""
    numbers: Counter[tuple[str, str, str]] = Counter()
    last_at: dict[tuple[str, str, str], datetime] = {}
    for row in rows:
        if row.status != Status.HELD:
            key = (row.customer_id, row.operation, row.id[:SPELL_LENGTH])
            numbers[key] += 1
            last_at[key] = max(row.received_at, last_at.get(key, row.received_at))
    if numbers:
        _upsert(connection, numbers, last_at)


def _upsert(
    connection: Connection, numbers: Mapping[tuple[str, str, str], int], last_at: Mapping[Any, datetime]
) -> None:
    statement = conflict_insert(connection, arrivals)
    new = statement.excluded
    # Rows are counted in order of time, so the new one is later.
    later = {"number": arrivals.c.number + new.number, "last_at": new.last_at}
    names = ("customer_id", "operation", "spell")
    rows = [
        dict(zip(names, key, strict=True)) | {"number": numbers[key], "last_at": last_at[key]}
        for key in sorted(numbers)
    ]
    connection.execute(statement.on_conflict_do_update(index_elements=list(arrivals.primary_key), set_=later), rows)
    newest = max(last_at.values())
    connection.execute(delete(arrivals).where(arrivals.c.spell < first_id_of(newest - ARRIVALS_KEPT)[:SPELL_LENGTH]))


def arrivals_since(connection: Connection, since: datetime) -> Sequence[Arrivals]:
    """All leads received since then: those counted in buckets, and those that the counter job has not reached yet."""
    first = first_id_of(since)
    counted = select(*(arrivals.c[name] for name in ("customer_id", "operation", "number", "last_at"))).where(
        arrivals.c.spell >= first[:SPELL_LENGTH]
    )
    mark = connection.execute(select(tallied.c.submission_id).where(tallied.c.round == RECEIVED)).scalar()
    uncounted = (
        select(*_WHOSE, func.count(), func.max(submissions.c.received_at))
        .where(submissions.c.id > max(mark or "", first), submissions.c.status != Status.HELD)
        .where(submissions.c.operation.in_([spec.operation.value for spec in POSTED if spec.is_lead]))
        .group_by(*_WHOSE, _SPELL)
    )
    return [Arrivals(*row) for query in (counted, uncounted) for row in connection.execute(query)]
