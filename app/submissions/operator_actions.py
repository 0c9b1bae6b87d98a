"""Operator actions on submissions that need a person: retry, release, discard. Each is idempotent."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, insert, select, update

from app.domain.submission import DONE, AttemptOutcome, Operation, Status, StepStatus, Submission
from app.operations.planning import Defaults
from app.operations.registry import group_of
from app.operations.stored_application import StoredApplication, StoredApplicationError
from app.storage.database import Database, now_of
from app.storage.driver.checkpoints import empty_log
from app.storage.encrypted_fields import payload_aad
from app.storage.encryption import DecryptionError, Keyring
from app.storage.schema import attempts, steps, submissions
from app.submissions.erasure import erase

# No worker holds it, and the personal data to be sent has not been erased.
_FREE = submissions.c.claim.is_(None) & submissions.c.erased_at.is_(None)
_UNFINISHED = exists().where(steps.c.submission_id == submissions.c.id, steps.c.status.not_in(DONE))


class ActionProblem(StrEnum):
    """Why an action can't be carried out."""

    UNKNOWN_CUSTOMER = "unknown-customer"
    ERASED = "erased"
    UNREADABLE = "unreadable"


class ActionImpossibleError(Exception):
    """The message is a line of text for the operator."""

    def __init__(self, problem: ActionProblem, message: str) -> None:
        super().__init__(message)
        self.problem = problem


class OperatorActions:
    """Each action returns whether there was anything to do, and is recorded among the attempts. A submission that a
    worker holds is left alone. `defaults` are those of each configured customer; nothing can be sent for other
    customers. All methods raise `StoreUnavailableError`."""

    def __init__(self, database: Database, keyring: Keyring, defaults: Mapping[str, Defaults]) -> None:
        self._database = database
        self._keyring = keyring
        self._defaults = defaults

    async def carry_out(self, action: str, submission: Submission) -> bool:
        """Carries out one of `ACTIONS`. Raises `ActionImpossibleError`."""
        return await ACTIONS[action](self, submission)

    async def retry(self, submission: Submission) -> bool:
        """Fills in the configured members of the unfinished steps again, and makes these steps due now. Raises
        `ActionImpossibleError`."""
        return await self._database.write(lambda connection: self._retry(connection, submission))

    async def release(self, submission: Submission) -> bool:
        """Sends a held submission, or an uncertain one again. Raises `ActionImpossibleError`."""
        self._defaults_of(submission)
        return await self._database.write(lambda connection: _release(connection, submission.id))

    async def discard(self, submission: Submission) -> bool:
        """Closes the submission for good: nothing more is sent, and its personal data is erased. A held submission ends
        as failed."""
        discarded = await self._database.write(lambda connection: _discard(connection, submission.id))
        if discarded:
            await empty_log(self._database.engine)
        return discarded

    def _retry(self, connection: Connection, submission: Submission) -> bool:
        if _is_erased(connection, submission.id):
            raise ActionImpossibleError(ActionProblem.ERASED, f"the personal data of {submission.id} has been erased")
        defaults = self._defaults_of(submission)
        taken = _taken(connection, submission.id, submissions.c.status != Status.HELD)
        todo = _unfinished_steps(connection, submission.id) if taken else []
        if taken is None or not todo:
            return False
        positions = frozenset(step.position for step in todo)
        _make_due(connection, taken, todo, payload=self._refilled(taken.payload, submission, defaults, positions))
        _record_action(connection, submission.id, todo[0].position, AttemptOutcome.RETRIED)
        return True

    def _refilled(self, payload: bytes, submission: Submission, defaults: Defaults, positions: frozenset[int]) -> bytes:
        aad = payload_aad(submission.id)
        try:
            stored = StoredApplication.from_json(self._keyring.decrypt(payload, aad))
            refilled = stored.refilled(submission, defaults, positions)
        except (DecryptionError, StoredApplicationError) as error:
            raise ActionImpossibleError(ActionProblem.UNREADABLE, f"{submission.id} can't be read: {error}") from error
        except (ValueError, LookupError) as error:  # whose message may quote what was typed
            raise ActionImpossibleError(
                ActionProblem.UNREADABLE, f"{submission.id} is not as expected: {type(error).__name__}"
            ) from error
        return self._keyring.encrypt(refilled.to_json(), aad)

    def _defaults_of(self, submission: Submission) -> Defaults:
        try:
            return self._defaults[submission.customer_id]
        except KeyError:
            raise ActionImpossibleError(
                ActionProblem.UNKNOWN_CUSTOMER, f"customer {submission.customer_id} is not in the configuration"
            ) from None


