"""Durations as people write them: `45m`, `12h`, `30d`."""

import re
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,9})([smhd])")


def parse_duration(text: str, longest: timedelta) -> timedelta:
    """A duration from 1 second to `longest`. Raises `ValueError`, whose message says what is wrong."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a time such as 45m, 12h or 30d")
    duration = timedelta(**{UNITS[match[2]]: int(match[1])})
    if not timedelta(0) < duration <= longest:
        raise ValueError(f"{text} is not between 1 second and {longest.days} days")
    return duration
