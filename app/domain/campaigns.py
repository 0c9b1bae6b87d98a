"""The campaign that a submission is counted under: three UTM tags, cut to length. Anyone can write anything into them,
so little is stored, and nothing that looks like personal data (`personal_values` has the rule)."""

from collections.abc import Iterable
from typing import NamedTuple

from app.domain.personal_values import looks_personal
from app.domain.short_cache import cached_when_short

TAGS = ("utm_source", "utm_medium", "utm_campaign")
LENGTH = 60  # characters; the names of real campaigns are shorter
OTHER = "*"  # stands for any value that is not stored


class Campaign(NamedTuple):
    """A tag that was not given is an empty string."""

    source: str = ""
    medium: str = ""
    campaign: str = ""


NO_CAMPAIGN = Campaign()


def campaign_of(pairs: Iterable[tuple[str, str]]) -> Campaign:
    """The campaign in `pairs` of tag name and value, in any case and order; the first of each name counts."""
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(name.lower(), value)
    if values.keys().isdisjoint(TAGS):
        return NO_CAMPAIGN
    return Campaign(*[_counted(values[tag]) if tag in values else "" for tag in TAGS])


@cached_when_short
def _counted(value: str) -> str:
    """The value as it is counted. It is checked before it is cut, so that half an address is not stored either."""
    name = value.strip()
    plus = "+" if value.startswith(" ") else ""  # as which the "+" in a query was decoded
    if not name[:LENGTH].isprintable() or looks_personal(plus + name):
        return OTHER
    return name[:LENGTH]
