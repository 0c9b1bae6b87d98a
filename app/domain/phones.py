"""Parser of phone numbers as people write them, to E.164.

A number without "+" or "00" is a national number of the country in the person's address, otherwise a Swedish one. A
Swedish number without a leading 0 must be a mobile one: any other eight digits would ring a stranger in Umeå.
"""

import re
from typing import Any

import phonenumbers

from app.domain.characters import western_digits

PHONE_LENGTH = 17  # Vitec's limit for every phone number (H)
MAX_PHONE_TEXT = 100  # characters typed in a phone field
MAX_PHONE_DIGITS = 15  # E.164, with the country code
SWEDEN = "SE"
_PREFIXES = ("+", "0", "\uff0b", "\uff10")  # full-width ones too

_MOBILE = phonenumbers.PhoneMetadata.metadata_for_region(SWEDEN).mobile.national_number_pattern  # type: ignore[union-attr]
_SWEDISH_MOBILE = re.compile(rf"(?:(?:(?P<whole>\+46|0046)|46)(?:\(0\)|0)?|0|\(0\))?({_MOBILE})", re.ASCII)
_WORD_IN_BRACKETS = re.compile(r"[(\[{][^()\[\]{}]*[^\W\d_][^()\[\]{}]*[)\]}]")
_WORDS = (  # Swedish, English, Norwegian, Danish and Finnish ones
    r"(?:tel(?:efon(?:nummer|nr)?|nr)?|tfn|tlf|phone|ph|mob(?:il(?:e|nummer|nr|telefon)?)?|cell|gsm|puh|sms|callto"
    r"|whatsapp|hem(?:nr|ma)?|bostad|priv(?:at)?|arb(?:ete|etet)?|jobb(?:et)?|kontor|v(?:ä)?x(?:el|l)?|direkt|nr|nummer"
    r"|dagtid|kvällstid|[tmhap])"
)
_LABEL = re.compile(rf"^(?:{_WORDS}\b[.: ]*)+|(?<=[\d )]){_WORDS}\.?$", re.IGNORECASE)
_EXTENSION = re.compile(
    r"[,;]?\s*[(\[]?(?:ankn(?:ytning|yt)?|anknr|ext(?:ension)?|int(?:ern)?|x)[.:]?\s*(\d+)[)\]]?$",
    re.IGNORECASE | re.ASCII,
)
_BETWEEN_NUMBERS = re.compile(
    rf"[,;/|\n]|\s(?:eller|el|och|or|and|samt|alt)\b\.?|\s[&+\u2013-](?=\s)|\s(?={_WORDS}[.:]*\s*[+(0])",
    re.IGNORECASE,
)
_NEXT_NUMBER = re.compile(r"\s(?=[+(]*0*[1-9])")
_ZERO_AS_LETTER = re.compile(r"(?<![^\W\d_])[oO](?=\d)|(?<=\d)[oO](?![^\W\d_])")
_NO_DIGIT = re.compile(r"[^\d+]+", re.ASCII)
_SHORTEST = 7  # digits of a number beside another one


def normalize_phone(text: str, country: str = SWEDEN) -> str | None:
    """E.164, with `x` and the extension if that fits in `PHONE_LENGTH`; None for a number that can't be dialled."""
    if len(text) > MAX_PHONE_TEXT:
        return None
    if mobile := _swedish_mobile(text, country):
        return mobile  # the most common form, which needs no tidying
    text = _ZERO_AS_LETTER.sub("0", " ".join(western_digits(text).split()))
    if mobile := _swedish_mobile(text, country):
        return mobile
    plain = _without_words(_EXTENSION.sub(r";ext=\1", text))
    if any(map(str.isalpha, plain.replace(";ext=", "", 1))):
        return None  # phonenumbers would read letters as the keys of a telephone
    parts = [part for part in _BETWEEN_NUMBERS.split(plain) if part.strip()]
    if len(parts) > 1 and all(_parse(part, country) for part in parts):
        return None  # where numbers differ in length, two of them could be one longer number
    number = _parse(plain, country)
    if number is None and ";ext=" not in plain:
        number = _parse(_NO_DIGIT.sub(" ", plain).strip(), country)  # with a comma, say, between its groups
    if number is None:
        return _swedish_mobile(plain, SWEDEN)  # a person who has moved abroad may have kept it
    return _e164(number)


def _swedish_mobile(text: str, country: str) -> str | None:
    """By the library's own rule, but faster. Elsewhere than in Sweden only with its country code."""
    mobile = _SWEDISH_MOBILE.fullmatch(text.replace(" ", "").replace("-", ""))
    return f"+46{mobile[2]}" if mobile and (country == SWEDEN or mobile["whole"]) else None


def split_phones(text: str, country: str = SWEDEN) -> list[str]:
    """The numbers in a field that has several; empty if it has one, or anything besides numbers."""
    if len(text) > MAX_PHONE_TEXT or normalize_phone(text, country):
        return []
    parts = [part for part in map(str.strip, _BETWEEN_NUMBERS.split(text)) if part]
    numbers = [number for part in parts for number in _numbers_in(part, country)]
    return [number for number in numbers if number] if len(numbers) > 1 and all(numbers) else []


def _numbers_in(text: str, country: str) -> list[str | None]:
    """The number, or two that only a space separates."""
    number = normalize_phone(text, country)
    if number is None:
        for space in _NEXT_NUMBER.finditer(text):
            parts = text[: space.start()], text[space.end() :]
            if all(sum(map(str.isdigit, part)) >= _SHORTEST for part in parts):
                numbers = [normalize_phone(part, country) for part in parts]
                if all(numbers):
                    return numbers
    return [number]


def _without_words(text: str) -> str:
    text = _LABEL.sub("", _WORD_IN_BRACKETS.sub(" ", text).strip()).strip()
    return f"+{text[2:]}" if text.startswith("00") else text


def _parse(text: str, country: str) -> Any:
    """The number as dialled in that country; None if it is not valid."""
    if country == SWEDEN and not text.lstrip(" (").startswith(_PREFIXES):
        return None
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _e164(number: phonenumbers.PhoneNumber) -> str | None:
    plain: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(plain) > len("+") + MAX_PHONE_DIGITS:  # for some countries the library allows more
        return None
    extended = f"{plain}x{number.extension}" if number.extension else plain
    return extended if len(extended) <= PHONE_LENGTH else plain
