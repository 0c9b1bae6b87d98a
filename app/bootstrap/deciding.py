"""Retry, release and discard, as the console and `intresse leads` offer them: of one submission, or of all that a
filter matches."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.bootstrap.customer_mapping import defaults_of
from app.bootstrap.services import Service
from app.domain.submission import Submission
from app.operations.stored_application import StoredApplicationError
from app.storage.encryption import DecryptionError
from app.submissions.listing import SubmissionFilter
from app.submissions.repository import history


class ActionImpossibleError(Exception):
    """It can't be carried out; the message is a line for an operator."""


@dataclass(frozen=True)
class ActionResult:
    """`changed`: there was something to do, and it is done. `problem`: why it could not be."""

    submission: Submission
    changed: bool
    problem: str | None = None


async def decide(service: Service, decision: str, found: Submission) -> ActionResult:
    """`decision` is one of `ACTIONS`. Raises `StoreUnavailableError`."""
    try:
        return ActionResult(found, await ACTIONS[decision](service, found))
    except ActionImpossibleError as error:
        return ActionResult(found, changed=False, problem=str(error))


async def decide_all(service: Service, decision: str, wanted: SubmissionFilter) -> list[ActionResult]:
    """The oldest first, as they came. One that can't be decided about is told, and the others go on."""
    return [await decide(service, decision, found) for found in await matching(service, wanted)]


async def matching(service: Service, wanted: SubmissionFilter) -> Sequence[Submission]:
    """What `decide_all` would decide about."""
    return (await service.leads.newest(wanted, None))[::-1]


def record_of_decision(one: ActionResult) -> dict[str, Any]:
    """For programs."""
    submission = one.submission
    return {
        "id": submission.id,
        "reference": submission.reference,
        "customerId": submission.customer_id,
        "was": submission.status,
        "changed": one.changed,
        "problem": one.problem,
    }


async def _release(service: Service, found: Submission) -> bool:
    return await service.decisions.release(found.id)


async def _discard(service: Service, found: Submission) -> bool:
    return await service.decisions.discard(found.id)


async def _retry(service: Service, found: Submission) -> bool:
    """Fills the configured members of the steps not yet done anew, and makes them due.
    Raises `ActionImpossibleError` where there is nothing to fill them from."""
    if (await history(service.database, found.id)).erased_at:
        raise ActionImpossibleError(f"what {found.id} said has been erased")
    customer = next((one for one in service.settings.customers if one.id == found.customer_id), None)
    if customer is None:
        raise ActionImpossibleError(f"customer {found.customer_id} is not in the configuration")
    defaults = defaults_of(customer)
    try:
        return await service.decisions.retry(found.id, lambda stored, todo: stored.refilled(found, defaults, todo))
    except (DecryptionError, StoredApplicationError) as error:
        raise ActionImpossibleError(f"{found.id} can't be opened: {error}") from None


# Each says whether there was anything to do.
ACTIONS: Mapping[str, Callable[[Service, Submission], Awaitable[bool]]] = {
    "retry": _retry,
    "release": _release,
    "discard": _discard,
}
