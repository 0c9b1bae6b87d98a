"""Rate limits by visitor address and by person, in this process's memory: each replica counts for itself.

The `limits` library is not used here, because its memory has no bound, and a thread of it walks through all addresses
up to a hundred times a second.
"""

import time
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from app.domain.rates import Rate
from app.web.http.networks import network_of
from app.web.operations.customer import Customer

MAX_KEYS = 20_000  # addresses that are counted at a time: with what they hold at most some 10 MB
MAX_ENTRIES = 500_000
MAX_PERSONS = 10_000  # counted at a time, and as many before: some 2 MB


class RateLimitedError(Exception):
    """`retry_after` in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class MovingWindows:
    """The times of each key's last entries, oldest first. Keys are in order of their last entry, so that expired ones,
    and the oldest when there are too many, are at the front."""

    def __init__(self) -> None:
        self._moments: dict[str, array[float]] = {}
        self._entries = 0
        self._longest = 0

    def __len__(self) -> int:
        """The number of keys."""
        return len(self._moments)

    def count(self, rate: Rate, key: str) -> None:
        """Adds an entry of the key. Raises `RateLimitedError` if its window is full."""
        now, seconds = time.monotonic(), rate.seconds
        self._longest = max(self._longest, seconds)
        moments = self._moments.pop(key, None) or array("d")
        expired = bisect_right(moments, now - seconds)
        is_full = len(moments) - expired >= rate.amount
        oldest = moments[expired] if is_full else now
        if not is_full:
            moments.append(now)
            self._entries += 1
        if 2 * expired >= len(moments):  # to remove each at once would move all the others each time
            del moments[:expired]
            self._entries -= expired
        self._moments[key] = moments
        self._drop(now - self._longest)
        if is_full:
            raise RateLimitedError(max(1, ceil(oldest + seconds - now)))

    def forget(self, key: str) -> None:
        self._entries -= len(self._moments.pop(key, ()))

    def _drop(self, until: float) -> None:
        while self._moments:
            oldest, moments = next(iter(self._moments.items()))
            if moments[-1] > until and len(self._moments) <= MAX_KEYS and self._entries <= MAX_ENTRIES:
                return
            self.forget(oldest)


class AddressLimits:
    def __init__(self) -> None:
        self._windows = MovingWindows()

    def count(self, customer: Customer, address: str) -> None:
        """Raises `RateLimitedError`."""
        self._windows.count(customer.rate, f"{customer.id}/{network_of(address)}")


@dataclass(slots=True)
class _Period:
    """The number of submissions by person, as a hash, in a period of a rate and in the period before."""

    number: int
    current: dict[int, int] = field(default_factory=dict)
    previous: dict[int, int] = field(default_factory=dict)

    def turn(self, number: int) -> None:
        """Moves on to this period. If one period has too many persons, starts anew as if the next had begun."""
        if number == self.number and len(self.current) < MAX_PERSONS:
            return
        self.previous = self.current if number <= self.number + 1 else {}
        self.current = {}
        self.number = number


class PersonLimits:
    """A sliding window counter: the period before weighs less the longer ago it was. It takes two numbers per person,
    who is remembered for a day, instead of a time per submission.

    The `limits` library has one, but lacks two rules: all of a person's addresses and numbers are counted or none, and
    memory has a bound. It is ours for those, not for speed (1.4 µs instead of 3.4)."""

    def __init__(self) -> None:
        self._periods: dict[int, _Period] = {}

    def exceeded(self, customer: Customer, contacts: Mapping[str, str]) -> bool:
        """Whether there were too many submissions with one of these e-mail addresses or phone numbers. If not, counts
        one more for each."""
        seconds, limit = customer.person_rate.seconds, customer.person_rate.amount
        number, passed = divmod(time.monotonic(), seconds)
        period = self._periods.get(seconds) or self._periods.setdefault(seconds, _Period(int(number)))
        period.turn(int(number))
        current, previous, weight = period.current, period.previous, 1 - passed / seconds
        counted = {}
        for contact in contacts.values():
            person = hash((customer.id, contact))
            count = current.get(person, 0)
            if count + (previous.get(person, 0) * weight if previous else 0) >= limit:
                return True
            counted[person] = count + 1
        current.update(counted)
        return False

    def uncount(self, customer: Customer, contacts: Mapping[str, str]) -> None:
        """Takes back what `exceeded` has counted."""
        for contact in contacts.values():
            period = self._periods[customer.person_rate.seconds]
            person = hash((customer.id, contact))
            if period.current.get(person, 0):  # else its period has ended
                period.current[person] -= 1
