"""Silence detection: a form that normally gets leads no longer does.

The hours since the last lead are compared with the same hours in each of the four weeks before, so that nights are
compared with nights and week-ends with week-ends. The form is silent if each of those weeks brought some leads (one
busy week proves nothing) and the average was seven or more. If leads come at random at that rate, the chance of none at
all is e^-7, less than one in a thousand.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.domain.datetimes import STOCKHOLM

WEEK = timedelta(days=7)
WEEKS = 4
MIN_AVERAGE = 7.0


def windows(last: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
    """The period from `last` until now (at most a week), shifted back into each of the four weeks before. By Swedish
    wall-clock time: otherwise an office would seem to open an hour late for four weeks after the clocks change."""
    begin, end = last.astimezone(STOCKHOLM), min(now, last + WEEK).astimezone(STOCKHOLM)
    return [(begin - weeks * WEEK, end - weeks * WEEK) for weeks in range(1, WEEKS + 1)]


def is_silent(leads: Sequence[int]) -> bool:
    """`leads` is the number of leads in each of the windows."""
    return min(leads) > 0 and sum(leads) / len(leads) >= MIN_AVERAGE
