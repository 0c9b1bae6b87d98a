"""Queue for lookups: calls to Vitec that read on behalf of a caller. They share logins, circuit breaker and rate limit
with deliveries, which have priority."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from app.delivery.circuit_breaker import CircuitBreaker
from app.delivery.claims import Signal
from app.delivery.retry_policy import signal_of
from app.domain.submission import FunctionGroup
from app.storage.database import StoreUnavailableError
from app.vitec.client import READS
from app.vitec.errors import LoginRefusedError, UnavailableError, VitecError
from app.vitec.throttle import Throttle

MAX_WAITING = 50  # lookups waiting for one login
CALLS_AT_ONCE_PER_CUSTOMER = 2

T = TypeVar("T")


class LookupQueue:
    def __init__(self, circuit_breaker: CircuitBreaker, throttle: Throttle) -> None:
        self._circuit_breaker = circuit_breaker
        self._throttle = throttle
        self._waiting: defaultdict[tuple[str, FunctionGroup], int] = defaultdict(int)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._places = asyncio.Semaphore(READS)
        self._customer_places: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(CALLS_AT_ONCE_PER_CUSTOMER)
        )

    async def call(
        self, customer_id: str, group: FunctionGroup, call: Callable[[], Awaitable[T]], turn_seconds: float
    ) -> T:
        """Makes the call and returns its result. Raises the call's errors, and `UnavailableError` if the rate limit
        allows no call within `turn_seconds`. While the login is paused no call is made, except as its probe."""
        credential = (customer_id, group)
        if self._waiting[credential] >= MAX_WAITING:
            raise UnavailableError("too many lookups are waiting")
        self._waiting[credential] += 1
        async with AsyncExitStack() as places:
            try:
                async with asyncio.timeout(turn_seconds):
                    await places.enter_async_context(self._customer_places[customer_id])
                    await places.enter_async_context(self._places)
                    await self._take_turn(customer_id)
            except TimeoutError:
                raise UnavailableError("no turn came in time") from None
            finally:
                self._waiting[credential] -= 1
            return await self._call_with(credential, call)

    async def _take_turn(self, customer_id: str) -> None:
        async with self._turns[customer_id]:  # in order of arrival
            while wait := self._throttle.acquire_lookup(customer_id):  # noqa: ASYNC110  # nothing to wait on
                await asyncio.sleep(wait)

    async def _call_with(self, credential: tuple[str, FunctionGroup], call: Callable[[], Awaitable[T]]) -> T:
        try:
            if not await self._circuit_breaker.may_read(credential):
                raise LoginRefusedError("the login is paused")
            try:
                result = await call()
            except VitecError as error:
                signal = signal_of(error)
                # A 403 is not recorded: reading one forbidden thing three times must not count as three different ones.
                if signal in {Signal.LET_IN, Signal.REFUSED}:
                    await self._circuit_breaker.record_lookup(credential, signal)
                raise
            await self._circuit_breaker.record_lookup(credential, Signal.LET_IN)
        except StoreUnavailableError as error:
            raise UnavailableError(f"the database is unavailable: {error}") from None
        return result
