"""A check for personal data in a short text, such as a campaign's name.

A text counts as personal if it has one of these anywhere, in any spelling below, percent-encoded, as HTML entities, in
full-width characters, or in base64 or hexadecimal. A text that is encoded five times or more counts as personal too,
and so does one that becomes longer than what is checked.

    e-mail address   an "@", or "(at)" in any brackets
    phone number     a number that can be dialled and that begins with "+", "00" or "0" (then with a Swedish area code
                     and at least 9 digits; in Stockholm 8); without these only a Swedish mobile number, with or
                     without 46, and after 46 a number in groups. Separators are " ", "-", ".", "/", brackets or "+"
    personnummer     or samordningsnummer: YYMMDD-NNNN with a date that exists, and a hyphen, "+" or space; without a
                     separator, or with another one, only if the check digit is right

These are not personal: a date (2026-11-29, 29.11.2026, 20261129), a range of dates or a time (0812-0824,
20261129-1200), a UUID or another hexadecimal id, and the id of an advertisement or a campaign, which has 9 to 18 digits
and begins with 1 to 9; nothing else distinguishes it from a phone number. A few such ids are taken for personal data:
of those with 9 digits one in twenty, which could be a Swedish mobile number, and of those with 10 or 12 one in
hundreds, which is a date with the right check digit. This costs no more than a name in a table.

A recent date with four digits after it is a time of day, because no visitor was born then: a year of 2020 or later is
never a personnummer's, and two digits from 20 to 35 only if the check digit is right.
"""

import binascii
import re
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Iterator
from functools import partial
from html import unescape
from itertools import accumulate
from urllib.parse import unquote

import phonenumbers

MAX_LENGTH = 500  # characters that are checked
MAX_ENCODED = 4  # times; a text that is encoded more often hides something
MAX_NUMBERS = 60  # numbers in one text; no honest name has more

_AT = re.compile(r"@|[\[({<]\s*(?:at|snabel-?a)\s*[\])}>]", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_ESCAPE = re.compile(r"(?:\\u00|=|\\x)(?=[2-7][0-9a-f])", re.IGNORECASE)  # in JavaScript, in e-mail
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}"), re.compile(r"[A-Za-z0-9_-]{8,}")
_HEXADECIMAL = re.compile(r"(?:[0-9a-f]{2}){7,}", re.IGNORECASE)

_PERSONNUMMER = re.compile(
    r"(?<!\d)(?P<century>1[89]|20)?(?P<year>\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>\d\d)"
    r"(?P<parted>[\W_]{0,3})(?P<last>\d{4})(?!\d)",
    re.ASCII,
)
_BORN_IN_GROUPS = re.compile(r"(?<!\d)19\d\d([-./ ])(?:0[1-9]|1[0-2])\1\d\d[-+./ ]\d{4}(?!\d)", re.ASCII)
_HYPHENS = frozenset("-+ \u2010\u2011\u2012\u2013\u2014\u2015\u2212")
_NO_VISITORS = range(20, 36)  # years of birth, in both centuries, of people too old or too young to book a viewing

_MONTH, _DAY, _YEAR = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])", r"(?:19|20)\d\d"
_NO_NUMBER = re.compile(
    rf"(?<!\d){_YEAR}([-./_ ]?){_MONTH}\1{_DAY}(?!\d)|(?<!\d){_DAY}([-./_ ]){_MONTH}\2{_YEAR}(?!\d)"
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|(?<![0-9a-z])(?=[0-9]*[a-f])[0-9a-f]{16,}(?![0-9a-z])",
    re.ASCII | re.IGNORECASE,
)
_IN_GROUPS = re.compile(r"\+?\d(?:[\d ()./+\u2010-\u2015\u2212-]*\d)?", re.ASCII)
_GROUP = re.compile(r"\+?\d+", re.ASCII)
_SWEDISH_MOBILE = re.compile(r"(?:46)?7[02369]\d{7}", re.ASCII)
_MOST_DIGITS = 15  # E.164