ACTIONS: Mapping[str, Callable[[OperatorActions, Submission], Awaitable[bool]]] = {
    "retry": OperatorActions.retry,
    "release": OperatorActions.release,
    "discard": OperatorActions.discard,
}


def _is_erased(connection: Connection, submission_id: str) -> bool:
    erased = (submissions.c.id == submission_id) & submissions.c.erased_at.is_not(None)
    return connection.execute(select(submissions.c.id).where(erased)).first() is not None


def _release(connection: Connection, submission_id: str) -> bool:
    taken = _taken(connection, submission_id)
    todo = _unfinished_steps(connection, submission_id) if taken else []
    if taken is None or not todo or (todo[0].status != StepStatus.UNCERTAIN and taken.status != Status.HELD):
        return False
    _make_due(connection, taken, todo)
    _record_action(connection, submission_id, todo[0].position, AttemptOutcome.RELEASED)
    return True


def _discard(connection: Connection, submission_id: str) -> bool:
    todo = _unfinished_steps(connection, submission_id)
    if not todo or not erase(connection, [submission_id], _FREE & _UNFINISHED):
        return False
    _record_action(connection, submission_id, todo[0].position, AttemptOutcome.DISCARDED)
    return True


def _taken(connection: Connection, submission_id: str, *conditions: ColumnElement[bool]) -> Any:
    """The submission's row, or None if no action applies. One statement checks and locks it, so that no worker,
    operator or retention job changes it before the end of the transaction. Every action sets the column that this
    updates anyway."""
    mine = submissions.c.id == submission_id
    lock = update(submissions).where(mine, _FREE, _UNFINISHED, *conditions).values(at_recovery=False)
    return connection.execute(lock.returning(submissions)).one_or_none()


def _unfinished_steps(connection: Connection, submission_id: str) -> list[Any]:
    """The submission's steps that are not done, in order."""
    of_submission = select(steps).where(steps.c.submission_id == submission_id).order_by(steps.c.position)
    return [step for step in connection.execute(of_submission) if step.status not in DONE]


def _make_due(connection: Connection, taken: Any, todo: list[Any], **more: Any) -> None:
    fresh = {"status": StepStatus.WAITING.value, "attempts": 0, "not_found": False, "upstream": None}
    for step in todo:
        this = (steps.c.submission_id == taken.id) & (steps.c.position == step.position)
        connection.execute(update(steps).where(this).values(fresh))
    now = now_of(connection)
    group = group_of(Operation(todo[0].operation)).value
    values: dict[str, Any] = {
        "due_at": now,
        "delivery_since": now,
        "waiting_since": now,
        "function_group": group,
    }
    if taken.operation in {step.operation for step in todo}:
        values |= {"status": Status.PENDING.value, "settled_at": None, "told_at": None}
    connection.execute(update(submissions).where(submissions.c.id == taken.id).values(**values, **more))


def _record_action(connection: Connection, submission_id: str, position: int, action: AttemptOutcome) -> None:
    now = now_of(connection)
    row = {
        "submission_id": submission_id,
        "position": position,
        "started_at": now,
        "ended_at": now,
        "outcome": action.value,
    }
    connection.execute(insert(attempts).values(row))
