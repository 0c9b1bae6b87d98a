"""Operator actions on submissions that are stuck, on either database. They are idempotent."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from app.delivery.claims import StepOutcome
from app.domain.submission import AttemptOutcome, Operation, Status, StepStatus
from app.intake.new_submission import NewSubmission
from app.operations.planning import Defaults
from app.storage.database import Database
from app.storage.encryption import Keyring
from app.storage.schema import submissions
from app.submissions.listing import SubmissionFilter
from app.submissions.operator_actions import ActionImpossibleError, ActionProblem, OperatorActions
from app.submissions.repository import SubmissionRepository
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import (
    BOOKING,
    KEYRING,
    LEAD_AFTER,
    OTHER,
    application,
    attempts_of,
    claim_one,
    outbox_of,
    row_of,
    store,
    submission,
    submission_of,
)

pytestmark = pytest.mark.anyio

Act = Callable[[str, NewSubmission], Awaitable[bool]]
Ended = Callable[[StepStatus], Awaitable[NewSubmission]]


@pytest.fixture
def act(database: Database) -> Act:
    """Carries out an action on the submission as it is now."""
    actions = OperatorActions(database, KEYRING, {CUSTOMER: Defaults(), OTHER: Defaults()})

    async def carry_out(action: str, new: NewSubmission) -> bool:
        return await actions.carry_out(action, await submission_of(database, new.id))

    return carry_out


@pytest.fixture
def ended(database: Database) -> Ended:
    """An interest whose step has ended like that."""

    async def make(status: StepStatus) -> NewSubmission:
        new = application()
        await store(database, new)
        outbox = outbox_of(database)
        claim = await claim_one(outbox)
        await outbox.record(claim, claim.steps[0], StepOutcome(status, AttemptOutcome.NOT_FOUND, not_found=True))
        return new

    return make


async def held(database: Database) -> NewSubmission:
    new = application()
    await store(database, new)
    values = {"status": Status.HELD.value, "due_at": None}
    await database.write(lambda c: c.execute(update(submissions).where(submissions.c.id == new.id).values(values)))
    return new


async def test_what_was_held_is_sent_once_it_is_released(database: Database, act: Act) -> None:
    new = await held(database)
    assert await outbox_of(database).claim_due({CUSTOMER: 1}, 1) == []
    assert [await act("release", new), await act("release", new)] == [True, False]
    assert (await submission_of(database, new.id)).status is Status.PENDING
    assert (await claim_one(outbox_of(database))).id == new.id


async def test_what_may_have_been_carried_out_is_sent_again_once_it_is_released(
    database: Database, act: Act, ended: Ended
) -> None:
    new = await ended(StepStatus.UNCERTAIN)
    assert [await act("release", new), await act("release", new)] == [True, False]
    (step,) = (await claim_one(outbox_of(database))).steps
    assert (step.interrupted, step.attempts) == (False, 0)


@pytest.mark.parametrize("status", [StepStatus.REJECTED, StepStatus.FAILED, StepStatus.DELIVERED])
async def test_only_what_is_held_or_uncertain_is_released(
    database: Database, act: Act, ended: Ended, status: StepStatus
) -> None:
    new = await ended(status)
    assert not await act("release", new)
    assert (await submission_of(database, new.id)).main.status is status


async def test_an_uncertain_lead_is_released_and_its_booking_stays_delivered(database: Database, act: Act) -> None:
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    outbox = outbox_of(database)
    claim = await claim_one(outbox)
    done = StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, result="C1")
    for step, then in zip(claim.steps[:2], claim.steps[1:], strict=True):
        await outbox.record_and_begin(claim, step, done, then)
    await outbox.record(claim, claim.steps[2], StepOutcome(StepStatus.UNCERTAIN, AttemptOutcome.AMBIGUOUS))
    assert await act("release", new)
    saved = await submission_of(database, new.id)
    assert saved.status is Status.DELIVERED
    assert [step.status.value for step in saved.steps] == ["delivered", "delivered", "waiting"]
    assert [step.operation for step in (await claim_one(outbox)).steps] == [Operation.LEAD]


@pytest.mark.parametrize(
    ("status", "closed"),
    [
        (StepStatus.REJECTED, Status.REJECTED),
        (StepStatus.FAILED, Status.FAILED),
        (StepStatus.UNCERTAIN, Status.UNCERTAIN),
    ],
)
async def test_what_is_discarded_is_erased_and_never_sent(
    database: Database, act: Act, ended: Ended, status: StepStatus, closed: Status
) -> None:
    new = await ended(status)
    assert [await act("discard", new), await act("discard", new)] == [True, False]
    row = await row_of(database, new.id)
    assert (row.status, row.payload, row.email_hash, row.phone_hash) == (closed, None, None, None)
    assert row.erased_at is not None
    assert [attempt.outcome for attempt in await attempts_of(database, new.id)] == ["notfound", "discarded"]
    assert not await act("release", new)
    with pytest.raises(ActionImpossibleError) as impossible:
        await act("retry", new)
    assert impossible.value.problem is ActionProblem.ERASED
    assert await outbox_of(database).claim_due({CUSTOMER: 1}, 1) == []


async def test_what_was_held_has_failed_once_it_is_discarded(database: Database, act: Act) -> None:
    new = await held(database)
    assert await act("discard", new)
    assert (await submission_of(database, new.id)).status is Status.FAILED


async def test_what_is_delivered_is_not_discarded(database: Database, act: Act, ended: Ended) -> None:
    new = await ended(StepStatus.DELIVERED)
    assert not await act("discard", new)
    assert (await row_of(database, new.id)).payload is not None


async def test_what_a_worker_has_is_left_to_it(database: Database, act: Act) -> None:
    new = application()
    await store(database, new)
    await claim_one(outbox_of(database))
    assert not await act("discard", new)
    assert not await act("release", new)
    assert not await act("retry", new)


async def test_a_404_before_a_retry_does_not_count_after_it(database: Database, act: Act, ended: Ended) -> None:
    new = await ended(StepStatus.REJECTED)
    assert await act("retry", new)
    (step,) = (await claim_one(outbox_of(database))).steps
    assert (step.was_not_found, step.attempts) == (False, 0)


async def test_what_is_held_is_released_and_not_retried(database: Database, act: Act) -> None:
    new = await held(database)
    assert not await act("retry", new)


@pytest.mark.parametrize("action", ["retry", "release"])
async def test_nothing_is_sent_for_a_customer_that_left_the_configuration(
    database: Database, ended: Ended, action: str
) -> None:
    new = await ended(StepStatus.UNCERTAIN)
    actions = OperatorActions(database, KEYRING, {OTHER: Defaults()})
    with pytest.raises(ActionImpossibleError, match=f"customer {CUSTOMER} is not in the configuration") as impossible:
        await actions.carry_out(action, await submission_of(database, new.id))
    assert impossible.value.problem is ActionProblem.UNKNOWN_CUSTOMER
    assert (await submission_of(database, new.id)).status is Status.UNCERTAIN
    assert await actions.carry_out("discard", await submission_of(database, new.id))


async def test_a_submission_that_no_key_decrypts_is_not_retried_and_the_reason_is_given(
    database: Database, ended: Ended
) -> None:
    new = await ended(StepStatus.FAILED)
    saved = await submission_of(database, new.id)
    actions = OperatorActions(database, Keyring([b"another key of thirty-two bytes!"]), {CUSTOMER: Defaults()})
    with pytest.raises(ActionImpossibleError) as impossible:
        await actions.retry(saved)
    assert impossible.value.problem is ActionProblem.UNREADABLE


async def test_submissions_are_found_by_status_customer_age_and_need_of_a_person(
    database: Database, act: Act, ended: Ended
) -> None:
    old = await ended(StepStatus.FAILED)
    moment = datetime.now(UTC)
    parked, discarded = await ended(StepStatus.UNCERTAIN), await ended(StepStatus.REJECTED)
    await act("discard", discarded)
    spam, waiting = await held(database), application(OTHER)
    await store(database, waiting)
    leads = SubmissionRepository(database, KEYRING)

    async def ids_of(**wanted: object) -> set[str]:
        return {saved.id for saved in await leads.newest(SubmissionFilter(**wanted), 50)}  # type: ignore[arg-type]

    assert await ids_of(stuck=True) == {old.id, parked.id, spam.id}
    assert await ids_of(status=Status.UNCERTAIN) == {parked.id}
    assert await ids_of(customer_id=OTHER) == {waiting.id}
    assert await ids_of(received_before=moment) == {old.id}
    assert await ids_of(received_before=moment, stuck=True, customer_id=OTHER) == set()
    assert len(await ids_of()) == 5
