"""Stacked bar charts by day, drawn as one SVG path for each series. They need no script and no library."""

from collections.abc import Mapping, Sequence
from datetime import date

from app.web.console.labels import day as day_text
from app.web.console.labels import number
from app.web.console.page_models import Bar, Chart, Tick

WIDTH, HEIGHT = 720, 180
GAP = 0.25  # between the bars of two days, as a fraction of a day's width
STEPS = (1, 2, 3, 4, 5)
MAX_DAY_LABELS = 8

Counts = Mapping[tuple[date, str], int]


def by_day(days: Sequence[date], series: Mapping[str, str], counts: Counts, language: str) -> Chart:
    """`series` maps each series' name to its label. Each day's bars are stacked in that order."""
    totals = [sum(counts.get((day, name), 0) for name in series) for day in days]
    top = axis_end(max(totals, default=0))
    each = WIDTH / max(len(days), 1)
    every = -(-len(days) // MAX_DAY_LABELS)
    shown = [(place, day) for place, day in enumerate(days) if (len(days) - 1 - place) % every == 0]
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        bars=_bars(days, series, counts, HEIGHT / top, each),
        ticks=[Tick(HEIGHT * (1 - part), number(round(top * part), language)) for part in (0, 0.5, 1)],
        days=[Tick(round(each * (place + 0.5), 1), day_text(day, language)) for place, day in shown],
        rows=[
            (day_text(day, language), [number(counts.get((day, name), 0), language) for name in series])
            for day in reversed(days)
        ],
    )


def axis_end(highest: int) -> int:
    """The upper end of an axis: 2, 4, 6, 8, 10, 20, 40 …, so that its middle is a whole number too."""
    size = 1
    while True:
        for step in STEPS:
            if step * size * 2 >= highest:
                return step * size * 2
        size *= 10


def widths(views: int, submissions: int, delivered: int, widest: int) -> tuple[int, int, int]:
    """Widths in percent of the widest; at least 1 for a number above zero, so that it is visible."""

    def width(count: int) -> int:
        return max(1, round(100 * count / widest)) if count else 0

    return width(views), width(submissions), width(delivered)


def _bars(days: Sequence[date], series: Mapping[str, str], counts: Counts, unit: float, each: float) -> list[Bar]:
    floor = [float(HEIGHT)] * len(days)
    bars = []
    for name, label in series.items():
        path = []
        for place, day in enumerate(days):
            height = counts.get((day, name), 0) * unit
            if height:
                left, bar_width = each * (place + GAP / 2), each * (1 - GAP)
                path.append(f"M{left:.1f} {floor[place]:.1f}v{-height:.1f}h{bar_width:.1f}v{height:.1f}z")
                floor[place] -= height
        bars.append(Bar(name, label, "".join(path)))
    return bars
