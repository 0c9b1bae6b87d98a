"""Gauges read from the database: the same on every replica."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from app.domain.submission import FunctionGroup
from app.storage.database import Database, StoreUnavailableError
from app.storage.query_cache import AdaptiveCache
from app.submissions.backlog import Outstanding, need_a_person, outstanding, paused_logins

SHORTEST_SECONDS = 5.0  # between two looks
SHARE = 0.1  # of one reader's time, at most: a long backlog takes long to look at


Login = tuple[str, FunctionGroup]


@dataclass(frozen=True)
class Figures:
    """`stuck` is how many need a person, by customer, operation and status."""

    outstanding: Sequence[Outstanding]
    stuck: Mapping[tuple[str, str, str], int]
    paused: frozenset[Login]


class BacklogGauges(Collector):
    """What is told is at most some seconds old, however often it is asked for."""

    def __init__(self, database: Database, customers: Iterable[str]) -> None:
        self._database = database
        self._logins = [(customer, group) for customer in customers for group in FunctionGroup]
        self._figures: Figures | None = None
        self._looks = AdaptiveCache(self._look, share=SHARE, shortest=SHORTEST_SECONDS)

    async def refresh(self) -> None:
        self._figures = await self._looks.get(None)

    async def _look(self, _: None) -> Figures | None:
        try:
            return await self._database.read(_look)
        except StoreUnavailableError:
            return None

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return families(self._figures, self._logins, datetime.now(UTC))


def _look(connection: Connection) -> Figures:
    resting = frozenset((login.customer_id, login.group) for login in paused_logins(connection))
    return Figures(outstanding(connection), need_a_person(connection), resting)


def families(figures: Figures | None, logins: Iterable[Login], now: datetime) -> Iterable[GaugeMetricFamily]:
    """Of no figures, that the database did not answer."""
    yield GaugeMetricFamily("intresse_database_up", "Whether the database answered.", value=int(figures is not None))
    if figures is None:
        return
    whose = ("customer", "operation")
    waiting = GaugeMetricFamily("intresse_waiting", "Submissions with something left to deliver.", labels=whose)
    oldest = GaugeMetricFamily("intresse_waiting_oldest_seconds", "Age of the oldest waiting submission.", labels=whose)
    for one in figures.outstanding:
        waiting.add_metric((one.customer_id, one.operation), one.number)
        oldest.add_metric((one.customer_id, one.operation), max((now - one.oldest_at).total_seconds(), 0))
    stuck = GaugeMetricFamily("intresse_need_a_person", "Submissions that need attention.", labels=(*whose, "status"))
    for labels, number in figures.stuck.items():
        stuck.add_metric(labels, number)
    refused = GaugeMetricFamily(
        "intresse_login_paused", "1 while Vitec refuses the login.", labels=("customer", "function_group")
    )
    for customer, group in logins:
        refused.add_metric((customer, group.value), int((customer, group) in figures.paused))
    yield from (waiting, oldest, stuck, refused)
