"""The pairs of a query or of an urlencoded body.

`urllib.parse.parse_qsl` defines what they are. pydantic's parser of URLs (in Rust, by WHATWG's rules) says the same of
all that a browser sends; the rest is left to `parse_qsl`. Gain: 11 of a post's 230 µs (5.8 µs instead of 16.7).
"""

import re
from itertools import chain
from urllib.parse import parse_qsl, quote_from_bytes

from pydantic_core import Url

from app.web.http.charsets import UTF_8, decode

Pairs = list[tuple[str, str]]

_REPLACED = "\ufffd"  # stands for bytes that are no UTF-8, unless somebody typed it

_ASCII = "".join(map(chr, range(128)))
_AMP = re.compile(r"^(?:amp;)+", re.IGNORECASE)  # what is left of an "&" that HTML wrote as "&amp;"


def pairs_of(text: str, errors: str = "strict") -> Pairs:
    """In order, without those whose value is empty. Raises `UnicodeDecodeError` when `errors` is `strict`."""
    if text.isascii() and not _is_more_than_a_query(text):
        pairs = [pair for pair in Url(f"form:?{text}").query_params() if pair[1]]
        if _REPLACED not in "".join(chain.from_iterable(pairs)):
            return pairs
    return parse_qsl(text, errors=errors)


def _is_more_than_a_query(text: str) -> bool:
    """Where the two differ: a URL has a fragment, and loses line breaks, and what its end has of control characters."""
    return "#" in text or "\t" in text or "\n" in text or "\r" in text or text[-1:] <= " "


def pairs_of_bytes(content: bytes) -> Pairs:
    """In order, without those whose value is empty; each character of them stands for a byte as it was sent."""
    # What stands there as a byte is percent-encoded too, so that all of it is decoded alike.
    return parse_qsl(quote_from_bytes(content, safe=_ASCII), encoding="latin-1")


def pairs_of_query(query: bytes) -> Pairs:
    """Of an address that anybody may have put together of pieces: each name and value is read for itself, as UTF-8 or
    else as windows-1252."""
    try:
        pairs = pairs_of(query.decode("ascii"))
    except UnicodeDecodeError:
        pairs = [(_decoded(name), _decoded(value)) for name, value in pairs_of_bytes(query)]
    if "amp;" in str(query, "latin-1").lower():
        return [(_AMP.sub("", name, 1), value) for name, value in pairs]
    return pairs


def _decoded(bytewise: str) -> str:
    return decode(bytewise.encode("latin-1"), UTF_8)
