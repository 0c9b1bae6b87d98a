"""One step of a delivery: prepares its call from the results of earlier steps, and makes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.delivery.claims import Claim, ClaimedStep
from app.domain.submission import Operation
from app.operations.registry import OPERATIONS
from app.operations.specification import Call, Progress
from app.vitec.contacts import Contact
from app.vitec.errors import NotFoundError
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


@dataclass(frozen=True)
class CallResult:
    """Vitec's answer: the HTTP status, and the id or text that it returned."""

    status: int | None
    result: str | None


def prepare(claim: Claim, step: ClaimedStep, results: Results) -> Call:
    """The step's call, completed with the results of earlier steps. Raises `StepSkipped`, `StepBlockedError`."""
    progress = Progress(OPERATIONS[claim.operation], results)
    return OPERATIONS[step.operation].prepare(Call(step.resource, step.body), progress)


async def execute(vitec: Vitec, claim: Claim, step: ClaimedStep, call: Call) -> CallResult:
    """Makes the call. Raises `VitecError`, and `LeaseExpiredError` if the lease has run out, as when the process was
    frozen."""
    if OPERATIONS[step.operation].reads:
        return await _find_agent(vitec, claim, call.resource[0])
    answer = await vitec.post(step.operation, claim.customer_id, call.resource, call.body, lambda: claim.lease.holds)
    return CallResult(answer.status, answer.result)


async def _find_agent(vitec: Vitec, claim: Claim, contact: str) -> CallResult:
    """Looks up the contact's own agent."""
    contacts = await vitec.contacts(claim.customer_id, [contact], lambda: claim.lease.holds)
    if not contacts:
        raise NotFoundError("Vitec knows no such contact", status=200, upstream={})
    return CallResult(200, contacts[0].agent_id)
