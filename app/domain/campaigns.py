"""What is counted of a campaign: three tags, cut. Anyone can write anything into them, so little of it is kept."""

from collections.abc import Iterable
from typing import NamedTuple

TAGS = ("utm_source", "utm_medium", "utm_campaign")
LENGTH = 60  # characters; what people name their campaigns is shorter
OTHER = "*"  # what is counted without its name


class Campaign(NamedTuple):
    """Empty where a tag was not given."""

    source: str = ""
    medium: str = ""
    campaign: str = ""


NO_CAMPAIGN = Campaign()


def campaign_of(pairs: Iterable[tuple[str, str]]) -> Campaign:
    """Of tags by name and value, whatever their case and order; the first of each name."""
    found: dict[str, str] = {}
    for name, value in pairs:
        lowered = name.lower()
        if lowered in TAGS and lowered not in found:
            found[lowered] = _counted(value)
    return Campaign(*(found.get(tag, "") for tag in TAGS)) if found else NO_CAMPAIGN


def _counted(value: str) -> str:
    """An address in a tag is a person's, so it is not written down."""
    value = value.strip()[:LENGTH]
    if "@" in value or not value.isprintable():
        return OTHER
    return value
