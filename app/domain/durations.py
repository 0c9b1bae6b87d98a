"""Spans of time as people write them: `45m`, `12h`, `30d`."""

import re
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"([0-9]{1,9})([smhd])")


def parse_duration(text: str, longest: timedelta) -> timedelta:
    """From a second to `longest`. Raises `ValueError` with what is wrong."""
    written = _SPAN.fullmatch(text)
    if not written:
        raise ValueError(f"{text!r} is not a time such as 45m, 12h or 30d")
    span = timedelta(**{UNITS[written[2]]: int(written[1])})
    if not timedelta(0) < span <= longest:
        raise ValueError(f"{text} is not between 1 second and {longest.days} days")
    return span
