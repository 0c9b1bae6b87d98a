"""One step against Vitec: what it sends, once the steps before have answered, and what comes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.delivery.claims import Claim, ClaimedStep
from app.domain.plan import CONTACT_AGENT, FALLBACK
from app.domain.submission import Operation
from app.vitec.contacts import Contact
from app.vitec.errors import NotFound
from app.vitec.responses import VitecResponse

Results = Mapping[Operation, str | None]


class Vitec(Protocol):
    async def post(
        self,
        operation: Operation,
        customer_id: str,
        resource: Sequence[str],
        body: Mapping[str, Any],
        may_send: Callable[[], bool],
    ) -> VitecResponse: ...

    async def contacts(
        self, customer_id: str, contact_ids: Sequence[str], may_send: Callable[[], bool]
    ) -> list[Contact]: ...


class StepSkipped(Exception):
    """The step before answered nothing to go on with, as it may."""


class StepBlocked(Exception):
    """The step before answered nothing to go on with, as it should have; the message is for the operator."""


@dataclass(frozen=True)
class CallResult:
    status: int | None
    result: str | None


async def execute(vitec: Vitec, claim: Claim, step: ClaimedStep, results: Results) -> CallResult:
    """Raises the taxonomy of `app.vitec.errors`; `LeaseExpiredError` when the lease is over, as after a long sleep."""
    if step.operation is Operation.CONTACT:
        return await _look_up(vitec, claim, contact_id(claim, step, results))
    body = lead_body(claim, step, results) if step.operation is Operation.LEAD else step.body
    answer = await vitec.post(step.operation, claim.customer_id, step.resource, body, lambda: claim.lease.holds)
    return CallResult(answer.status, answer.result)


def check(claim: Claim, step: ClaimedStep, results: Results) -> None:
    """Before anything is marked as being sent. Raises `StepSkipped`, `StepBlocked`."""
    if step.operation is Operation.CONTACT:
        contact_id(claim, step, results)
    elif step.operation is Operation.LEAD:
        lead_body(claim, step, results)


async def _look_up(vitec: Vitec, claim: Claim, contact: str) -> CallResult:
    """The contact's own agent. That the contact is there at all is the other thing to know: a booking's answer is only
    inferred to be a contact's id."""
    found = await vitec.contacts(claim.customer_id, [contact], lambda: claim.lease.holds)
    if not found:
        raise NotFound("Vitec knows no such contact", status=200, upstream={})
    return CallResult(200, found[0].agent_id)


def contact_id(claim: Claim, step: ClaimedStep, results: Results) -> str:
    """The one named in the step, else the one that the first step answered. Raises `StepSkipped`, `StepBlocked`."""
    if step.resource:
        return step.resource[0]
    if step.body.get("contactId"):
        return str(step.body["contactId"])
    answered = results.get(claim.operation)
    if answered:
        return answered
    if claim.operation is Operation.INTEREST:  # nothing is documented to be answered there
        raise StepSkipped
    raise StepBlocked("Vitec's answer held no contact id")


def lead_body(claim: Claim, step: ClaimedStep, results: Results) -> dict[str, Any]:
    """The lead on that contact, assigned to its own agent where the configuration wants that.
    Raises `StepSkipped`, `StepBlocked`."""
    body = dict(step.body) | {"contactId": contact_id(claim, step, results)}
    fallback = body.pop(FALLBACK, None)
    if body.get("assignedToId") == CONTACT_AGENT:
        body["assignedToId"] = results.get(Operation.CONTACT) or fallback
        if not body["assignedToId"]:
            raise StepBlocked("the contact has no agent, and there is no fallback")
    return body
