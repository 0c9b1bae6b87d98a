"""Charts show what was counted, and no data can break them."""

import re
from datetime import date, timedelta

import pytest

from app.web.console.charts import HEIGHT, WIDTH, axis_end, by_day, widths

DAYS = [date(2026, 11, 1) + timedelta(days=number) for number in range(3)]
SERIES = {"interest": "Intresse", "viewing": "Visning"}


def test_each_days_bars_are_stacked() -> None:
    counts = {(DAYS[0], "interest"): 3, (DAYS[0], "viewing"): 1, (DAYS[2], "viewing"): 2}
    chart = by_day(DAYS, SERIES, counts, "sv")
    heights = {bar.kind: [float(height) for height in re.findall(r"h[\d.]+v([\d.]+)z", bar.path)] for bar in chart.bars}
    assert heights == {"interest": [HEIGHT * 3 / 4], "viewing": [HEIGHT / 4, HEIGHT / 2]}
    starts = {bar.kind: [float(start) for start in re.findall(r"M[\d.]+ ([\d.]+)", bar.path)] for bar in chart.bars}
    assert starts == {"interest": [HEIGHT], "viewing": [HEIGHT / 4, HEIGHT]}


def test_the_table_has_the_same_numbers_the_newest_day_first() -> None:
    chart = by_day(DAYS, SERIES, {(DAYS[2], "interest"): 1234}, "sv")
    assert chart.rows == [("3 nov.", ["1\xa0234", "0"]), ("2 nov.", ["0", "0"]), ("1 nov.", ["0", "0"])]


def test_an_empty_chart_has_an_axis_and_no_bars() -> None:
    chart = by_day(DAYS, SERIES, {}, "sv")
    assert [tick.label for tick in chart.ticks] == ["0", "1", "2"]
    assert [bar.path for bar in chart.bars] == ["", ""]


@pytest.mark.parametrize("days", [7, 30, 90])
def test_labels_stay_few_and_inside(days: int) -> None:
    chart = by_day([DAYS[0] + timedelta(days=number) for number in range(days)], SERIES, {}, "sv")
    assert 5 <= len(chart.days) <= 8
    assert all(0 <= tick.at <= WIDTH for tick in chart.days)


@pytest.mark.parametrize(("highest", "top"), [(0, 2), (2, 2), (3, 4), (41, 60), (101, 200), (999_999, 1_000_000)])
def test_an_axis_ends_at_a_round_even_number(highest: int, top: int) -> None:
    assert axis_end(highest) == top


def test_a_small_value_is_visible_beside_a_much_larger_one() -> None:
    assert widths(100_000, 1, 0, 100_000) == (100, 1, 0)
    assert widths(0, 0, 0, 0) == (0, 0, 0)
