"""Cancelling a booking from its receipt: confirmed on a page of its own, and then a submission like any other."""

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.ids import new_id
from app.domain.submission import Operation, Status, Submission
from app.intake.new_submission import NewSubmission
from app.operations.registry import OPERATIONS, plan
from app.operations.stored_application import StoredApplication, StoredApplicationError
from app.operations.viewing import ViewingDefaults
from app.storage.database import StoreUnavailableError
from app.storage.encryption import DecryptionError
from app.submissions.cancellations import Attendee, cancellation_request
from app.web.operations.body import BodyTimeoutError, BodyTooLargeError, read_content
from app.web.operations.dependencies import Dependencies
from app.web.operations.form_page import language_links, query_start
from app.web.operations.problems import error_response
from app.web.operations.receipt_links import Receipt, open_receipt, unavailable
from app.web.rendering.page_models import CancelPage, ReceiptState

CANCELLATION = "/cancellation"  # below the receipt's path
MAX_BODY = 1024  # bytes; nothing in it is read

log = structlog.get_logger()


def routes(deps: Dependencies) -> list[Route]:
    pages = CancellationPages(deps)
    return [Route("/receipts/{id}" + CANCELLATION, pages.handle, methods=["GET", "POST"])]


async def cancellation_of(receipt: Receipt, deps: Dependencies) -> Submission | None:
    """The submission that cancels the booking. Raises `StoreUnavailableError`."""
    if receipt.submission.operation is not Operation.VIEWING or receipt.submission.status is not Status.DELIVERED:
        return None
    submission_id = await deps.cancellations.of_booking(receipt.submission.id)
    return await deps.submissions.get(submission_id) if submission_id else None


def state_of(cancellation: Submission) -> ReceiptState:
    """Of its booking's receipt."""
    if cancellation.status is Status.DELIVERED:
        return "cancelled"
    return "not-cancelled" if cancellation.status in {Status.REJECTED, Status.FAILED} else "cancelling"


async def can_cancel(receipt: Receipt, deps: Dependencies) -> bool:
    """Raises `StoreUnavailableError`."""
    return await _cancellable(receipt, deps) is not None


async def _cancellable(receipt: Receipt, deps: Dependencies) -> tuple[Attendee, StoredApplication] | None:
    """What there is to cancel; None once the viewing is over."""
    offered = receipt.customer.defaults.get(ViewingDefaults).cancel
    if not offered or (receipt.slot and receipt.slot.ends_at < deps.now()):
        return None
    try:
        stored = await deps.submissions.application(receipt.submission.id)
    except (KeyError, DecryptionError, StoredApplicationError):  # erased, or encrypted with a key that is gone
        return None
    attendee = Attendee.from_booking(receipt.submission, stored)
    return (attendee, stored) if attendee else None


class CancellationPages:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def handle(self, request: Request) -> Response:
        """Anyone with the receipt's link may cancel. If it is cancelled already, redirects to the receipt, which says
        so."""
        deps = self._deps
        opened = await open_receipt(request, deps)
        if isinstance(opened, Response):
            return opened
        try:
            if await cancellation_of(opened, deps):
                return _to_receipt(opened, deps)
            cancellable = await _cancellable(opened, deps)
            if cancellable is None:
                return error_response(request, deps, 404, for_people=True)
            if request.method != "POST":
                return self._confirm(request, opened)
            await read_content(request, request.headers, MAX_BODY)
            await self._cancel(opened, *cancellable)
        except (BodyTooLargeError, BodyTimeoutError, ClientDisconnect):
            return error_response(request, deps, 400, for_people=True)
        except StoreUnavailableError as error:
            log.error("store unavailable", customer=opened.customer.id, detail=str(error))
            return unavailable(request, deps)
        return _to_receipt(opened, deps)

    def _confirm(self, request: Request, receipt: Receipt) -> Response:
        deps = self._deps
        page = CancelPage(
            language=receipt.language,
            languages=language_links(deps, receipt.language, query_start(request.query_params.multi_items())),
            firm=receipt.customer.firm,
            demo=deps.demo,
            frame_origins=deps.frame_origins(receipt.customer),
            home=receipt.details.get("title", ""),
            time=receipt.time(deps),
            back=receipt.path(deps),
            theme=receipt.theme,
        )
        return receipt.respond(deps, page)

    async def _cancel(self, receipt: Receipt, attendee: Attendee, stored: StoredApplication) -> None:
        """Committed when it returns, and with some luck delivered. Raises `StoreUnavailableError`."""
        deps, booking = self._deps, receipt.submission
        request = cancellation_request(booking, stored, attendee)
        steps = plan(request, receipt.customer.defaults)
        now = deps.now()
        new = NewSubmission(
            id=new_id(now),
            customer_id=booking.customer_id,
            operation=request.operation,
            resource=request.resource,
            language=receipt.language,
            received_at=now,
            application=StoredApplication.of(
                request, steps, estate=attendee.estate_id, title=stored.title, starts_at=stored.starts_at
            ),
            contacts=OPERATIONS[request.operation].posts[0].contacts(request.submitted),
            steps=steps,
            repeat=deps.idempotency_keys.of_cancellation(booking.id),
            cancels=booking.id,
        )
        accepted = await deps.intake.accept(new)
        await deps.outcomes.wait(accepted.id, deps.wait_seconds)


def _to_receipt(receipt: Receipt, deps: Dependencies) -> Response:
    headers = {"Location": receipt.path(deps), "Cache-Control": "no-store"}
    return Response(status_code=303, headers=headers)
