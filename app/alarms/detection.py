"""Detection of incidents: one check of everything that can be wrong."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection

from app.alarms.incidents import Incident, IncidentKind
from app.alarms.queries import ended, overdue, stopped, undelivered
from app.alarms.silence import WEEK, WEEKS, is_silent, windows
from app.privacy.retention import RetentionPeriods, soon_erased
from app.statistics.arrivals import Came, came
from app.storage.clock import ALARMS_AFTER, is_steady
from app.storage.database import now_of
from app.submissions.backlog import paused

SILENCE_SECONDS = 600.0  # between two looks: to look at five weeks of leads takes its time


@dataclass(frozen=True)
class Thresholds:
    """`wait`: how long who books waits for the answer; `oldest`: how long a lead may wait; `kept`: for how long what
    needs a person is kept; `office`: how long before its office gets it by e-mail, for each customer that wishes it."""

    wait: timedelta
    oldest: timedelta
    kept: RetentionPeriods
    office: Mapping[str, timedelta]


class IncidentDetector:
    """`customers` are those of the configuration: what concerns others begins no incident."""

    def __init__(self, limits: Thresholds, customers: Iterable[str]) -> None:
        self._limits = limits
        self._customers = frozenset(customers)
        self._silence_from = 0.0

    def found(self, connection: Connection) -> list[Incident]:
        """What is wrong now. While the clock is in doubt nothing is wrong because of its age."""
        now, limits = now_of(connection), self._limits
        incidents = [
            *(Incident(IncidentKind.PAUSED, one.customer_id, one.group.value, one.since) for one in paused(connection)),
            *stopped(connection, now, limits.wait),
        ]
        if is_steady(connection, ALARMS_AFTER):
            incidents += self._found_by_age(connection, now)
        return [incident for incident in incidents if incident.customer_id in self._customers]

    def ended(self, connection: Connection, kind: IncidentKind) -> ColumnElement[bool]:
        """The fact that ends an incident of this kind, for a row of `alarms`."""
        return ended(kind, now_of(connection), self._limits.oldest)

    def _found_by_age(self, connection: Connection, now: datetime) -> Iterable[Incident]:
        limits = self._limits
        yield from overdue(connection, now, limits.oldest)
        for one in soon_erased(connection, limits.kept):
            yield Incident(IncidentKind.SOON_DISCARDED, one.customer_id, one.id, one.since)
        yield from undelivered(connection, now, limits.office, limits.wait)
        if time.monotonic() >= self._silence_from:
            self._silence_from = time.monotonic() + SILENCE_SECONDS
            yield from silent_forms(came(connection, now - (WEEKS + 1) * WEEK), now)


def silent_forms(leads: Iterable[Came], now: datetime) -> list[Incident]:
    """`leads` of the last five weeks."""
    by_form: dict[tuple[str, str], list[Came]] = {}
    for one in leads:
        by_form.setdefault((one.customer_id, one.operation), []).append(one)
    found = []
    for (customer, operation), spells in by_form.items():
        last = max(one.last_at for one in spells)
        past = [sum(one.number for one in spells if begin < one.last_at <= end) for begin, end in windows(last, now)]
        if is_silent(past):
            found.append(Incident(IncidentKind.DROUGHT, customer, operation, last))
    return found
