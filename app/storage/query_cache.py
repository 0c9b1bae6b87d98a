"""Cache for slow queries: each result is kept in proportion to what it cost, so that they take at most a share of the
time, however often they are asked for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

MAX_KEYS = 50  # beyond that, the cache is emptied

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class AdaptiveCache(Generic[K, V]):
    """Queries take at most this `share` of one reader thread's time; a result is kept for at least `shortest` seconds.
    Exceptions are raised, and not cached."""

    def __init__(self, query: Callable[[K], Awaitable[V]], *, share: float, shortest: float = 0.0) -> None:
        self._query = query
        self._share = share
        self._shortest = shortest
        self._kept: dict[K, tuple[V, float]] = {}
        self._lock = asyncio.Lock()

    async def get(self, key: K) -> V:
        async with self._lock:
            began = time.monotonic()
            if key in self._kept and began < self._kept[key][1]:
                return self._kept[key][0]
            value = await self._query(key)
            ended = time.monotonic()
            if len(self._kept) >= MAX_KEYS:
                self._kept.clear()
            self._kept[key] = value, ended + max(self._shortest, (ended - began) / self._share)
            return value

    def forget(self) -> None:
        """Drops all results, after a change that must show at once."""
        self._kept.clear()
