"""One step against Vitec: what it sends, once the steps before have answered, and what comes of it."""

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
    status: int | None
    result: str | None


def prepare(claim: Claim, step: ClaimedStep, results: Results) -> Call:
    """What the step sends, now that the steps before it have answered. Raises `StepSkipped`, `StepBlockedError`."""
    progress = Progress(OPERATIONS[claim.operation], results)
    return OPERATIONS[step.operation].prepare(Call(step.resource, step.body), progress)


async def execute(vitec: Vitec, claim: Claim, step: ClaimedStep, call: Call) -> CallResult:
    """Raises the taxonomy of `app.vitec.errors`; `LeaseExpiredError` when the lease is over, as after a long sleep."""
    if OPERATIONS[step.operation].reads:
        return await _look_up(vitec, claim, call.resource[0])
    answer = await vitec.post(step.operation, claim.customer_id, call.resource, call.body, lambda: claim.lease.holds)
    return CallResult(answer.status, answer.result)


async def _look_up(vitec: Vitec, claim: Claim, contact: str) -> CallResult:
    """The contact's own agent."""
    found = await vitec.contacts(claim.customer_id, [contact], lambda: claim.lease.holds)
    if not found:
        raise NotFoundError("Vitec knows no such contact", status=200, upstream={})
    return CallResult(200, found[0].agent_id)
