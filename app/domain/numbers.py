"""The numbers in Vitec's bodies as annotated types, with the codes of `app.domain.fields`."""

import math
from typing import Annotated, Any

from babel.numbers import NumberFormatError, parse_decimal
from pydantic import BeforeValidator, Field, ValidationInfo

from app.domain.fields import ReadContext, invalid

LARGEST_DECIMAL = 2**96 - 1  # .NET's System.Decimal
MOST_DIGITS = 28  # of that
MAX_NUMBER_TEXT = 100  # characters of what a person writes


def _number(value: Any, info: ValidationInfo[ReadContext]) -> Any:
    if isinstance(value, str) and info.context.form:
        value = _typed_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid("wrong_type")
    # Before anything is counted with it: a number that is short to write can be very long to count.
    if isinstance(value, float) and not math.isfinite(value):
        raise invalid("invalid_number")
    if abs(value) > LARGEST_DECIMAL:
        raise invalid("too_large", le=LARGEST_DECIMAL)
    return value


def _typed_number(text: str) -> int | float:
    """As a person writes it in Swedish: `1 250 000`, `3,5`."""
    if len(text) > MAX_NUMBER_TEXT:
        raise invalid("invalid_number")
    try:
        parsed = parse_decimal(text, locale="sv")
    except NumberFormatError as error:
        raise invalid("invalid_number") from error
    if not parsed.is_finite() or parsed.adjusted() > MOST_DIGITS:
        raise invalid("invalid_number")
    return int(parsed) if parsed == parsed.to_integral_value() else float(parsed)


def _whole_number(value: Any, info: ValidationInfo[ReadContext]) -> Any:
    number = _number(value, info)
    if number != int(number):
        raise invalid("invalid_number")
    return int(number)


Quantity = Annotated[int | float, BeforeValidator(_number), Field(ge=0, le=LARGEST_DECIMAL)]
Longitude = Annotated[int | float, BeforeValidator(_number), Field(ge=-180, le=180)]
Latitude = Annotated[int | float, BeforeValidator(_number), Field(ge=-90, le=90)]
Int32 = Annotated[int, BeforeValidator(_whole_number), Field(ge=-(2**31), le=2**31 - 1)]
Minutes = Annotated[int, BeforeValidator(_whole_number), Field(ge=0, le=2**31 - 1)]
