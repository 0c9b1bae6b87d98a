"""Decrypts a submission for delivery, and checks that it is well formed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.delivery.claims import ClaimedStep
from app.domain.submission import DONE, FINAL, Operation, StepStatus
from app.operations.registry import OPERATIONS
from app.operations.stored_application import StoredApplication
from app.storage.encrypted_fields import payload_aad, resource_of, step_aad
from app.storage.encryption import Keyring


@dataclass(frozen=True)
class DecryptedSubmission:
    """What a delivery needs of it: the remaining steps in order, and the results of the steps that are done."""

    operation: Operation
    steps: tuple[ClaimedStep, ...]
    results: Mapping[Operation, str | None]


def decrypt_submission(keyring: Keyring, row: Any, steps: Sequence[Any]) -> DecryptedSubmission:
    """`row` is from `submissions`, `steps` are its rows from `steps`. May raise any exception if the stored data is
    malformed."""
    stored = StoredApplication.from_json(keyring.decrypt(row.payload, payload_aad(row.id)))
    todo = tuple(_step(step, stored) for step in steps if step.status not in FINAL)
    if not todo:
        raise ValueError("it is due, and no step is left to do")
    results = {Operation(step.operation): _result(keyring, step) for step in steps if step.status in DONE}
    return DecryptedSubmission(Operation(row.operation), todo, results)


def interrupted(steps: Sequence[Any]) -> Any | None:
    """The step during whose call the worker died, or None. A call that only reads does not count: it is simply
    repeated."""
    first = next((step for step in steps if step.status not in FINAL), None)
    if first is None or first.status != StepStatus.SENDING or OPERATIONS[Operation(first.operation)].reads:
        return None
    return first


def _step(row: Any, stored: StoredApplication) -> ClaimedStep:
    resource = stored.resources[row.position] if stored.resources else resource_of(row.resource)
    return claimed_step(row, resource, stored.bodies[row.position])


def claimed_step(row: Any, resource: tuple[str, ...], body: Mapping[str, Any]) -> ClaimedStep:
    operation = Operation(row.operation)
    return ClaimedStep(
        row.position,
        operation,
        resource,
        body,
        row.attempts,
        interrupted=row.status == StepStatus.SENDING and not OPERATIONS[operation].reads,
        was_not_found=bool(row.not_found),
        was_ambiguous=bool(row.was_ambiguous),
        was_forbidden=bool(row.was_forbidden),
    )


def _result(keyring: Keyring, row: Any) -> str | None:
    if row.result is None:
        return None
    result: str = keyring.decrypt(row.result, step_aad(row.submission_id, row.position, "result"))
    return result
