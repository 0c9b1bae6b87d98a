"""A post, from its body to its answer: authorization, validation, rate limits, and storage."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.domain.consent import CURRENT_VERSION, ConsentRecord
from app.domain.field_errors import FieldError
from app.domain.ids import new_id
from app.domain.submission import IdempotencyKey
from app.intake.idempotency import Accepted, IdempotencyConflictError
from app.intake.new_submission import NewSubmission
from app.operations.member_paths import member_at
from app.operations.members import VitecModel
from app.operations.planning import DeliveryRequest, SubmissionContext
from app.operations.registry import OPERATIONS, plan
from app.operations.stored_application import StoredApplication
from app.storage.database import StoreUnavailableError
from app.vitec.errors import NotFoundError
from app.web.http.networks import network_of
from app.web.operations.body import (
    FORMS,
    Body,
    BodyTimeoutError,
    BodyTooLargeError,
    UnsupportedMediaTypeError,
    media_of,
    read,
)
from app.web.operations.context import RequestContext
from app.web.operations.open_times import TIME, booked_slot, faults_of_time, find_chosen_time
from app.web.operations.problems import error_response
from app.web.operations.rate_limits import RateLimitedError
from app.web.operations.responders import FormResponder, JsonResponder, Responder
from app.web.operations.slots import choose_slot
from app.web.operations.spam import looks_automatic
from app.web.operations.validation import ValidationContext, ValidationResult, marketing_of, validate
from app.web.rendering.page_models import SWITCH, WITH_ERRORS

MAX_KEY_LENGTH = 255

log = structlog.get_logger()


class InvalidSubmissionError(Exception):
    """The body is invalid; `faults` are all its faults."""

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__()
        self.faults = faults


async def post(context: RequestContext) -> Response:
    """Answers a form with pages if the operation has a form, and everything else with JSON."""
    try:
        media = media_of(context.headers.get("content-type"))
        by_headers = media not in FORMS  # a form's token is in its body; for the others the headers decide
        if by_headers and not may_post(context, None):
            return JsonResponder(context, None).forbidden()
        body = await read(context.request, media, context.headers, context.spec)
    except UnsupportedMediaTypeError:
        return _refuse(context, 415)
    except BodyTooLargeError:
        return _refuse(context, 413)
    except BodyTimeoutError:
        return _refuse(context, 408, {"Connection": "close"})  # the rest of the body is not another request
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    pages = body.form and context.spec.form and not _by_script(context.headers)
    answers = FormResponder(context, body) if pages else JsonResponder(context, body)
    return await _answer(context, body, answers, is_allowed=by_headers)


def _by_script(headers: Mapping[str, str]) -> bool:
    """Whether a page's script sent the form (`fetch` with FormData): it can't use a page as the answer."""
    accept = headers.get("accept", "").lower()
    by_library = headers.get("x-requested-with", "").lower() == "xmlhttprequest"  # in browsers without Sec-Fetch-Mode
    return headers.get("sec-fetch-mode") == "cors" or ((by_library or "json" in accept) and "html" not in accept)


def _refuse(context: RequestContext, status: int, more: Mapping[str, str] | None = None) -> Response:
    return error_response(context.request, context.deps, status, headers=more)


def may_post(context: RequestContext, body: Body | None) -> bool:
    """Whether the caller may post. While only the headers are known, `body` is None: whether it could be allowed."""
    if context.key is not None or context.spec.personal:
        return True
    deps = context.deps
    form = body is not None and body.form
    return deps.origins.may_post(
        context.headers,
        context.customer,
        form=form,
        token_is_ours=lambda: body is not None and deps.tokens.is_ours(body.token, context.path),
    )


async def _answer(context: RequestContext, body: Body, answers: Responder, *, is_allowed: bool) -> Response:
    try:
        if not is_allowed and not may_post(context, body):
            return answers.forbidden()
        await _find_time(context, body)
        if SWITCH in body.typed and isinstance(answers, FormResponder):
            return _in_other_language(context, body, answers)
        accepted = await _accept(context, body)
    except NotFoundError:
        return answers.not_found()
    except InvalidSubmissionError as faulty:
        return answers.faulty(faulty.faults)
    except RateLimitedError as many:
        return answers.too_many(many.retry_after)
    except IdempotencyConflictError:
        return answers.mismatch()
    except StoreUnavailableError as error:
        log.error("store unavailable", customer=context.customer.id, detail=str(error))
        return answers.unavailable()
    except Exception:  # a fault of ours never costs the visitor the typed text
        log.exception("unhandled error", customer=context.customer.id, operation=context.spec.operation.value)
        return answers.fault()
    try:
        return await answers.accepted(accepted)
    except Exception:  # it is stored, so no answer may say that it is not
        log.exception("unhandled error", submission=accepted.id, customer=context.customer.id)
        return answers.received(accepted)


async def _accept(context: RequestContext, body: Body) -> Accepted:
    """Raises as `Intake.accept_from`. A post that is not stored, or that repeats a stored one, is not one more
    submission of its person."""
    accepted: Accepted | None = None
    try:
        accepted = await context.deps.intake.accept_from(_submission_builder(context, body))
        return accepted
    finally:
        if accepted is None or accepted.repeated:
            context.deps.person_limits.uncount(context.customer, context.counted)


def _in_other_language(context: RequestContext, body: Body, answers: FormResponder) -> Response:
    """Raises `InvalidSubmissionError` if the form showed errors and some are left: they are to be read, too."""
    if body.typed[SWITCH] == WITH_ERRORS:
        _validate_post(context, body, context.deps.now())
    return answers.in_other_language()


async def _find_time(context: RequestContext, body: Body) -> None:
    """Raises `NotFoundError`, of a home that Vitec does not know."""
    if context.spec.by_home:
        await find_chosen_time(context, str(member_at(body.members, TIME) or "").strip())


def _submission_builder(context: RequestContext, body: Body) -> Callable[[], NewSubmission]:
    """Validates the body. Returns a function that builds the submission. Raises `InvalidSubmissionError`,
    `RateLimitedError`."""
    now = context.deps.now()
    result, application = _validate_post(context, body, now)
    if context.key is None:
        context.deps.address_limits.count(context.customer, context.client_address)
    return partial(_build_submission, context, body, result, application, now)


def _validate_post(context: RequestContext, body: Body, now: datetime) -> tuple[ValidationResult, VitecModel]:
    """The result, and the application in it. Raises `InvalidSubmissionError`."""
    customer = context.customer
    rules = ValidationContext(
        customer.id,
        context.key is not None,
        customer.collect_personnummer,
        context.asks_consent,
        now,
        address_members=context.address_members,
        filled=OPERATIONS[context.spec.operation].filled(customer.defaults),
        gettext=context.deps.templates.gettext(customer.language),
    )
    result = validate(context.spec, body, rules)
    header = context.headers.get("idempotency-key", "")
    invalid = {fault.field for fault in result.faults}
    faults = [*(fault for fault in _take_slot(context, body) if fault.field not in invalid), *result.faults]
    if len(header) > MAX_KEY_LENGTH:
        faults.append(FieldError("Idempotency-Key", "too_long", {"max": MAX_KEY_LENGTH}))
    if result.application is None or faults:
        raise InvalidSubmissionError(faults)
    return result, result.application


def _take_slot(context: RequestContext, body: Body) -> list[FieldError]:
    """Sets the time that is booked: the one chosen in our form, otherwise the one in the address."""
    if context.spec.by_home:
        return faults_of_time(context)
    if not context.slots or not body.form:
        return []
    *viewing, default = context.resource
    slot, faults = choose_slot(body.typed.get("slot"), default, context.slots, body.typed.get("gone", "").split())
    context.resource = (*viewing, slot)
    return faults


def _build_submission(
    context: RequestContext, body: Body, result: ValidationResult, application: VitecModel, now: datetime
) -> NewSubmission:
    marketing = marketing_of(body, application, context.query, context.came_from)
    submission_context = SubmissionContext(context.key is not None, result.consented_at, marketing)
    customer, operation = context.customer, context.spec.operation
    token_age = _token_age(context, body)
    delivery_request = DeliveryRequest(customer.id, operation, context.resource, application, submission_context)
    contacts = context.spec.contacts(delivery_request.submitted)
    choose_call = OPERATIONS[operation].choose_call
    if choose_call:
        delivery_request = choose_call(delivery_request, customer.defaults, context.booked)
    steps = plan(delivery_request, customer.defaults)
    consent = _consent(context, token_age) if result.consented_at else None
    slot = booked_slot(context)
    starts_at = slot.starts_at if slot else None
    return NewSubmission(
        id=new_id(now),
        customer_id=customer.id,
        operation=operation,
        resource=delivery_request.resource,
        language=context.language,
        received_at=now,
        application=StoredApplication.of(delivery_request, steps, consent, context.estate, context.title, starts_at),
        contacts=contacts,
        steps=steps,
        repeat=_repeat(context, body),
        held=_is_suspect(context, body, token_age, contacts),
    )


def _token_age(context: RequestContext, body: Body) -> int | None:
    """How old the form is, in seconds; None if the post did not come from a form that we served."""
    return context.deps.tokens.age(body.token, context.path) if body.form else None


def _consent(context: RequestContext, token_age: int | None) -> ConsentRecord:
    """With the version of our consent text if the form was ours; the text of another page is unknown."""
    firm = context.customer.firm
    return ConsentRecord(None if token_age is None else CURRENT_VERSION, context.language, firm.name, firm.privacy_url)


def _is_suspect(context: RequestContext, body: Body, token_age: int | None, contacts: Mapping[str, str]) -> bool:
    """Whether to hold the submission for review. Callers with a key or a personal link are known, and never held."""
    if context.key is not None or context.spec.personal:
        return False
    trap = context.deps.tokens.trap(body.token) if body.token else None
    if looks_automatic(body.typed, trap, token_age) or context.deps.person_limits.exceeded(context.customer, contacts):
        return True
    context.counted = contacts
    return False


def _repeat(context: RequestContext, body: Body) -> IdempotencyKey | None:
    repeats = context.deps.idempotency_keys
    content = body.content
    header = context.headers.get("idempotency-key")
    if context.once is not None:
        return repeats.once(context.once, content)
    if header:
        caller = f"key {context.key}" if context.key else network_of(context.client_address)
        return repeats.of_header(header, context.customer.id, context.path, caller, content)
    if body.token:
        return repeats.of_token(body.token, context.path, content)
    return None if context.key else repeats.of_content(context.path, content)
