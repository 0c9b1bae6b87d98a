"""Rate limit for calls to Vitec, one for each customer: evenly spaced, without bursts."""

import math
import time
from collections.abc import Callable

AT_ONCE_SECONDS = 0.1  # the share of a second's calls that may be made at once
QUIET_SECONDS = 0.15  # after this long without a delivery, no more seem to be coming
MAX_DELAY = 1.0  # seconds by which a lookup may delay the next delivery


class Throttle:
    """Allows `per_second` calls for each customer in this process. A call that must not wait (a submission's next step)
    is made at once, and delays later calls instead. Lookups get the calls that no delivery seems to need."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / per_second
        self._at_once = max(1, int(per_second * AT_ONCE_SECONDS))
        self._clock = clock
        self._used_until: dict[str, float] = {}  # by customer: when its calls so far no longer count
        self._lookups_until: dict[str, float] = {}  # the same for lookups alone
        self._delivered_at: dict[str, float] = {}

    def available(self, customer: str) -> int:
        """How many calls may begin now."""
        ahead = self._used_until.get(customer, 0.0) - self._clock()
        return self._at_once if ahead <= 0 else max(0, math.floor(self._at_once - ahead / self._interval + 1e-9))

    def acquire(self, customer: str) -> None:
        """Counts a delivery's call, even if none is available."""
        self._delivered_at[customer] = self._clock()
        self._use(customer, self._interval)

    def acquire_lookup(self, customer: str) -> float:
        """Counts a lookup's call and returns 0, or returns how many seconds to wait before trying again."""
        now, available = self._clock(), self.available(customer)
        wait = self._lookups_until.get(customer, now) - now
        if available < 2:  # while deliveries are coming, the last call is reserved for them
            quiet_in = self._delivered_at.get(customer, -QUIET_SECONDS) + QUIET_SECONDS - now
            wait = max(wait, quiet_in, 0.0 if available else self._interval)
        if wait > 0:
            return min(wait, QUIET_SECONDS)
        self._lookups_until[customer] = now + self._interval
        self._use(customer, min(self._interval, MAX_DELAY))
        return 0.0

    def _use(self, customer: str, seconds: float) -> None:
        now = self._clock()
        self._used_until[customer] = max(self._used_until.get(customer, now), now) + seconds

    def seconds_until_available(self) -> float | None:
        """Seconds until the first of the customers that must wait may be called again; None if none must wait."""
        now = self._clock()
        self._used_until = {customer: until for customer, until in self._used_until.items() if until > now}
        waits = (until - now - (self._at_once - 1) * self._interval for until in self._used_until.values())
        return min((wait for wait in waits if wait > 0), default=None)
