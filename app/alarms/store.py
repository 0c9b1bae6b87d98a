"""Recorded incidents, and whether each has been told. One process at a time observes; it ends an incident because of a
fact in the database, in the statement that ends it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Delete, Update, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.alarms.incidents import Incident, IncidentKind, IncidentState
from app.storage.database import Database, now_of
from app.storage.process_lease import ProcessLease
from app.storage.schema import alarms, notices

GATHERED = timedelta(minutes=5)  # news of one kind is told at most so often, but for what can't wait
URGENT = frozenset({IncidentKind.REFUSED_BOOKING, IncidentKind.UNDELIVERED})
KEPT = timedelta(days=7)

News = tuple[IncidentKind, str, IncidentState]

_NEWS = (
    select(alarms.c.kind, alarms.c.customer_id, alarms.c.state).where(alarms.c.state != IncidentState.TOLD).distinct()
)
_WHAT = (notices.c.kind, notices.c.customer_id, notices.c.over)
_LAST = select(*_WHAT, func.max(notices.c.created_at).label("at")).group_by(*_WHAT)


class Detector(Protocol):
    def detect(self, connection: Connection) -> Iterable[Incident]: ...

    def has_ended(self, connection: Connection, kind: IncidentKind) -> ColumnElement[bool]:
        """Of a row of `alarms`."""
        ...


class IncidentStore:
    """`receivers` are those that are told of each kind of trouble, by name."""

    def __init__(self, database: Database, receivers: Callable[[IncidentKind, str], Sequence[str]]) -> None:
        self._database = database
        self._receivers = receivers
        self._lease = ProcessLease(database, "alarms")

    async def observe(self, detector: Detector) -> bool:
        """Looks at what is wrong, keeps what has changed, and makes notices of what is not told yet; False where
        another process does. Raises `StoreUnavailableError`."""
        if not await self._lease.take():
            return False
        new = await self._database.read(lambda connection: _fresh(connection, detector))
        if new is not None:
            await self._database.write(lambda connection: self._keep(connection, detector, new))
        ready = await self._database.read(_ready)
        if ready:
            await self._database.write(lambda connection: self._tell(connection, ready))
        return True

    async def stop(self) -> None:
        """Another may observe. Raises `StoreUnavailableError`."""
        await self._lease.give_back()

    def _keep(self, connection: Connection, detector: Detector, new: Sequence[Incident]) -> None:
        if not self._lease.holds(connection):
            return
        if new:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            now = now_of(connection)
            rows = [_row(incident, now) for incident in new]
            connection.execute(dialect.insert(alarms).on_conflict_do_nothing(), rows)
        for change in _changes(connection, detector):
            connection.execute(change)

    def _tell(self, connection: Connection, ready: Iterable[News]) -> None:
        if not self._lease.holds(connection):
            return
        now = now_of(connection)
        old = notices.c.due_at.is_(None) & (notices.c.created_at < now - KEPT)
        connection.execute(delete(notices).where(old))
        for kind, customer_id, state in ready:
            those = (alarms.c.kind == kind.value, alarms.c.customer_id == customer_id, alarms.c.state == state.value)
            over = state is IncidentState.OVER
            turn = (
                delete(alarms).where(*those)
                if over
                else update(alarms).where(*those).values(state=IncidentState.TOLD.value)
            )
            rows = connection.execute(turn.returning(alarms.c.subject, alarms.c.since)).all()
            incidents = sorted(
                (Incident(kind, customer_id, *row) for row in rows), key=lambda incident: incident.subject
            )
            # A lead is mailed alone: it may be another person's business than the next.
            for batch in (
                [[incident] for incident in incidents]
                if kind is IncidentKind.UNDELIVERED
                else filter(None, [incidents])
            ):
                self._notify(connection, batch, now, over=over)

    def _notify(self, connection: Connection, incidents: Sequence[Incident], now: datetime, *, over: bool) -> None:
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


def _fresh(connection: Connection, detector: Detector) -> list[Incident] | None:
    """Incidents that are not kept yet; None where nothing has changed."""
    rows = connection.execute(select(alarms.c.kind, alarms.c.customer_id, alarms.c.subject))
    known = {(IncidentKind(kind), *whose) for kind, *whose in rows}
    fresh = [incident for incident in detector.detect(connection) if incident.key not in known]
    if fresh or any(_has_rows(connection, change) for change in _changes(connection, detector)):
        return fresh
    return None


def _changes(connection: Connection, detector: Detector) -> Iterable[Update | Delete]:
    """What becomes of the incidents that are kept, by the facts."""
    kinds = connection.execute(select(alarms.c.kind).distinct()).scalars().all()
    for kind in kinds:
        of_kind, has_ended = alarms.c.kind == kind, detector.has_ended(connection, IncidentKind(kind))
        before_told = alarms.c.state == IncidentState.NEW.value
        yield delete(alarms).where(of_kind, before_told, has_ended)
        for state, then, fact in (
            (IncidentState.TOLD, IncidentState.OVER, has_ended),
            (IncidentState.OVER, IncidentState.TOLD, ~has_ended),  # there again before its end was told
        ):
            yield update(alarms).where(of_kind, alarms.c.state == state.value, fact).values(state=then.value)


def _has_rows(connection: Connection, change: Update | Delete) -> bool:
    assert change.whereclause is not None
    return connection.execute(select(alarms.c.kind).where(change.whereclause).limit(1)).first() is not None


def _ready(connection: Connection) -> list[News]:
    """Kinds and customers with news, new troubles and those that are over apart, but for what was told of a moment
    ago."""
    now = now_of(connection)
    last = {(row.kind, row.customer_id, row.over): row.at for row in connection.execute(_LAST)}
    news = [(IncidentKind(kind), whose, IncidentState(state)) for kind, whose, state in connection.execute(_NEWS)]
    return [
        (kind, whose, state)
        for kind, whose, state in news
        if kind in URGENT or _is_due(last.get((kind, whose, state is IncidentState.OVER)), now)
    ]


def _is_due(last: datetime | None, now: datetime) -> bool:
    return last is None or now - last >= GATHERED


def _row(incident: Incident, now: datetime) -> dict[str, Any]:
    return {
        "kind": incident.kind.value,
        "customer_id": incident.customer_id,
        "subject": incident.subject,
        "since": incident.since,
        "state": IncidentState.NEW.value,
        "raised_at": now,
    }
