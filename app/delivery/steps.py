"""One step of a delivery: prepares its call from the results of earlier steps, and makes it."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.delivery.claims import Claim, ClaimedStep
from app.domain.submission import Operation
from app.operations.registry import OPERATIONS
from app.operations.specification import Call, Progress
from app.vitec.client import VitecClient
from app.vitec.errors import NotFoundError

Results = Mapping[Operation, str | None]


@dataclass(frozen=True)
class CallResult:
    """Vitec's answer: the HTTP status, and the id or text that it returned."""

    status: int | None
    result: str | None


def prepare(claim: Claim, step: ClaimedStep, results: Results) -> Call:
    """The step's call, completed with the results of earlier steps. Raises `StepSkipped`, `StepBlockedError`."""
    progress = Progress(OPERATIONS[claim.operation], results)
    return OPERATIONS[step.operation].prepare(Call(step.resource, step.body), progress)


async def execute(vitec: VitecClient, claim: Claim, step: ClaimedStep, call: Call) -> CallResult:
    """Makes the call. Raises `VitecError`, and `LeaseExpiredError` if the lease has run out, as when the process was
    frozen."""
    if OPERATIONS[step.operation].reads:
        return await _find_agent(vitec, claim, call.resource[0])
    answer = await vitec.post(step.operation, claim.customer_id, call.resource, call.body, lambda: claim.lease.holds)
    return CallResult(answer.status, answer.result)


async def _find_agent(vitec: VitecClient, claim: Claim, contact: str) -> CallResult:
    """Looks up the contact's own agent."""
    contacts = await vitec.contacts(claim.customer_id, [contact], lambda: claim.lease.holds)
    if not contacts:
        raise NotFoundError("Vitec knows no such contact", status=200, upstream={})
    return CallResult(200, contacts[0].agent_id)
