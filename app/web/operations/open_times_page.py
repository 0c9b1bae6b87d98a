"""A home's open times: the form that books one of them, or the same as JSON."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pydantic_core
from starlette.responses import Response

from app.domain.datetimes import STOCKHOLM
from app.lookups.upcoming_times import OpenTimes
from app.vitec.errors import NotFoundError, VitecError
from app.vitec.homes import Home, Viewing
from app.web.http.preferences import preferred_media
from app.web.operations.context import RequestContext
from app.web.operations.form_page import form_response
from app.web.operations.open_times import read_times
from app.web.operations.problems import error_response, unanswered


async def show_open_times(context: RequestContext) -> Response:
    """A program with a key gets Vitec's own body, whatever it accepts: Java's HttpURLConnection asks for HTML."""
    as_json = context.key is not None or preferred_media(context.headers.get("accept", "")) == "json"
    try:
        await read_times(context)
    except NotFoundError:
        return error_response(context.request, context.deps, 404, for_people=not as_json)
    except VitecError as error:
        if as_json:
            return unanswered(error, context.gettext)
    cached = context.known_home
    if cached and as_json:
        content = cached.home.content if context.key else _as_json(cached.home, cached.times(context.deps.now()))
        return Response(content, media_type="application/json")
    if cached:
        context.count_view()
    return form_response(context)


def _as_json(home: Home, times: OpenTimes) -> bytes:
    """Nothing of the agents: they are the firm's to show."""
    made: bytes | None = times.rendered.get("json")
    if made is None:
        viewings = list(_viewings(times))
        made = pydantic_core.to_json({"id": home.id, "address": home.address, "viewings": viewings})
        times.rendered["json"] = made
    return made


def _viewings(times: OpenTimes) -> Iterator[Mapping[str, Any]]:
    for viewing in times.viewings:
        slots = [
            {"id": slot.id, **_span(slot.starts_at, slot.ends_at), "isRegistrationAvailable": slot.is_available}
            for slot in viewing.slots
        ]
        yield {"id": viewing.id, **_span(viewing.starts_at, viewing.ends_at), **_rest(viewing), "timeSlots": slots}


def _span(starts_at: datetime, ends_at: datetime | None) -> Mapping[str, str | None]:
    return {"startsAt": _moment(starts_at), "endsAt": _moment(ends_at)}


def _rest(viewing: Viewing) -> Mapping[str, str | None]:
    return {"deadlineAt": _moment(viewing.deadline_at), "comment": viewing.comment or None}


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(STOCKHOLM).isoformat() if moment else None
