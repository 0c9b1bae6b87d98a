"""Moments in Vitec's bodies: ISO 8601, and Swedish local time where no offset is said (O: we always send one)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from app.domain.fields import ReadContext, invalid

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def _local(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=STOCKHOLM)


def _moment(bare_date_at: time) -> Callable[[Any], datetime]:
    def read(value: Any) -> datetime:
        if not isinstance(value, str):
            raise invalid("wrong_type")
        typed = value.strip()
        try:
            moment = _local(_bare_date(typed, bare_date_at) or datetime.fromisoformat(typed).replace(microsecond=0))
            moment.astimezone(UTC)  # a year at the end of the calendar has no UTC
        except (ValueError, OverflowError) as error:
            raise invalid("invalid_datetime") from error
        return moment

    return read


def _bare_date(text: str, at: time) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), at)
    except ValueError:
        return None


def _not_in_the_future(moment: datetime, info: ValidationInfo[ReadContext]) -> datetime:
    now: datetime = info.context.now
    return min(moment, now.astimezone(STOCKHOLM).replace(microsecond=0))


Moment = Annotated[datetime, BeforeValidator(_moment(time(0, 0, 0)))]
LastMoment = Annotated[datetime, BeforeValidator(_moment(time(23, 59, 59)))]
ApprovalMoment = Annotated[datetime, BeforeValidator(_moment(time(0, 0, 0))), AfterValidator(_not_in_the_future)]
