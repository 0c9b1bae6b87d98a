"""A login that Vitec refuses, on either database: it is paused, spends no attempts, and recovers by itself."""

import asyncio
from datetime import timedelta

import pytest

from app.domain.submission import Operation, PlannedStep, Status
from app.sandbox import Fault, Office
from app.storage.database import Database
from tests.conftest import CUSTOMER
from tests.integration.delivery_helpers import at_estates, estates_asked_for, received, working
from tests.integration.storage_helpers import (
    BOOKING,
    LEAD_AFTER,
    OTHER,
    application,
    attempts_of,
    row_of,
    soon,
    store,
    submission,
    time_passes,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("short_poll")]

LONG = timedelta(minutes=5)


async def test_a_refused_login_spends_no_attempt_and_recovers_by_itself(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=401, times=2))
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        outcome = await delivery.settled(new)
        assert await delivery.outcomes(new) == ["refusedlogin", "refusedlogin", "delivered"]
    assert (outcome.status, outcome.main.attempts) == (Status.DELIVERED, 1)


async def test_a_refused_login_stops_all_calls_with_it_and_no_one_elses(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=401, customer_id=CUSTOMER))
    refused, others = at_estates("A", "B", "C"), [application(OTHER) for _ in range(4)]
    await store(database, *refused)
    async with working(database, vitec_url, probe=LONG, per_customer=1) as delivery:
        await soon(received(office, 1))
        await delivery.attempted(refused[0], 1)
        await store(database, *others)
        for new in others:
            assert (await delivery.settled(new)).status is Status.DELIVERED
        for new in refused:
            assert (await delivery.submission(new.id)).status is Status.PENDING
    assert [request.customer_id for request in office.received].count(CUSTOMER) == 1


async def test_a_refused_login_is_never_tried_twice_in_a_row_with_the_same_submission(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=401))
    await store(database, *at_estates("A", "B"))
    async with working(database, vitec_url, per_customer=1):
        await soon(received(office, 6))
    asked_for = estates_asked_for(office)[:6]
    assert asked_for in (["A", "B"] * 3, ["B", "A"] * 3)


async def test_an_answer_that_says_nothing_of_the_login_does_not_end_its_pause(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=401, times=1))
    office.inject(Fault(status=503))
    new = at_estates("A", "B", "C")
    await store(database, *new)
    probe = timedelta(seconds=0.4)
    async with working(database, vitec_url, probe=probe, retry=timedelta(minutes=1), per_customer=1):
        await soon(received(office, 3))
    # As the database dates them: on a busy machine calls bunch on their way to Vitec.
    tries = [attempt for new_submission in new for attempt in await attempts_of(database, new_submission.id)]
    refused, second, third = sorted(tries, key=lambda attempt: attempt.started_at)
    assert second.started_at - refused.ended_at >= probe
    assert third.started_at - second.started_at >= probe


async def test_a_probe_is_one_call_whatever_the_concurrency(database: Database, vitec_url: str, office: Office) -> None:
    office.inject(Fault(status=401, times=1))
    office.inject(Fault(delay_seconds=30))
    first, *others = at_estates("A", "B", "C", "D")
    await store(database, first)
    async with working(database, vitec_url, probe=LONG, per_customer=2) as delivery:
        await delivery.attempted(first, 1)
        await store(database, *others)
        await time_passes(database, LONG)
        await soon(received(office, 2))
        await asyncio.wait({delivery.running}, timeout=0.3)
        assert len(office.received) == 2  # the probe is still under way, and its time for another has not come


async def test_a_refused_crm_login_is_paused_alone_and_bookings_continue(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault.model_validate({"status": 401, "operation": "lead"}))
    leads = [submission(Operation.LEAD, PlannedStep(Operation.LEAD, (), {"contactId": "C1"})) for _ in range(3)]
    bookings = [submission(Operation.VIEWING, BOOKING) for _ in range(3)]
    await store(database, leads[0])
    async with working(database, vitec_url, probe=LONG, per_customer=1) as delivery:
        await delivery.attempted(leads[0], 1)
        await store(database, *leads[1:], *bookings)
        for new in bookings:
            assert (await delivery.settled(new)).status is Status.DELIVERED
        for new in leads:
            assert (await delivery.submission(new.id)).status is Status.PENDING
    assert [request.operation.value for request in office.received].count("lead") == 1


async def test_a_chain_waits_while_its_login_is_paused_and_repeats_nothing_afterwards(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault.model_validate({"status": 401, "operation": "loan-promise"}))
    refused = submission(Operation.LOAN_PROMISE, PlannedStep(Operation.LOAN_PROMISE, ("C1",), {}))
    chain = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, refused)
    async with working(database, vitec_url, probe=LONG) as delivery:
        await delivery.attempted(refused, 1)
        await store(database, chain)
        assert (await delivery.settled(chain)).status is Status.DELIVERED
        steps = (await delivery.submission(chain.id)).steps
        assert [step.attempts for step in steps] == [1, 0, 0]
        assert (await row_of(database, chain.id)).claim is None  # it can be claimed as soon as the login is accepted
        office.clear_faults()
        await time_passes(database, LONG)
        outcome = await delivery.all_done(chain)
        assert await delivery.outcomes(chain) == ["delivered"] * 3
    assert [step.attempts for step in outcome.steps] == [1, 1, 1]
    assert len(office.bookings) == 1
