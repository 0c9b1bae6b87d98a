"""Submissions per visitor address and per person, in this process's memory: each replica counts for itself.

The `limits` library reads the rates and decides; only its memory is ours. Its own walks through all addresses in a
thread up to a hundred times a second, which at 10,000 addresses takes a third of a core. Persons are counted by hand.
"""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter

from app.web.customers import Customer, network_of

SWEEP_SECONDS = 60.0
MOST_PERSONS = 10_000  # counted at a time, and as many before: some 2 MB


class TooMany(Exception):
    """`retry_after` in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class Windows(Storage, MovingWindowSupport):
    """The moments of each key's last entries, oldest first; keys that have been silent are swept out now and then."""

    STORAGE_SCHEME = ["intresse-memory"]  # noqa: RUF012  # the library's own declaration

    def __init__(self) -> None:
        super().__init__()
        self._moments: dict[str, deque[float]] = {}
        self._longest = 0.0
        self._swept_at = time.monotonic()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = time.monotonic()
        self._sweep(now, expiry)
        moments = self._moments.setdefault(key, deque(maxlen=limit))
        if amount > limit or (
            len(moments) + amount > limit and moments[len(moments) + amount - limit - 1] > now - expiry
        ):
            return False
        moments.extend([now] * amount)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = time.monotonic()
        inside = [moment for moment in self._moments.get(key, ()) if moment > now - expiry]
        return time.time() - (now - inside[0] if inside else 0), len(inside)

    def _sweep(self, now: float, expiry: int) -> None:
        self._longest = max(self._longest, expiry)
        if now - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = now
        self._moments = {
            key: moments for key, moments in self._moments.items() if moments and moments[-1] > now - self._longest
        }

    @property
    def base_exceptions(self) -> type[Exception]:
        return RuntimeError  # nothing here can fail

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError("only moving windows")

    def get(self, key: str) -> int:
        raise NotImplementedError("only moving windows")

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError("only moving windows")

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        count = len(self._moments)
        self._moments.clear()
        return count

    def clear(self, key: str) -> None:
        self._moments.pop(key, None)


class AddressLimits:
    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(Windows())

    def count(self, customer: Customer, address: str) -> None:
        """Raises `TooMany`."""
        who = (customer.id, network_of(address))
        if not self._limiter.hit(customer.rate, *who):
            free_at = self._limiter.get_window_stats(customer.rate, *who).reset_time
            raise TooMany(max(1, ceil(free_at - time.time())))


@dataclass(slots=True)
class _Period:
    """How many submissions of each person in this period of a rate and in the one before; persons as hashes."""

    number: int
    now: dict[int, int] = field(default_factory=dict)
    before: dict[int, int] = field(default_factory=dict)

    def turn(self, number: int) -> None:
        """To this period; or, when too many have come in one, as if the next had begun."""
        if number == self.number and len(self.now) < MOST_PERSONS:
            return
        self.before = self.now if number <= self.number + 1 else {}
        self.now = {}
        self.number = number


class PersonLimits:
    """Counted by period, the one before weighing less the longer it is past: two numbers a person instead of a moment
    for each submission, because everyone who writes is remembered for a day.

    It is the library's sliding window counter, but all of a person's addresses and numbers are counted or none. Through
    the library, with memory as bounded as this, a post with two of them cost 3.4 µs instead of 1.4."""

    def __init__(self) -> None:
        self._periods: dict[int, _Period] = {}

    def exceeded(self, customer: Customer, contacts: Mapping[str, str]) -> bool:
        """Counts a submission of whoever has these e-mail addresses and numbers, unless there were too many."""
        seconds, most = customer.person_rate.get_expiry(), customer.person_rate.amount
        number, past = divmod(time.monotonic(), seconds)
        period = self._periods.get(seconds) or self._periods.setdefault(seconds, _Period(int(number)))
        period.turn(int(number))
        now, before, still = period.now, period.before, 1 - past / seconds
        counted = {}
        for contact in contacts.values():
            person = hash((customer.id, contact))
            count = now.get(person, 0)
            if count + (before.get(person, 0) * still if before else 0) >= most:
                return True
            counted[person] = count + 1
        now.update(counted)
        return False
