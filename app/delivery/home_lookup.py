"""A home as it was read at Vitec, and when."""

from dataclasses import dataclass
from datetime import datetime

from app.vitec.homes import Home, OpenTimes, coming


@dataclass
class KnownHome:
    """`began_at` is when the read began, by the monotonic clock."""

    home: Home
    began_at: float
    _times: OpenTimes | None = None

    def times(self, now: datetime) -> OpenTimes:
        """The same object until the times change."""
        if self._times is None or not self._times.holds(now):
            self._times = coming(self.home, now)
        return self._times
