"""The kinds of field in Vitec's bodies as annotated types.

Lengths are UTF-16 code units, counted after trimming, because .NET counts so (vitec-connect.md, ground rules).
Each validator raises a `PydanticCustomError` whose type is one of `CODES`, and says nothing in words: the texts that
people read are translated in `app.web`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import phonenumbers
from annotated_types import GroupedMetadata
from babel import Locale
from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES, DOT_ATOM_TEXT, LOCAL_PART_MAX_LENGTH
from personnummer import personnummer
from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.domain.short_cache import cached_when_short

PHONE_LENGTH = 17  # Vitec's limit for every phone number (H)
# ISO 3166-1 alpha-2 as CLDR lists it, less its codes for unions, the unknown and tests.
COUNTRIES = {code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()}
COUNTRIES -= {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}
MOST_PHONE_DIGITS = 15  # E.164, with the country code

CODES = frozenset(
    {
        "required",
        "too_long",
        "control_characters",
        "damaged_text",
        "invalid_email",
        "invalid_phone",
        "invalid_personnummer",
        "invalid_number",
        "invalid_choice",
        "invalid_datetime",
        "invalid_country",
        "wrong_type",
        "too_large",
    }
)

_ONE_LINE_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MESSAGE_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_BREAKS = re.compile(r"[\r\v\f\x85\u2028\u2029]")  # as people paste them from word processors
_EXTENSION = re.compile(r"\s*(?:ankn(?:ytning)?|ext|x)[.:]?\s*(?=\d+$)", re.IGNORECASE)
_POSTCODE = re.compile(r"(\d{3})\s*(\d{2})", re.ASCII)
_BETWEEN_DIGITS = re.compile(r"[ -]")
_SWEDEN: Any = phonenumbers.PhoneMetadata.metadata_for_region("SE")
_SWEDISH_MOBILE = re.compile(rf"(?:\+46|0046|0)({_SWEDEN.mobile.national_number_pattern})", re.ASCII)
# White space as Python knows it, and what can't be seen at all.
_EDGES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + "\u200b\ufeff"
MAX_PHONE_TEXT = 100  # characters of what a person writes in the field of a number


@dataclass(slots=True)
class ReadContext:
    """How a body is read: `form` values are text that a person typed; `now` is the moment of receipt."""

    form: bool
    now: datetime


def invalid(code: str, **params: Any) -> PydanticCustomError:
    return PydanticCustomError(code, code, params)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, as .NET counts: an emoji is 2."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def cut(text: str, length: int) -> str:
    """At most `length` UTF-16 code units of the text, never half a character."""
    if 2 * len(text) <= length:  # short enough whatever it is made of
        return text
    return text.encode("utf-16-le")[: 2 * length].decode("utf-16-le", "ignore")


def trim(text: str) -> str:
    """Without white space and invisible characters at its edges."""
    return text.strip(_EDGES)


def one_line(value: Any) -> str:
    if not isinstance(value, str):
        raise invalid("wrong_type")
    text = trim(value)
    if not text.isprintable() and _ONE_LINE_CONTROLS.search(text):
        raise invalid("control_characters")
    return text


def _several_lines(value: Any) -> str:
    if not isinstance(value, str):
        raise invalid("wrong_type")
    text = trim(value.replace("\r\n", "\n"))
    if not all(map(str.isprintable, text.split("\n"))):
        text = trim(_LINE_BREAKS.sub("\n", text))
        if _MESSAGE_CONTROLS.search(text):
            raise invalid("control_characters")
    return text


@dataclass(frozen=True)
class Length(GroupedMetadata):
    """One line of `least` to `most` UTF-16 code units after trimming, without control characters, and without U+FFFD,
    which stands where text was damaged on its way."""

    most: int
    least: int = 0

    def __iter__(self) -> Iterator[object]:
        yield BeforeValidator(self._read)
        yield WithJsonSchema({"type": "string", "minLength": self.least, "maxLength": self.most})

    def _read(self, value: Any) -> str:
        text = one_line(value)
        if self.least and not text:
            raise invalid("required")
        if utf16_length(text) > self.most:
            raise invalid("too_long", max=self.most)
        if "\ufffd" in text:
            raise invalid("damaged_text")
        return text


def _email(value: str) -> str:
    """The library's judgement and its normal form. A domain that it has judged is remembered, as most people share a
    few, and with it a plain local part is judged by the library's own expression."""
    local, _, domain = value.rpartition("@")
    try:
        plain = DOT_ATOM_TEXT.fullmatch(local) and len(local) <= LOCAL_PART_MAX_LENGTH
        if plain and local.lower() not in CASE_INSENSITIVE_MAILBOX_NAMES:
            return f"{local}@{_email_domain(domain)}"
        return _judged_email(value)
    except EmailNotValidError as error:
        raise invalid("invalid_email") from error


