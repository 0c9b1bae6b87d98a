"""UTM tags and the page that a form was shown on: Vitec's `FormMarketing`.

Marketing never costs a lead: values that are too long are cut, tags that are too many are dropped, none is refused.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from app.domain.fields import cut
from app.domain.short_cache import cached_when_short

MAX_TAGS = 20
VALUE_LENGTH = 500
NAME_LENGTH = 100
REFERRER_LENGTH = 2000
MAX_TAGS_READ = 100  # five times as many as are sent on; further ones are ignored
MAX_NUMBER = 2**64  # as a tag's value: larger numbers take long to format
CLICK_IDS = frozenset(
    {"gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id"}  # Google's first
)
# A name may still have the "amp;" of HTML's "&amp;" before it, and the "[]" by which programs mark lists after it.
_NAME = re.compile(r"(?:amp;)*(.*?)(?:\[\d{0,3}\])?", re.DOTALL | re.IGNORECASE | re.ASCII)
_TAG = re.compile(
    rf"\s*(?:amp;)*(?:utm_(?!\s|\[\d{{0,3}}\]\Z).+|(?:{'|'.join(sorted(CLICK_IDS))})(?:\[\d{{0,3}}\])?)\s*",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(slots=True)
class Marketing:
    """`referrer` is the page that the form was shown on (H), at most 2,000 UTF-16 code units; `tags` are pairs of name
    and value, values at most 500. `member` is both as Vitec's `{referrer, utmTags: [{name, value}]}`; empty if there is
    neither."""

    referrer: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    member: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        member: dict[str, Any] = {"referrer": self.referrer} if self.referrer else {}
        if self.tags:
            member["utmTags"] = [{"name": name, "value": value} for name, value in self.tags]
        self.member = member

    @classmethod
    def of_member(cls, member: Mapping[str, Any]) -> "Marketing":
        return cls(member.get("referrer"), tuple((tag["name"], tag["value"]) for tag in member.get("utmTags", ())))


@cached_when_short
def is_tag(name: str) -> bool:
    """Whether it is `utm_*` or a click id, in any case (advertisers write both `utm_source` and `UTM_SOURCE`), with or
    without what `bare_name` removes."""
    return _TAG.fullmatch(name) is not None


def bare_name(name: str) -> str:
    """The name without what was added to it in transit, as in `amp;utm_source` or `utm_source[]`."""
    name = name.strip()
    if ";" not in name and not name.endswith("]"):
        return name
    match = _NAME.fullmatch(name)
    return match[1] if match else name


def tags_in(tags: Any) -> Iterator[tuple[str, str]]:
    """The names and values in a program's `utmTags`, read leniently: a list of `{name, value}`, or an object with a
    member for each tag. Unreadable ones become empty, and are left out later."""
    if isinstance(tags, dict):
        yield from ((name, _text(value)) for name, value in tags.items())
    for tag in tags[:MAX_TAGS_READ] if isinstance(tags, list) else ():
        members = {name.lower(): _text(value) for name, value in tag.items()} if isinstance(tag, dict) else {}
        yield members.get("name", ""), members.get("value", "")


def _text(value: Any) -> str:
    if isinstance(value, list) and value:
        value = value[0]  # of several values the first counts
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if abs(value) <= MAX_NUMBER else ""
    return str(value) if isinstance(value, str | float) else ""


@cached_when_short
def page_address(text: str | None) -> str | None:
    """An http(s) address without fragment, cut to 2,000 UTF-16 code units; None if malformed, or say `javascript:`."""
    address = cut(_CONTROLS.sub("", text or "").strip().partition("#")[0], REFERRER_LENGTH)
    try:
        parts = urlsplit(address)
        is_web_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    return address if is_web_address else None


def normalize_marketing(pairs: Iterable[tuple[str, str]], pages: Iterable[str | None]) -> Marketing:
    """The tags in order: the first of each name, at most 20, names and values cut, without empty ones. The referrer is
    the first of the pages that is a web address."""
    tags: dict[str, str] = {}
    for name, value in pairs:
        name, value = _tag_name(name), cut_line(value, VALUE_LENGTH)
        if name and value and name not in tags and len(tags) < MAX_TAGS:
            tags[name] = value
    return Marketing(next(filter(None, map(page_address, pages)), None), tuple(tags.items()))


@cached_when_short
def _tag_name(text: str) -> str:
    name = cut_line(bare_name(text), NAME_LENGTH)
    return name.lower() if is_tag(name) else name


def cut_line(text: str, length: int) -> str:
    """The text on one line, cut to `length` UTF-16 code units, without control characters."""
    if not text.isprintable():
        text = _CONTROLS.sub(" ", text)
    return cut(text.strip(), length)
