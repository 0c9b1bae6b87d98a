"""Alerts, their receivers, and each receiver's queue, until they are sent or given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, exists, or_, select, update

from app.alarms.incidents import IncidentKind
from app.storage.clock import ALARMS_AFTER, is_steady
from app.storage.database import Database, now_of
from app.storage.schema import notices

MAX_AT_ONCE = 20
ATTEMPT_SECONDS = 30.0  # the time limit of one attempt
CLAIM_LASTS = timedelta(minutes=2)  # no attempt takes that long: afterwards its process is taken to be dead
RETRY_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 1800, 3600))  # the last one repeats
GIVE_UP_AFTER = timedelta(days=3)

_EARLIER = notices.alias()
# An earlier alert that this one contradicts, such as the beginning of what has ended. Lead mails are about one lead.
_CONTRADICTED = (
    _EARLIER.c.receiver == notices.c.receiver,
    _EARLIER.c.kind == notices.c.kind,
    _EARLIER.c.customer_id == notices.c.customer_id,
    or_(notices.c.kind != IncidentKind.UNDELIVERED.value, _EARLIER.c.subjects == notices.c.subjects),
    _EARLIER.c.over != notices.c.over,
    _EARLIER.c.created_at < notices.c.created_at,
)


@dataclass(frozen=True)
class Alert:
    """A message to one receiver. `subjects` are those of incidents of one kind and customer; `over`: it reports their
    end; `attempts`: the number of failed attempts."""

    id: str
    kind: IncidentKind
    customer_id: str
    over: bool
    subjects: tuple[str, ...]
    since: datetime
    created_at: datetime
    attempts: int


class AlertDeliveryError(Exception):
    """The receiver did not accept the alert. The message quotes nothing from its content."""


class AlertReceiver(Protocol):
    """Sends alerts by one means, such as e-mail."""

    async def send(self, alert: Alert) -> None:
        """Raises `AlertDeliveryError`."""
        ...


class AlertQueue:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, receiver: str) -> Sequence[Alert]:
        """The receiver's alerts to send now, oldest first. None overtakes an earlier one that it contradicts: the last
        that arrives must be true. Raises `StoreUnavailableError`."""
        of_receiver = (
            select(notices).where(notices.c.receiver == receiver).order_by(notices.c.created_at).limit(MAX_AT_ONCE)
        )

        def work(connection: Connection) -> list[Alert]:
            now = now_of(connection)
            due = of_receiver.where(notices.c.due_at <= now, ~exists().where(*_CONTRADICTED, _EARLIER.c.due_at > now))
            return [
                Alert(
                    row.id,
                    IncidentKind(row.kind),
                    row.customer_id,
                    row.over,
                    tuple(row.subjects.split(" ")),
                    row.since,
                    row.created_at,
                    row.attempts,
                )
                for row in connection.execute(due)
            ]

        return await self._database.read(work)

    async def claim(self, alert: Alert) -> bool:
        """Reserves the alert for this process. False if another process has it. Raises
        `StoreUnavailableError`."""

        def work(connection: Connection) -> bool:
            now = now_of(connection)
            unclaimed = _attempted(alert, 0) & (notices.c.due_at <= now)
            claim = update(notices).where(unclaimed).values(attempts=alert.attempts + 1, due_at=now + CLAIM_LASTS)
            return connection.execute(claim).rowcount == 1

        return await self._database.write(work)

    async def mark_sent(self, alert: Alert) -> None:
        """Raises `StoreUnavailableError`."""
        sent = update(notices).where(_attempted(alert, 1)).values(due_at=None)
        await self._database.write(lambda connection: connection.execute(sent))

    async def put_off(self, alert: Alert) -> bool:
        """Schedules the next attempt after a failed one; returns False if the alert is given up instead. Raises
        `StoreUnavailableError`."""
        delay = RETRY_DELAYS[min(alert.attempts, len(RETRY_DELAYS) - 1)]

        def work(connection: Connection) -> bool:
            now = now_of(connection)
            due_at = (
                None if now - alert.created_at > GIVE_UP_AFTER and is_steady(connection, ALARMS_AFTER) else now + delay
            )
            connection.execute(update(notices).where(_attempted(alert, 1)).values(due_at=due_at))
            return due_at is not None

        return await self._database.write(work)


def _attempted(alert: Alert, more: int) -> ColumnElement[bool]:
    """A condition: since it was read it has been attempted `more` times, by this process only."""
    return (notices.c.id == alert.id) & (notices.c.attempts == alert.attempts + more)
