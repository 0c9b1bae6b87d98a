"""Calls that read at Vitec for whoever asks through us: the same logins, pauses and pace as the deliveries, which go
first.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.delivery.circuit_breaker import CircuitBreaker
from app.delivery.claims import Signal
from app.delivery.retry_policy import signal_of
from app.domain.submission import FunctionGroup
from app.storage.database import StoreUnavailableError
from app.vitec.client import READS
from app.vitec.errors import LoginRefusedError, UnavailableError, VitecError
from app.vitec.throttle import Throttle

MAX_WAITING = 50  # look-ups with one login
CALLS_AT_ONCE_PER_CUSTOMER = 2

T = TypeVar("T")


class LookupQueue:
    def __init__(self, logins: CircuitBreaker, pace: Throttle) -> None:
        self._logins = logins
        self._pace = pace
        self._waiting: defaultdict[tuple[str, FunctionGroup], int] = defaultdict(int)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._places = asyncio.Semaphore(READS)
        self._customer_places: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(CALLS_AT_ONCE_PER_CUSTOMER)
        )

    async def make(
        self, customer_id: str, group: FunctionGroup, call: Callable[[], Awaitable[T]], turn_seconds: float
    ) -> T:
        """What the call answers. Raises its errors, and `UnavailableError` when no turn comes in time. While the login
        is paused Vitec is not asked, but for a probe."""
        lane = (customer_id, group)
        if self._waiting[lane] >= MAX_WAITING:
            raise UnavailableError("too many look-ups are waiting")
        self._waiting[lane] += 1
        try:
            async with asyncio.timeout(turn_seconds):
                await self._customer_places[customer_id].acquire()
                try:
                    await self._places.acquire()
                    try:
                        await self._take_turn(customer_id)
                    except BaseException:
                        self._places.release()
                        raise
                except BaseException:
                    self._customer_places[customer_id].release()
                    raise
        except TimeoutError:
            raise UnavailableError("no turn came in time") from None
        finally:
            self._waiting[lane] -= 1
        try:
            return await self._call(lane, call)
        finally:
            self._places.release()
            self._customer_places[customer_id].release()

    async def _take_turn(self, customer_id: str) -> None:
        async with self._turns[customer_id]:  # one after the other, in the order in which they came
            while wait := self._pace.lend(customer_id):  # noqa: ASYNC110  # a turn is time: there is no event for it
                await asyncio.sleep(wait)

    async def _call(self, lane: tuple[str, FunctionGroup], call: Callable[[], Awaitable[T]]) -> T:
        try:
            if not await self._logins.may_read(lane):
                raise LoginRefusedError("the login is paused")
            try:
                found = await call()
            except VitecError as error:
                news = signal_of(error)
                # One forbidden thing, read again and again, must not look like three.
                if news in {Signal.LET_IN, Signal.REFUSED}:
                    await self._logins.tell(lane, news)
                raise
            await self._logins.tell(lane, Signal.LET_IN)
        except StoreUnavailableError as error:
            raise UnavailableError(f"the database is away: {error}") from None
        return found
