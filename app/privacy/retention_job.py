"""The periodic retention job, which also warns the operator of what is held, and of what is about to be erased."""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from app.privacy.retention import Retention, UndecidedSubmission
from app.storage.database import StoreUnavailableError

log = structlog.get_logger()

ROUND_SECONDS = 1800.0  # so that the operator hears within the hour
MAX_NAMED = 20  # in a line; `intresse leads list --status held` has them all


class RetentionJob:
    """Each replica keeps house by itself: twice erased is erased, and a word too many is better than none."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._told: set[str] = set()
        self._warned: set[str] = set()
        self._warned_of_undelivered: set[str] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.is_set():
            try:
                await self.round()
            except StoreUnavailableError as error:
                log.error("store unavailable", detail=str(error))
            except Exception:  # a fault of ours in one round must not end all that come after
                log.exception("retention failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ROUND_SECONDS):
                    await self._stopping.wait()

    def stop(self) -> None:
        self._stopping.set()

    async def round(self) -> None:
        """Raises `StoreUnavailableError`."""
        erased = await self._retention.erase_outlived()
        if erased:
            log.info("expired data erased", count=erased)
        held = await self._retention.held()
        self._tell("held: suspected spam needs review", held, self._told)
        of_held = {one.id for one in held}
        soon = await self._retention.soon_erased()
        self._tell("held: will be discarded within 7 days", [one for one in soon if one.id in of_held], self._warned)
        others = [one for one in soon if one.id not in of_held]
        self._tell("undelivered: will be erased within 7 days", others, self._warned_of_undelivered)

    def _tell(self, what: str, waiting: Sequence[UndecidedSubmission], told: set[str]) -> None:
        """Of each submission once; a line for each customer."""
        told &= {one.id for one in waiting}
        fresh = [one for one in waiting if one.id not in told]
        for customer in sorted({one.customer_id for one in fresh}):
            ids = [one.id for one in fresh if one.customer_id == customer]
            log.error(what, customer=customer, count=len(ids), submissions=ids[:MAX_NAMED])
        told |= {one.id for one in fresh}
