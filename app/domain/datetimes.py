"""Times in Vitec's bodies: ISO 8601; one without an offset is Swedish local time (O: we always send an offset)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from app.domain.characters import normalized
from app.domain.fields import ReadContext, invalid

STOCKHOLM = ZoneInfo("Europe/Stockholm")
FIRST_YEAR = 1900  # earlier years are typing errors, such as 0027 for 27


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
        text = normalized(value)
        try:
            moment = _local(_bare_date(text, bare_date_at) or datetime.fromisoformat(text).replace(microsecond=0))
            moment.astimezone(UTC)  # fails for a time whose UTC is outside the calendar
        except (ValueError, OverflowError) as error:
            raise invalid("invalid_datetime") from error
        if moment.year < FIRST_YEAR and not info.context.stored:
            raise invalid("invalid_datetime")
        return moment

    return validate


def _bare_date(text: str, at: time) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), at)
    except ValueError:
        return None


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
