"""Incidents and their life: reported once when they begin, and once when they are over."""

from collections.abc import Callable, Iterable, Mapping
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
    SOON_DISCARDED = "soon-discarded"  # and held still
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


@dataclass(frozen=True)
class Changes:
    """What a look at the troubles makes of the alarms."""

    raised: tuple[Incident, ...] = ()
    back: tuple[IncidentKey, ...] = ()  # over, and there again before that was told: nothing to tell
    gone: tuple[IncidentKey, ...] = ()  # over before it was told: nothing to tell
    over: tuple[IncidentKey, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.raised or self.back or self.gone or self.over)


def changes(known: Mapping[IncidentKey, IncidentState], troubles: Iterable[Incident]) -> Changes:
    there = {trouble.key: trouble for trouble in troubles}

    def those(state: IncidentState, test: Callable[[IncidentKey], bool]) -> tuple[IncidentKey, ...]:
        return tuple(key for key, its in known.items() if its is state and test(key))

    return Changes(
        raised=tuple(trouble for key, trouble in there.items() if key not in known),
        back=those(IncidentState.OVER, lambda key: key in there),
        gone=those(IncidentState.NEW, lambda key: key not in there),
        over=those(IncidentState.TOLD, lambda key: key not in there),
    )
