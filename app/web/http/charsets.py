"""The charsets that forms come in, by the names that browsers know them by.

Python's own list of codecs is no check of what strangers send: it holds codecs that fail, run away or rewrite.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

_LABELS = {
    "utf-8": ("utf-8", "utf8", "unicode-1-1-utf-8"),
    # What the standard calls ISO 8859-1 is read as its superset, as browsers do.
    "cp1252": ("windows-1252", "cp1252", "iso-8859-1", "iso8859-1", "latin1", "l1", "us-ascii", "ascii"),
    "iso8859-15": ("iso-8859-15", "iso8859-15", "latin-9", "latin9", "l9"),
    "iso8859-2": ("iso-8859-2", "iso8859-2", "latin2", "l2"),
    "cp1250": ("windows-1250", "cp1250"),
    "mac-roman": ("macintosh", "mac", "x-mac-roman"),
}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels}
_LAST = "cp1252"
_REFERENCE = re.compile(r"&#([0-9]{1,7});")


def codec_of(label: str) -> str | None:
    """Python's name of the charset, None for one that is not ours to read."""
    return _CODECS.get(label.strip().strip("\"'").lower())


def read_as_typed(decode: Callable[[str, str], T], *labels: str) -> T:
    """What `decode(codec, errors)` makes of a form's bytes by the first of the named charsets, then UTF-8, then
    windows-1252, that can hold them; it raises `UnicodeDecodeError` for one that can't."""
    for codec in _candidates(labels):
        try:
            return decode(codec, "strict")
        except UnicodeDecodeError:
            continue
    return decode(_LAST, "replace")


def _candidates(labels: tuple[str, ...]) -> Iterator[str]:
    yield from filter(None, map(codec_of, labels))
    yield "utf-8"
    yield _LAST


def with_references(text: str, codec: str) -> str:
    """A browser writes what a page's charset has no place for as a numeric reference."""
    return text if codec == "utf-8" or "&#" not in text else _REFERENCE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    number = int(match[1])
    return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else match[0]
