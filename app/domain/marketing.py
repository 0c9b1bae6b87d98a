"""UTM tags and the page a form was shown on: Vitec's `FormMarketing`.

A campaign's tags never cost a lead: what is too long is cut, what is too much is dropped, nothing is refused.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from app.domain.fields import cut
from app.domain.short_cache import cached_when_short

MAX_TAGS = 20
VALUE_LENGTH = 500
NAME_LENGTH = 100
REFERRER_LENGTH = 2000
MAX_TAGS_READ = 100  # five times as many as are sent on; more are ignored, and cost the lead nothing
MAX_NUMBER = 2**64  # as a tag: larger ones take long to format
CLICK_IDS = frozenset(
    {"gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id"}  # Google's first
)
# What a page's HTML, or a program that makes lists, has left of an "&" before a name and of a "[]" behind it.
_NAME = re.compile(r"(?:amp;)*(.*?)(?:\[\d{0,3}\])?", re.DOTALL | re.IGNORECASE | re.ASCII)
_TAG = re.compile(
    rf"(?:amp;)*(?:utm_(?!\[\d{{0,3}}\]\Z).+|(?:{'|'.join(sorted(CLICK_IDS))})(?:\[\d{{0,3}}\])?)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass
class Marketing:
    """`{referrer, utmTags: [{name, value}]}`. `referrer` is the page the form was shown on (H), at most 2,000;
    `tags` are pairs of name and value, values cut at 500 UTF-16 code units."""

    referrer: str | None = None
    tags: tuple[tuple[str, str], ...] = ()

    @cached_property
    def member(self) -> Mapping[str, Any]:
        """As Vitec's `marketing` member; empty if there is no marketing."""
        member: dict[str, Any] = {"referrer": self.referrer} if self.referrer else {}
        if self.tags:
            member["utmTags"] = [{"name": name, "value": value} for name, value in self.tags]
        return member

    @classmethod
    def of_member(cls, member: Mapping[str, Any]) -> "Marketing":
        return cls(member.get("referrer"), tuple((tag["name"], tag["value"]) for tag in member.get("utmTags", ())))


@cached_when_short
def is_tag(name: str) -> bool:
    """`utm_*` or a click id, whatever its case (advertisers write both `utm_source` and `UTM_SOURCE`), and whatever its
    way here has put around it (`bare_name`)."""
    return _TAG.fullmatch(name) is not None


def bare_name(name: str) -> str:
    """The name without what has been added to it on its way: `amp;utm_source`, `utm_source[]`."""
    if ";" not in name and not name.endswith("]"):
        return name
    match = _NAME.fullmatch(name)
    return match[1] if match else name


def tags_in(tags: Any) -> Iterator[tuple[str, str]]:
    """Names and values of a program's tags, read leniently: `utmTags` as a list of `{name, value}`, or as an object
    with a member for each. Unreadable ones are empty, and left out later."""
    if isinstance(tags, dict):
        yield from ((name, _text(value)) for name, value in tags.items())
    for tag in tags[:MAX_TAGS_READ] if isinstance(tags, list) else ():
        members = {name.lower(): _text(value) for name, value in tag.items()} if isinstance(tag, dict) else {}
        yield members.get("name", ""), members.get("value", "")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if abs(value) <= MAX_NUMBER else ""
    return str(value) if isinstance(value, str | float) else ""


@cached_when_short
def page_address(text: str | None) -> str | None:
    """An http(s) address without its fragment, at most 2,000; None for anything else (`javascript:`, a broken one)."""
    address = cut(_CONTROLS.sub("", text or "").strip().partition("#")[0], REFERRER_LENGTH)
    try:
        parts = urlsplit(address)
        is_web_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    return address if is_web_address else None


def normalize_marketing(pairs: Iterable[tuple[str, str]], pages: Iterable[str | None]) -> Marketing:
    """The tags in order: the first of each name, at most 20, names and values cut, without empty ones. And the first of
    the pages that is a web address."""
    tags: dict[str, str] = {}
    for name, value in pairs:
        name, value = _tag_name(name), one_line(value, VALUE_LENGTH)
        if name and value and name not in tags and len(tags) < MAX_TAGS:
            tags[name] = value
    return Marketing(next(filter(None, map(page_address, pages)), None), tuple(tags.items()))


@cached_when_short
def _tag_name(text: str) -> str:
    name = one_line(bare_name(text), NAME_LENGTH)
    return name.lower() if is_tag(name) else name


def one_line(text: str, length: int) -> str:
    """The text in one line of at most `length` UTF-16 code units, without invisible characters."""
    if not text.isprintable():
        text = _CONTROLS.sub(" ", text)
    return cut(text.strip(), length)
