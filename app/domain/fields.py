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

from annotated_types import GroupedMetadata
from babel import Locale
from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES, DOT_ATOM_TEXT, LOCAL_PART_MAX_LENGTH
from personnummer import personnummer
from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.domain.characters import trim, visible
from app.domain.phones import SWEDEN, dialled
from app.domain.short_cache import cached_when_short

# ISO 3166-1 alpha-2 as CLDR lists it, less its codes for unions, the unknown and tests.
COUNTRIES = {code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()}
COUNTRIES -= {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}

CODES = frozenset(
    {
        "required",
        "too_long",
        "control_characters",
        "damaged_text",
        "no_letters",
        "invalid_email",
        "invalid_phone",
        "invalid_personnummer",
        "invalid_number",
        "invalid_choice",
        "invalid_datetime",
        "invalid_country",
        "has_passed",
        "wrong_type",
        "too_large",
    }
)
# The values of a checked checkbox: of browsers, of ASP.NET, and hand-written ones.
TRUE_WORDS = frozenset({"true", "on", "1", "yes", "y", "ja", "j", "sant", "x", "checked", "ok"})
FALSE_WORDS = frozenset({"false", "off", "0", "no", "n", "nej", "falskt"})

_ONE_LINE_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MESSAGE_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_BREAKS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")  # as people paste them from word processors
_POSTCODE = re.compile(r"([1-9]\d{2})\s*(\d{2})", re.ASCII)  # no Swedish one begins with 0
_DAMAGED = "\ufffd"  # stands where text was damaged on its way
_MUCH_TOO_LONG = 1000  # characters of a field of one line, whatever they turn out to be
# Apostrophes as phones and word processors make them, and letters as wide as Chinese ones, as e-mail has them.
_STRAIGHTENED = {ord(mark): "'" for mark in "\u2018\u2019\u201b\u02bc\u00b4\u2032"}
_STRAIGHTENED |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}


@dataclass(slots=True)
class ReadContext:
    """How a body is read. `form`: the values are text that a person typed; `now` is the moment of receipt; `country`
    that of the person's address; `visitor`: whoever sends it has no key; `stored`: it was read before, perhaps by other
    rules than today's."""

    form: bool
    now: datetime
    country: str = SWEDEN
    visitor: bool = False
    stored: bool = False


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


def one_line(value: Any) -> str:
    if not isinstance(value, str):
        raise invalid("wrong_type")
    text = trim(visible(value))
    if not text.isprintable() and _ONE_LINE_CONTROLS.search(text):
        raise invalid("control_characters")
    return text


def _several_lines(value: Any) -> str:
    if not isinstance(value, str):
        raise invalid("wrong_type")
    text = trim(visible(value.replace("\r\n", "\n")))
    if not text.replace("\n", "").isprintable():
        text = trim(_MESSAGE_CONTROLS.sub("", _LINE_BREAKS.sub("\n", text)))
    return text


@dataclass(frozen=True)
class Length(GroupedMetadata):
    """One line of `least` to `most` UTF-16 code units after trimming, without control characters, and without U+FFFD,
    which stands where text was damaged on its way."""

    most: int
    least: int = 0

    def __iter__(self) -> Iterator[object]:
        yield BeforeValidator(self._validate)
        yield WithJsonSchema({"type": "string", "minLength": self.least, "maxLength": self.most})

    def _validate(self, value: Any) -> str:
        if isinstance(value, str) and len(value) > _MUCH_TOO_LONG and len(trim(value)) > _MUCH_TOO_LONG:
            raise invalid("too_long", max=self.most)
        text = one_line(value)
        if self.least and not text:
            raise invalid("required")
        if 2 * len(text) > self.most and utf16_length(text) > self.most:  # each is two code units at most
            raise invalid("too_long", max=self.most)
        if _DAMAGED in text:
            raise invalid("damaged_text")
        return text


def _with_letter(value: str, info: ValidationInfo[ReadContext]) -> str:
    if not (value.isalpha() or any(map(str.isalpha, value)) or info.context.stored):
        raise invalid("no_letters")
    return value


def _email(value: str) -> str:
    """The address as the library validates and normalizes it. Its judgement of a domain is cached, as most people share
    a few; a plain local part is then matched by the library's own expression."""
    if not value.isascii():
        value = value.translate(_STRAIGHTENED)
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
    result = validate_email(value, check_deliverability=False, test_environment=True, strict=True)
    if "." not in result.domain:  # with test_environment the library takes `test` alone
        raise EmailNotValidError
    return result.normalized


def _phone(value: str, info: ValidationInfo[ReadContext]) -> str:
    """Any way a person writes a number that can be dialled."""
    number = dialled(value, info.context.country)
    if number is None:
        raise invalid("invalid_phone")
    return number


def _postcode(value: str, info: ValidationInfo[ReadContext]) -> str:
    if info.context.country != SWEDEN or info.context.stored:
        return value
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


def is_true(value: Any) -> bool:
    """Whether a form's value means that its checkbox was ticked."""
    return isinstance(value, str) and value.strip().lower() in TRUE_WORDS


def _truth(value: Any, info: ValidationInfo[ReadContext]) -> Any:
    """A JSON boolean; in a form also what checkboxes and hidden inputs send."""
    if info.context.form and isinstance(value, str):
        word = value.strip().lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
    if not isinstance(value, bool):
        raise invalid("wrong_type")
    return value


def by_name_or_number(enum: type[StrEnum], *, first: int = 0) -> BeforeValidator:
    """An enum by name, or by Vitec's number (a JSON number, or its digits), which counts from `first`. Where that is
    1, a 0 is what .NET sends for an enum that nobody set: None."""
    members = list(enum)
    by_name = {member.value.lower(): member for member in members}

    def validate(value: Any) -> StrEnum | None:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise invalid("wrong_type")
        word = str(value).strip()
        if first and word == "0":
            return None
        if word.isascii() and word.isdigit() and 0 <= int(word[:9]) - first < len(members):
            return members[int(word[:9]) - first]
        if word.lower() in by_name:
            return by_name[word.lower()]
        raise invalid("invalid_choice", choices=", ".join(by_name[key].value for key in by_name))

    return BeforeValidator(validate)


Id = Annotated[str, Length(40)]  # "contact and customer ids are 0-40 characters" (S)
Line = Annotated[str, BeforeValidator(one_line)]
Name = Annotated[str, Length(30, least=1), AfterValidator(_with_letter)]  # S; Vitec's own pages later say 1-40
Message = Annotated[str, BeforeValidator(_several_lines)]
Email = Annotated[str, Length(100), AfterValidator(_email)]
Phone = Annotated[str, BeforeValidator(one_line), AfterValidator(_phone)]
Postcode = Annotated[str, Length(15), AfterValidator(_postcode)]
Country = Annotated[str | None, BeforeValidator(one_line), AfterValidator(_country)]
Truth = Annotated[bool, BeforeValidator(_truth)]
