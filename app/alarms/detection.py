"""Detection of incidents: checks for everything that can go wrong. When an incident has ended is decided in
`resolution`."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from app.alarms.incidents import Incident, IncidentKind
from app.alarms.resolution import has_ended
from app.alarms.silence import WEEK, WEEKS, is_silent, windows
from app.domain.submission import Operation, Status
from app.operations.registry import OPERATIONS
from app.privacy.retention import RetentionPeriods, soon_erased
from app.statistics.arrivals import Arrivals, arrivals_since
from app.storage.clock import ALARMS_AFTER, BELIEVED_AFTER, is_steady
from app.storage.database import now_of
from app.storage.schema import HAS_ARRIVED, LATER_STEP_STOPPED, NEEDS_A_PERSON, steps, submissions
from app.submissions.backlog import outstanding, paused_logins

TIME_TO_ERASE = timedelta(hours=1)  # once the clock is believed: the retention job runs every half hour
ERASED_WITHIN = timedelta(days=8)  # of its announcement: seven days, and one for a clock in doubt
SILENCE_SECONDS = 600.0  # between two searches for silent forms, which read five weeks of leads
MAX_EMAILED_AGE = timedelta(days=7)  # older leads are outdated, and are not e-mailed to their office
OF_CONFIGURED = frozenset({IncidentKind.PAUSED, IncidentKind.DROUGHT})  # about logins and forms that are in use
REFUSAL_SHOWN_WITHIN = timedelta(seconds=5)  # between a refusal and the record that the visitor was shown it

_COLUMNS = (
    submissions.c.id,
    submissions.c.customer_id,
    submissions.c.operation,
    submissions.c.status,
    submissions.c.received_at,
    submissions.c.settled_at,
)
_NEED_A_PERSON = select(*_COLUMNS).where(NEEDS_A_PERSON)
_STOPPED_LATER = (
    select(
        submissions.c.id,
        submissions.c.customer_id,
        submissions.c.received_at,
        submissions.c.settled_at,
        steps.c.status,
    )
    .join_from(steps, submissions, steps.c.submission_id == submissions.c.id)
    .where(LATER_STEP_STOPPED, HAS_ARRIVED)
)
_WAITING = select(*_COLUMNS).where(submissions.c.due_at.is_not(None), submissions.c.status == Status.PENDING)


@dataclass(frozen=True)
class Thresholds:
    """When a situation becomes an incident.

    booking_wait  how long a booking's visitor waits for the answer
    oldest        how long a lead may wait for delivery
    kept          how long submissions that need a person are kept
    office        by customer with `lead_mail`: the wait after which a lead is e-mailed to its office
    """

    booking_wait: timedelta
    oldest: timedelta
    kept: RetentionPeriods
    office: Mapping[str, timedelta]


class IncidentDetector:
    """`customers` are the ids in the configuration. One that has left it has no logins and forms in use, but what waits
    or has stopped still needs somebody: nothing delivers it any more."""

    def __init__(self, thresholds: Thresholds, customers: Iterable[str]) -> None:
        self._thresholds = thresholds
        self._customers = frozenset(customers)
        self._search_silence_from = 0.0

    def detect(self, connection: Connection) -> list[Incident]:
        """All current incidents. While the clock is in doubt, those that depend on age are left out."""
        now = now_of(connection)
        incidents = [
            *(
                Incident(IncidentKind.PAUSED, login.customer_id, login.group.value, login.since)
                for login in paused_logins(connection)
            ),
            *_stopped(connection, now, self._thresholds.booking_wait),
        ]
        if is_steady(connection, ALARMS_AFTER):
            incidents += self._detect_by_age(connection, now)
        return [
            incident
            for incident in incidents
            if incident.kind not in OF_CONFIGURED or incident.customer_id in self._customers
        ]

    def has_ended(self, connection: Connection, kind: IncidentKind) -> ColumnElement[bool]:
        """A condition on a row of `alarms`: its incident, of this kind, has ended."""
        now = now_of(connection)
        announced_before = now - ERASED_WITHIN if is_steady(connection, BELIEVED_AFTER + TIME_TO_ERASE) else None
        return has_ended(kind, now, self._thresholds.oldest, announced_before)

    def _detect_by_age(self, connection: Connection, now: datetime) -> Iterable[Incident]:
        thresholds = self._thresholds
        yield from _overdue(connection, now, thresholds.oldest)
        for submission in soon_erased(connection, thresholds.kept):
            yield Incident(IncidentKind.SOON_DISCARDED, submission.customer_id, submission.id, submission.since)
        yield from _undelivered(connection, now, thresholds.office, thresholds.booking_wait)
        if time.monotonic() >= self._search_silence_from:
            self._search_silence_from = time.monotonic() + SILENCE_SECONDS
            yield from silent_forms(arrivals_since(connection, now - (WEEKS + 1) * WEEK), now)


def silent_forms(leads: Iterable[Arrivals], now: datetime) -> list[Incident]:
    """Incidents of forms that have gone silent. `leads` are those of the last five weeks."""
    by_form: dict[tuple[str, str], list[Arrivals]] = {}
    for bucket in leads:
        by_form.setdefault((bucket.customer_id, bucket.operation), []).append(bucket)
    incidents = []
    for (customer, operation), buckets in by_form.items():
        last = max(bucket.last_at for bucket in buckets)
        past = [
            sum(bucket.number for bucket in buckets if begin < bucket.last_at <= end)
            for begin, end in windows(last, now)
        ]
        if is_silent(past):
            incidents.append(Incident(IncidentKind.DROUGHT, customer, operation, last))
    return incidents


def _stopped(connection: Connection, now: datetime, wait: timedelta) -> Iterable[Incident]:
    """Incidents of submissions that need a person. `wait` is how long a visitor waits for the answer before the receipt
    is shown."""
    for row in connection.execute(_NEED_A_PERSON):
        if not _may_be_shown_still(row, now, wait):
            yield Incident(_kind(row, wait), row.customer_id, row.id, row.settled_at or row.received_at)
    for later in connection.execute(_STOPPED_LATER):
        yield Incident(IncidentKind(later.status), later.customer_id, later.id, later.settled_at or later.received_at)


def _may_be_shown_still(row: Any, now: datetime, wait: timedelta) -> bool:
    fresh = row.status == Status.REJECTED and now - row.settled_at < REFUSAL_SHOWN_WITHIN
    return bool(fresh and row.settled_at - row.received_at <= wait)


def _kind(row: Any, wait: timedelta) -> IncidentKind:
    booking = _visitor_waits(row) and row.status == Status.REJECTED
    return IncidentKind.REFUSED_BOOKING if booking and _got_receipt_first(row, wait) else IncidentKind(row.status)


def _got_receipt_first(row: Any, wait: timedelta) -> bool:
    """Whether the visitor got a receipt before the refusal. Interest forms show it at once; booking forms wait for
    Vitec's answer first."""
    return not _visitor_waits(row) or bool(row.settled_at - row.received_at > wait)


