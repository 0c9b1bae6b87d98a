"""Detection of a form that normally gets leads and has gone silent.

The time since the last lead is laid over each of the four weeks before, so that nights and week-ends compare with
nights and week-ends. It is a drought when each of those weeks brought some leads in these hours (one busy week proves
nothing), and together on average seven or more: if leads come at random at that rate, none at all has a chance of
e^-7, less than one in a thousand.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

WEEK = timedelta(days=7)
WEEKS = 4
LEAST = 7.0


def windows(last: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
    """The same hours in the weeks before: after `last` up to now, at most a week of it."""
    until = min(now, last + WEEK)
    return [(last - weeks * WEEK, until - weeks * WEEK) for weeks in range(1, WEEKS + 1)]


def is_silent(leads: Sequence[int]) -> bool:
    """`leads`: how many each of the windows brought."""
    return min(leads) > 0 and sum(leads) / len(leads) >= LEAST
