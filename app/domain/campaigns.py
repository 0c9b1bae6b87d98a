"""The campaign that a submission is counted under: three tags, cut to length. Anyone can write anything into them,
so little of it is kept, and nothing that looks like a person's (`personal_values` has the rule)."""

from collections.abc import Iterable
from typing import NamedTuple

from app.domain.personal_values import looks_personal
from app.domain.short_cache import cached_when_short

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
    """The campaign in these tags, whatever their case and order; the first of each name counts."""
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(name.lower(), value)
    if values.keys().isdisjoint(TAGS):
        return NO_CAMPAIGN
    return Campaign(*[_counted(values[tag]) if tag in values else "" for tag in TAGS])


@cached_when_short
def _counted(value: str) -> str:
    """The value as counted. It is judged as a whole, so that no half of an address is stored."""
    name = value.strip()
    plus = "+" if value.startswith(" ") else ""  # as which a query's "+" was read
    if not name[:LENGTH].isprintable() or looks_personal(plus + name):
        return OTHER
    return name[:LENGTH]
