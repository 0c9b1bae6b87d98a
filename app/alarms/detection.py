"""Detection of incidents: one check of everything that can be wrong."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from app.alarms.incidents import Incident, IncidentKind
from app.alarms.queries import Came, came, overdue, soon_discarded, stopped, undelivered
from app.alarms.silence import WEEK, WEEKS, is_silent, windows
from app.submissions.backlog import paused

SILENCE_SECONDS = 600.0  # between two looks: to look at five weeks of leads takes its time


@dataclass(frozen=True)
class Thresholds:
    """`wait`: how long who books waits for the answer; `oldest`: how long a lead may wait; `held`: how long it may be
    held until its discarding is announced; `office`: how long before its office gets it by e-mail, for each customer
    that wishes it."""

    wait: timedelta
    oldest: timedelta
    held: timedelta
    office: Mapping[str, timedelta]


class IncidentDetector:
    """`customers` are those of the configuration: what concerns others is nobody's business any more."""

    def __init__(self, limits: Thresholds, customers: Iterable[str]) -> None:
        self._limits = limits
        self._customers = frozenset(customers)
        self._droughts: list[Incident] = []
        self._droughts_until = 0.0

    def __call__(self, connection: Connection, known: Iterable[Incident]) -> list[Incident]:
        now = datetime.now(UTC)
        limits = self._limits
        if time.monotonic() >= self._droughts_until:
            self._droughts = silent_forms(came(connection, now - (WEEKS + 1) * WEEK), known, now)
            self._droughts_until = time.monotonic() + SILENCE_SECONDS
        found = [
            *(Incident(IncidentKind.PAUSED, one.customer_id, one.group.value, one.since) for one in paused(connection)),
            *overdue(connection, now, limits.oldest),
            *stopped(connection, limits.wait),
            *soon_discarded(connection, now, limits.held),
            *undelivered(connection, now, limits.office, limits.wait),
            *self._droughts,
        ]
        return [trouble for trouble in found if trouble.customer_id in self._customers]


def silent_forms(leads: Iterable[Came], known: Iterable[Incident], now: datetime) -> list[Incident]:
    """`leads` of the last five weeks. One that is known is over with the next lead, and not before."""
    by_form: dict[tuple[str, str], list[Came]] = {}
    for one in leads:
        by_form.setdefault((one.customer_id, one.operation), []).append(one)
    found = []
    for trouble in known:
        if trouble.kind is IncidentKind.DROUGHT and not _since(by_form.get(trouble.key[1:], ()), trouble.since):
            found.append(trouble)
    open_ones = {trouble.key for trouble in found}
    for (customer, operation), spells in by_form.items():
        last = max(one.last_at for one in spells)
        trouble = Incident(IncidentKind.DROUGHT, customer, operation, last)
        past = [sum(one.number for one in spells if begin < one.last_at <= end) for begin, end in windows(last, now)]
        if trouble.key not in open_ones and is_silent(past):
            found.append(trouble)
    return found


def _since(spells: Iterable[Came], moment: datetime) -> bool:
    return any(one.last_at > moment for one in spells)
