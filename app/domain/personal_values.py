"""A check for personal data in a short text, such as a campaign's name.

It does when one of these stands anywhere in it, in any spelling below, percent-encoded however often, as HTML's
entities, in full-width characters, or in base64 or hexadecimal. So does what is encoded five times or more:

    e-mail address   an "@", or "(at)" in any brackets
    phone number     one that can be dialled and that begins with "+", "00" or "0" (then with a Swedish area code, 9
                     digits or more; in Stockholm 8); without these only a Swedish mobile number, with or without 46,
                     and after 46 a number in groups. Groups are parted by " ", "-", ".", "/", brackets or "+"
    personnummer     or samordningsnummer: YYMMDD-NNNN with a date that there is, parted by a hyphen, "+" or space; run
                     together, or parted by something else, only with the right check digit

It does not when the digits are a date (2026-11-29, 29.11.2026, 20261129), a span or a time of one (0812-0824,
20261129-1200), a UUID or another hexadecimal id, or the id of an advertisement or a campaign: those have 9 to 18 digits
and begin with 1 to 9, so only that distinguishes them from numbers. A few of them are taken for a person's all the
same: those of nine digits that a Swedish mobile number could have (one in twenty), and the one in hundreds of ten or
twelve that is a date with the right check digit. What is lost by it is a name in a table.

A date of these years with four digits behind it is a time of day, because no visitor was born then: 2020 and later
never is a personnummer, and two digits from 20 to 35 only with the right check digit.
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

MAX_LENGTH = 500  # characters that are looked at
MAX_ENCODED = 4  # times; what is still encoded then hides something
MAX_NUMBERS = 60  # numbers in one text: one that holds more has no honest name

_AT = re.compile(r"@|[\[({<]\s*(?:at|snabel-?a)\s*[\])}>]", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_ESCAPE = re.compile(r"(?:\\u00|=|\\x)(?=[2-7][0-9a-f])", re.IGNORECASE)  # of JavaScript, of mails
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}"), re.compile(r"[A-Za-z0-9_-]{8,}")
_HEXADECIMAL = re.compile(r"(?:[0-9a-f]{2}){7,}", re.IGNORECASE)

_PERSONNUMMER = re.compile(
    r"(?<!\d)(?P<century>1[89]|20)?(?P<year>\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>\d\d)"
    r"(?P<parted>[\W_]{0,3})(?P<last>\d{4})(?!\d)",
    re.ASCII,
)
_BORN_IN_GROUPS = re.compile(r"(?<!\d)19\d\d([-./ ])(?:0[1-9]|1[0-2])\1\d\d[-+./ ]\d{4}(?!\d)", re.ASCII)
_HYPHENS = frozenset("-+ \u2010\u2011\u2012\u2013\u2014\u2015\u2212")
_NO_VISITORS = range(20, 36)  # years of birth, of 1900 and 2000, of people who book no viewing

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
    """In linear time, whatever the text."""
    text = _plain(text[:MAX_LENGTH])
    for _ in range(MAX_ENCODED + 1):
        if _names_a_person(text):
            return True
        decoded = _plain(unquote(unescape(_ESCAPE.sub("%", text))))
        if decoded == text:
            return False
        text = decoded
    return True


def _plain(text: str) -> str:
    """The text with compatibility characters and digits as in ASCII."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(character, character)) for character in text)


def _names_a_person(text: str) -> bool:
    return bool(_AT.search(text)) or _has_number(text) or any(map(_is_packed, _unpacked(text)))


def _has_number(text: str) -> bool:
    if sum(map(str.isdigit, text)) < 8:
        return False
    return (
        bool(_BORN_IN_GROUPS.search(text)) or any(map(_is_personnummer, _PERSONNUMMER.finditer(text))) or _dials(text)
    )


def _unpacked(text: str) -> Iterator[str]:
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


def _is_packed(text: str) -> bool:
    """Whether decoded text is personal. It may have been no encoding at all, so only a whole address counts, or a
    number with no letters around it."""
    return bool(_ADDRESS.search(text)) or (not any(map(str.isalpha, text)) and _has_number(text))


def _is_personnummer(match: re.Match[str]) -> bool:
    century, year, separator = match["century"], int(match["year"]), match["parted"]
    if int(match["day"]) % 60 not in range(1, 32):
        return False
    checked = _has_check_digit(match["year"] + match["month"] + match["day"] + match["last"])
    if century == "20" and year >= _NO_VISITORS.start:
        return False
    if set(separator) <= _HYPHENS and separator and (century or year not in _NO_VISITORS):
        return True
    return checked


def _has_check_digit(digits: str) -> bool:
    """Luhn's."""
    doubled = (sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(digits))
    return sum(doubled) % 10 == 0


def _dials(text: str) -> bool:
    tried = 0
    for run in _IN_GROUPS.findall(_NO_NUMBER.sub("|", text)):
        groups = _GROUP.findall(run)
        for first in range(len(groups)):
            for number in _from(groups[first : first + _MOST_DIGITS]):
                tried += 1
                if tried > MAX_NUMBERS or _can_be_dialled(number):
                    return True
    return False


def _from(groups: list[str]) -> Iterator[str]:
    """The numbers that begin with the first group, by how many of the groups they go on."""
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
