"""Rates as written in a configuration: `20/minute`, `30 per day`, `5 per 10 minutes`."""

import re
from dataclasses import dataclass

_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "month": 30 * 86_400, "year": 360 * 86_400}
_RATE = re.compile(rf"(\d{{1,9}})\s*(?:/|per)\s*(\d{{1,6}})?\s*({'|'.join(_SECONDS)})s?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Rate:
    """At most `amount` in any period of `seconds`; both are at least 1."""

    amount: int
    seconds: int


def parse_rate(text: str) -> Rate:
    """Raises `ValueError`, whose message says what is wrong."""
    match = _RATE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a rate such as 20/minute")
    rate = Rate(int(match[1]), int(match[2] or 1) * _SECONDS[match[3].lower()])
    if min(rate.amount, rate.seconds) < 1:
        raise ValueError(f"{text!r} would block everyone")
    return rate
