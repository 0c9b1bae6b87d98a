"""Incidents: reported once when they begin, and once when they are over."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class IncidentKind(StrEnum):
    """What the trouble is, and what its `subject` names."""

    PAUSED = "paused"  # a login that Vitec refuses: the function group
    OVERDUE = "overdue"  # the oldest waits too long: nothing, it is the customer's
    DROUGHT = "drought"  # a form that normally gets leads is silent: the operation
    REJECTED = "rejected"  # this and those below: a submission's id
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    HELD = "held"
    UNREADABLE = "unreadable"
    SOON_DISCARDED = "soon-discarded"  # held or undelivered still, and erased within a week
    REFUSED_BOOKING = "refused-booking"  # its visitor has the receipt already
    UNDELIVERED = "undelivered"  # its office shall have it by e-mail


OF_SUBMISSIONS = frozenset(IncidentKind) - {IncidentKind.PAUSED, IncidentKind.OVERDUE, IncidentKind.DROUGHT}


@dataclass(frozen=True)
class Incident:
    """`since` is when it began; of a drought, when the last lead came."""

    kind: IncidentKind
    customer_id: str
    subject: str
    since: datetime

    @property
    def key(self) -> "IncidentKey":
        return self.kind, self.customer_id, self.subject


IncidentKey = tuple[IncidentKind, str, str]


class IncidentState(StrEnum):
    """Of an alarm: the trouble is there and not told yet, is told, is over and that is not told yet."""

    NEW = "new"
    TOLD = "told"
    OVER = "over"
