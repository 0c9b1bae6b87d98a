"""The open times of a request's home: reading them, finding the chosen one, and showing them in the form."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from app.domain.field_errors import FieldError
from app.lookups.upcoming_times import OpenTimes
from app.vitec.errors import NotFoundError, VitecError
from app.vitec.homes import TimeSlot, Viewing
from app.web.http.networks import network_of
from app.web.operations.context import RequestContext
from app.web.operations.slots import Slot, format_span
from app.web.rendering.page_models import SlotChoice, ViewingChoice

TIME = "timeSlotId"  # the input's name
YOUNG_SECONDS = 5  # for which a home is not read again for an unknown id
NO_TIMES = OpenTimes((), datetime.min.replace(tzinfo=UTC), None)


async def read_times(context: RequestContext) -> None:
    """Sets `context.known_home` to the home, within 2 seconds. Raises `VitecError`; `NotFoundError` if there is no such
    home."""
    homes, ids = context.deps.homes, (context.customer.id, context.estate)
    context.known_home = homes.fresh(*ids) or await homes.find(*ids, network_of(context.client_address))


async def find_chosen_time(context: RequestContext, slot_id: str) -> None:
    """As `read_times`, for a post: also sets `slot` and `viewing`, and reads again if the time is unknown. If Vitec is
    unavailable, the booking is accepted unchecked, and Vitec decides later. Raises `NotFoundError`."""
    homes, ids = context.deps.homes, (context.customer.id, context.estate)
    context.slot = slot_id
    try:
        await read_times(context)
        if slot_id and times_of(context).find(slot_id) is None:
            context.known_home = await homes.renew(*ids, network_of(context.client_address), younger_than=YOUNG_SECONDS)
    except NotFoundError:
        raise
    except VitecError:
        pass
    match = times_of(context).find(slot_id)
    context.viewing = match[0].id if match else homes.viewing_of(*ids, slot_id)


async def look_up_again(context: RequestContext) -> None:
    """Reads the home again, after Vitec has refused a time that seemed to be free."""
    try:
        ids = context.customer.id, context.estate
        context.known_home = await context.deps.homes.renew(*ids, network_of(context.client_address))
    except VitecError:
        pass  # the cached times are shown, without that one


def faults_of_time(context: RequestContext) -> list[FieldError]:
    """A fault if the chosen time has passed or belongs to another home. A full one is left to Vitec to refuse."""
    if context.known_home is None or not context.slot or times_of(context).find(context.slot):
        return []
    return [FieldError(TIME, "invalid_choice", {"choices": ""})]


def times_of(context: RequestContext) -> OpenTimes:
    return context.known_home.times(context.deps.now()) if context.known_home else NO_TIMES


def is_bookable(context: RequestContext) -> bool:
    return bool(times_of(context).free)


def booked_slot(context: RequestContext) -> Slot | None:
    """The booked time, as Vitec or the embed tells it; None if it is unknown or has no end."""
    if not context.spec.by_home:
        return next((slot for slot in context.slots if slot.id == context.resource[-1]), None)
    match = times_of(context).find(context.slot)
    return Slot.in_sweden(match[1].id, match[1].starts_at, match[1].ends_at) if match and match[1].ends_at else None


def viewing_choices(
    context: RequestContext, values: Mapping[str, str], refused: bool = False
) -> Iterator[ViewingChoice]:
    """The viewings and their times to choose from. `refused`: Vitec refused the chosen time, so it is marked as gone,
    with those refused before."""
    times = times_of(context)
    gone = {*values.get("gone", "").split(), *([context.slot] if refused else ())}
    free = [slot.id for slot in times.free if slot.id not in gone]
    chosen = values.get(TIME, free[0] if len(free) == 1 else "")
    for viewing in times.viewings:
        slots = [_choice(context, times, viewing, slot, chosen, gone) for slot in viewing.slots]
        yield ViewingChoice(viewing.comment, tuple(slots))


def _choice(
    context: RequestContext, times: OpenTimes, viewing: Viewing, slot: TimeSlot, chosen: str, gone: set[str]
) -> SlotChoice:
    day, time = format_span(slot.starts_at, slot.ends_at, context.language, context.gettext)
    full = slot.id in gone or not slot.is_available
    state = "closed" if times.is_closed(viewing) else "full" if full else ""
    return SlotChoice(slot.id, day, time, chosen=slot.id == chosen and not state, gone=slot.id in gone, state=state)
