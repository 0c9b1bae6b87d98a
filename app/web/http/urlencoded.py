"""The pairs of a query or of an urlencoded body.

`urllib.parse.parse_qsl` defines what they are. pydantic's parser of URLs (in Rust, by WHATWG's rules) says the same of
all that a browser sends; the rest is left to `parse_qsl`. Gain: 11 of a post's 230 µs (5.8 µs instead of 16.7).
"""

import re
from itertools import chain
from string import ascii_letters, digits
from urllib.parse import parse_qsl, quote_from_bytes

from pydantic_core import Url

from app.web.http.charsets import UTF_8, decode

Pairs = list[tuple[str, str]]

# What browsers leave as it is, and %. Outside of it the two differ: a URL has a fragment, and loses its line breaks.
_SENT_BY_BROWSERS = f"{ascii_letters}{digits}*_.~!'();:@$,/?[]+&=%-".encode()
_REPLACED = "\ufffd"  # stands for bytes that are no UTF-8, unless somebody typed it

_ASCII = "".join(map(chr, range(128)))
_AMP = re.compile(r"^(?:amp;)+", re.IGNORECASE)  # what is left of an "&" that HTML wrote as "&amp;"


def pairs_of(text: str, errors: str = "strict") -> Pairs:
    """In order, without those whose value is empty. Raises `UnicodeDecodeError` when `errors` is `strict`."""
    if not text.encode("utf-8", "surrogatepass").translate(None, _SENT_BY_BROWSERS):
        pairs = [pair for pair in Url(f"form:?{text}").query_params() if pair[1]]
        if _REPLACED not in "".join(chain.from_iterable(pairs)):
            return pairs
    return parse_qsl(text, errors=errors)


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
    return [(_AMP.sub("", name, 1), value) for name, value in pairs] if "amp;" in str(query, "latin-1").lower() else pairs


def _decoded(bytewise: str) -> str:
    return decode(bytewise.encode("latin-1"), UTF_8)
