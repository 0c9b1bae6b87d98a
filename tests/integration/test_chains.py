"""Submissions of several steps, on either database: the order of the steps, and what stops them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.domain.submission import Operation, PlannedStep, Status, StepStatus
from app.operations.lead import CONTACT_AGENT, FALLBACK
from app.sandbox import Fault, Office
from app.storage.database import Database
from app.storage.schema import steps as step_rows
from app.vitec.throttle import Throttle
from tests.conftest import CUSTOMER
from tests.integration.delivery_helpers import HANGING, LEASE, received, working
from tests.integration.storage_helpers import BOOKING, LEAD_AFTER, application, soon, store, submission, time_passes

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("short_poll")]


async def test_a_lead_follows_a_booking_on_the_contact_that_vitec_answered(
    database: Database, vitec_url: str, office: Office
) -> None:
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        await delivery.all_done(new)
        assert await delivery.outcomes(new) == ["delivered"] * 3
    contact = office.bookings[0].contact_id
    assert [request.operation for request in office.received] == ["viewing", "contact", "lead"]
    assert office.received[1].path == f"/CRM/Contact/{CUSTOMER}/{contact}"
    assert office.received[2].body == {"leadSourceId": "LS1", "assignedToId": "U1", "contactId": contact}
    assert delivery.recorded == [new.id]  # told of once, when the booking itself had its outcome


async def test_each_call_of_a_chain_counts_towards_the_customers_rate(database: Database, vitec_url: str) -> None:
    throttle = Throttle(0.01)  # a call in 100 seconds; those of a chain are made at once, and delay later ones
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    async with working(database, vitec_url, throttle=throttle) as delivery:
        await delivery.all_done(new)
    assert (throttle.seconds_until_available() or 0) > 200


@pytest.mark.parametrize(
    ("agent", "fallback", "assigned"), [("A1", "U9", "A1"), (None, "U9", "U9"), (None, None, None)]
)
async def test_a_lead_goes_to_the_contacts_own_agent_else_to_the_fallback_else_nowhere(
    database: Database, vitec_url: str, office: Office, agent: str | None, fallback: str | None, assigned: str | None
) -> None:
    visitor = BOOKING.body["updatePerson"] | ({"userId": agent} if agent else {})
    lead = {"leadSourceId": "LS1", "assignedToId": CONTACT_AGENT} | ({FALLBACK: fallback} if fallback else {})
    steps = (PlannedStep(Operation.CONTACT, (), {}), PlannedStep(Operation.LEAD, (), lead))
    new = submission(Operation.VIEWING, replace(BOOKING, body={"updatePerson": visitor}), *steps)
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        outcome = await delivery.all_done(new)
    sent = [request.body for request in office.received if request.operation == "lead"]
    contact = office.bookings[0].contact_id
    expected = {"leadSourceId": "LS1", "assignedToId": assigned, "contactId": contact}
    assert sent == ([expected] if assigned else [])
    assert (outcome.status, outcome.steps[2].status.value) == (Status.DELIVERED, "delivered" if assigned else "failed")


async def test_a_lead_that_cannot_be_made_leaves_its_booking_delivered(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault.model_validate({"status": 400, "operation": "lead"}))
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        outcome = await delivery.all_done(new)
    assert outcome.status is Status.DELIVERED
    assert [step.status.value for step in outcome.steps] == ["delivered", "delivered", "rejected"]


async def test_a_lead_that_may_have_been_made_and_can_no_longer_be_sent_is_uncertain(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault.model_validate({"cut": True, "operation": "lead"}))
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    async with working(database, vitec_url, retry=timedelta(hours=2)) as delivery:
        await delivery.attempted(new, 3)
        await database.write(lambda connection: connection.execute(update(step_rows).values(result=None)))
        await time_passes(database, timedelta(hours=3))
        outcome = await delivery.all_done(new)
    assert (outcome.steps[2].status, outcome.steps[2].attempts) == (StepStatus.UNCERTAIN, 1)  # the one call


async def test_a_booking_that_vitec_refuses_is_followed_by_nothing(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=400))
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        outcome = await delivery.settled(new)
    assert (outcome.status, len(office.received)) == (Status.REJECTED, 1)
    assert [step.status.value for step in outcome.steps] == ["rejected", "waiting", "waiting"]


async def test_an_interest_that_vitec_answers_with_nothing_is_followed_by_no_lead(
    database: Database, vitec_url: str, office: Office
) -> None:
    new = application(more_steps=LEAD_AFTER)
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        outcome = await delivery.all_done(new)
    assert outcome.status is Status.DELIVERED
    assert [step.status.value for step in outcome.steps] == ["delivered", "skipped", "skipped"]
    assert len(office.received) == 1


async def test_a_booking_answered_without_a_contact_is_delivered_and_its_lead_needs_attention(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=200, body="{}", carried_out=True, times=1))
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    async with working(database, vitec_url) as delivery:

        async def stopped() -> bool:
            return (await delivery.submission(new.id)).steps[1].status is StepStatus.FAILED

        await soon(stopped)
        outcome = await delivery.submission(new.id)
    assert outcome.status is Status.DELIVERED
    assert [step.status.value for step in outcome.steps] == ["delivered", "failed", "waiting"]
    assert len(office.received) == 1


async def test_a_lead_whose_contact_vitec_does_not_know_is_refused_and_never_posted(
    database: Database, vitec_url: str, office: Office
) -> None:
    new = submission(Operation.LEAD, PlannedStep(Operation.CONTACT, ("C9",), {}), PlannedStep(Operation.LEAD, (), {}))
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        outcome = await delivery.settled(new)
    assert outcome.status is Status.REJECTED
    assert [request.operation for request in office.received] == ["contact", "contact"]


async def test_an_interrupted_lookup_is_simply_repeated(database: Database, vitec_url: str, office: Office) -> None:
    office.inject(Fault.model_validate({"delaySeconds": HANGING, "operation": "contact", "times": 1}))
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    async with working(database, vitec_url):
        await soon(received(office, 2))
    await time_passes(database, LEASE)
    async with working(database, vitec_url, parks=frozenset({CUSTOMER})) as delivery:
        outcome = await delivery.all_done(new)
    assert [step.status.value for step in outcome.steps] == ["delivered"] * 3
    assert [request.operation for request in office.received] == ["viewing", "contact", "contact", "lead"]


async def test_a_lead_that_was_interrupted_may_have_been_made(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault.model_validate({"delaySeconds": HANGING, "operation": "lead", "times": 1}))
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    async with working(database, vitec_url):
        await soon(received(office, 3))
    await time_passes(database, LEASE)
    async with working(database, vitec_url, parks=frozenset({CUSTOMER})) as delivery:
        outcome = await delivery.all_done(new)
    assert outcome.status is Status.DELIVERED
    assert [step.status.value for step in outcome.steps] == ["delivered", "delivered", "uncertain"]
    assert len(office.received) == 3
