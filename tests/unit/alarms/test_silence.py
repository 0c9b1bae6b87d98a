"""When silence of a form is an incident, in worked numbers."""

from datetime import UTC, datetime, timedelta

import pytest

from app.alarms.silence import WEEK, is_silent, windows
from app.domain.datetimes import STOCKHOLM

HOUR = timedelta(hours=1)
MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("leads", "drought"),
    [
        ((7, 7, 7, 7), True),  # e^-7: nine silences in ten thousand
        ((10, 5, 8, 5), True),  # 7.0 on average
        ((7, 7, 7, 6), False),  # 6.75: eleven in ten thousand
        ((40, 1, 1, 1), True),
        ((40, 0, 0, 0), False),  # one busy week proves nothing
        ((20, 20, 20, 0), False),  # a week without any has been seen before
        ((0, 0, 0, 0), False),  # a night, or a form that nobody uses
        ((1, 1, 1, 1), False),  # a form with a lead a day is silent for days before that says anything
        ((100, 120, 90, 110), True),
    ],
)
def test_seven_leads_are_missed_where_each_week_had_some(leads: tuple[int, ...], drought: bool) -> None:
    assert is_silent(leads) is drought


def test_the_silent_hours_are_compared_with_the_same_hours_of_the_four_weeks_before() -> None:
    last, now = MONDAY_NOON - 5 * HOUR, MONDAY_NOON
    assert windows(last, now) == [(last - n * WEEK, now - n * WEEK) for n in (1, 2, 3, 4)]


def test_no_window_reaches_into_the_silence_or_into_another_window_however_long_it_lasts() -> None:
    last = MONDAY_NOON - 3 * WEEK
    spans = windows(last, MONDAY_NOON)
    assert [end for _, end in spans] == [last, *(begin for begin, _ in spans[:-1])]
    assert all(end - begin == WEEK for begin, end in spans)


@pytest.mark.parametrize(
    "monday", [datetime(2026, 10, 26, 8, tzinfo=STOCKHOLM), datetime(2027, 3, 29, 8, tzinfo=STOCKHOLM)]
)
def test_the_hours_are_the_same_by_the_clock_on_the_wall_after_the_clocks_have_changed(monday: datetime) -> None:
    now, last = monday.astimezone(UTC), (monday - timedelta(hours=12)).astimezone(UTC)
    (begin, end), *_ = windows(last, now)
    assert (begin.astimezone(UTC), end.astimezone(UTC)) == (
        (monday - WEEK - timedelta(hours=12)).astimezone(UTC),
        (monday - WEEK).astimezone(UTC),
    )
