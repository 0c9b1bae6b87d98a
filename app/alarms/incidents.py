"""Incidents: reported once when they begin and once when they have ended."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class IncidentKind(StrEnum):
    """What is wrong. The comments say what the incident's `subject` is."""

    PAUSED = "paused"  # Vitec refuses a login; subject: its function group
    OVERDUE = "overdue"  # the oldest submission has waited too long; subject: empty
    DROUGHT = "drought"  # a form that normally gets leads has gone silent; subject: its operation
    REJECTED = "rejected"  # subject, here and below: a submission's id
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    HELD = "held"
    UNREADABLE = "unreadable"
    SOON_DISCARDED = "soon-discarded"  # still held or undelivered, and will be erased within a week
    REFUSED_BOOKING = "refused-booking"  # refused although the visitor already has the receipt
    UNDELIVERED = "undelivered"  # undelivered, and e-mailed to the office


OF_SUBMISSIONS = frozenset(IncidentKind) - {IncidentKind.PAUSED, IncidentKind.OVERDUE, IncidentKind.DROUGHT}


@dataclass(frozen=True)
class Incident:
    """`since` is when it began. For a silent form it is when the last lead was received."""

    kind: IncidentKind
    customer_id: str
    subject: str
    since: datetime

    @property
    def key(self) -> "IncidentKey":
        return self.kind, self.customer_id, self.subject


IncidentKey = tuple[IncidentKind, str, str]


class IncidentState(StrEnum):
    """State of a recorded incident: new (not reported yet), reported, or over (its end is not reported yet)."""

    NEW = "new"
    REPORTED = "told"
    OVER = "over"