@cached_when_short
def _email_domain(domain: str) -> str:
    return _judged_email(f"a@{domain}").removeprefix("a@")


def _judged_email(value: str) -> str:
    # test_environment lets the reserved domain .test through, which no real address has; nothing is looked up.
    return validate_email(value, check_deliverability=False, test_environment=True, strict=True).normalized


def _parse_phone(value: str) -> phonenumbers.PhoneNumber | None:
    typed = _EXTENSION.sub(";ext=", value)
    if any(c.isalpha() for c in typed.replace(";ext=", "")):
        return None  # phonenumbers would read letters as a telephone's keys
    for candidate in (typed, f"+{typed}"):  # somebody may leave out the + before a country code
        try:
            number = phonenumbers.parse(candidate, "SE")
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return number
    return None


def _phone(value: str) -> str:
    """Any way a person writes a number that can be dialled -> E.164 (with `x` and the extension, when it fits)."""
    if len(value) > MAX_PHONE_TEXT:
        raise invalid("invalid_phone")
    plain = _SWEDISH_MOBILE.fullmatch(_BETWEEN_DIGITS.sub("", value))
    if plain:
        return f"+46{plain[1]}"  # what most people write, by the library's own rule without its long way there
    number = _parse_phone(value)
    if number is None:
        raise invalid("invalid_phone")
    dialled: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(dialled) > len("+") + MOST_PHONE_DIGITS:  # the library's rules for some countries are wider
        raise invalid("invalid_phone")
    extended = f"{dialled}x{number.extension}" if number.extension else dialled
    return extended if len(extended) <= PHONE_LENGTH else dialled


def _postcode(value: str) -> str:
    match = _POSTCODE.fullmatch(value)
    return f"{match[1]} {match[2]}" if match else value


def check_personnummer(value: str, *, foreign: bool) -> str:
    """A Swedish personnummer or samordningsnummer must have the right check digit; a foreign number goes as typed."""
    if not foreign and not (value.isascii() and personnummer.valid(value)):
        raise invalid("invalid_personnummer")
    return value


def _country(value: str) -> str | None:
    code = value.upper()
    if code not in COUNTRIES:
        raise invalid("invalid_country")
    return None if code == "SE" else code  # "left out for Sweden" (H)


def _truth(value: Any, info: ValidationInfo[ReadContext]) -> Any:
    """A JSON boolean; in a form also what checkboxes and hidden inputs send."""
    if info.context.form and isinstance(value, str):
        word = value.strip().lower()
        if word in {"true", "on", "1", "yes"}:
            return True
        if word in {"false", "off", "0", "no"}:
            return False
    if not isinstance(value, bool):
        raise invalid("wrong_type")
    return value


def by_name_or_number(enum: type[StrEnum], *, first: int = 0) -> BeforeValidator:
    """An enum by name, or by Vitec's number (a JSON number, or its digits), which counts from `first`."""
    members = list(enum)
    by_name = {member.value.lower(): member for member in members}

    def read(value: Any) -> StrEnum:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise invalid("wrong_type")
        word = str(value).strip()
        if word.isascii() and word.isdigit() and 0 <= int(word[:9]) - first < len(members):
            return members[int(word[:9]) - first]
        if word.lower() in by_name:
            return by_name[word.lower()]
        raise invalid("invalid_choice", choices=", ".join(by_name[key].value for key in by_name))

    return BeforeValidator(read)


Id = Annotated[str, Length(40)]  # "contact and customer ids are 0-40 characters" (S)
Line = Annotated[str, BeforeValidator(one_line)]
Name = Annotated[str, Length(30, least=1)]  # S; Vitec's own pages later say 1-40
Message = Annotated[str, BeforeValidator(_several_lines)]
Email = Annotated[str, Length(100), AfterValidator(_email)]
Phone = Annotated[str, BeforeValidator(one_line), AfterValidator(_phone)]
Postcode = Annotated[str, Length(15), AfterValidator(_postcode)]
Country = Annotated[str | None, BeforeValidator(one_line), AfterValidator(_country)]
Truth = Annotated[bool, BeforeValidator(_truth)]
