"""Claiming and recording, on either database: one worker at a time holds a submission, and a late one is fenced off."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.delivery.claims import Claim, LeaseLostError, StepOutcome
from app.delivery.lease_renewal import keep_renewing
from app.delivery.outbox import DETAIL_LENGTH, Outbox
from app.domain.submission import AttemptOutcome, FunctionGroup, Operation, PlannedStep, Status, StepStatus
from app.storage.database import Database, StoreUnavailableError
from app.storage.encrypted_fields import payload_aad
from app.storage.encryption import Keyring
from app.storage.schema import steps, submissions
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import (
    BODY,
    BOOKING,
    LEAD_AFTER,
    MINUTE,
    OTHER,
    VISITOR,
    again,
    application,
    attempts_of,
    claim_one,
    marked,
    opened,
    outbox_of,
    row_of,
    soon,
    store,
    stored,
    submission,
    submission_of,
    taking_in,
    time_passes,
)

OTHERS = (OTHER, FunctionGroup.ADVERTISING)
DELIVERED = StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, http_status=200, result="C1001")

pytestmark = pytest.mark.anyio


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return outbox_of(database, MINUTE)


def waiting(due_in: timedelta, **more: Any) -> StepOutcome:
    return StepOutcome(StepStatus.WAITING, AttemptOutcome.UNAVAILABLE, retry_in=due_in, **more)


async def test_what_was_accepted_is_due_at_once_with_all_that_will_be_sent(database: Database, outbox: Outbox) -> None:
    new = application(more_steps=(BOOKING,))
    await store(database, new)
    claim = await claim_one(outbox)
    assert (claim.id, claim.customer_id) == (new.id, CUSTOMER)
    assert claim.operation is Operation.INTEREST
    assert timedelta(0) <= claim.age < MINUTE
    assert claim.results == {}
    assert [(step.position, step.operation, step.resource, step.body) for step in claim.steps] == [
        (0, Operation.INTEREST, ("OBJ1",), BODY),
        (1, Operation.VIEWING, ("VIS1", "SLOT1"), VISITOR),
    ]
    assert {(step.attempts, step.interrupted, step.was_not_found) for step in claim.steps} == {(0, False, False)}


async def test_a_claimed_submission_is_not_claimed_again(database: Database, outbox: Outbox) -> None:
    await store(database, application())
    await claim_one(outbox)
    assert await outbox.claim_due({CUSTOMER: 9}, 9) == []


async def test_claims_of_many_workers_at_once_never_overlap(
    database: Database, outbox: Outbox, database_url: str
) -> None:
    many = [application() for _ in range(24)]
    await store(database, *many)
    with opened(database_url) as another:
        elsewhere = outbox_of(another, MINUTE)
        rounds = [(outbox if i % 2 else elsewhere).claim_due({CUSTOMER: 3}, 3) for i in range(12)]
        claims = [claim for claimed in await asyncio.gather(*rounds) for claim in claimed]
        claims += await outbox.claim_due({CUSTOMER: 24}, 24)  # what all of them passed over
    assert Counter(claim.id for claim in claims) == {new.id: 1 for new in many}


async def test_a_lease_that_runs_out_makes_the_submission_due_for_the_next(database: Database) -> None:
    await store(database, application())
    short = outbox_of(database, timedelta(seconds=0.2))
    first = await claim_one(short)
    (second,) = await soon(lambda: short.claim_due({CUSTOMER: 1}, 1))
    assert second.id == first.id
    assert second.token != first.token


async def test_a_worker_that_wakes_up_late_sends_and_records_nothing(database: Database) -> None:
    new = application()
    await store(database, new)
    at_once = outbox_of(database, timedelta(0))
    late = await claim_one(at_once)
    holder = await claim_one(outbox_of(database, MINUTE))
    before = await row_of(database, new.id)
    step = late.steps[0]
    for work in (
        at_once.begin(late, step),
        at_once.record(late, step, DELIVERED),
        at_once.renew(late),
        at_once.record_and_begin(late, step, DELIVERED, step),
    ):
        with pytest.raises(LeaseLostError):
            await work
    assert await row_of(database, new.id) == before
    assert (await submission_of(database, new.id)).main.status is StepStatus.SENDING
    assert [attempt.outcome for attempt in await attempts_of(database, new.id)] == [None]
    assert before.claim == holder.token


async def test_nothing_is_recorded_twice(database: Database, outbox: Outbox) -> None:
    new = application()
    await store(database, new)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], DELIVERED)
    with pytest.raises(LeaseLostError):
        await outbox.record(claim, claim.steps[0], StepOutcome(StepStatus.FAILED, AttemptOutcome.UNAVAILABLE))
    assert (await submission_of(database, new.id)).status is Status.DELIVERED


async def test_a_lease_is_renewed_from_now(database: Database) -> None:
    new = application()
    await store(database, new)
    claim = await claim_one(outbox_of(database, timedelta(seconds=5)))
    await outbox_of(database, timedelta(hours=1)).renew(claim)
    due_in = (await row_of(database, new.id)).due_at - datetime.now(UTC)
    assert timedelta(minutes=59) < due_in <= timedelta(hours=1)


async def test_a_lease_is_renewed_although_the_database_was_away_in_between(
    database: Database, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(database, application())
    claim = await claim_one(outbox)
    renew, until, failures = Outbox.renew, claim.lease.until, iter([StoreUnavailableError("away")])

    async def away_at_first(outbox: Outbox, claim: Claim) -> None:
        for failure in failures:
            raise failure
        await renew(outbox, claim)

    async def is_renewed() -> bool:
        return claim.lease.until > until

    monkeypatch.setattr(Outbox, "renew", away_at_first)
    renewing = asyncio.create_task(keep_renewing(outbox, claim, timedelta(milliseconds=30)))
    await soon(is_renewed)
    renewing.cancel()


async def test_a_step_is_marked_as_being_sent_before_the_call(
    database: Database, outbox: Outbox, database_url: str
) -> None:
    new = application()
    await store(database, new)
    await claim_one(outbox)
    with opened(database_url) as another:
        step = (await submission_of(another, new.id)).main
        (written,) = await attempts_of(another, new.id)
    assert (step.status, step.attempts) == (StepStatus.SENDING, 1)
    assert (written.position, written.ended_at, written.outcome) == (0, None, None)
    assert abs(written.started_at - datetime.now(UTC)) < MINUTE


async def test_a_call_that_was_interrupted_is_seen_by_the_next_worker(database: Database) -> None:
    await store(database, application(more_steps=(BOOKING,)))
    dying = outbox_of(database, timedelta(0))
    await claim_one(dying)
    first, second = (await claim_one(dying)).steps
    assert (first.interrupted, first.attempts) == (True, 1)
    assert (second.interrupted, second.attempts) == (False, 0)


@pytest.mark.parametrize("outcome", [AttemptOutcome.AMBIGUOUS, AttemptOutcome.FORBIDDEN])
async def test_what_happened_to_one_step_or_submission_marks_no_other(
    database: Database, outbox: Outbox, outcome: AttemptOutcome
) -> None:
    marked_one, another = new = [application(more_steps=(BOOKING,)) for _ in range(2)]
    await store(database, *new)
    first, second = sorted(await outbox.claim_due({CUSTOMER: 2}, 2), key=lambda claim: claim.id)
    assert [first.id, second.id] == [marked_one.id, another.id]
    for claim, ended in ((first, outcome), (second, AttemptOutcome.UNAVAILABLE)):
        await outbox.record(claim, claim.steps[0], StepOutcome(StepStatus.WAITING, ended))
    marks = {
        (claim.id, step.position): (step.was_ambiguous, step.was_forbidden)
        for claim in await outbox.claim_due({CUSTOMER: 2}, 2)
        for step in claim.steps
    }
    assert marks.pop((marked_one.id, 0)) == (outcome is AttemptOutcome.AMBIGUOUS, outcome is AttemptOutcome.FORBIDDEN)
    assert set(marks.values()) == {(False, False)}
    assert len(marks) == 3


async def test_the_outcome_of_an_interrupted_call_ends_its_attempt(database: Database) -> None:
    new = application()
    await store(database, new)
    dying = outbox_of(database, timedelta(0))
    claim = await claim_one(dying)
    claim = await claim_one(dying)
    await dying.record(claim, claim.steps[0], StepOutcome(StepStatus.UNCERTAIN, AttemptOutcome.AMBIGUOUS))
    (attempt,) = await attempts_of(database, new.id)
    assert attempt.outcome == "ambiguous"
    assert attempt.ended_at >= attempt.started_at


@pytest.mark.parametrize(
    ("room", "most", "claimed"),
    [
        ({CUSTOMER: 2, OTHER: 1}, 9, {CUSTOMER: 2, OTHER: 1}),
        ({CUSTOMER: 9, OTHER: 9}, 9, {CUSTOMER: 4, OTHER: 4}),
        ({OTHER: 1}, 9, {OTHER: 1}),
        ({CUSTOMER: 9}, 3, {CUSTOMER: 3}),
        ({"M00001": 9}, 9, {}),
        ({}, 9, {}),
    ],
)
async def test_no_more_is_claimed_than_there_is_room_for(
    database: Database, outbox: Outbox, room: dict[str, int], most: int, claimed: dict[str, int]
) -> None:
    await store(database, *[application(customer) for customer in (CUSTOMER, OTHER) for _ in range(4)])
    claims = await outbox.claim_due(room, most)
    assert Counter(claim.customer_id for claim in claims) == claimed


async def test_never_more_is_claimed_than_the_worker_has_places(database: Database, outbox: Outbox) -> None:
    await store(database, *[application(customer) for customer in (CUSTOMER, OTHER) for _ in range(4)])
    assert len(await outbox.claim_due({CUSTOMER: 2, OTHER: 2}, 3)) == 3


async def test_a_customer_without_room_keeps_no_other_waiting(database: Database, outbox: Outbox) -> None:
    await store(database, *[application(customer) for customer in (CUSTOMER, OTHER) for _ in range(10)])
    for _ in range(10):  # the order of customers is a matter of chance
        (claim,) = await outbox.claim_due({CUSTOMER: 0, OTHER: 1}, 9)
        assert claim.customer_id == OTHER


@pytest.mark.parametrize(("room", "claimed"), [(2, 2), (4, 4), (9, 6)])
async def test_both_logins_of_a_customer_share_its_concurrency(
    database: Database, outbox: Outbox, room: int, claimed: int
) -> None:
    leads = [submission(Operation.LEAD, PlannedStep(Operation.LEAD, (), {"contactId": "C1"})) for _ in range(3)]
    await store(database, *[application() for _ in range(3)], *leads)
    assert len(await outbox.claim_due({CUSTOMER: room}, 9)) == claimed


async def test_a_lead_after_a_booking_waits_under_its_own_login(database: Database, outbox: Outbox) -> None:
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    claim = await claim_one(outbox)
    await outbox.record_and_begin(claim, claim.steps[0], DELIVERED, claim.steps[1])
    await outbox.record(claim, claim.steps[1], waiting(timedelta(0), http_status=503))
    assert (await row_of(database, new.id)).function_group == "crm"
    later = await claim_one(outbox)
    assert [step.operation for step in later.steps] == [Operation.CONTACT, Operation.LEAD]
    assert later.results == {Operation.VIEWING: "C1001"}
    assert abs(later.age - claim.age) < timedelta(seconds=1)  # both are counted from when it came


async def test_the_longest_due_goes_first(database: Database, outbox: Outbox) -> None:
    new = [again(application()) for _ in range(3)]
    await store(database, *reversed(new))
    for at, new_submission in zip((3, 1, 2), new, strict=True):
        due_at = datetime.now(UTC) - timedelta(minutes=at)
        moved = update(submissions).where(submissions.c.id == new_submission.id).values(due_at=due_at)
        await database.write(lambda connection, moved=moved: connection.execute(moved))  # type: ignore[misc]
    claimed = [(await claim_one(outbox)).id for _ in new]
    assert claimed == [new[0].id, new[2].id, new[1].id]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (StepStatus.DELIVERED, Status.DELIVERED),
        (StepStatus.REJECTED, Status.REJECTED),
        (StepStatus.FAILED, Status.FAILED),
        (StepStatus.UNCERTAIN, Status.UNCERTAIN),
    ],
)
async def test_the_outcome_of_its_own_operation_is_the_submissions(
    database: Database, outbox: Outbox, outcome: StepStatus, status: Status
) -> None:
    new = application()
    await store(database, new)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], StepOutcome(outcome, AttemptOutcome.AMBIGUOUS, http_status=418))
    saved = await submission_of(database, new.id)
    assert (saved.status, saved.main.status, saved.main.attempts) == (status, outcome, 1)
    assert saved.settled_at is not None
    assert new.received_at <= saved.settled_at <= datetime.now(UTC) + MINUTE
    row = await row_of(database, new.id)
    assert (row.due_at, row.claim) == (None, None)
    (written,) = await attempts_of(database, new.id)
    assert (written.outcome, written.http_status) == (AttemptOutcome.AMBIGUOUS, 418)
    assert written.ended_at is not None


async def test_recording_reports_whether_the_submission_now_has_its_outcome(database: Database, outbox: Outbox) -> None:
    await store(database, application(more_steps=LEAD_AFTER))
    claim = await claim_one(outbox)
    recorded = (waiting(timedelta(0)), DELIVERED, DELIVERED, StepOutcome(StepStatus.FAILED, AttemptOutcome.UNAVAILABLE))
    assert await outbox.record(claim, claim.steps[0], recorded[0]) is False
    claim = await claim_one(outbox)
    outcomes = [await outbox.record(claim, claim.steps[n], recorded[n + 1]) for n in range(3)]
    assert outcomes == [True, False, False]


@pytest.mark.parametrize(
    ("outcome", "status"), [(StepStatus.REJECTED, Status.REJECTED), (StepStatus.FAILED, Status.FAILED)]
)
async def test_what_stops_before_the_submissions_own_operation_is_its_outcome(
    database: Database, outbox: Outbox, outcome: StepStatus, status: Status
) -> None:
    new = submission(Operation.LEAD, *LEAD_AFTER)
    await store(database, new)
    claim = await claim_one(outbox)
    assert await outbox.record(claim, claim.steps[0], StepOutcome(outcome, AttemptOutcome.AMBIGUOUS))
    saved = await submission_of(database, new.id)
    assert (saved.status, saved.main.status) == (status, StepStatus.WAITING)
    assert (await row_of(database, new.id)).due_at is None


async def test_a_look_up_that_succeeds_is_not_yet_the_submissions_outcome(database: Database, outbox: Outbox) -> None:
    new = submission(Operation.LEAD, *LEAD_AFTER)
    await store(database, new)
    claim = await claim_one(outbox)
    assert not await outbox.record(claim, claim.steps[0], DELIVERED)
    assert (await submission_of(database, new.id)).status is Status.PENDING
    assert await outbox.record(claim, claim.steps[1], DELIVERED)
    assert (await submission_of(database, new.id)).status is Status.DELIVERED


async def test_a_step_with_nothing_to_do_is_passed_over_and_never_claimed_again(database: Database) -> None:
    new = application(more_steps=LEAD_AFTER)
    await store(database, new)
    dying = outbox_of(database, timedelta(0))
    claim = await claim_one(dying)
    await dying.record(claim, claim.steps[0], DELIVERED)
    await dying.record(claim, claim.steps[1], StepOutcome(StepStatus.SKIPPED, AttemptOutcome.SKIPPED))
    (claim,) = await dying.claim_due({CUSTOMER: 1}, 1)
    assert [step.operation for step in claim.steps] == [Operation.LEAD]
    assert claim.results == {Operation.INTEREST: "C1001", Operation.CONTACT: None}
    await dying.record(claim, claim.steps[0], StepOutcome(StepStatus.SKIPPED, AttemptOutcome.SKIPPED))
    assert (await submission_of(database, new.id)).status is Status.DELIVERED
    assert (await row_of(database, new.id)).due_at is None


async def test_a_waiting_step_becomes_due_at_its_time_and_not_before(database: Database, outbox: Outbox) -> None:
    new = application()
    await store(database, new)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], waiting(MINUTE, http_status=503))
    assert await outbox.claim_due({CUSTOMER: 1}, 1) == []
    saved = await submission_of(database, new.id)
    assert (saved.status, saved.settled_at, saved.main.status) == (Status.PENDING, None, StepStatus.WAITING)
    await time_passes(database, MINUTE)
    (retried,) = await outbox.claim_due({CUSTOMER: 1}, 1)
    assert (retried.steps[0].attempts, retried.steps[0].interrupted) == (1, False)


async def test_an_attempt_that_does_not_count_is_recorded_but_not_spent(database: Database, outbox: Outbox) -> None:
    new = application()
    await store(database, new)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], waiting(timedelta(0), http_status=401, counts=False))
    assert (await submission_of(database, new.id)).main.attempts == 0
    assert len(await attempts_of(database, new.id)) == 1


@pytest.mark.parametrize("outcome", [StepStatus.DELIVERED, StepStatus.FAILED, StepStatus.UNCERTAIN])
async def test_an_outcome_is_replayed_to_a_repeat(database: Database, outbox: Outbox, outcome: StepStatus) -> None:
    new = application(repeat=marked(b"key"))
    await store(database, new)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], StepOutcome(outcome, AttemptOutcome.AMBIGUOUS))
    async with taking_in(database) as intake:
        assert (await intake.accept(again(new))).id == new.id


async def test_a_refusal_is_never_replayed_to_a_repeat(database: Database, outbox: Outbox) -> None:
    new = application(repeat=marked(b"key"))
    await store(database, new)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], StepOutcome(StepStatus.REJECTED, AttemptOutcome.REJECTED))
    async with taking_in(database) as intake:
        accepted = await intake.accept(again(new))
    assert (accepted.repeated, accepted.id != new.id) == (False, True)


async def test_a_step_that_vitec_did_not_find_is_known_by_that_the_next_time(
    database: Database, outbox: Outbox
) -> None:
    await store(database, application(more_steps=(BOOKING,)))
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], waiting(timedelta(0), http_status=404, not_found=True))
    assert [step.was_not_found for step in (await claim_one(outbox)).steps] == [True, False]


async def test_the_next_step_stays_claimed_when_one_is_delivered(database: Database, outbox: Outbox) -> None:
    new = application(more_steps=(BOOKING,))
    await store(database, new)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], DELIVERED)
    assert (await submission_of(database, new.id)).status is Status.DELIVERED
    assert await outbox.claim_due({CUSTOMER: 1}, 1) == []
    await outbox.record(
        claim, claim.steps[1], StepOutcome(StepStatus.REJECTED, AttemptOutcome.REJECTED, http_status=400)
    )
    saved = await submission_of(database, new.id)
    assert [step.status for step in saved.steps] == [StepStatus.DELIVERED, StepStatus.REJECTED]
    assert saved.status is Status.DELIVERED
    assert (await row_of(database, new.id)).due_at is None


async def test_a_step_is_recorded_and_the_next_begun_in_one_transaction(database: Database, outbox: Outbox) -> None:
    new = application(more_steps=LEAD_AFTER)
    await store(database, new)
    claim = await claim_one(outbox)
    settled, begun = await outbox.record_and_begin(claim, claim.steps[0], DELIVERED, claim.steps[1])
    assert (settled, begun) == (True, True)
    saved = await submission_of(database, new.id)
    assert [(step.status.value, step.attempts) for step in saved.steps] == [
        ("delivered", 1),
        ("sending", 1),
        ("waiting", 0),
    ]
    assert [(row.position, row.outcome) for row in await attempts_of(database, new.id)] == [
        (0, "delivered"),
        (1, None),
    ]


@pytest.mark.parametrize("begins", [True, False])
async def test_the_record_of_a_step_renews_the_lease_for_the_next(
    database: Database, outbox: Outbox, begins: bool
) -> None:
    await store(database, application(more_steps=LEAD_AFTER))
    claim = await claim_one(outbox)
    await time_passes(database, MINUTE)
    if begins:
        await outbox.record_and_begin(claim, claim.steps[0], DELIVERED, claim.steps[1])
    else:
        await outbox.record(claim, claim.steps[0], DELIVERED)
    assert await outbox.claim_due({CUSTOMER: 1}, 1) == []


async def test_a_worker_that_dies_between_two_steps_leaves_the_submission_to_the_next_steps_login(
    database: Database,
) -> None:
    new = application(more_steps=LEAD_AFTER)
    await store(database, new)
    dying = outbox_of(database, timedelta(0))
    claim = await claim_one(dying)
    await dying.record(claim, claim.steps[0], DELIVERED)
    assert (await row_of(database, new.id)).function_group == "crm"
    assert [step.operation for step in (await claim_one(dying)).steps] == [Operation.CONTACT, Operation.LEAD]


async def test_a_late_worker_neither_records_nor_begins_the_next(database: Database) -> None:
    new = application(more_steps=LEAD_AFTER)
    await store(database, new)
    at_once = outbox_of(database, timedelta(0))
    late = await claim_one(at_once)
    await claim_one(outbox_of(database, MINUTE))
    with pytest.raises(LeaseLostError):
        await at_once.record_and_begin(late, late.steps[0], DELIVERED, late.steps[1])
    assert [step.status.value for step in (await submission_of(database, new.id)).steps] == [
        "sending",
        "waiting",
        "waiting",
    ]
    assert [row.outcome for row in await attempts_of(database, new.id)] == [None]


async def test_a_step_that_is_done_is_never_claimed_again(database: Database) -> None:
    await store(database, application(more_steps=(BOOKING,)))
    dying = outbox_of(database, timedelta(0))
    claim = await claim_one(dying)
    await dying.record(claim, claim.steps[0], DELIVERED)
    assert [step.position for step in (await claim_one(dying)).steps] == [1]


async def test_what_follows_a_refused_step_is_never_sent(database: Database) -> None:
    await store(database, application(more_steps=(BOOKING,)))
    at_once = outbox_of(database, timedelta(0))
    claim = await claim_one(at_once)
    await at_once.record(claim, claim.steps[0], StepOutcome(StepStatus.REJECTED, AttemptOutcome.REJECTED))
    assert await at_once.claim_due({CUSTOMER: 1}, 1) == []


async def test_vitecs_answer_and_message_are_stored_encrypted(database: Database, outbox: Outbox) -> None:
    new = application()
    await store(database, new)
    claim = await claim_one(outbox)
    words = {"status": 400, "message": "Anna är spärrad"}
    recorded = StepOutcome(StepStatus.REJECTED, AttemptOutcome.REJECTED, result="C1001", upstream=words)
    await outbox.record(claim, claim.steps[0], recorded)
    saved = await submission_of(database, new.id)
    assert (saved.main.result, saved.main.upstream) == ("C1001", words)
    row = await database.read(lambda connection: connection.execute(select(steps)).one())
    assert row.result is not None
    assert b"C1001" not in row.result
    assert b"Anna" not in row.upstream


async def test_a_long_detail_is_cut(database: Database, outbox: Outbox) -> None:
    new = application()
    await store(database, new)
    claim = await claim_one(outbox)
    recorded = StepOutcome(StepStatus.FAILED, AttemptOutcome.UNAVAILABLE, detail="å" * (DETAIL_LENGTH + 1))
    await outbox.record(claim, claim.steps[0], recorded)
    assert [row.detail for row in await attempts_of(database, new.id)] == ["å" * DETAIL_LENGTH]


async def test_a_body_that_cannot_be_decrypted_stops_no_other_delivery(database: Database, outbox: Outbox) -> None:
    broken, whole = application(), application()
    await store(database, broken, whole)
    foreign = Keyring([b"another key of thirty-two bytes!"]).encrypt(stored().to_json(), payload_aad(broken.id))
    changed = update(submissions).where(submissions.c.id == broken.id).values(payload=foreign)
    await database.write(lambda connection: connection.execute(changed))

    async def claimed() -> list[str]:
        return [claim.id for claim in await outbox.claim_due({CUSTOMER: 1}, 1)]

    assert await soon(claimed) == [whole.id]  # also where the broken one stands first in line
    assert (await submission_of(database, broken.id)).status is Status.UNREADABLE  # for a person, or the right key


async def test_a_body_that_was_moved_from_another_submission_is_never_sent(database: Database, outbox: Outbox) -> None:
    mine, yours = application(), application(OTHER)
    await store(database, mine, yours)
    payload = select(submissions.c.payload).where(submissions.c.id == yours.id).scalar_subquery()
    moved = update(submissions).where(submissions.c.id == mine.id).values(payload=payload)
    await database.write(lambda connection: connection.execute(moved))
    assert await outbox.claim_due({CUSTOMER: 1}, 1) == []
    assert [claim.id for claim in await outbox.claim_due({OTHER: 1}, 1)] == [yours.id]
