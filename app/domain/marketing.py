"""UTM tags and the page a form was shown on: Vitec's `FormMarketing`.

A campaign's tags never cost a lead: what is too long is cut, what is too much is dropped, nothing is refused.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.domain.fields import cut
from app.domain.short_cache import cached_when_short

MOST_TAGS = 20
VALUE_LENGTH = 500
NAME_LENGTH = 100
REFERRER_LENGTH = 2000
CLICK_IDS = frozenset({"gclid", "fbclid", "msclkid"})
_TAG = re.compile("|".join(["utm_.+", *sorted(CLICK_IDS)]), re.ASCII | re.IGNORECASE | re.DOTALL)

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(slots=True)
class Marketing:
    """`{referrer, utmTags: [{name, value}]}`. `referrer` is the page the form was shown on (H), at most 2,000;
    `tags` are pairs of name and value, values cut at 500 UTF-16 code units."""

    referrer: str | None = None
    tags: tuple[tuple[str, str], ...] = ()

    def body(self) -> dict[str, Any]:
        """As Vitec takes it; empty when there is nothing to tell."""
        body: dict[str, Any] = {"referrer": self.referrer} if self.referrer else {}
        if self.tags:
            body["utmTags"] = [{"name": name, "value": value} for name, value in self.tags]
        return body

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> "Marketing":
        return cls(body.get("referrer"), tuple((tag["name"], tag["value"]) for tag in body.get("utmTags", ())))


def is_tag(name: str) -> bool:
    """`utm_*` or a click id, whatever its case: advertisers write both `utm_source` and `UTM_SOURCE`."""
    return _TAG.fullmatch(name) is not None


@cached_when_short
def page_address(text: str | None) -> str | None:
    """An http(s) address without fragment, at most 2,000; anything else (`javascript:`, a torn one) is nothing."""
    address = cut(_CONTROLS.sub("", text or "").strip().partition("#")[0], REFERRER_LENGTH)
    try:
        parts = urlsplit(address)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    return address if known else None


def normalize_marketing(pairs: Iterable[tuple[str, str]], referrer: str | None) -> Marketing:
    """In order, the first of each name, at most 20, names and values cut, empty ones left out."""
    tags: dict[str, str] = {}
    for name, value in pairs:
        name, value = _tag_name(name), one_line(value, VALUE_LENGTH)
        if name and value and name not in tags and len(tags) < MOST_TAGS:
            tags[name] = value
    return Marketing(page_address(referrer), tuple(tags.items()))


@cached_when_short
def _tag_name(text: str) -> str:
    name = one_line(text, NAME_LENGTH)
    return name.lower() if is_tag(name) else name


def one_line(text: str, length: int) -> str:
    """At most `length` UTF-16 code units, without line breaks and what can't be seen; for what an address says."""
    if not text.isprintable():
        text = _CONTROLS.sub(" ", text)
    return cut(text.strip(), length)
