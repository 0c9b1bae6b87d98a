"""Recorded incidents, and whether each has been reported.

One process at a time observes. `resolution` defines when an incident has ended; the statement that ends it contains
that condition.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Delete, Update, delete, func, insert, select, update

from app.alarms.detection import IncidentDetector
from app.alarms.incidents import Incident, IncidentKind, IncidentState
from app.storage.clock import ALARMS_AFTER, is_steady
from app.storage.conflict_insert import conflict_insert
from app.storage.database import Database, now_of
from app.storage.process_lease import ProcessLease
from app.storage.schema import alarms, notices

REPORT_EVERY = timedelta(minutes=5)  # at most, for each kind and customer, except for the urgent kinds
URGENT = frozenset({IncidentKind.REFUSED_BOOKING, IncidentKind.UNDELIVERED})
ALERTS_KEPT = timedelta(days=7)

Unreported = tuple[IncidentKind, str, IncidentState]

_UNREPORTED = (
    select(alarms.c.kind, alarms.c.customer_id, alarms.c.state)
    .where(alarms.c.state != IncidentState.REPORTED)
    .distinct()
)
_ALERT_KEY = (notices.c.kind, notices.c.customer_id, notices.c.over)
_LAST = select(*_ALERT_KEY, func.max(notices.c.created_at).label("at")).group_by(*_ALERT_KEY)


class IncidentStore:
    """`receivers(kind, customer_id)` returns the names of the receivers to alert."""

    def __init__(self, database: Database, receivers: Callable[[IncidentKind, str], Sequence[str]]) -> None:
        self._database = database
        self._receivers = receivers
        self._lease = ProcessLease(database, "alarms")

    async def observe(self, detector: IncidentDetector) -> bool:
        """Detects incidents, records the changes, and creates alerts of those not reported yet. Returns False if
        another process does this. Raises `StoreUnavailableError`."""
        if not await self._lease.take():
            return False
        new = await self._database.read(lambda connection: _fresh(connection, detector))
        if new is not None:
            await self._database.write(lambda connection: self._record(connection, detector, new))
        ready = await self._database.read(_ready)
        if ready:
            await self._database.write(lambda connection: self._report(connection, ready))
        return True

    async def stop(self) -> None:
        """Releases the lease, so that another process can observe. Raises `StoreUnavailableError`."""
        await self._lease.give_back()

    def _record(self, connection: Connection, detector: IncidentDetector, new: Sequence[Incident]) -> None:
        if not self._lease.holds(connection):
            return
        if new:
            now = now_of(connection)
            rows = [_row(incident, now) for incident in new]
            connection.execute(conflict_insert(connection, alarms).on_conflict_do_nothing(), rows)
        for change in _changes(connection, detector):
            connection.execute(change)

    def _report(self, connection: Connection, ready: Iterable[Unreported]) -> None:
        if not self._lease.holds(connection):
            return
        now = now_of(connection)
        if is_steady(connection, ALARMS_AFTER):  # unsent ones too: their receiver has left the configuration
            connection.execute(delete(notices).where(notices.c.created_at < now - ALERTS_KEPT))
        for kind, customer_id, state in ready:
            of_group = (
                alarms.c.kind == kind.value,
                alarms.c.customer_id == customer_id,
                alarms.c.state == state.value,
            )
            over = state is IncidentState.OVER
            turn = (
                delete(alarms).where(*of_group)
                if over
                else update(alarms).where(*of_group).values(state=IncidentState.REPORTED.value)
            )
            rows = connection.execute(turn.returning(alarms.c.subject, alarms.c.since)).all()
            incidents = sorted(
                (Incident(kind, customer_id, *row) for row in rows), key=lambda incident: incident.subject
            )
            # Each lead is e-mailed separately: the next one may be for another person at the office.
            batches = [[incident] for incident in incidents] if kind is IncidentKind.UNDELIVERED else [incidents]
            for batch in filter(None, batches):
                self._queue(connection, batch, now, over=over)

    def _queue(self, connection: Connection, incidents: Sequence[Incident], now: datetime, *, over: bool) -> None:
        first = incidents[0]
        for receiver in self._receivers(first.kind, first.customer_id):
            row = {
                "id": str(uuid4()),
                "receiver": receiver,
                "kind": first.kind.value,
                "customer_id": first.customer_id,
                "over": over,
                "subjects": " ".join(incident.subject for incident in incidents),
                "since": min(incident.since for incident in incidents),
                "created_at": now,
                "due_at": now,
                "attempts": 0,
            }
            connection.execute(insert(notices).values(row))


def _fresh(connection: Connection, detector: IncidentDetector) -> list[Incident] | None:
    """Incidents that are not recorded yet; None if neither these nor the recorded ones have changed."""
    rows = connection.execute(select(alarms.c.kind, alarms.c.customer_id, alarms.c.subject))
    recorded = {(IncidentKind(kind), *whose) for kind, *whose in rows}
    fresh = [incident for incident in detector.detect(connection) if incident.key not in recorded]
    if fresh or any(_has_rows(connection, change) for change in _changes(connection, detector)):
        return fresh
    return None


def _changes(connection: Connection, detector: IncidentDetector) -> Iterable[Update | Delete]:
    """Statements that bring the recorded incidents up to date with the database's facts."""
    kinds = connection.execute(select(alarms.c.kind).distinct()).scalars().all()
    for kind in kinds:
        of_kind, has_ended = alarms.c.kind == kind, detector.has_ended(connection, IncidentKind(kind))
        unreported = alarms.c.state == IncidentState.NEW.value
        yield delete(alarms).where(of_kind, unreported, has_ended)
        for state, then, fact in (
            (IncidentState.REPORTED, IncidentState.OVER, has_ended),
            (IncidentState.OVER, IncidentState.REPORTED, ~has_ended),  # began again before its end was reported
        ):
            yield update(alarms).where(of_kind, alarms.c.state == state.value, fact).values(state=then.value)


def _has_rows(connection: Connection, change: Update | Delete) -> bool:
    assert change.whereclause is not None
    return connection.execute(select(alarms.c.kind).where(change.whereclause).limit(1)).first() is not None


def _ready(connection: Connection) -> list[Unreported]:
    """What to report now: kind, customer, and whether it is a beginning or an end. What was reported less than
    `REPORT_EVERY` ago waits."""
    now = now_of(connection)
    last = {(row.kind, row.customer_id, row.over): row.at for row in connection.execute(_LAST)}
    unreported = [
        (IncidentKind(kind), whose, IncidentState(state)) for kind, whose, state in connection.execute(_UNREPORTED)
    ]
    return [
        (kind, whose, state)
        for kind, whose, state in unreported
        if kind in URGENT or _is_due(last.get((kind, whose, state is IncidentState.OVER)), now)
    ]


def _is_due(last: datetime | None, now: datetime) -> bool:
    return last is None or now - last >= REPORT_EVERY


def _row(incident: Incident, now: datetime) -> dict[str, Any]:
    return {
        "kind": incident.kind.value,
        "customer_id": incident.customer_id,
        "subject": incident.subject,
        "since": incident.since,
        "state": IncidentState.NEW.value,
        "raised_at": now,
    }
