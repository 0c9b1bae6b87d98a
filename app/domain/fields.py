"""The kinds of field in Vitec's bodies as annotated types.

Lengths are in UTF-16 code units after trimming, because .NET counts that way (vitec-connect.md, ground rules).
Each validator raises a `PydanticCustomError` whose type is one of `CODES`. It has no message for people: those are
translated in `app.web`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from annotated_types import GroupedMetadata
from personnummer import personnummer
from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.domain.characters import normalized, trim, western_digits
from app.domain.countries import COUNTRIES, country_code
from app.domain.emails import normalize_email
from app.domain.phones import SWEDEN, normalize_phone

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
        "too_early",
        "wrong_type",
        "too_large",
    }
)
# The values of a checked checkbox: those of browsers and ASP.NET, and hand-written ones.
TRUE_WORDS = frozenset(
    {"true", "t", "on", "1", "yes", "y", "x", "consent", "checked", "selected", "ok", "\u2713", "\u2714", "\u2611"}
)
TRUE_WORDS |= {"accept", "accepted", "agree", "agreed", "ja", "j", "sant", "sann", "på"}
TRUE_WORDS |= {"accepterar", "godkänn", "godkänner", "godkänt", "samtycker"}
# A box's own label, sent as its value, is true with one of these words and none of those that deny it.
_AGREEING = frozenset({"ja", "yes", "accepterar", "godkänner", "samtycker", "accept", "agree", "consent"})
_DENYING = frozenset({"nej", "inte", "ej", "aldrig", "no", "not", "don't", "never"})
_MAX_LABEL = 500  # characters
_LABEL_WORD = re.compile(r"[\w']+")
FALSE_WORDS = frozenset({"false", "f", "off", "0", "no", "n", "unchecked", "nej", "falskt", "falsk", "av"})

_ONE_LINE_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MESSAGE_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_BREAKS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")  # as people paste them from word processors
_POSTCODE = re.compile(r"([1-9]\d{2})\s*(\d{2})", re.ASCII)  # no Swedish one begins with 0
_BEFORE_LAST_FOUR = re.compile(r"(?<=\d)(?: |\s*[\u2010-\u2015\u2212-]\s*)(?=\d{4}$)", re.ASCII)
_DAMAGED = "\ufffd"  # replaces text that was damaged in transit
_MUCH_TOO_LONG = 1000  # characters: a one-line text above this is refused before it is normalized


@dataclass(slots=True)
class ReadContext:
    """How a body is read. `form`: the values are text that a person typed; `now`: the time of receipt; `country`: that
    of the person's address; `visitor`: the caller has no API key; `stored`: the body was validated when it was
    accepted, perhaps by other rules than today's."""

    form: bool
    now: datetime
    country: str = SWEDEN
    visitor: bool = False
    stored: bool = False


def invalid(code: str, **params: Any) -> PydanticCustomError:
    return PydanticCustomError(code, code, params)


