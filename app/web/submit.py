"""A body that came in: who may, is it right, is it too much, and onto the disk."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from app.domain.applications import Interest, ViewingBooking
from app.domain.faults import Fault
from app.domain.fields import STOCKHOLM
from app.domain.filling import Said, interest_body, viewing_body
from app.domain.submission import NewStep, NewSubmission, Repeat, new_id, new_reference
from app.storage.intake import Accepted
from app.web.bodies import Body
from app.web.customers import network_of
from app.web.guard import Forbidden
from app.web.reading import Read, Rules, marketing_of, read_application
from app.web.visit import Visit

LONGEST_REPEAT_KEY = 255
# Which wording of the consent the forms show; raised whenever the sentence in the templates changes.
CONSENT_TEXT_VERSION = 1

log = structlog.get_logger()


class Faulty(Exception):
    """What was sent has faults: all of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults


async def submit(visit: Visit, body: Body) -> Accepted:
    """Committed when it returns. Raises `Forbidden`, `Faulty`, `TooMany`, `RepeatMismatch`, `StoreUnavailable`; then
    nothing was stored."""
    if not may_post(visit, body):
        raise Forbidden
    now = datetime.now(UTC)
    customer = visit.customer
    with_key = visit.key is not None
    rules = Rules(customer.id, with_key, customer.collect_personnummer, customer.consent_required, now)
    read = read_application(visit.kind, body, rules)
    header = visit.request.headers.get("idempotency-key", "")
    faults = list(read.faults)
    if len(header) > LONGEST_REPEAT_KEY:
        faults.append(Fault("Idempotency-Key", "too_long", {"max": LONGEST_REPEAT_KEY}))
    if read.application is None or faults:
        raise Faulty(faults)
    if not with_key:
        visit.site.limits.count(customer, visit.address)
    new = _submission(visit, body, read, read.application, now)
    accepted = await visit.site.intake.accept(new)
    log.info(
        "accepted",
        submission=accepted.id,
        customer=customer.id,
        operation=visit.kind.operation.value,
        repeated=accepted.repeated,
    )
    return accepted


def may_post(visit: Visit, body: Body | None) -> bool:
    """`body` is None while only the headers are known: then whether the post may be allowed at all."""
    if visit.key is not None:
        return True
    site = visit.site
    ours = body is not None and site.tokens.is_ours(body.token, visit.path)
    form = body is not None and body.form
    return site.origins.may_post(visit.request.headers, visit.customer, form=form, token_is_ours=ours)


def _submission(
    visit: Visit, body: Body, read: Read, application: Interest | ViewingBooking, now: datetime
) -> NewSubmission:
    marketing = marketing_of(body, application, visit.query, visit.request.headers.get("referer"))
    consented_at = now.astimezone(STOCKHOLM) if read.consented else None
    said = Said(visit.key is not None, consented_at, marketing)
    consent = {"version": CONSENT_TEXT_VERSION, "language": visit.language, "at": now.isoformat()}
    customer = visit.customer
    if isinstance(application, Interest):
        sent = interest_body(application, customer.interest, said)
    else:
        sent = viewing_body(application, customer.viewing, said, customer.id)
    return NewSubmission(
        id=new_id(),
        reference=new_reference(),
        customer_id=customer.id,
        operation=visit.kind.operation,
        resource=visit.resource,
        language=visit.language,
        received_at=now,
        payload={
            "application": application.body(),
            "marketing": marketing.body(),
            "consent": consent if read.consented else None,
            "withKey": said.with_key,
        },
        contacts=_contacts(application),
        steps=(NewStep(visit.kind.operation, visit.resource, sent),),
        repeat=_repeat(visit, body),
    )


def _contacts(application: Interest | ViewingBooking) -> dict[str, str]:
    """What a person is found by later: an e-mail address in lower case, a number in E.164."""
    if isinstance(application, Interest):
        email, phones = application.email, application.telephone
        numbers = (phones.cell, phones.home, phones.work) if phones else ()
    else:
        person = application.update_person
        email, numbers = person.email, (person.cell_phone, person.tele_phone, person.work_phone)
    found: dict[str, Any] = {
        "email": email.email_address.lower() if email and email.email_address else None,
        "phone": next(filter(None, numbers), None),
    }
    return {kind: contact for kind, contact in found.items() if contact}


def _repeat(visit: Visit, body: Body) -> Repeat | None:
    repeats = visit.site.repeats
    content = body.typed if body.form else body.members
    header = visit.request.headers.get("idempotency-key")
    if header:
        caller = f"key {visit.key}" if visit.key else network_of(visit.address)
        return repeats.of_header(header, visit.customer.id, visit.path, caller, content)
    if body.token:
        return repeats.of_token(body.token, visit.path, content)
    return None if visit.key else repeats.of_content(visit.path, content)
