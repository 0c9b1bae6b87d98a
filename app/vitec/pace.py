"""How fast a customer's CRM is called: so many calls a second, evenly, never a burst."""

import math
import time
from collections.abc import Callable

AT_ONCE_SECONDS = 0.1  # how much of a second's calls may be made at once


class Pace:
    """Of each customer `per_second` calls by this process. A call that may not wait (the next of a chain, a page's
    look-up) is made at once, and the next ones wait for it."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / per_second
        self._at_once = max(1, int(per_second * AT_ONCE_SECONDS))
        self._clock = clock
        self._taken_until: dict[str, float] = {}  # when a customer's calls so far have all been paid for

    def turns(self, customer: str) -> int:
        """How many calls may begin now."""
        ahead = self._taken_until.get(customer, 0.0) - self._clock()
        return self._at_once if ahead <= 0 else max(0, math.floor(self._at_once - ahead / self._interval + 1e-9))

    def took(self, customer: str) -> None:
        """A call begins."""
        now = self._clock()
        self._taken_until[customer] = max(self._taken_until.get(customer, now), now) + self._interval

    def next_turn(self) -> float | None:
        """Seconds until some customer that must wait may be called again; None when none waits."""
        now = self._clock()
        self._taken_until = {one: until for one, until in self._taken_until.items() if until > now}
        waits = (until - now - (self._at_once - 1) * self._interval for until in self._taken_until.values())
        return min((wait for wait in waits if wait > 0), default=None)
