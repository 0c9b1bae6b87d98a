"""The outcome of a submission: a receipt for people, a status resource for programs."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from app.domain.submission import Status, Submission
from app.i18n import N_
from app.operations.registry import OPERATIONS
from app.operations.specification import FormSpec
from app.storage.database import StoreUnavailableError
from app.web.http.security_headers import page_headers
from app.web.operations.cancellation import CANCELLATION, can_cancel, cancellation_of, state_of
from app.web.operations.cancellation import routes as cancellation_routes
from app.web.operations.cross_origin import CUSTOMER, preflight
from app.web.operations.customer import InvalidApiKeyError, caller_key
from app.web.operations.dependencies import Dependencies
from app.web.operations.form_page import language_links, query_start
from app.web.operations.problems import CHALLENGE, error_response
from app.web.operations.receipt_links import RETRY_SECONDS, open_receipt, unavailable
from app.web.operations.responders import public_status
from app.web.operations.slots import Slot
from app.web.rendering.page_models import ReceiptPage, ReceiptState

CALENDAR_FILE = "/viewing.ics"


def routes(deps: Dependencies) -> list[Route]:
    receipts = Receipts(deps)
    return [
        Route("/receipts/{id}", receipts.receipt, methods=["GET"]),
        Route("/receipts/{id}" + CALENDAR_FILE, receipts.calendar, methods=["GET"]),
        *cancellation_routes(deps),
        Route("/submissions/{id}", receipts.status, methods=["GET", "OPTIONS"]),
    ]


class Receipts:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def receipt(self, request: Request) -> Response:
        """Shows no personal data: whoever has the link may have got it from the visitor's history."""
        deps = self._deps
        opened = await open_receipt(request, deps)
        if isinstance(opened, Response):
            return opened
        found, customer, language = opened.submission, opened.customer, opened.language
        try:
            cancelling = await cancellation_of(opened, deps)
            state = state_of(cancelling) if cancelling else _state(found)
            offers_cancelling = state == "booked" and await can_cancel(opened, deps)
        except StoreUnavailableError:
            return unavailable(request, deps, customer)
        form = _form_of(found)
        waits = form.waits and (cancelling or found).status in {Status.PENDING, Status.HELD}
        calendar = opened.slot and state == "booked"
        page = ReceiptPage(
            form=form,
            language=language,
            languages=language_links(deps, language, query_start(request.query_params.multi_items())),
            firm=customer.firm,
            demo=deps.demo,
            frame_origins=deps.frame_origins(customer),
            status=public_status(found.status),
            reference=found.reference,
            state=state,
            refresh_url=opened.path(deps) if waits else None,
            home=opened.told.get("title", ""),
            time=opened.time(deps),
            calendar_url=opened.path(deps, file=CALENDAR_FILE) if calendar else None,
            cancel_url=opened.path(deps, file=CANCELLATION) if offers_cancelling else None,
            theme=opened.theme,
        )
        headers = page_headers(deps.templates.css(customer.firm, opened.theme).csp_hash, deps.frame_ancestors(customer))
        return HTMLResponse(deps.templates.render(page), headers=dict(headers))

    async def calendar(self, request: Request) -> Response:
        """The viewing for the visitor's own calendar, once it is booked and where the embed told its time."""
        opened = await open_receipt(request, self._deps)
        if isinstance(opened, Response):
            return opened
        found, customer, slot = opened.submission, opened.customer, opened.slot
        if slot is None or _state(found) != "booked":
            return error_response(request, self._deps, 404, customer=customer)
        gettext, firm = opened.gettext(self._deps), customer.firm
        home = opened.told.get("title", "")
        lines = (firm.name, firm.phone, firm.email, gettext(N_("Your reference")) + f": {found.reference}")
        content = viewing_file(
            slot,
            uid=f"{found.id}@{urlsplit(self._deps.public_url).hostname}",
            received_at=found.received_at,
            summary=gettext(N_("Viewing: %(home)s")) % {"home": home} if home else gettext(N_("Viewing")),
            description="\n".join(filter(None, lines)),
        )
        headers = {
            "Content-Disposition": "attachment",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(content, media_type=MEDIA_TYPE, headers=headers)

    async def status(self, request: Request) -> Response:
        """For the customer's API key, or whoever holds the link; only the key sees Vitec's ids."""
        deps = self._deps
        if request.method == "OPTIONS":  # whose it is comes to light with the request itself
            return preflight(request.headers, deps.origins, deps.customers.values()) or error_response(
                request, deps, 403
            )
        identity = request.path_params["id"]
        linked = deps.status_links.opens(request.query_params.get("key", ""), identity)
        if not linked and "authorization" not in request.headers:
            return error_response(request, deps, 401, headers=CHALLENGE)
        try:
            found = await deps.leads.get(identity)
        except StoreUnavailableError:
            return error_response(request, deps, 503, headers={"Retry-After": str(RETRY_SECONDS)})
        customer = deps.customers.get(found.customer_id) if found else None
        if not linked or "authorization" in request.headers:
            owners = [customer] if customer else list(deps.customers.values())
            if not any(_owns(request, owner) for owner in owners):
                return error_response(request, deps, 401, headers=CHALLENGE)
        if found is None:
            return error_response(request, deps, 404)
        if customer:
            request.scope[CUSTOMER] = customer
        headers = {"Cache-Control": "no-store", "Vary": "Authorization"}
        return JSONResponse(status_body(found, with_ids=not linked), headers=headers)


def _owns(request: Request, customer: Any) -> bool:
    try:
        return caller_key(request.headers, customer) is not None
    except InvalidApiKeyError:
        return False


def _form_of(found: Submission) -> FormSpec:
    """The form that such a submission comes from."""
    return next(post.form for post in OPERATIONS[found.operation].posts if post.form)


def _state(found: Submission) -> ReceiptState:
    """But for a booking it is received, whatever Vitec says of it: the broker is told, not the visitor."""
    if not _form_of(found).waits:
        return "received"
    states: dict[Status, ReceiptState] = {Status.DELIVERED: "booked", Status.REJECTED: "refused"}
    return states.get(found.status, "received")


def status_body(found: Submission, *, with_ids: bool) -> dict[str, Any]:
    """`{"id", "customerId", "operation", "status", "receivedAt", "deliveredAt", "attempts", "result", "steps"}`;
    no personal data. `with_ids`: with what Vitec answered."""
    delivered = found.settled_at if found.status is Status.DELIVERED else None
    return {
        "id": found.id,
        "customerId": found.customer_id,
        "operation": found.operation.value,
        "status": found.status.value if with_ids else public_status(found.status),
        "receivedAt": _moment(found.received_at),
        "deliveredAt": _moment(delivered),
        "attempts": found.main.attempts,
        "result": found.main.result if with_ids else None,
        "steps": [
            {
                "operation": step.operation.value,
                "status": step.status.value,
                "attempts": step.attempts,
                "result": step.result if with_ids else None,
            }
            for step in found.steps
        ],
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


MEDIA_TYPE = "text/calendar; charset=utf-8"


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
