"""UTM tags and the page a form was shown on: Vitec's `FormMarketing`.

A campaign's tags never cost a lead: what is too long is cut, what is too much is dropped, nothing is refused.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from app.domain.fields import cut

MOST_TAGS = 20
VALUE_LENGTH = 500
NAME_LENGTH = 100
REFERRER_LENGTH = 2000
CLICK_IDS = frozenset({"gclid", "fbclid", "msclkid"})

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class UtmTag(BaseModel):
    """One campaign tag; `value` is cut at 500 UTF-16 code units."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: str
    value: str


class Marketing(BaseModel):
    """`{referrer, utmTags: [{name, value}]}`. `referrer` is the page the form was shown on (H), at most 2,000."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)
    referrer: str | None = None
    utm_tags: list[UtmTag] | None = None

    def body(self) -> dict[str, Any]:
        """As Vitec takes it; empty when there is nothing to tell."""
        return self.model_dump(by_alias=True, exclude_none=True) if self.referrer or self.utm_tags else {}


def is_tag(name: str) -> bool:
    """`utm_*` or a click id, whatever its case: advertisers write both `utm_source` and `UTM_SOURCE`."""
    lowered = name.lower()
    return lowered in CLICK_IDS or (lowered.startswith("utm_") and len(lowered) > 4)


def page_address(text: str | None) -> str | None:
    """An http(s) address without fragment, at most 2,000; anything else (`javascript:`, a torn one) is nothing."""
    address = _CONTROLS.sub("", text or "").strip().partition("#")[0]
    try:
        parts = urlsplit(address)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    return cut(address, REFERRER_LENGTH) if known else None


def tidy(pairs: Iterable[tuple[str, str]], referrer: str | None) -> Marketing:
    """In order, the first of each name, at most 20, names and values cut, empty ones left out."""
    tags: dict[str, UtmTag] = {}
    for name, value in pairs:
        name = cut(_CONTROLS.sub(" ", name).strip(), NAME_LENGTH)
        value = cut(_CONTROLS.sub(" ", value).strip(), VALUE_LENGTH)
        name = name.lower() if is_tag(name) else name
        if name and value and name not in tags and len(tags) < MOST_TAGS:
            tags[name] = UtmTag(name=name, value=value)
    return Marketing(referrer=page_address(referrer), utmTags=list(tags.values()) or None)