def _visitor_waits(row: Any) -> bool:
    """Whether the page waits for Vitec's answer to this post."""
    return any(post.form and post.form.waits for post in OPERATIONS[Operation(row.operation)].posts)


def _overdue(connection: Connection, now: datetime, max_wait: timedelta) -> Iterable[Incident]:
    oldest: dict[str, datetime] = {}
    for group in outstanding(connection):
        oldest[group.customer_id] = min(group.oldest_at, oldest.get(group.customer_id, group.oldest_at))
    return [
        Incident(IncidentKind.OVERDUE, customer, "", since)
        for customer, since in oldest.items()
        if now - since > max_wait
    ]


def _undelivered(
    connection: Connection, now: datetime, after: Mapping[str, timedelta], wait: timedelta
) -> Iterable[Incident]:
    """Leads to e-mail to their office, by the delay `after` of each customer that wants this. A refusal that the caller
    was shown is not e-mailed."""
    if not after:
        return
    oldest = now - MAX_EMAILED_AGE
    for query in (_WAITING, _NEED_A_PERSON.where(submissions.c.status != Status.HELD)):
        of_customers = submissions.c.customer_id.in_(after), submissions.c.received_at > oldest
        for row in connection.execute(query.where(*of_customers)):
            was_shown = row.status == Status.REJECTED and not _got_receipt_first(row, wait)
            if not was_shown and now - row.received_at > after[row.customer_id]:
                yield Incident(IncidentKind.UNDELIVERED, row.customer_id, row.id, row.received_at)
