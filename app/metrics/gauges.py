"""Gauges read from the database, so they are the same on every replica."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from app.domain.submission import FunctionGroup
from app.storage.database import Database, StoreUnavailableError
from app.storage.query_cache import AdaptiveCache
from app.submissions.backlog import Outstanding, need_a_person, outstanding, paused_logins

SHORTEST_SECONDS = 5.0  # between two queries
SHARE = 0.1  # of one reader thread's time, at most: a long backlog takes long to query

Login = tuple[str, FunctionGroup]


@dataclass(frozen=True)
class Figures:
    """`stuck` is the number of submissions that need a person, by customer, operation and status."""

    outstanding: Sequence[Outstanding]
    stuck: Mapping[tuple[str, str, str], int]
    paused: frozenset[Login]


class BacklogGauges(Collector):
    """The figures are queried every few seconds at most, however often they are scraped."""

    def __init__(self, database: Database, customers: Iterable[str]) -> None:
        self._database = database
        self._logins = [(customer, group) for customer in customers for group in FunctionGroup]
        self._figures: Figures | None = None
        self._cache = AdaptiveCache(self._query, share=SHARE, shortest=SHORTEST_SECONDS)

    async def refresh(self) -> None:
        self._figures = await self._cache.get(None)

    async def _query(self, _: None) -> Figures | None:
        try:
            return await self._database.read(_query)
        except StoreUnavailableError:
            return None

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return families(self._figures, self._logins, self._database.now())


def _query(connection: Connection) -> Figures:
    paused = frozenset((login.customer_id, login.group) for login in paused_logins(connection))
    return Figures(outstanding(connection), need_a_person(connection), paused)


def families(figures: Figures | None, logins: Iterable[Login], now: datetime) -> Iterable[GaugeMetricFamily]:
    """Without `figures`, yields only `intresse_database_up 0`."""
    yield GaugeMetricFamily("intresse_database_up", "Whether the database answered.", value=int(figures is not None))
    if figures is None:
        return
    names = ("customer", "operation")
    waiting = GaugeMetricFamily("intresse_waiting", "Submissions with something left to deliver.", labels=names)
    oldest = GaugeMetricFamily("intresse_waiting_oldest_seconds", "Age of the oldest waiting submission.", labels=names)
    for backlog in figures.outstanding:
        labels = backlog.customer_id, backlog.operation
        waiting.add_metric(labels, backlog.number)
        oldest.add_metric(labels, max((now - backlog.oldest_at).total_seconds(), 0))
    stuck = GaugeMetricFamily("intresse_need_a_person", "Submissions that need attention.", labels=(*names, "status"))
    for (customer_id, operation, status), number in figures.stuck.items():
        stuck.add_metric((customer_id, operation, status), number)
    refused = GaugeMetricFamily(
        "intresse_login_paused", "1 while Vitec refuses the login.", labels=("customer", "function_group")
    )
    for customer, group in logins:
        refused.add_metric((customer, group.value), int((customer, group) in figures.paused))
    yield from (waiting, oldest, stuck, refused)
