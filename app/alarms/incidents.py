"""Incidents: reported once when they begin, and once when they are over."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class IncidentKind(StrEnum):
    """What is wrong; the comments say what the `subject` is."""

    PAUSED = "paused"  # a login that Vitec refuses: the function group
    OVERDUE = "overdue"  # the oldest submission has waited too long: empty
    DROUGHT = "drought"  # a form that normally gets leads has gone silent: the operation
    REJECTED = "rejected"  # this and those below: a submission's id
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    HELD = "held"
    UNREADABLE = "unreadable"
    SOON_DISCARDED = "soon-discarded"  # still held or undelivered, and erased within a week
    REFUSED_BOOKING = "refused-booking"  # its visitor already has the receipt
    UNDELIVERED = "undelivered"  # its office gets it by e-mail


OF_SUBMISSIONS = frozenset(IncidentKind) - {IncidentKind.PAUSED, IncidentKind.OVERDUE, IncidentKind.DROUGHT}


@dataclass(frozen=True)
class Incident:
    """`since` is when it began; for a silent form, when the last lead came."""

    kind: IncidentKind
    customer_id: str
    subject: str
    since: datetime

    @property
    def key(self) -> "IncidentKey":
        return self.kind, self.customer_id, self.subject


IncidentKey = tuple[IncidentKind, str, str]


class IncidentState(StrEnum):
    """Of an alarm: the incident is there and not reported yet; is reported; or is over, which is not reported yet."""

    NEW = "new"
    REPORTED = "told"
    OVER = "over"
