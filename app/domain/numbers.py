"""The numbers in Vitec's bodies as annotated types, with the codes of `app.domain.fields`.

What people type is read as they write it: `2 500 000 kr`, `2.500.000`, `72,5 m²`, `2½`, `3 rok`. Where a comma or a
point may part thousands as well as decimals (`850,000`) it parts thousands in kronor, and decimals elsewhere.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo

from app.domain.fields import ReadContext, invalid

MAX_DECIMAL = 2**96 - 1  # .NET's System.Decimal
MAX_DIGITS = 28  # of that
MAX_NUMBER_TEXT = 100  # characters of what a person writes

_NUMBER = re.compile(r"([+-]?)(\d(?:[\d .,]*\d)?)?\s*([½¼¾])?", re.ASCII)
_WHOLE = re.compile(r"\d+(?: \d{3})*|\d{1,3}(?:\.\d{3}){2,}|\d{1,3}(?:,\d{3}){2,}", re.ASCII)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[ .,]\d{3})+", re.ASCII)  # whatever parts them
_DECIMALS = re.compile(r"(?:\d+(?: \d{3})*|\d{1,3}(?:\.\d{3})+(?=,)|\d{1,3}(?:,\d{3})+(?=\.))[.,](\d+)", re.ASCII)
_PARTS = {"½": Decimal("0.5"), "¼": Decimal("0.25"), "¾": Decimal("0.75")}
_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2019": " ", "'": " "})


_CURRENCY = frozenset({"", "kr", "kr.", "sek"})


@dataclass(frozen=True)
class Unit:
    """Words that may follow a number, without spaces, and the factor of each; `kronor` also allows a currency before
    the number."""

    words: Mapping[str, int]
    kronor: bool = False

    def factor(self, before: str, behind: str) -> int | None:
        """The factor; None for words that are not the unit's."""
        if before not in (_CURRENCY if self.kronor else {""}):
            return None
        return self.words.get(behind)


def _words(text: str, factor: int = 1) -> dict[str, int]:
    return dict.fromkeys(text.split(), factor)


_BARE = {"": 1}
NONE = Unit(_BARE)
DEGREES = Unit(_BARE | _words("°"))
SQUARE_METRES = Unit(_BARE | _words("m m2 kv kvm kv.m kvadrat kvadratmeter sqm sq.m squaremetres"))
ROOMS = Unit(_BARE | _words("r rum rok rokv r.o.k rkv rumochkök rumokök rum&kök room rooms"))
KRONOR = Unit(
    _BARE
    | _words("kr kronor sek skr :- ,- .- - kr:-")
    | _words("k t tkr tsek ksek tusen tusenkr tusenkronor", 1_000)
    | _words("m mn mkr mnkr msek milj miljkr miljon miljonkr miljoner miljonerkr miljonerkronor million", 1_000_000),
    kronor=True,
)


def typed_number(text: str, unit: Unit = NONE) -> int | float | None:
    """A number as a person types it; None for no number, or more than one."""
    if len(text) > MAX_NUMBER_TEXT:
        return None
    if not text.isascii():
        text = "".join(c if c in _PARTS else unicodedata.normalize("NFKC", c) for c in text)
    text = text.translate(_SIGNS).strip().lower()
    first = next((place for place, c in enumerate(text) if c in _PARTS or c in "+-0123456789"), 0)
    match = _NUMBER.match(text, first)
    if match is None or not (match[2] or match[3]):
        return None
    factor = unit.factor(text[:first].strip(), text[match.end() :].replace(" ", "").rstrip("."))
    number = _decimal(match[2] or "0", thousands=unit.kronor and factor == 1)
    if factor is None or number is None:
        return None
    number = (number + _PARTS.get(match[3], 0)) * factor
    if number.adjusted() > MAX_DIGITS:
        return None
    number = -number if match[1] == "-" else number
    return int(number) if number == number.to_integral_value() else float(number)


def _decimal(text: str, *, thousands: bool) -> Decimal | None:
    """The value of digits with separators. `thousands`: an ambiguous separator separates thousands, not decimals."""
    if _WHOLE.fullmatch(text) or (thousands and _THOUSANDS.fullmatch(text)):
        return Decimal(re.sub(r"\D", "", text))
    if match := _DECIMALS.fullmatch(text):
        return Decimal(re.sub(r"\D", "", text[: match.start(1)]) + f".{match[1]}")
    return None


def _number(unit: Unit) -> Callable[[Any, ValidationInfo[ReadContext]], Any]:
    def validate(value: Any, info: ValidationInfo[ReadContext]) -> Any:
        if isinstance(value, str) and (info.context.form or info.context.visitor):
            value = typed_number(value, unit)
            if value is None:
                raise invalid("invalid_number")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise invalid("wrong_type")
        # Before anything is counted with it: a number that is short to write can be very long to count.
        if isinstance(value, float) and not math.isfinite(value):
            raise invalid("invalid_number")
        if abs(value) > MAX_DECIMAL:
            raise invalid("too_large", le=MAX_DECIMAL)
        return value

    return validate


def _whole_number(value: Any, info: ValidationInfo[ReadContext]) -> Any:
    number = _number(NONE)(value, info)
    if number != int(number):
        raise invalid("invalid_number")
    return int(number)


_NOT_NEGATIVE = Field(ge=0, le=MAX_DECIMAL)
LivingSpace = Annotated[int | float, BeforeValidator(_number(SQUARE_METRES)), _NOT_NEGATIVE]
Rooms = Annotated[int | float, BeforeValidator(_number(ROOMS)), _NOT_NEGATIVE]
Price = Annotated[int | float, BeforeValidator(_number(KRONOR)), _NOT_NEGATIVE]
Longitude = Annotated[int | float, BeforeValidator(_number(DEGREES)), Field(ge=-180, le=180)]
Latitude = Annotated[int | float, BeforeValidator(_number(DEGREES)), Field(ge=-90, le=90)]
Int32 = Annotated[int, BeforeValidator(_whole_number), Field(ge=-(2**31), le=2**31 - 1)]
Minutes = Annotated[int, BeforeValidator(_whole_number), Field(ge=0, le=2**31 - 1)]
