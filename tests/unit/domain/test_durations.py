"""Durations as people write them."""

from datetime import timedelta

import pytest

from app.domain.durations import parse_duration

MAX_SPAN = timedelta(days=90)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("1s", timedelta(seconds=1)),
        ("45m", timedelta(minutes=45)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("90d", timedelta(days=90)),
        ("7776000s", timedelta(days=90)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert parse_duration(text, MAX_SPAN) == span


@pytest.mark.parametrize(
    "text", ["", "d", "30", "30 d", "3w", "0d", "-1d", "+1d", "91d", "7776001s", "9" * 30 + "s", "²d", "1e1d", "30D"]
)
def test_any_other_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_duration(text, MAX_SPAN)
