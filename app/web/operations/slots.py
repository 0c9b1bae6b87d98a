"""The times of a viewing that an embed offers: `?slots=` with several `timeSlotId@start/end` in ISO 8601."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_datetime

from app.domain.datetimes import STOCKHOLM, swedish_time
from app.domain.field_errors import FieldError
from app.domain.short_cache import cached_when_short
from app.domain.submission import PATH_ID
from app.i18n import N_, GetText

MAX_SLOTS = 50
MAX_TEXT = 6_000  # characters; 50 times in their longest form
_START, _END = N_("EEEE d MMMM,|HH:mm"), N_("HH:mm")  # CLDR's patterns
_BETWEEN = re.compile(r"[,;\s]+")
_LOST_PLUS = re.compile(r"(?<=\d) (?=\d\d:?\d\d(?:[/,;\s]|$))")  # an unencoded `+` arrives as a space


@dataclass(frozen=True)
class Slot:
    """A time of the viewing; aware, in Swedish local time, `ends_at` after `starts_at`."""

    id: str
    starts_at: datetime
    ends_at: datetime

    def __str__(self) -> str:
        """As in `?slots=`."""
        return f"{self.id}@{self.starts_at.isoformat()}/{self.ends_at.isoformat()}"

    @classmethod
    def in_sweden(cls, id_: str, starts_at: datetime, ends_at: datetime) -> "Slot":
        return cls(id_, starts_at.astimezone(STOCKHOLM), ends_at.astimezone(STOCKHOLM))

    def format(self, language: str, gettext: GetText) -> tuple[str, str]:
        """Day and time: "söndag 29 november" and "kl. 13.00–13.15"."""
        return format_span(self.starts_at, self.ends_at, language, gettext)


def format_span(starts_at: datetime, ends_at: datetime | None, language: str, gettext: GetText) -> tuple[str, str]:
    """Day and time in Sweden, as `Slot.format`; without an end the start alone."""
    day, start = format_datetime(starts_at.astimezone(STOCKHOLM), gettext(_START), locale=language).split("|")
    if ends_at is None:
        return day, start
    return day, f"{start}–{format_datetime(ends_at.astimezone(STOCKHOLM), gettext(_END), locale=language)}"


@cached_when_short
def parse_slots(text: str) -> tuple[Slot, ...]:
    """The times in the order given, the first of each id, without unreadable ones: they never cost a booking."""
    slots: dict[str, Slot] = {}
    for part in _BETWEEN.split(_LOST_PLUS.sub("+", text[:MAX_TEXT])):
        slot_id, _, span = part.partition("@")
        start, _, end = span.partition("/")
        starts_at, ends_at = _moment(start), _moment(end)
        if (
            PATH_ID.fullmatch(slot_id)
            and starts_at
            and ends_at
            and timedelta() < ends_at - starts_at < timedelta(days=1)
        ):
            slots.setdefault(slot_id, Slot(slot_id, starts_at, ends_at))
    return tuple(slots.values())[:MAX_SLOTS]


def choose_slot(
    chosen: str | None, default: str, slots: Iterable[Slot], gone: Collection[str] = ()
) -> tuple[str, list[FieldError]]:
    """The id of the time that a form's post is for, and what is wrong with it. `chosen` is the radio button's value;
    `default` the id in the address, used by forms without radio buttons; `gone` are those that Vitec has
    refused since. If that is all of them, there is nothing to choose, and Vitec is asked about `default` again."""
    ids = {slot.id for slot in slots}
    if chosen is None and default in ids and (default not in gone or ids <= set(gone)):
        return default, []
    if not ids or chosen in ids:
        return chosen if ids and chosen else default, []
    return default, [FieldError("slot", "invalid_choice" if chosen else "required", {"choices": ""})]


def _moment(text: str) -> datetime | None:
    """Without an offset the text is Swedish local time."""
    try:
        moment = datetime.fromisoformat(text)
        return swedish_time(moment.replace(tzinfo=moment.tzinfo or STOCKHOLM))
    except (ValueError, OverflowError):
        return None
