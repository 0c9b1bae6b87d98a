"""The numbers in Vitec's bodies as annotated types, with the codes of `app.domain.fields`.

Numbers are read as people type them: `2 500 000 kr`, `2.500.000`, `72,5 m²`, `2½`, `3 rok`. A comma or a point that
could separate either thousands or decimals (`850,000`) separates thousands in kronor, and decimals elsewhere.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo

from app.domain.characters import normalized, western_digits
from app.domain.fields import ReadContext, invalid

MAX_DECIMAL = 2**96 - 1  # .NET's System.Decimal
MAX_DIGITS = 28  # of a System.Decimal
MAX_NUMBER_TEXT = 100  # characters that a person types
MILLION = 1_000_000

_NUMBER = re.compile(r"([+-]?)(\d(?:[\d .,]*\d)?)?\s*([½¼¾])?", re.ASCII)
_HALF = re.compile(r"(?<=\d) 1/2(?!\d)", re.ASCII)
_WHOLE = re.compile(r"\d+(?: \d{3})*|\d{1,3}(?:\.\d{3}){2,}|\d{1,3}(?:,\d{3}){2,}", re.ASCII)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[ .,]\d{3})+", re.ASCII)  # with any separator
_DECIMALS = re.compile(r"(?:\d+(?: \d{3})*|\d{1,3}(?:\.\d{3})+(?=,)|\d{1,3}(?:,\d{3})+(?=\.))[.,](\d+)", re.ASCII)
_FRACTIONS = {"½": Decimal("0.5"), "¼": Decimal("0.25"), "¾": Decimal("0.75")}
_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2014": "-", "\u2019": "'", "\u00b4": "'"})
_SIGNS |= {0x066B: ",", 0x066C: " "}  # the Arabic separators of decimals and of thousands
_APOSTROPHE = re.compile(r"(?<=\d)'(?=\d{3}(?!\d))", re.ASCII)  # elsewhere it means thousands (850') or feet
_NO_WORD = re.compile(r"[\s.]")  # "kv. m.", "2,5 milj. kr"

_CURRENCY = frozenset({"", "kr", "sek"})
_NO_ORE = ":;,-"  # as in "850 000:-"


@dataclass(frozen=True)
class Unit:
    """The words that may follow a number, without spaces and points, and the factor of each. With `kronor`, a currency
    may also come before the number."""

    words: Mapping[str, int]
    kronor: bool = False

    def factor(self, before: str, after: str) -> int | None:
        """The factor for the words before and after a number; None if they are not the unit's."""
        before, after = _NO_WORD.sub("", before), _NO_WORD.sub("", after)
        if before not in (_CURRENCY if self.kronor else {""}):
            return None
        return self.words.get(after.strip(_NO_ORE) if self.kronor else after)


def _words(text: str, factor: int = 1) -> dict[str, int]:
    return dict.fromkeys(text.split(), factor)


_BARE = {"": 1}
NONE = Unit(_BARE)
DEGREES = Unit(_BARE | _words("°"))
SQUARE_METRES = Unit(_BARE | _words("m m2 m^2 kv kvm kvadrat kvadratm kvadratmeter sqm squaremetres squaremeters"))
ROOMS = Unit(
    _BARE
    | _words("r rum rok rk rokv rkv rkvrå rumochkök rumokök rum&kök rum+kök rumochkokvrå room rooms")
    | _words(":a a st stycken")
)
KRONOR = Unit(
    _BARE
    | _words("kr kronor sek skr")
    | _words("k t tkr tsek ksek tusen tusenkr tusenkronor", 1_000)
    | _words("m mn mkr mnkr msek milj miljkr miljkronor mill mio", MILLION)
    | _words("miljon miljonkr miljonkronor miljoner miljonerkr miljonerkronor million", MILLION),
    kronor=True,
)


def typed_number(text: str, unit: Unit = NONE) -> int | float | None:
    """The number that a person typed; None if the text has no number, or more than one."""
    if len(text) > MAX_NUMBER_TEXT:
        return None
    if not text.isascii():
        text = western_digits(normalized(text))
        text = "".join(c if c in _FRACTIONS else unicodedata.normalize("NFKC", c) for c in text)
    text = _APOSTROPHE.sub(" ", " ".join(text.translate(_SIGNS).lower().split()))
    text = _HALF.sub("½", text)
    start = next((index for index, c in enumerate(text) if c in _FRACTIONS or c in "+-0123456789"), 0)
    match = _NUMBER.match(text, start)
    if match is None or not (match[2] or match[3]):
        return None
    factor = unit.factor(text[:start], text[match.end() :])
    if factor is None:
        return None
    number = _decimal(match[2] or "0", thousands=unit.kronor and factor < MILLION)
    if number is None:
        return None
    number = (number + _FRACTIONS.get(match[3], 0)) * factor
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
        # Before any arithmetic: a number that is short to write can take very long to compute with.
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
