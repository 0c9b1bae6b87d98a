"""Names and values of a query or an urlencoded body.

`urllib.parse.parse_qsl` is the reference. pydantic's URL parser (in Rust, by WHATWG's rules) gives the same for all
that browsers send; the rest is left to `parse_qsl`. Gain: 11 of a post's 230 µs (5.8 µs instead of 16.7).
"""

import re
from itertools import chain
from urllib.parse import parse_qsl, quote_from_bytes

from pydantic_core import Url

from app.web.http.charsets import UTF_8, decode

Pairs = list[tuple[str, str]]

_REPLACED = "\ufffd"  # replaces bytes that are not UTF-8, unless somebody typed it

_ASCII = "".join(map(chr, range(128)))
_AMP = re.compile(r"^(?:amp;)+", re.IGNORECASE)  # the rest of an "&amp;" that was split at its "&"


def pairs_of(text: str, errors: str = "strict") -> Pairs:
    """The pairs in order, without those whose value is empty. Raises `UnicodeDecodeError` if `errors` is `strict`."""
    if text.isascii() and not _is_more_than_a_query(text):
        pairs = [pair for pair in Url(f"form:?{text}").query_params() if pair[1]]
        if _REPLACED not in "".join(chain.from_iterable(pairs)):
            return pairs
    return parse_qsl(text, errors=errors)


def _is_more_than_a_query(text: str) -> bool:
    """Where the parsers differ: a URL has a fragment, and loses tabs, line breaks and control characters at its end."""
    return "#" in text or "\t" in text or "\n" in text or "\r" in text or text[-1:] <= " "


def pairs_of_bytes(content: bytes) -> Pairs:
    """The pairs in order, without those whose value is empty, with one character per byte as sent."""
    # Raw bytes are percent-encoded first, so that all of it is decoded alike.
    return parse_qsl(quote_from_bytes(content, safe=_ASCII), encoding="latin-1")


def pairs_of_query(query: bytes) -> Pairs:
    """The pairs of an address's query. It may be pieced together from several sources, so each name and value is
    decoded by itself, as UTF-8 or else as windows-1252."""
    try:
        pairs = pairs_of(query.decode("ascii"))
    except UnicodeDecodeError:
        pairs = [(_decoded(name), _decoded(value)) for name, value in pairs_of_bytes(query)]
    if "amp;" in str(query, "latin-1").lower():
        return [(_AMP.sub("", name, 1), value) for name, value in pairs]
    return pairs


def _decoded(bytewise: str) -> str:
    return decode(bytewise.encode("latin-1"), UTF_8)
