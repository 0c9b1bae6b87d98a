"""Compares what was accepted with what the CRM carried out."""

import contextlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from app.sandbox import Office
from app.storage.database import Database
from app.storage.schema import attempts, logins, submissions
from tests.endurance.load import PARK_CUSTOMER
from tests.servers import eventually

PARKED_STATUSES = ("uncertain", "unreadable")  # wait for an operator


@dataclass(frozen=True)
class Comparison:
    """`lost`: accepted, but neither carried out nor parked. `sent_twice`: carried out more than once. `unmarked`: those
    of them without an ambiguous attempt, or of the customer that has such calls parked."""

    accepted: int
    delivered: int
    parked: int
    lost: list[str]
    sent_twice: int
    unmarked: list[str]

    @property
    def passed(self) -> bool:
        return not self.lost and not self.unmarked


def compare(
    database_url: str, office: Office, accepted: Mapping[str, str], released: Collection[str], within: float
) -> Comparison:
    """Waits until nothing is due; every `within` seconds there must be less. `accepted` maps estates to submission ids;
    `released` are ids that an operator has, or may have, sent again."""
    database = Database(database_url)
    try:
        left = _pending(database)
        while left:
            before = left
            with contextlib.suppress(AssertionError):
                eventually(lambda: _pending(database) == 0, within=within, every=0.5)
            left = _pending(database)
            if left >= before:
                raise AssertionError(f"after {within} s, {left} are still due: {_describe_pending(database)}")
        return _compare(database, office, accepted, released)
    finally:
        database.close()


def _pending(database: Database) -> int:
    count = select(func.count()).select_from(submissions).where(submissions.c.due_at.is_not(None))
    with database.engine.connect() as connection:
        return int(connection.execute(count).scalar_one())


def _describe_pending(database: Database) -> list[str]:
    """Some due submissions, and the state of the logins."""
    columns = submissions.c
    waiting = select(columns.id, columns.status, columns.received_at, columns.due_at, columns.claim)
    some = waiting.where(columns.due_at.is_not(None)).limit(5)
    with database.engine.connect() as connection:
        return [str(row._asdict()) for query in (some, select(logins)) for row in connection.execute(query)]


def _compare(database: Database, office: Office, accepted: Mapping[str, str], released: Collection[str]) -> Comparison:
    carried_out = Counter(call.path.split("/")[4] for call in office.received if call.carried_out)
    with database.engine.connect() as connection:
        rows = connection.execute(select(submissions.c.id, submissions.c.customer_id, submissions.c.status)).all()
        ambiguous = select(attempts.c.submission_id).where(attempts.c.outcome == "ambiguous").distinct()
        marked = set(connection.execute(ambiguous).scalars())
    known = {row.id: row for row in rows}

    def is_lost(estate: str, submission_id: str) -> bool:
        return submission_id not in known or (
            not carried_out[estate] and known[submission_id].status not in PARKED_STATUSES
        )

    def is_unmarked(estate: str) -> bool:
        row = known.get(accepted.get(estate, ""))
        if row is None or row.id in released:
            return False
        return row.customer_id == PARK_CUSTOMER or row.id not in marked

    sent_twice = [estate for estate, times in carried_out.items() if times > 1]
    statuses = Counter(row.status for row in rows)
    return Comparison(
        accepted=len(accepted),
        delivered=statuses["delivered"],
        parked=sum(statuses[status] for status in PARKED_STATUSES),
        lost=[estate for estate, submission_id in accepted.items() if is_lost(estate, submission_id)],
        sent_twice=len(sent_twice),
        unmarked=[estate for estate in sent_twice if is_unmarked(estate)],
    )
