"""A home and its viewings as Vitec returns them, read tolerantly (vitec-connect.md, section 6).

Anything malformed is left out and is not an error: a home with one malformed viewing still has the others.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Any

from app.domain.datetimes import STOCKHOLM, swedish_time
from app.domain.submission import PATH_ID

MAX_VIEWINGS, MAX_SLOTS = 20_000, 100  # that are read; Vitec returns past viewings too, years back (O)
MAX_COMMENT = 500  # characters
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class TimeSlot:
    """Times are in UTC, because Python compares times of the same zone by wall clock, even while it is turned back."""

    id: str
    starts_at: datetime
    ends_at: datetime | None
    is_available: bool


@dataclass(frozen=True)
class Viewing:
    """A viewing that visitors may book: visible, with self-registration."""

    id: str
    starts_at: datetime
    ends_at: datetime | None
    deadline_at: datetime | None
    comment: str
    slots: tuple[TimeSlot, ...]


@dataclass(frozen=True)
class Home:
    """`address` has Vitec's text members under Vitec's names. `viewings` are in order of time and include past ones.
    `content` is the response's body."""

    id: str
    address: Mapping[str, str]
    viewings: tuple[Viewing, ...]
    content: bytes

    @cached_property
    def name(self) -> str:
        """Street and city, which is how people refer to a home."""
        return ", ".join(filter(None, (self.address.get("streetAddress"), self.address.get("city"))))


def read_home(estate_id: str, answer: Any, content: bytes) -> Home:
    """Raises `ValueError` if `answer` is not an object."""
    if not isinstance(answer, Mapping):
        raise ValueError("no object")
    home = _Members(answer)
    viewings = sorted(_viewings(home["viewings"]), key=lambda viewing: (viewing.starts_at, viewing.id))
    return Home(home.id or estate_id, _address(home["address"]), tuple(viewings), content)


class _Members:
    """An object's members by name, ignoring case."""

    def __init__(self, value: Any) -> None:
        self._members = (
            {str(name).lower(): member for name, member in value.items()} if isinstance(value, Mapping) else {}
        )

    def __getitem__(self, name: str) -> Any:
        return self._members.get(name.lower())

    @property
    def id(self) -> str:
        """The id, or "" if there is none that may stand in a path."""
        value = self["id"]
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        return text if PATH_ID.fullmatch(text) else ""

    def time(self, name: str) -> datetime | None:
        return _read_time(self[name])


def _objects(value: Any, limit: int) -> Iterator[_Members]:
    items = value if isinstance(value, list) else []
    return (_Members(item) for item in islice(items, limit) if isinstance(item, Mapping))


def _address(value: Any) -> dict[str, str]:
    address = _Members(value)
    texts = ((name, _text(address[name], 100)) for name in ("unitDesignation", "streetAddress", "zipCode", "city"))
    return {name: text for name, text in texts if text}


def _viewings(value: Any) -> Iterator[Viewing]:
    for viewing in _objects(value, MAX_VIEWINGS):
        if not viewing.id or viewing["isVisible"] is not True or viewing["isSelfRegistrationEnabled"] is not True:
            continue
        starts_at = viewing.time("startsAt")
        ends_at = _after(starts_at, viewing["endsAt"])
        slots = tuple(
            sorted(_slots(viewing["timeSlots"], starts_at, ends_at), key=lambda slot: (slot.starts_at, slot.id))
        )
        if slots:  # without a slot it can't be booked (O)
            comment = _text(viewing["comment"], MAX_COMMENT)
            begins = starts_at or slots[0].starts_at
            yield Viewing(viewing.id, begins, ends_at or slots[-1].ends_at, viewing.time("deadlineAt"), comment, slots)


def _slots(value: Any, starts_at: datetime | None, ends_at: datetime | None) -> Iterator[TimeSlot]:
    ids = set()
    for slot in _objects(value, MAX_SLOTS):
        begins = slot.time("startsAt") or starts_at
        if not slot.id or begins is None or slot.id in ids:
            continue
        ids.add(slot.id)
        ends = _after(begins, slot["endsAt"]) if slot["endsAt"] else ends_at
        yield TimeSlot(
            slot.id, begins, ends if ends and ends > begins else None, slot["isRegistrationAvailable"] is True
        )


def _text(value: Any, limit: int) -> str:
    """The text on one line, cut to `limit` characters; "" if `value` is no string."""
    return _SPACE.sub(" ", value).strip()[:limit] if isinstance(value, str) else ""


def _read_time(value: Any, fold: int = 0) -> datetime | None:
    """The time in UTC; None if it is malformed. Without an offset it is Swedish local time (O). If the clock shows it
    twice, `fold` 1 means the later time."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value.strip())
        if time.tzinfo is None:
            time = time.replace(tzinfo=STOCKHOLM, fold=fold)
        return swedish_time(time).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _after(start: datetime | None, value: Any) -> datetime | None:
    """The time, if it is after `start`. Of a time that the clock shows twice, the first that is after `start`."""
    ends = (_read_time(value), _read_time(value, fold=1))
    return next((end for end in ends if end and (start is None or end > start)), None)
