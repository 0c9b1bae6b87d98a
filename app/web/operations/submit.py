"""A body that came in: who may, is it right, is it too much, and onto the disk."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.domain.consent import CURRENT_VERSION, ConsentRecord
from app.domain.datetimes import STOCKHOLM
from app.domain.field_errors import FieldError
from app.domain.ids import new_id
from app.domain.submission import IdempotencyKey
from app.intake.idempotency import Accepted, IdempotencyConflictError
from app.intake.new_submission import NewSubmission
from app.operations.members import VitecModel
from app.operations.registry import OPERATIONS, plan
from app.operations.specification import DeliveryRequest, SubmissionContext
from app.operations.stored_application import StoredApplication
from app.storage.database import StoreUnavailableError
from app.web.http.origins import network_of
from app.web.operations.body import (
    Body,
    BodyTimeoutError,
    BodyTooLargeError,
    Media,
    UnsupportedMediaTypeError,
    media_of,
    read,
)
from app.web.operations.context import RequestContext
from app.web.operations.customer import ForbiddenError
from app.web.operations.limits import RateLimitedError
from app.web.operations.problems import error_response
from app.web.operations.responders import FormResponder, JsonResponder, Responder
from app.web.operations.slots import choose_slot
from app.web.operations.spam import looks_automatic
from app.web.operations.validation import ValidationContext, ValidationResult, marketing_of, validate

LONGEST_REPEAT_KEY = 255


class InvalidSubmissionError(Exception):
    """What was sent has faults: all of them."""

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__()
        self.faults = faults


async def submit(visit: RequestContext, body: Body) -> Accepted:
    """Committed when it returns. Raises `ForbiddenError`, `InvalidSubmissionError`, `RateLimitedError`,
    `IdempotencyConflictError`, `StoreUnavailableError`; then nothing was stored."""
    return await visit.site.intake.accept(_checked(visit, body))


def _checked(visit: RequestContext, body: Body) -> NewSubmission:
    """Raises `ForbiddenError`, `InvalidSubmissionError`, `RateLimitedError`."""
    if not may_post(visit, body):
        raise ForbiddenError
    now = datetime.now(UTC)
    customer = visit.customer
    with_key = visit.key is not None
    rules = ValidationContext(
        customer.id,
        with_key,
        customer.collect_personnummer,
        visit.asks_consent,
        now,
        given=visit.given,
        filled=OPERATIONS[visit.spec.operation].filled(customer.defaults),
    )
    read = validate(visit.spec, body, rules)
    header = visit.headers.get("idempotency-key", "")
    faults = [*_take_slot(visit, body), *read.faults]
    if len(header) > LONGEST_REPEAT_KEY:
        faults.append(FieldError("Idempotency-Key", "too_long", {"max": LONGEST_REPEAT_KEY}))
    if read.application is None or faults:
        raise InvalidSubmissionError(faults)
    if not with_key:
        visit.site.limits.count(customer, visit.address)
    return _submission(visit, body, read, read.application, now)


def _take_slot(visit: RequestContext, body: Body) -> list[FieldError]:
    """Of the times that our form showed the visitor chose one; elsewhere the address says which."""
    if not visit.slots or not body.form:
        return []
    *viewing, default = visit.resource
    slot, faults = choose_slot(body.typed.get("slot"), default, visit.slots, body.typed.get("gone", "").split())
    visit.resource = (*viewing, slot)
    return faults


def may_post(visit: RequestContext, body: Body | None) -> bool:
    """`body` is None while only the headers are known: then whether the post may be allowed at all."""
    if visit.key is not None or visit.spec.personal:
        return True
    site = visit.site
    form = body is not None and body.form
    return site.origins.may_post(
        visit.headers,
        visit.customer,
        form=form,
        token_is_ours=lambda: body is not None and site.tokens.is_ours(body.token, visit.path),
    )


def _submission(
    visit: RequestContext, body: Body, read: ValidationResult, application: VitecModel, now: datetime
) -> NewSubmission:
    # A personal page's own address is a secret, so it is never told as the page that the form was shown on.
    referer = None if visit.spec.personal else visit.headers.get("referer")
    marketing = marketing_of(body, application, visit.query, referer)
    said = SubmissionContext(visit.key is not None, now.astimezone(STOCKHOLM) if read.consented else None, marketing)
    customer, operation = visit.customer, visit.spec.operation
    token_age = _token_age(visit, body)
    order = DeliveryRequest(customer.id, operation, visit.resource, application, said)
    contacts = visit.spec.contacts(order.submitted)
    steps = plan(order, customer.defaults)
    consent = _consent(visit, token_age, now) if read.consented else None
    return NewSubmission(
        id=new_id(),
        customer_id=customer.id,
        operation=operation,
        resource=visit.resource,
        language=visit.language,
        received_at=now,
        application=StoredApplication.of(order, steps, consent, visit.estate),
        contacts=contacts,
        steps=steps,
        repeat=_repeat(visit, body),
        held=_is_suspect(visit, body, token_age, contacts),
    )


def _token_age(visit: RequestContext, body: Body) -> int | None:
    """In seconds; None where the post did not come from a form that we served."""
    return visit.site.tokens.age(body.token, visit.path) if body.form else None


def _consent(visit: RequestContext, token_age: int | None, now: datetime) -> ConsentRecord:
    """Of a page that is not ours the words are not ours to know."""
    firm = visit.customer.firm
    version = None if token_age is None else CURRENT_VERSION
    return ConsentRecord(version, visit.language, now.isoformat(), firm.name, firm.privacy_url)


def _is_suspect(visit: RequestContext, body: Body, token_age: int | None, contacts: Mapping[str, str]) -> bool:
    """Whoever holds a key or a personal link is known."""
    if visit.key is not None or visit.spec.personal:
        return False
    trap = visit.site.tokens.trap(body.token) if body.token else None
    return looks_automatic(body.typed, trap, token_age) or visit.site.persons.exceeded(visit.customer, contacts)


def _repeat(visit: RequestContext, body: Body) -> IdempotencyKey | None:
    repeats = visit.site.repeats
    content = body.content
    header = visit.headers.get("idempotency-key")
    if visit.once is not None:
        return repeats.once(visit.once, content)
    if header:
        caller = f"key {visit.key}" if visit.key else network_of(visit.address)
        return repeats.of_header(header, visit.customer.id, visit.path, caller, content)
    if body.token:
        return repeats.of_token(body.token, visit.path, content)
    return None if visit.key else repeats.of_content(visit.path, content)


log = structlog.get_logger()


async def post(visit: RequestContext) -> Response:
    """A form is answered with pages where the operation has one; everything else with JSON."""
    try:
        media = media_of(visit.headers.get("content-type"))
        if media is Media.JSON and not may_post(visit, None):
            return JsonResponder(visit).forbidden()
        body = await read(visit.request, media, visit.headers, visit.spec.places)
    except UnsupportedMediaTypeError:
        return _refuse(visit, 415)
    except BodyTooLargeError:
        return _refuse(visit, 413)
    except BodyTimeoutError:
        return _refuse(visit, 408, {"Connection": "close"})  # what may still come is not another request
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    return await _answer(
        visit, body, FormResponder(visit, body) if body.form and visit.spec.form else JsonResponder(visit)
    )


async def _answer(visit: RequestContext, body: Body, answers: Responder) -> Response:
    try:
        return await answers.accepted(await submit(visit, body))
    except InvalidSubmissionError as faulty:
        return answers.faulty(faulty.faults)
    except ForbiddenError:
        return answers.forbidden()
    except RateLimitedError as many:
        return answers.too_many(many.retry_after)
    except IdempotencyConflictError:
        return answers.mismatch()
    except StoreUnavailableError as error:
        log.error("store unavailable", customer=visit.customer.id, detail=str(error))
        return answers.unavailable()
    except Exception:  # a fault of ours never costs the visitor the typed text
        log.exception("fault", customer=visit.customer.id, operation=visit.spec.operation.value)
        return answers.fault()


def _refuse(visit: RequestContext, status: int, more: Mapping[str, str] | None = None) -> Response:
    return error_response(visit.request, visit.site, status, customer=visit.customer, headers=more)
