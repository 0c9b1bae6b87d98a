"""Annotated types for the members of Vitec's bodies.

Sources as in vitec-connect.md: S is the documents of 2024, H the help pages of 2026-10, O observed. Where they don't
mention `null`, the framework's rule applies: a string, object or list may be null, which counts as left out; a bool,
number, enum or date-time may not.
"""

import re
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Self, cast
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, PlainValidator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

STOCKHOLM = ZoneInfo("Europe/Stockholm")

# Looser parsers also accept bare dates and Unix time; the documents say date-time.
_ISO_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def utf16_length(text: str) -> int:
    """The length as .NET counts it, in UTF-16 code units: an emoji is 2. Source: S (ASP.NET Web API)."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def at_most(limit: int) -> AfterValidator:
    """At most `limit` UTF-16 code units, counted as sent: nothing is trimmed first."""

    def check(text: str | None) -> str | None:
        if text is not None and utf16_length(text) > limit:
            raise PydanticCustomError("length", "Fältet får ha högst {limit} tecken.", {"limit": limit})
        return text

    return AfterValidator(check)


def _refuse_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("required", "Fältet är obligatoriskt.")
    return text


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("null", "Värdet får inte vara null.")
    return value


def _read_date_time(value: Any) -> datetime:
    """ISO 8601 with date and time; without offset it is Swedish local time (O)."""
    if isinstance(value, str) and _ISO_DATE_TIME.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass  # the form is right, but there is no such day: the same answer as for any other text
        else:
            return moment if moment.tzinfo else moment.replace(tzinfo=STOCKHOLM)
    raise PydanticCustomError("date_time", "Värdet är inte en giltig tidpunkt enligt ISO 8601.")


def _read_decimal(value: Any) -> float:
    """An int stays an int: as a float, 2**96 - 1 would round up to a number that is too large."""
    if type(value) not in {int, float} or abs(value) >= 2**96:
        raise PydanticCustomError("decimal", "Värdet måste vara ett tal som ryms i en decimal.")
    return cast(float, value)


class Choice(Enum):
    """An enum that is sent as its exact name or as the number documented for it. Source: S, numbers H."""

    @classmethod
    def read(cls, value: Any) -> Self:
        for choice in cls:
            # The exact type is checked because `True == 1` in Python, and JSON's true is not an enum value.
            if value == choice.name or (type(value) is int and value == choice.value):
                return choice
        names = ", ".join(choice.name for choice in cls)
        raise PydanticCustomError("choice", "Värdet måste vara något av {names}.", {"names": names})

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.read)


Required = AfterValidator(_refuse_blank)
"""`[Required]` refuses a value that is missing, null, empty or only white space. Source: S (ASP.NET Web API)."""

NotNull = BeforeValidator(_refuse_null)

Text = str | None
Flag = Annotated[bool | None, NotNull]
Integer = Annotated[int | None, Field(ge=-(2**31), lt=2**31), NotNull]
"""A .NET `int`: 32 bits."""
Decimal = Annotated[float | None, PlainValidator(_read_decimal), NotNull]
"""A .NET `decimal`: 96 bits and a sign."""
DateTime = Annotated[datetime | None, BeforeValidator(_read_date_time)]

Id = Annotated[str | None, at_most(40)]
"""Contact and customer ids are 0-40 characters. Source: S, H."""
RequiredId = Annotated[str, Required, at_most(40)]
Name = Annotated[str | None, at_most(30)]
RequiredName = Annotated[str, Required, at_most(30)]
"""1-30 characters: S, which is stricter than H's 1-40."""
Phone = Annotated[str | None, at_most(17)]
EmailAddress = Annotated[str | None, at_most(100)]
