"""A throttle for each customer's CRM: so many calls a second, evenly, never a burst."""

import math
import time
from collections.abc import Callable

AT_ONCE_SECONDS = 0.1  # how much of a second's calls may be made at once
QUIET_SECONDS = 0.15  # without a delivery, after which none seems to wait for its turn
MAX_DELAY = 1.0  # seconds that a look-up may hold up the next delivery


class Throttle:
    """Of each customer `per_second` calls by this process. A call that may not wait (the next of a chain) is made at
    once, and the next ones wait for it. Look-ups are lent turns that no delivery seems to want."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / per_second
        self._at_once = max(1, int(per_second * AT_ONCE_SECONDS))
        self._clock = clock
        self._taken_until: dict[str, float] = {}  # when a customer's calls so far have all been paid for
        self._lent_until: dict[str, float] = {}  # likewise its look-ups alone
        self._delivered_at: dict[str, float] = {}

    def turns(self, customer: str) -> int:
        """How many calls may begin now."""
        ahead = self._taken_until.get(customer, 0.0) - self._clock()
        return self._at_once if ahead <= 0 else max(0, math.floor(self._at_once - ahead / self._interval + 1e-9))

    def took(self, customer: str) -> None:
        """A call of a delivery begins."""
        self._delivered_at[customer] = self._clock()
        self._take(customer, self._interval)

    def lend(self, customer: str) -> float:
        """Takes a turn for a look-up and answers 0; or how many seconds to wait before asking again."""
        now, turns = self._clock(), self.turns(customer)
        wait = self._lent_until.get(customer, now) - now
        if turns < 2:  # the last one is left to a delivery, where deliveries are coming
            quiet_in = self._delivered_at.get(customer, -QUIET_SECONDS) + QUIET_SECONDS - now
            wait = max(wait, quiet_in, 0.0 if turns else self._interval)
        if wait > 0:
            return min(wait, QUIET_SECONDS)
        self._lent_until[customer] = now + self._interval
        self._take(customer, min(self._interval, MAX_DELAY))
        return 0.0

    def _take(self, customer: str, seconds: float) -> None:
        now = self._clock()
        self._taken_until[customer] = max(self._taken_until.get(customer, now), now) + seconds

    def next_turn(self) -> float | None:
        """Seconds until some customer that must wait may be called again; None when none waits."""
        now = self._clock()
        self._taken_until = {one: until for one, until in self._taken_until.items() if until > now}
        waits = (until - now - (self._at_once - 1) * self._interval for until in self._taken_until.values())
        return min((wait for wait in waits if wait > 0), default=None)
