"""Compares what was accepted with what the CRM carried out."""

import contextlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from app.sandbox import Office
from app.storage.database import Database
from app.storage.schema import attempts, logins, submissions
from tests.endurance.load import PARKED
from tests.servers import eventually

KEPT = ("uncertain", "unreadable")  # for a person


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


def judge(
    database_url: str, office: Office, accepted: Mapping[str, str], released: Collection[str], within: float
) -> Verdict:
    """Once nothing is left to do, of which there must be less after so many seconds. `accepted` are the ids by estate;
    `released` those that an operator has sent again, or would have."""
    database = Database(database_url)
    try:
        left = _pending(database)
        while left:
            before = left
            with contextlib.suppress(AssertionError):
                eventually(lambda: _pending(database) == 0, within=within, every=0.5)
            left = _pending(database)
            if left >= before:
                raise AssertionError(f"after {within} s there are still {left} to do: {_some_pending(database)}")
        return _verdict(database, office, accepted, released)
    finally:
        database.close()


def _pending(database: Database) -> int:
    count = select(func.count()).select_from(submissions).where(submissions.c.due_at.is_not(None))
    with database.engine.connect() as connection:
        return int(connection.execute(count).scalar_one())


def _some_pending(database: Database) -> list[str]:
    """Some of it, and the logins that rest."""
    columns = submissions.c
    waiting = select(columns.id, columns.status, columns.received_at, columns.due_at, columns.claim)
    some = waiting.where(columns.due_at.is_not(None)).limit(5)
    with database.engine.connect() as connection:
        return [str(row._asdict()) for query in (some, select(logins)) for row in connection.execute(query)]


def _verdict(database: Database, office: Office, accepted: Mapping[str, str], released: Collection[str]) -> Verdict:
    carried_out = Counter(call.path.split("/")[4] for call in office.received if call.carried_out)
    with database.engine.connect() as connection:
        rows = connection.execute(select(submissions.c.id, submissions.c.customer_id, submissions.c.status)).all()
        ambiguous = select(attempts.c.submission_id).where(attempts.c.outcome == "ambiguous").distinct()
        marked = set(connection.execute(ambiguous).scalars())
    known = {row.id: row for row in rows}

    def is_lost(estate: str, identity: str) -> bool:
        return identity not in known or (not carried_out[estate] and known[identity].status not in KEPT)

    def is_unmarked(estate: str) -> bool:
        row = known.get(accepted.get(estate, ""))
        if row is None or row.id in released:
            return False
        return row.customer_id == PARKED or row.id not in marked

    twice = [estate for estate, times in carried_out.items() if times > 1]
    statuses = Counter(row.status for row in rows)
    return Verdict(
        accepted=len(accepted),
        delivered=statuses["delivered"],
        parked=sum(statuses[status] for status in KEPT),
        lost=[estate for estate, identity in accepted.items() if is_lost(estate, identity)],
        twice=len(twice),
        unmarked=[estate for estate in twice if is_unmarked(estate)],
    )
