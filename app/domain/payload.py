"""What is kept of what the caller said, and how it is read again: a retry plans anew from it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.domain.applications import Interest, Lead, LoanPromise, ViewingBooking, VitecModel
from app.domain.fields import ReadContext
from app.domain.marketing import Marketing
from app.domain.plan import Defaults, DeliveryRequest, SubmissionContext, plan
from app.domain.submission import Operation, Submission

MODELS: Mapping[Operation, type[VitecModel]] = {
    Operation.INTEREST: Interest,
    Operation.VIEWING: ViewingBooking,
    Operation.LEAD: Lead,
    Operation.LOAN_PROMISE: LoanPromise,
}


def payload_of(order: DeliveryRequest, consent: Mapping[str, Any] | None, estate: str = "") -> dict[str, Any]:
    """`consent` is what was shown: text version, language, time; `estate` the home of a viewing, where it was named."""
    said = order.said
    return {
        "resource": order.resource,
        "application": order.spoken,
        "marketing": said.marketing.body(),
        "consent": consent,
        "consentedAt": said.consented_at.isoformat() if said.consented_at else None,
        "withKey": said.with_key,
        **({"estate": estate} if estate else {}),
    }


def order_of(submission: Submission, payload: Mapping[str, Any]) -> DeliveryRequest:
    """The order as it was when it was accepted."""
    reading = ReadContext(form=False, now=submission.received_at)
    model = MODELS[submission.operation]
    consented_at = payload["consentedAt"]
    said = SubmissionContext(
        with_key=payload["withKey"],
        consented_at=datetime.fromisoformat(consented_at) if consented_at else None,
        marketing=Marketing.of_body(payload["marketing"]),
    )
    application = model.model_validate(payload["application"], context=reading)
    return DeliveryRequest(submission.customer_id, submission.operation, tuple(payload["resource"]), application, said)


def filled_anew(
    submission: Submission, payload: Mapping[str, Any], bodies: Sequence[Mapping[str, Any]], defaults: Defaults
) -> list[Mapping[str, Any]]:
    """What each step sends, with the configured members as they are now."""
    planned = {step.operation: step.body for step in plan(order_of(submission, payload), defaults)}
    return [planned.get(step.operation, body) for step, body in zip(submission.steps, bodies, strict=True)]
