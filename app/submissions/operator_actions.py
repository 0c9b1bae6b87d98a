"""An operator's actions on a submission that can't go on by itself. Doing the same twice changes nothing."""

from typing import Any

from sqlalchemy import Connection, insert, select, update

from app.domain.submission import DONE, Operation, Status, StepStatus
from app.operations.registry import group_of
from app.operations.stored_application import StoredApplication
from app.storage.database import Database, now_of
from app.storage.encrypted_fields import payload_aad
from app.storage.encryption import Keyring
from app.storage.schema import attempts, steps, submissions
from app.submissions.erasure import erase

_RELEASED = {StepStatus.UNCERTAIN, StepStatus.WAITING}  # steps that `release` makes due


class OperatorActions:
    """Each says whether there was anything to do. A submission that a worker holds is left to it. Each leaves a line
    among the attempts: what was decided, and when. All raise `StoreUnavailableError`."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def retry(self, identity: str, application: StoredApplication) -> bool:
        """Makes the steps that are not done due now, with the bodies in `application`."""
        sealed = self._keyring.seal(application.to_json(), payload_aad(identity))
        return await self._database.write(lambda connection: _retry(connection, identity, sealed))

    async def release(self, identity: str) -> bool:
        """Sends what was held, or what may have been carried out already."""
        return await self._database.write(lambda connection: _release(connection, identity))

    async def discard(self, identity: str) -> bool:
        """Closes it for good: nothing more is sent, and what is personal is erased. What was held has failed then."""
        return await self._database.write(lambda connection: _discard(connection, identity))


def _retry(connection: Connection, identity: str, payload: bytes) -> bool:
    todo = _todo(connection, identity)
    if not todo or _is_held(connection, identity):
        return False
    _make_due(connection, identity, todo, payload=payload)
    _note(connection, identity, todo[0].position, "retried")
    return True


def _release(connection: Connection, identity: str) -> bool:
    todo = _todo(connection, identity)
    if not todo or (todo[0].status != StepStatus.UNCERTAIN and not _is_held(connection, identity)):
        return False
    _make_due(connection, identity, [step for step in todo if step.status in _RELEASED])
    _note(connection, identity, todo[0].position, "released")
    return True


def _discard(connection: Connection, identity: str) -> bool:
    todo = _todo(connection, identity)
    if not todo:
        return False
    now = now_of(connection)
    erase(connection, [identity], now)
    _note(connection, identity, todo[0].position, "discarded")
    return True


def _todo(connection: Connection, identity: str) -> list[Any]:
    """The steps that are not done, of a submission that can be decided about."""
    if not _is_free(connection, identity):
        return []
    of_submission = select(steps).where(steps.c.submission_id == identity).order_by(steps.c.position)
    return [step for step in connection.execute(of_submission) if step.status not in DONE]


def _is_free(connection: Connection, identity: str) -> bool:
    """No worker has it, and what is personal, which is what would be sent, is still there."""
    free = submissions.c.claim.is_(None) & submissions.c.erased_at.is_(None) & (submissions.c.id == identity)
    return connection.execute(select(submissions.c.id).where(free).with_for_update()).first() is not None


def _is_held(connection: Connection, identity: str) -> bool:
    held = (submissions.c.id == identity) & (submissions.c.status == Status.HELD)
    return connection.execute(select(submissions.c.id).where(held)).first() is not None


def _make_due(connection: Connection, identity: str, todo: list[Any], **more: Any) -> None:
    fresh = {"status": StepStatus.WAITING.value, "attempts": 0, "not_found": False, "upstream": None}
    for step in todo:
        this = (steps.c.submission_id == identity) & (steps.c.position == step.position)
        connection.execute(update(steps).where(this).values(fresh))
    now = now_of(connection)
    group = group_of(Operation(todo[0].operation)).value
    values: dict[str, Any] = {"due_at": now, "delivery_since": now, "at_recovery": False, "function_group": group}
    mine = submissions.c.id == identity
    operation = connection.execute(select(submissions.c.operation).where(mine)).scalar()
    if operation in {step.operation for step in todo}:
        values |= {"status": Status.PENDING.value, "settled_at": None}
    connection.execute(update(submissions).where(mine).values(**values, **more))


def _note(connection: Connection, identity: str, position: int, decision: str) -> None:
    now = now_of(connection)
    row = {"submission_id": identity, "position": position, "started_at": now, "ended_at": now, "outcome": decision}
    connection.execute(insert(attempts).values(row))
