"""The receipt of a submission: a page for people, and the viewing for their calendar."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.submission import Status, Submission
from app.i18n import N_
from app.operations.registry import OPERATIONS
from app.operations.specification import FormSpec
from app.storage.database import StoreUnavailableError
from app.web.operations.cancellation_page import CANCELLATION, can_cancel, cancellation_of, state_of
from app.web.operations.cancellation_page import routes as cancellation_routes
from app.web.operations.dependencies import Dependencies
from app.web.operations.form_page import language_links, query_start
from app.web.operations.problems import error_response
from app.web.operations.receipt_links import open_receipt, unavailable
from app.web.operations.responders import public_status
from app.web.operations.slots import Slot
from app.web.rendering.page_models import ReceiptPage, ReceiptState

CALENDAR_FILE = "/viewing.ics"
MEDIA_TYPE = "text/calendar; charset=utf-8"


def routes(deps: Dependencies) -> list[Route]:
    receipts = Receipts(deps)
    return [
        Route("/receipts/{id}", receipts.receipt, methods=["GET"]),
        Route("/receipts/{id}" + CALENDAR_FILE, receipts.calendar, methods=["GET"]),
        *cancellation_routes(deps),
    ]


class Receipts:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def receipt(self, request: Request) -> Response:
        """Shows no personal data: the link may have been found in the visitor's history."""
        deps = self._deps
        opened = await open_receipt(request, deps)
        if isinstance(opened, Response):
            return opened
        submission, customer, language = opened.submission, opened.customer, opened.language
        try:
            cancelling = await cancellation_of(opened, deps)
            state = state_of(cancelling) if cancelling else _state(submission)
            offers_cancelling = state == "booked" and await can_cancel(opened, deps)
        except StoreUnavailableError:
            return unavailable(request, deps)
        form = _form_of(submission)
        waits = form.waits and (cancelling or submission).status in {Status.PENDING, Status.HELD}
        calendar = opened.slot and state == "booked"
        page = ReceiptPage(
            form=form,
            language=language,
            languages=language_links(deps, language, query_start(request.query_params.multi_items())),
            firm=customer.firm,
            demo=deps.demo,
            frame_origins=deps.frame_origins(customer),
            status=public_status(submission.status),
            reference=submission.reference,
            state=state,
            refresh_url=opened.path(deps) if waits else None,
            home=opened.details.get("title", ""),
            time=opened.time(deps),
            calendar_url=opened.path(deps, file=CALENDAR_FILE) if calendar else None,
            cancel_url=opened.path(deps, file=CANCELLATION) if offers_cancelling else None,
            theme=opened.theme,
        )
        return opened.respond(deps, page)

    async def calendar(self, request: Request) -> Response:
        """The viewing as a calendar file, once it is booked and if the embed named its time."""
        opened = await open_receipt(request, self._deps)
        if isinstance(opened, Response):
            return opened
        submission, customer, slot = opened.submission, opened.customer, opened.slot
        if slot is None or _state(submission) != "booked":
            return error_response(request, self._deps, 404)
        gettext, firm = opened.gettext(self._deps), customer.firm
        home = opened.details.get("title", "")
        lines = (firm.name, firm.phone, firm.email, gettext(N_("Your reference")) + f": {submission.reference}")
        content = viewing_file(
            slot,
            uid=f"{submission.id}@{urlsplit(self._deps.public_url).hostname}",
            received_at=submission.received_at,
            summary=gettext(N_("Viewing: %(home)s")) % {"home": home} if home else gettext(N_("Viewing")),
            description="\n".join(filter(None, lines)),
        )
        headers = {
            "Content-Disposition": "attachment",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(content, media_type=MEDIA_TYPE, headers=headers)


def _form_of(submission: Submission) -> FormSpec:
    """The form that the submission was made with."""
    return next(post.form for post in OPERATIONS[submission.operation].posts if post.form)


def _state(submission: Submission) -> ReceiptState:
    """For forms other than bookings always "received", even if Vitec refuses it: that concerns the broker."""
    if not _form_of(submission).waits:
        return "received"
    states: dict[Status, ReceiptState] = {Status.DELIVERED: "booked", Status.REJECTED: "refused"}
    return states.get(submission.status, "received")


def viewing_file(slot: Slot, *, uid: str, received_at: datetime, summary: str, description: str) -> bytes:
    """One event, in UTC: every calendar shows that in its owner's time."""
    from icalendar import Calendar, Event  # 3 MB of time zones and grammar, which only a replica that is asked needs

    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", received_at.astimezone(UTC))
    event.add("dtstart", slot.starts_at.astimezone(UTC))
    event.add("dtend", slot.ends_at.astimezone(UTC))
    event.add("summary", summary)
    event.add("description", description)
    calendar = Calendar()
    calendar.add("prodid", "-//Intresse//Viewing//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content
