"""Cache of homes and their open times. Each home is read at Vitec once for all visitors, is fresh for a minute, and is
used for a while longer if Vitec is unavailable."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cachetools import LRUCache, TTLCache

from app.domain.submission import FunctionGroup
from app.lookups.lookup_queue import LookupQueue
from app.lookups.upcoming_times import OpenTimes, upcoming
from app.vitec.client import VitecClient
from app.vitec.errors import (
    AccessDeniedError,
    NotFoundError,
    RejectedError,
    UnavailableError,
    UnreadableAnswerError,
    VitecError,
)
from app.vitec.homes import Home

FRESH_SECONDS = 60
STALE_SECONDS = 15 * 60
PATIENCE_SECONDS = 2.0  # a visitor waits at most this long for Vitec
TURN_SECONDS = 10.0  # a read waits at most this long for the rate limit; later visitors may use its result
AWAY_SECONDS = 5  # no new read for this long after one failed or was too slow
UNKNOWN_SECONDS = 60  # no new read for this long after Vitec did not know the home
MAX_BYTES = 16 * 1024 * 1024  # total size of the cached answers
MAX_FAILED = 2000
OVERHEAD = 2000  # approximate bytes of an entry, not counting its content
# Limits for reads of unknown homes, so that requests for made-up homes do not hold up the others.
UNKNOWN_WAITING = 60  # reads waiting for one customer
WAITING_PER_NETWORK = 20

Key = tuple[str, str]
_Failure = Callable[[], VitecError]  # a new exception for each caller


@dataclass
class KnownHome:
    """A cached home. `began_at` is when its read began, by the monotonic clock."""

    home: Home
    began_at: float
    _times: OpenTimes | None = None

    def times(self, now: datetime) -> OpenTimes:
        """The open times at `now`. Returns the same object until they change."""
        if self._times is None or not self._times.holds(now):
            self._times = upcoming(self.home, now)
        return self._times


class HomeCache:
    def __init__(self, vitec: VitecClient, lookups: LookupQueue, clock: Callable[[], float] = time.monotonic) -> None:
        self._vitec = vitec
        self._lookups = lookups
        self._clock = clock
        self._homes: LRUCache[Key, KnownHome] = LRUCache(MAX_BYTES, _size)
        self._away: TTLCache[Key, _Failure] = TTLCache(MAX_FAILED, AWAY_SECONDS, clock)
        self._unknown: TTLCache[Key, None] = TTLCache(MAX_FAILED, UNKNOWN_SECONDS, clock)
        self._reads: dict[Key, _PendingRead] = {}
        self._unknown_turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(1))
        self._waiting: defaultdict[str, int] = defaultdict(int)

    def fresh(self, customer_id: str, estate_id: str) -> KnownHome | None:
        """The cached home, if it was read less than a minute ago."""
        cached = self._homes.get((customer_id, estate_id))
        return cached if cached and self._clock() - cached.began_at < FRESH_SECONDS else None

    async def find(self, customer_id: str, estate_id: str, network: str) -> KnownHome:
        """The home, within 2 seconds. `network` is the visitor's. Raises `NotFoundError` if Vitec does not know
        the home or denies access to it, and other `VitecError`s if no recent enough copy is cached."""
        return await self._read_after(self._clock() - FRESH_SECONDS, (customer_id, estate_id), network)

    async def renew(self, customer_id: str, estate_id: str, network: str, younger_than: float = 0) -> KnownHome:
        """As `find`, but the home was read at most `younger_than` seconds ago."""
        return await self._read_after(self._clock() - younger_than, (customer_id, estate_id), network)

    def viewing_of(self, customer_id: str, estate_id: str, slot_id: str) -> str:
        """The id of the viewing that a slot belongs to, however old the cached copy; "" if unknown."""
        cached = self._homes.get((customer_id, estate_id))
        viewings = cached.home.viewings if cached else ()
        return next((viewing.id for viewing in viewings for slot in viewing.slots if slot.id == slot_id), "")

    async def _read_after(self, moment: float, key: Key, network: str) -> KnownHome:
        cached = self._homes.get(key)
        if cached and cached.began_at > moment:
            return cached
        try:
            return await self._renewed(moment, key, network)
        except NotFoundError:
            raise
        except VitecError:
            if cached and self._clock() - cached.began_at < STALE_SECONDS:
                return cached
            raise

    async def _renewed(self, moment: float, key: Key, network: str) -> KnownHome:
        """The home, from a read that began after `moment`. Raises `VitecError`."""
        if key in self._unknown:
            raise _not_found()
        if error := self._away.get(key):
            raise error()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                read = self._reads.get(key)
                if read and read.began_at is not None and read.began_at <= moment:
                    await asyncio.wait([read.task])  # it began too early to show changes since `moment`
                    read = self._reads.get(key)
                return await asyncio.shield((read or self._begin(key, network)).task)
        except TimeoutError:
            self._away[key] = _away
            raise _away() from None

    def _begin(self, key: Key, network: str) -> "_PendingRead":
        read = self._reads[key] = _PendingRead()
        is_known = key in self._homes
        read.task = asyncio.create_task(self._read(key, read) if is_known else self._read_unknown(key, read, network))
        read.task.add_done_callback(lambda done: self._ended(key, done))
        return read

    def _ended(self, key: Key, task: "asyncio.Task[KnownHome]") -> None:
        del self._reads[key]
        if not task.cancelled():
            task.exception()  # marked as retrieved: nobody may be left to await it

    async def _read_unknown(self, key: Key, read: "_PendingRead", network: str) -> KnownHome:
        """Reads homes that are not cached, one at a time for each customer, so that cached homes can always be
        renewed."""
        customer_id, _ = key
        limits = {customer_id: UNKNOWN_WAITING, f"{customer_id} {network}": WAITING_PER_NETWORK}
        if any(self._waiting[name] >= limit for name, limit in limits.items()):
            raise UnavailableError("too many unknown homes are waiting to be read")
        for name in limits:
            self._waiting[name] += 1
        try:
            async with self._unknown_turns[customer_id]:
                return await self._read(key, read)
        finally:
            for name in limits:
                self._waiting[name] -= 1
                if not self._waiting[name]:
                    del self._waiting[name]

    async def _read(self, key: Key, read: "_PendingRead") -> KnownHome:
        async def call() -> Home:
            read.began_at = self._clock()
            return await self._vitec.home(*key)

        try:
            home = await self._lookups.call(key[0], FunctionGroup.ADVERTISING, call, TURN_SECONDS)
        except VitecError as error:
            if _is_unknown(error) or (isinstance(error, AccessDeniedError) and key not in self._homes):
                self._homes.pop(key, None)
                self._unknown[key] = None
                raise _not_found() from None
            failure = self._away[key] = _unreadable if isinstance(error, UnreadableAnswerError) else _away
            raise failure() from None
        assert read.began_at is not None
        cached = KnownHome(home, read.began_at)
        self._away.pop(key, None)
        self._homes[key] = cached
        return cached


class _PendingRead:
    """A read that waits or is in progress; `began_at` is set once the call to Vitec begins."""

    task: "asyncio.Task[KnownHome]"
    began_at: float | None = None


def _is_unknown(error: VitecError) -> bool:
    """Whether Vitec does not know the home, or rejects its id."""
    return isinstance(error, RejectedError) and error.status in {400, 404}


def _not_found() -> NotFoundError:
    return NotFoundError("Vitec shows no such home", status=404, upstream={})


def _away() -> UnavailableError:
    return UnavailableError("the home can't be read at Vitec now")


def _unreadable() -> UnreadableAnswerError:
    return UnreadableAnswerError("Vitec's answer is no home", status=200, is_foreign=False)


def _size(known: KnownHome) -> int:
    return min(len(known.home.content) + OVERHEAD, MAX_BYTES)
