"""Normalization of typed text: Unicode's NFC, without invisible characters.

An iPhone sends "Å" as "A" and a combining ring, word processors leave soft hyphens, and chats leave direction marks.
Vitec's duplicate check takes two spellings of one name for two people.
"""

import re
import unicodedata

MAX_COMPOSED = 1000  # characters: a text up to this length is composed whatever it contains
MAX_MARKS = 100  # on one letter. A text with more is not language, and composing it takes quadratic time

_NO_BREAK_SPACES = str.maketrans({"\u00a0": " ", "\u2007": " ", "\u202f": " "})
# Characters without width, direction marks and joiners, as ranges: each pair is a first and a last one.
_NEVER_SHOWN = (
    "\u00ad\u00ad\u034f\u034f\u061c\u061c\u115f\u1160\u17b4\u17b5\u180b\u180f\u200b\u200c\u200e\u200f\u202a\u202e"
    "\u2060\u206f\u3164\u3164\ufe00\ufe0e\ufeff\ufeff\uffa0\uffa0\ufff9\ufffb"
    "\U0001bca0\U0001bca3\U0001d173\U0001d17a\U000e0000\U000e0fff"
)
_RANGES = list(zip(_NEVER_SHOWN[::2], _NEVER_SHOWN[1::2], strict=True))
# The joiner and the selector that join the parts of an emoji or colour it are invisible elsewhere.
_EMOJI = "\u200d\u2190-\u3299\U0001f000-\U0001faff"
_INVISIBLE = re.compile(
    f"[{''.join(f'{first}-{last}' for first, last in _RANGES)}]"
    f"|\u200d(?![{_EMOJI}])|(?<![{_EMOJI}#*0-9\u00a9\u00ae])\ufe0f"
)
_EDGES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + "\u200d"
_EDGES += "".join(chr(code) for first, last in _RANGES if last <= "\uffff" for code in range(ord(first), ord(last) + 1))


def trim(text: str) -> str:
    """The text without white space and invisible characters at its ends."""
    return text.strip() if text.isascii() else text.strip(_EDGES)


def normalized(text: str) -> str:
    """What `visible` and then `trim` make of the text."""
    return text.strip() if text.isascii() else visible(text).strip(_EDGES)


def western_digits(text: str) -> str:
    """The text with 0 to 9 for other scripts' digits: a phone in Arabic or Persian types them in a field of numbers."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def visible(text: str) -> str:
    """The text in NFC, without invisible characters, and with no-break spaces as spaces. Keeps control characters."""
    if text.isascii() or _is_plain(text):
        return text
    return _composed(_INVISIBLE.sub("", text).translate(_NO_BREAK_SPACES))


def _is_plain(text: str) -> bool:
    """Whether the text is Latin-1 without no-break spaces and soft hyphens, as nearly all input is. In Latin-1 each
    letter is one character, and nothing else is invisible."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return "\u00a0" not in text and "\u00ad" not in text


def _composed(text: str) -> str:
    if len(text) > MAX_COMPOSED and _has_too_many_marks(text):
        return text
    return unicodedata.normalize("NFC", text)


def _has_too_many_marks(text: str) -> bool:
    marks = 0
    for character in text:
        # Not by their combining class: a Tibetan vowel sign like U+0F73 has none, but is composed of two marks that do.
        marks = marks + 1 if unicodedata.category(character).startswith("M") else 0
        if marks > MAX_MARKS:
            return True
    return False