def looks_personal(text: str) -> bool:
    """Whether the text has personal data. Takes linear time for any text."""
    text = _plain(text[:MAX_LENGTH])
    for _ in range(MAX_ENCODED + 1):
        if len(text) > MAX_LENGTH or _has_personal_data(text):  # some characters stand for up to 18 others
            return True
        decoded = _plain(unquote(unescape(_ESCAPE.sub("%", text))))
        if decoded == text:
            return False
        text = decoded
    return True


def _plain(text: str) -> str:
    """The text with compatibility characters and digits replaced by ASCII ones."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(character, character)) for character in text)


def _has_personal_data(text: str) -> bool:
    return bool(_AT.search(text)) or _has_number(text) or any(map(_is_personal_decoded, _decoded(text)))


def _has_number(text: str) -> bool:
    if sum(map(str.isdigit, text)) < 8:
        return False
    return (
        bool(_BORN_IN_GROUPS.search(text))
        or any(map(_is_personnummer, _PERSONNUMMER.finditer(text)))
        or _has_phone_number(text)
    )


def _decoded(text: str) -> Iterator[str]:
    for pattern in _BASE64:
        for candidate in pattern.findall(text):
            encoded = candidate.translate({ord("-"): "+", ord("_"): "/"})
            yield from _ascii(partial(b64decode, encoded + "=" * (-len(encoded) % 4)))
    for encoded in _HEXADECIMAL.findall(text):
        yield from _ascii(partial(bytes.fromhex, encoded))


def _ascii(decode: Callable[[], bytes]) -> Iterator[str]:
    try:
        text = decode().decode("ascii")
    except (binascii.Error, ValueError):
        return
    if text.isprintable():
        yield text


def _is_personal_decoded(text: str) -> bool:
    """Whether decoded text is personal. The text may not have been encoded at all, so only a whole address counts, or a
    number without letters around it."""
    return bool(_ADDRESS.search(text)) or (not any(map(str.isalpha, text)) and _has_number(text))


def _is_personnummer(match: re.Match[str]) -> bool:
    century, year, separator = match["century"], int(match["year"]), match["parted"]
    if int(match["day"]) % 60 not in range(1, 32):
        return False
    has_check_digit = _has_check_digit(match["year"] + match["month"] + match["day"] + match["last"])
    if century == "20" and year >= _NO_VISITORS.start:
        return False
    if set(separator) <= _HYPHENS and separator and (century or year not in _NO_VISITORS):
        return True
    return has_check_digit


def _has_check_digit(digits: str) -> bool:
    """Whether the last digit is right by Luhn's algorithm."""
    doubled = (sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(digits))
    return sum(doubled) % 10 == 0


def _has_phone_number(text: str) -> bool:
    tried = 0
    for run in _IN_GROUPS.findall(_NO_NUMBER.sub("|", text)):
        groups = _GROUP.findall(run)
        for first in range(len(groups)):
            for number in _numbers_from(groups[first : first + _MOST_DIGITS]):
                tried += 1
                if tried > MAX_NUMBERS or _can_be_dialled(number):
                    return True
    return False


def _numbers_from(groups: list[str]) -> Iterator[str]:
    """The numbers that begin with the first group: that group alone, the first two, and so on."""
    first = groups[0]
    for count, digits in enumerate(accumulate(groups), 1):
        number = digits.lstrip("+").replace("+", "")
        if len(number) > _MOST_DIGITS:
            return
        if _SWEDISH_MOBILE.fullmatch(number):
            yield f"+46{number[-9:]}"
        elif first.startswith(("+", "00")) or (number.startswith("46") and count > 1 and 10 <= len(number) <= 12):
            international = number.removeprefix("00")
            yield f"+{international}"
            if count > 1 and groups[1] == "0":  # +46 (0)70
                yield f"+{international.removeprefix(first.lstrip('+').removeprefix('00'))[1:]}"
        elif first.startswith("0") and len(first) > 1 and (8 if first == "08" else 9) <= len(number) <= 11:
            yield number


def _can_be_dialled(number: str) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, "SE")))
    except phonenumbers.NumberParseException:
        return False
