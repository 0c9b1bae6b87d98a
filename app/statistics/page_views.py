"""Page views of each form, counted in memory and saved periodically. Nothing about the visitor is stored."""

from collections import Counter
from collections.abc import Sequence

import structlog

from app.domain.campaigns import NO_CAMPAIGN, Campaign, campaign_of
from app.statistics.daily_counts import Counted, add, day_of, home_of
from app.storage.database import Database, StoreUnavailableError

PAUSE_SECONDS = 5.0
MAX_WAITING = 2000  # different pages between two writes, so that a flood of made-up homes can't fill the memory

log = structlog.get_logger()

_Shown = tuple[str, str, tuple[str, ...], str, Campaign]


class PageViews:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._shown: Counter[_Shown] = Counter()

    def count(
        self, customer_id: str, operation: str, resource: tuple[str, ...], estate: str, query: Sequence[tuple[str, str]]
    ) -> None:
        """Counts one view. `estate` is the home that a booking's embed named; `query` is the form address's query, with
        its campaign tags."""
        shown = (customer_id, operation, resource, estate, campaign_of(query) if query else NO_CAMPAIGN)
        if len(self._shown) < MAX_WAITING or shown in self._shown:
            self._shown[shown] += 1

    async def write(self) -> None:
        shown, self._shown = self._shown, Counter()
        if not shown:
            return
        day = day_of(self._database.now())
        counts: Counter[Counted] = Counter()
        for (customer_id, operation, resource, estate, campaign), count in shown.items():
            counts[Counted(day, customer_id, operation, home_of(operation, resource, estate), campaign)] += count
        try:
            await self._database.write(lambda connection: add(connection, "views", counts))
        except StoreUnavailableError as error:
            log.warning("page views not saved", detail=str(error))
