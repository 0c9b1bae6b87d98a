"""Alarms: what is wrong, and whether it has been told. Any number of processes look and tell at once.

Each change of a row says what it was before, so that the second of two does nothing: that is what tells a trouble once.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.alarms.incidents import Changes, Incident, IncidentKey, IncidentKind, IncidentState, changes
from app.storage.database import Database
from app.storage.schema import alarms, notices

GATHERED = timedelta(minutes=5)  # news of one kind is told at most so often, but for what can't wait
URGENT = frozenset({IncidentKind.REFUSED_BOOKING, IncidentKind.UNDELIVERED})
KEPT = timedelta(days=7)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

News = tuple[IncidentKind, str, IncidentState]
Look = Callable[[Connection, Iterable[Incident]], Iterable[Incident]]

_THIS = (
    (alarms.c.kind == bindparam("of_kind"))
    & (alarms.c.customer_id == bindparam("of_customer"))
    & (alarms.c.subject == bindparam("of_subject"))
)
_TURN = update(alarms).where(_THIS, alarms.c.state == bindparam("of_state")).values(state=bindparam("state"))
_FORGET = delete(alarms).where(_THIS, alarms.c.state == IncidentState.NEW)
_NEWS = (
    select(alarms.c.kind, alarms.c.customer_id, alarms.c.state).where(alarms.c.state != IncidentState.TOLD).distinct()
)
_WHAT = (notices.c.kind, notices.c.customer_id, notices.c.over)
_LAST = select(*_WHAT, func.max(notices.c.created_at).label("at")).group_by(*_WHAT)


class IncidentStore:
    """`receivers` are those that are told of each kind of trouble, by name."""

    def __init__(self, database: Database, receivers: Callable[[IncidentKind, str], Sequence[str]]) -> None:
        self._database = database
        self._receivers = receivers

    async def note(self, look: Look) -> None:
        """Looks at the troubles, and keeps what has changed. `look` gets those that are known. Raises
        `StoreUnavailableError`."""

        def work(connection: Connection) -> Changes:
            # What is known comes first: of what another process changes meanwhile nothing is made then.
            known = {_trouble(row).key: row for row in connection.execute(select(alarms))}
            troubles = look(connection, [_trouble(row) for row in known.values()])
            return changes({key: IncidentState(row.state) for key, row in known.items()}, troubles)

        found = await self._database.read(work)
        if found:
            await self._database.write(lambda connection: _keep(connection, found))

    async def tell(self, now: datetime) -> None:
        """Makes notices of what is not told yet. Raises `StoreUnavailableError`."""
        ready = await self._database.read(lambda connection: _ready(connection, now))
        if ready:
            await self._database.write(lambda connection: self._tell(connection, ready, now))

    def _tell(self, connection: Connection, ready: Iterable[News], now: datetime) -> None:
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
            found = sorted((Incident(kind, customer_id, *row) for row in rows), key=lambda one: one.subject)
            # A lead is mailed alone: it may be another person's business than the next.
            for batch in [[one] for one in found] if kind is IncidentKind.UNDELIVERED else filter(None, [found]):
                self._notify(connection, batch, now, over=over)

    def _notify(self, connection: Connection, troubles: Sequence[Incident], now: datetime, *, over: bool) -> None:
        first = troubles[0]
        for receiver in self._receivers(first.kind, first.customer_id):
            row = {
                "id": str(uuid4()),
                "receiver": receiver,
                "kind": first.kind.value,
                "customer_id": first.customer_id,
                "over": over,
                "subjects": " ".join(trouble.subject for trouble in troubles),
                "since": min(trouble.since for trouble in troubles),
                "created_at": now,
                "due_at": now,
                "attempts": 0,
            }
            connection.execute(insert(notices).values(row))


def _keep(connection: Connection, found: Changes) -> None:
    if found.raised:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        connection.execute(dialect.insert(alarms).on_conflict_do_nothing(), [_row(one) for one in found.raised])
    for keys, before, then in (
        (found.back, IncidentState.OVER, IncidentState.TOLD),
        (found.over, IncidentState.TOLD, IncidentState.OVER),
    ):
        if keys:
            turn = {"of_state": before.value, "state": then.value}
            connection.execute(_TURN, [_of(key) | turn for key in keys])
    if found.gone:
        connection.execute(_FORGET, [_of(key) for key in found.gone])


def _ready(connection: Connection, now: datetime) -> list[News]:
    """Kinds and customers with news, new troubles and those that are over apart, but for what was told of a moment
    ago."""
    last = {(row.kind, row.customer_id, row.over): row.at for row in connection.execute(_LAST)}
    news = [(IncidentKind(kind), whose, IncidentState(state)) for kind, whose, state in connection.execute(_NEWS)]
    return [
        (kind, whose, state)
        for kind, whose, state in news
        if kind in URGENT or now - last.get((kind, whose, state is IncidentState.OVER), LONG_AGO) >= GATHERED
    ]


def _trouble(row: Row[Any]) -> Incident:
    return Incident(IncidentKind(row.kind), row.customer_id, row.subject, row.since)


def _row(one: Incident) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "customer_id": one.customer_id,
        "subject": one.subject,
        "since": one.since,
        "state": IncidentState.NEW.value,
    }


def _of(key: IncidentKey) -> dict[str, Any]:
    kind, customer_id, subject = key
    return {"of_kind": kind.value, "of_customer": customer_id, "of_subject": subject}
