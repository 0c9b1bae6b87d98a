"""The link to a receipt: opening it, and its parameters about the viewing."""

from datetime import timedelta
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.domain.submission import Submission
from app.i18n import GetText
from app.storage.database import StoreUnavailableError
from app.web.http.security_headers import page_headers
from app.web.operations.context import plain_title
from app.web.operations.cross_origin import CUSTOMER
from app.web.operations.customer import Customer
from app.web.operations.dependencies import Dependencies
from app.web.operations.problems import DATABASE_RETRY_SECONDS, error_response, language_of
from app.web.operations.slots import Slot, parse_slots
from app.web.rendering.page_models import CancelPage, ReceiptPage
from app.web.rendering.theme import Theme

RECEIPT_LIFETIME = timedelta(days=30)


class Receipt(NamedTuple):
    """What a receipt's link opens. `slot` is the booked time; `details` are as in `receipt_details`."""

    submission: Submission
    customer: Customer
    language: str
    slot: Slot | None
    details: dict[str, str]

    @property
    def theme(self) -> Theme:
        return Theme.of(self.details.get("theme"))

    def path(self, deps: Dependencies, *, file: str = "") -> str:
        return deps.receipt_path(self.submission.id, self.language, self.details, file=file)

    def gettext(self, deps: Dependencies) -> GetText:
        return deps.templates.gettext(self.language)

    def time(self, deps: Dependencies) -> tuple[str, str] | None:
        """Day and time, formatted."""
        return self.slot.format(self.language, self.gettext(deps)) if self.slot else None

    def respond(self, deps: Dependencies, page: ReceiptPage | CancelPage) -> Response:
        style = deps.templates.css(self.customer.firm, self.theme).csp_hash
        headers = dict(page_headers(style, deps.frame_ancestors(self.customer)))
        return HTMLResponse(deps.templates.render(page), headers=headers)


async def open_receipt(request: Request, deps: Dependencies) -> Receipt | Response:
    """The receipt, or an error page."""
    submission_id = request.path_params["id"]
    if not deps.receipt_links.opens(request.query_params.get("key", ""), submission_id):
        return error_response(request, deps, 404, for_people=True)
    try:
        submission = await deps.submissions.get(submission_id)
    except StoreUnavailableError:
        return unavailable(request, deps)
    customer = deps.customers.get(submission.customer_id) if submission else None
    if submission is None or customer is None:
        return error_response(request, deps, 410, for_people=True)
    request.scope[CUSTOMER] = customer
    if submission.received_at + RECEIPT_LIFETIME < deps.now():
        return error_response(request, deps, 410, for_people=True)
    return Receipt(submission, customer, language_of(request, deps, submission.language), *_booked(request))


def unavailable(request: Request, deps: Dependencies) -> Response:
    headers = {"Retry-After": str(DATABASE_RETRY_SECONDS)}
    return error_response(request, deps, 503, headers=headers, for_people=True)


def _booked(request: Request) -> tuple[Slot | None, dict[str, str]]:
    """The time and the details that the link names, without malformed ones."""
    slot = next(iter(parse_slots(request.query_params.get("slot", ""))), None)
    title = plain_title(request.query_params.get("title"))
    return slot, receipt_details(slot, title, Theme.of(request.query_params.get("theme")))


def receipt_details(slot: Slot | None, title: str, theme: Theme) -> dict[str, str]:
    """Parameters of a receipt's link: the theme and, if the booked time is known, the time and the home's title."""
    details = {"slot": str(slot), "title": title} if slot else {}
    details["theme"] = theme.value
    return {name: value for name, value in details.items() if value}
