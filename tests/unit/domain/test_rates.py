"""Rates as people write them, and invalid ones."""

import pytest

from app.domain.rates import Rate, parse_rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("20/minute", Rate(20, 60)),
        ("30/day", Rate(30, 86_400)),
        ("1/second", Rate(1, 1)),
        ("100 / hour", Rate(100, 3_600)),
        ("5 per 10 minutes", Rate(5, 600)),
        ("5/10minutes", Rate(5, 600)),
        ("20perminute", Rate(20, 60)),
        (" 7 PER Hour ", Rate(7, 3_600)),
        ("1/month", Rate(1, 2_592_000)),
        ("2 per year", Rate(2, 31_104_000)),
    ],
)
def test_a_rate_is_read_as_people_write_it(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text",
    [
        *("", "20", "minute", "20/fortnight", "20/minute; 5/hour", "20/minute,5/hour", "-1/minute", "1.5/minute"),
        *("0/minute", "5/0 minutes", "٢/minute", "20permminute", "1" * 10 + "/minute", "a 20/minute", "20/minutes!"),
    ],
)
def test_an_invalid_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"rate such as 20/minute|would block everyone"):
        parse_rate(text)
