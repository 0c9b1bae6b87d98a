"""Detection of a form that normally gets leads and has gone silent.

The time since the last lead is compared with the same hours of each of the four weeks before, so that nights compare
with nights and week-ends with week-ends. The form is silent when each of those weeks brought some leads (one busy week
proves nothing), and seven or more on average: if leads come at random at that rate, the chance of none at all is e^-7,
less than one in a thousand.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

WEEK = timedelta(days=7)
WEEKS = 4
MIN_AVERAGE = 7.0


def windows(last: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
    """The hours from `last` until now, a week at most, in each of the weeks before."""
    until = min(now, last + WEEK)
    return [(last - weeks * WEEK, until - weeks * WEEK) for weeks in range(1, WEEKS + 1)]


def is_silent(leads: Sequence[int]) -> bool:
    """`leads`: the number in each of the windows."""
    return min(leads) > 0 and sum(leads) / len(leads) >= MIN_AVERAGE
