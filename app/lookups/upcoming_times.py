"""A home's open times: its viewings that are still to come."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from app.vitec.homes import Home, TimeSlot, Viewing

MAX_SHOWN = 200  # slots of a home


@dataclass(frozen=True)
class OpenTimes:
    """A home's viewings that are still to come at the time `at`; they change next at `changes_at`. `rendered` is where
    pages cache what they render of them."""

    viewings: tuple[Viewing, ...]
    at: datetime
    changes_at: datetime | None
    rendered: dict[str, Any] = field(default_factory=dict, compare=False)

    def holds(self, now: datetime) -> bool:
        return self.at <= now and (self.changes_at is None or now < self.changes_at)

    @cached_property
    def free(self) -> tuple[TimeSlot, ...]:
        """The slots that can be booked."""
        open_viewings = (viewing for viewing in self.viewings if not self.is_closed(viewing))
        return tuple(slot for viewing in open_viewings for slot in viewing.slots if slot.is_available)

    def find(self, slot_id: str) -> tuple[Viewing, TimeSlot] | None:
        slots = ((viewing, slot) for viewing in self.viewings for slot in viewing.slots if slot.id == slot_id)
        return next(slots, None)

    def is_closed(self, viewing: Viewing) -> bool:
        """Whether its deadline has passed."""
        return viewing.deadline_at is not None and viewing.deadline_at <= self.at


def upcoming(home: Home, now: datetime) -> OpenTimes:
    """The home's viewings with their slots that have not begun, `MAX_SHOWN` slots at most."""
    left = MAX_SHOWN
    viewings = []
    for viewing in home.viewings:
        slots = tuple(slot for slot in viewing.slots if slot.starts_at > now)[:left]
        left -= len(slots)
        if slots:
            viewings.append(replace(viewing, slots=slots))
    changes = (time for time in _change_times(viewings) if time > now)
    return OpenTimes(tuple(viewings), now, min(changes, default=None))


def _change_times(viewings: Iterable[Viewing]) -> Iterator[datetime]:
    for viewing in viewings:
        if viewing.deadline_at:
            yield viewing.deadline_at
        yield from (slot.starts_at for slot in viewing.slots)