def utf16_length(text: str) -> int:
    """The length in UTF-16 code units, as in .NET: an emoji has 2."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def cut(text: str, length: int) -> str:
    """The text cut to `length` UTF-16 code units, never within a character."""
    if 2 * len(text) <= length:  # short enough whatever its characters are
        return text
    return text.encode("utf-16-le")[: 2 * length].decode("utf-16-le", "ignore")


def one_line(value: Any) -> str:
    if not isinstance(value, str):
        raise invalid("wrong_type")
    text = normalized(value)
    if not text.isprintable() and _ONE_LINE_CONTROLS.search(text):
        raise invalid("control_characters")
    return text


def _several_lines(value: Any) -> str:
    if not isinstance(value, str):
        raise invalid("wrong_type")
    text = normalized(value.replace("\r\n", "\n"))
    if not text.replace("\n", "").isprintable():
        text = trim(_MESSAGE_CONTROLS.sub("", _LINE_BREAKS.sub("\n", text)))
    return text


@dataclass(frozen=True)
class Length(GroupedMetadata):
    """One line of `minimum` to `maximum` UTF-16 code units after trimming, without control characters, and without
    U+FFFD, which replaces text that was damaged in transit."""

    maximum: int
    minimum: int = 0

    def __iter__(self) -> Iterator[object]:
        yield BeforeValidator(self._validate)
        yield WithJsonSchema({"type": "string", "minLength": self.minimum, "maxLength": self.maximum})

    def _validate(self, value: Any) -> str:
        if isinstance(value, str) and len(value) > _MUCH_TOO_LONG and len(trim(value)) > _MUCH_TOO_LONG:
            raise invalid("too_long", max=self.maximum)
        text = one_line(value)
        if self.minimum and not text:
            raise invalid("required")
        if 2 * len(text) > self.maximum and utf16_length(text) > self.maximum:  # a character has two at most
            raise invalid("too_long", max=self.maximum)
        if _DAMAGED in text:
            raise invalid("damaged_text")
        return text


def _require_letter(value: str, info: ValidationInfo[ReadContext]) -> str:
    if not (value.isalpha() or any(map(str.isalpha, value)) or info.context.stored):
        raise invalid("no_letters")
    return value


def _email(value: str) -> str:
    address = normalize_email(value)
    if address is None:
        raise invalid("invalid_email")
    return address


def _phone(value: str, info: ValidationInfo[ReadContext]) -> str:
    """A number that can be dialled, in any spelling."""
    number = normalize_phone(value, info.context.country)
    if number is None:
        raise invalid("invalid_phone")
    return number


def _postcode(value: str, info: ValidationInfo[ReadContext]) -> str:
    if info.context.country != SWEDEN or info.context.stored:
        return value
    match = _POSTCODE.fullmatch(western_digits(value))
    return f"{match[1]} {match[2]}" if match else value


def check_personnummer(value: str, *, foreign: bool) -> str:
    """A Swedish personnummer or samordningsnummer must have the right check digit; people part it by a space or a dash,
    which becomes a hyphen. A foreign number goes as typed, unchecked."""
    if foreign:
        return value
    number = _BEFORE_LAST_FOUR.sub("-", western_digits(value))
    if not (number.isascii() and personnummer.valid(number)):
        raise invalid("invalid_personnummer")
    return number


def _country(value: str, info: ValidationInfo[ReadContext]) -> str | None:
    """A program sends the code, as Vitec documents it; people also write the name."""
    code = country_code(value) if info.context.form else value.upper()
    if code not in COUNTRIES:
        raise invalid("invalid_country")
    return None if code == "SE" else code  # "left out for Sweden" (H)


def _word(value: str) -> str:
    return normalized(value).lower()


def is_true(value: Any) -> bool:
    """Whether a form's value means that its checkbox was checked: a word, `true,false` as classic ASP joins an input
    and its hidden brother, or the box's label ("Jag godkänner villkoren"), as form builders send it."""
    if not isinstance(value, str) or len(value) > _MAX_LABEL:
        return False
    word = _word(value)
    return word in TRUE_WORDS or ((" " in word or "," in word) and _agrees(word))


def _agrees(text: str) -> bool:
    parts = {part.strip() for part in text.split(",")}
    if parts <= TRUE_WORDS | FALSE_WORDS:
        return bool(parts & TRUE_WORDS)
    words = set(_LABEL_WORD.findall(text.replace("\u2019", "'")))
    return bool(words & _AGREEING) and not words & _DENYING


def _truth(value: Any, info: ValidationInfo[ReadContext]) -> Any:
    """A JSON boolean, or in a form also a value that checkboxes and hidden inputs send."""
    if info.context.form and isinstance(value, str):
        if is_true(value):
            return True
        if _word(value) in FALSE_WORDS:
            return False
    if not isinstance(value, bool):
        raise invalid("wrong_type")
    return value


def by_name_or_number(
    enum: type[StrEnum], *, first: int = 0, swedish: Mapping[str, StrEnum] | None = None
) -> BeforeValidator:
    """An enum's member by name, or by Vitec's number (a JSON number, or its digits), which counts from `first`. If that
    is 1, a 0 is read as None, because .NET sends it for an enum that was not set. `swedish`: words in lower case that
    a website's own form has for its members."""
    members = list(enum)
    by_name = {member.value.lower(): member for member in members}
    by_word: Mapping[str, StrEnum] = {**by_name, **(swedish or {})}

    def validate(value: Any) -> StrEnum | None:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise invalid("wrong_type")
        word = normalized(str(value))
        if word.isascii() and word.isdigit():
            number = int((word.lstrip("0") or "0")[:9]) - first  # nine digits are beyond any enum's last number
            if number < 0:
                return None
            if number < len(members):
                return members[number]
        if word.lower() in by_word:
            return by_word[word.lower()]
        raise invalid("invalid_choice", choices=", ".join(by_name[key].value for key in by_name))

    return BeforeValidator(validate)


Id = Annotated[str, Length(40)]  # "contact and customer ids are 0-40 characters" (S)
Line = Annotated[str, BeforeValidator(one_line)]
Name = Annotated[str, Length(30, minimum=1), AfterValidator(_require_letter)]  # S; Vitec's own pages later say 1-40
Message = Annotated[str, BeforeValidator(_several_lines)]
Email = Annotated[str, Length(100), AfterValidator(_email)]
Phone = Annotated[str, BeforeValidator(one_line), AfterValidator(_phone)]
Postcode = Annotated[str, Length(15), AfterValidator(_postcode)]
Country = Annotated[str | None, BeforeValidator(one_line), AfterValidator(_country)]
Truth = Annotated[bool, BeforeValidator(_truth)]
