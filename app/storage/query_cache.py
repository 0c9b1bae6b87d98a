"""Cache for slow queries: a result is kept for a time in proportion to its cost, so that the queries take at most a
share of the time, however often they are requested."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

MAX_KEYS = 50  # beyond that, the cache is emptied

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class AdaptiveCache(Generic[K, V]):
    """Queries take at most `share` of one reader thread's time. A result is kept for at least `shortest` seconds.
    Exceptions are not cached."""

    def __init__(self, query: Callable[[K], Awaitable[V]], *, share: float, shortest: float = 0.0) -> None:
        self._query = query
        self._share = share
        self._shortest = shortest
        self._results: dict[K, tuple[V, float]] = {}
        self._lock = asyncio.Lock()

    async def get(self, key: K) -> V:
        async with self._lock:
            began = time.monotonic()
            if key in self._results and began < self._results[key][1]:
                return self._results[key][0]
            value = await self._query(key)
            ended = time.monotonic()
            if len(self._results) >= MAX_KEYS:
                self._results.clear()
            self._results[key] = value, ended + max(self._shortest, (ended - began) / self._share)
            return value

    def forget(self) -> None:
        """Drops all results, after a change that must be visible at once."""
        self._results.clear()
