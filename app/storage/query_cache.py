"""Looks at the database that are shown again while they are young: however often somebody asks, looking takes at most a
share of the time, and the longer a look takes the longer it is kept."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

MAX_KEYS = 50  # keys; beyond, all are forgotten

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class AdaptiveCache(Generic[K, V]):
    """`share` is of one reader's time, at most; a look is kept for `shortest` seconds at least. What the look raises is
    raised, and not kept."""

    def __init__(self, look: Callable[[K], Awaitable[V]], *, share: float, shortest: float = 0.0) -> None:
        self._look = look
        self._share = share
        self._shortest = shortest
        self._kept: dict[K, tuple[V, float]] = {}
        self._looking = asyncio.Lock()

    async def get(self, key: K) -> V:
        async with self._looking:
            began = time.monotonic()
            if key in self._kept and began < self._kept[key][1]:
                return self._kept[key][0]
            found = await self._look(key)
            ended = time.monotonic()
            if len(self._kept) >= MAX_KEYS:
                self._kept.clear()
            self._kept[key] = found, ended + max(self._shortest, (ended - began) / self._share)
            return found

    def forget(self) -> None:
        """Something has changed that is to be seen at once."""
        self._kept.clear()
