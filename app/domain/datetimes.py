"""Times in Vitec's bodies: ISO 8601; one without an offset is Swedish local time (O: we always send an offset).

A form's dates are also read as people write them: `27 mars 2027`, `27/3 2027`, `2027.3.27`; and all as older .NET
serializers write them: `/Date(1806105600000+0100)/`.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from app.domain.characters import normalized, western_digits
from app.domain.fields import ReadContext, invalid

STOCKHOLM = ZoneInfo("Europe/Stockholm")
MAX_DATE_TEXT = 100  # characters
FIRST_YEAR = 1900  # earlier years are typing errors, such as 0027 for 27

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Milliseconds, and the offset of the sender's clock, which does not change the moment.
_DOTNET = re.compile(r"/Date\((?P<milliseconds>-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"))
_MONTHS = (  # Swedish, and English where it differs; the first three letters are enough
    "jan|januari|january feb|februari|february mar|mars|march apr|april maj|may jun|juni|june jul|juli|july "
    "aug|augusti|august sep|sept|september okt|oktober|oct|october nov|november dec|december"
)
_MONTH_NUMBERS = {name: number for number, names in enumerate(_MONTHS.split(), 1) for name in names.split("|")}
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[-/. ](?P<month>\d{1,2})[-/. ](?P<day>\d{1,2})", re.ASCII)
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})[-/. ](?P<month>\d{1,2})[-/. ](?P<year>\d{4})", re.ASCII)
_DAY = r"(?P<day>\d{1,2})(?::[ae]|st|nd|rd|th|\.)?"
_NAME = r"(?P<name>[a-z]{3,9})\.?"
_YEAR = r",? (?P<year>\d{4})"
_IN_WORDS = re.compile(rf"(?:(?:den|the) )?{_DAY} (?:of )?{_NAME}{_YEAR}", re.ASCII)
_MONTH_FIRST = re.compile(rf"{_NAME} {_DAY}{_YEAR}", re.ASCII)
_FORMS = (_YEAR_FIRST, _DAY_FIRST, _IN_WORDS, _MONTH_FIRST)


def swedish_time(moment: datetime) -> datetime:
    """The moment in Swedish time. Raises `OverflowError` if that or its UTC is outside the calendar: the last hour of
    9999 in UTC is in the year 10000 in Sweden."""
    return moment.astimezone(UTC).astimezone(STOCKHOLM)


def _local(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=STOCKHOLM)


def _moment(bare_date_at: time) -> Callable[[Any, ValidationInfo[ReadContext]], datetime]:
    def validate(value: Any, info: ValidationInfo[ReadContext]) -> datetime:
        if not isinstance(value, str):
            raise invalid("wrong_type")
        if len(value) > MAX_DATE_TEXT:
            raise invalid("invalid_datetime")
        text = western_digits(normalized(value)).translate(_HYPHENS)
        try:
            day = _bare_date(text) or (_typed_date(text) if info.context.form or info.context.visitor else None)
            moment = datetime.combine(day, bare_date_at) if day else _whole_moment(text)
            moment = _local(moment.replace(microsecond=0))
            if moment.year >= FIRST_YEAR or info.context.stored:
                moment.astimezone(UTC)  # fails for a time whose UTC is outside the calendar
                return moment
        except (ValueError, OverflowError) as error:
            raise invalid("invalid_datetime") from error
        raise invalid("too_early", year=FIRST_YEAR)

    return validate


def _bare_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _whole_moment(text: str) -> datetime:
    """Raises `ValueError`, `OverflowError`."""
    if match := _DOTNET.fullmatch(text):
        return swedish_time(_EPOCH + timedelta(milliseconds=int(match["milliseconds"])))
    return datetime.fromisoformat(text)


def _typed_date(text: str) -> date | None:
    """The date that a person wrote, with the day before the month unless the year comes first. A year has four digits,
    because `27.3.28` could be two days. Raises `ValueError` for a day that does not exist."""
    text = " ".join(unicodedata.normalize("NFKC", text).lower().split()).rstrip(".")
    match = next(filter(None, (form.fullmatch(text) for form in _FORMS)), None)
    if match is None:
        return None
    parts = match.groupdict()
    month = _MONTH_NUMBERS.get(parts["name"], 0) if "name" in parts else int(parts["month"])
    return date(int(parts["year"]), month, int(parts["day"]))


def _not_in_the_future(moment: datetime, info: ValidationInfo[ReadContext]) -> datetime:
    now: datetime = info.context.now
    return min(moment, now.astimezone(STOCKHOLM).replace(microsecond=0))


def _not_over(moment: datetime, info: ValidationInfo[ReadContext]) -> datetime:
    """Refuses a time in the past, but not from a caller with an API key."""
    if info.context.visitor and moment < info.context.now:
        raise invalid("has_passed")
    return moment


Moment = Annotated[datetime, BeforeValidator(_moment(time(0, 0, 0)))]
LastMoment = Annotated[datetime, BeforeValidator(_moment(time(23, 59, 59))), AfterValidator(_not_over)]
ApprovalMoment = Annotated[datetime, BeforeValidator(_moment(time(0, 0, 0))), AfterValidator(_not_in_the_future)]
