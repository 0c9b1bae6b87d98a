"""The delivery worker against the sandbox over HTTP, on either database: the outcome of each kind of answer."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.delivery import lease_renewal
from app.delivery import worker as worker_module
from app.delivery.claims import Claim
from app.delivery.outbox import Outbox
from app.domain.submission import Status, StepStatus
from app.sandbox import Fault, Office
from app.storage.database import Database
from tests.conftest import CUSTOMER
from tests.integration.delivery_helpers import (
    HANGING,
    LEASE,
    Delivery,
    at_estates,
    estates_asked_for,
    has_head,
    held_answer,
    received,
    working,
)
from tests.integration.storage_helpers import (
    BODY,
    BOOKING,
    OTHER,
    application,
    opened,
    row_of,
    soon,
    store,
    time_passes,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("short_poll")]


async def test_an_interest_is_delivered_as_it_was_stored(database: Database, vitec_url: str, office: Office) -> None:
    new = application()
    await store(database, new)

    async def logged() -> list[str]:
        return delivery.recorded

    async with working(database, vitec_url) as delivery:
        outcome = await delivery.settled(new)
        assert await soon(logged) == [new.id]
    assert (outcome.status, outcome.main.attempts, outcome.main.result) == (Status.DELIVERED, 1, None)
    (request,) = office.received
    assert (request.path, request.body) == (f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest", BODY)


async def test_the_steps_of_a_submission_are_delivered_in_order_and_vitecs_answers_kept(
    database: Database, vitec_url: str, office: Office
) -> None:
    new = application(more_steps=(BOOKING,))
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        steps = (await delivery.all_done(new)).steps
    assert [request.operation for request in office.received] == ["interest", "viewing"]
    assert [step.result for step in steps] == [None, office.bookings[0].contact_id]


async def test_what_is_accepted_while_the_worker_waits_is_delivered_when_it_is_woken(
    database: Database, vitec_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 60)
    new = application()
    async with working(database, vitec_url) as delivery:
        await store(database, new)
        delivery.worker.wake()
        assert (await delivery.settled(new)).status is Status.DELIVERED


async def test_an_overloaded_vitec_is_tried_again_until_it_recovers(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=503, times=2))
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        outcome = await delivery.settled(new)
        assert await delivery.outcomes(new) == ["unavailable", "unavailable", "delivered"]
    assert (outcome.status, outcome.main.attempts) == (Status.DELIVERED, 3)


async def test_retry_after_is_respected(database: Database, vitec_url: str, office: Office) -> None:
    office.inject(Fault(status=503, headers={"Retry-After": "1"}, times=1))
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        await delivery.settled(new)
    first, second = office.received
    assert second.at - first.at >= timedelta(seconds=1)


async def test_a_vitec_that_cannot_be_reached_costs_time_and_no_lead(database: Database) -> None:
    new = application()
    await store(database, new)
    async with working(database, "http://127.0.0.1:9") as delivery:
        await delivery.attempted(new, 2)
        assert set(await delivery.outcomes(new)) <= {"unavailable", None}
        assert (await delivery.submission(new.id)).status is Status.PENDING


async def test_what_is_too_old_is_given_up(database: Database, vitec_url: str, office: Office) -> None:
    office.inject(Fault(status=503))
    new = application()
    await store(database, new)
    async with working(database, vitec_url, give_up=timedelta(0)) as delivery:
        outcome = await delivery.settled(new)
    assert (outcome.status, len(office.received)) == (Status.FAILED, 1)


async def test_what_may_have_been_carried_out_once_is_uncertain_when_it_is_given_up(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=500, times=1))
    office.inject(Fault(status=503))
    new, of_another = application(), application(OTHER)
    await store(database, new)
    give_up = timedelta(hours=96)
    async with working(database, vitec_url, retry=timedelta(hours=1), give_up=give_up) as delivery:
        await delivery.attempted(new, 1)
        await store(database, of_another)
        await delivery.attempted(of_another, 1)
        await time_passes(database, give_up)
        assert (await delivery.settled(new)).status is Status.UNCERTAIN
        assert (await delivery.settled(of_another)).status is Status.FAILED
        assert await delivery.outcomes(new) == ["ambiguous", "unavailable"]


async def test_a_page_in_vitecs_place_is_no_refusal_and_no_delivery(
    database: Database, vitec_url: str, office: Office
) -> None:
    for status in (200, 400, 404, 404, 405):
        office.inject(Fault(status=status, page=True, times=1))
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        outcome = await delivery.settled(new)
        assert await delivery.outcomes(new) == ["ambiguous", *["unavailable"] * 4, "delivered"]
    assert (outcome.status, outcome.main.upstream) == (Status.DELIVERED, None)


async def test_an_answer_that_never_ends_is_sent_once_also_when_it_is_cut_off_by_the_stop(
    database: Database, vitec_url: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "STOP_SECONDS", 0.5)
    office.inject(Fault(stalled=True))
    first, second = at_estates("A", "B")
    await store(database, first)
    async with working(database, vitec_url) as delivery:
        await has_head(delivery.vitec)
        delivery.time_out()
        assert (await delivery.settled(first)).status is Status.DELIVERED
    await store(database, second)
    async with working(database, vitec_url) as delivery:
        await has_head(delivery.vitec)
        delivery.worker.stop()
        await asyncio.wait_for(delivery.running, 30)
        assert await delivery.outcomes(second) == ["delivered"]
    assert estates_asked_for(office) == ["A", "B"]


async def test_a_refusal_is_stored_with_vitecs_words_and_never_retried(
    database: Database, vitec_url: str, office: Office
) -> None:
    words = '{"Message": "Visningen är fullbokad", "modelState": {"participant.firstName": ["För långt"]}}'
    office.inject(Fault(status=400, body=words))
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        outcome = await delivery.settled(new)
    assert (outcome.status, outcome.main.attempts) == (Status.REJECTED, 1)
    assert outcome.main.upstream == {
        "status": 400,
        "message": "Visningen är fullbokad",
        "modelState": {"participant.firstName": ["För långt"]},
    }
    assert len(office.received) == 1


@pytest.mark.parametrize(("missing", "status"), [(1, Status.DELIVERED), (None, Status.REJECTED)])
async def test_what_vitec_does_not_find_is_asked_for_once_more(
    database: Database, vitec_url: str, office: Office, missing: int | None, status: Status
) -> None:
    office.inject(Fault(status=404, times=missing))
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        assert (await delivery.settled(new)).status is status
    assert len(office.received) == 2


async def test_a_404_is_retried_once_although_vitec_was_away_in_between(
    database: Database, vitec_url: str, office: Office
) -> None:
    for status in (404, 503, 404):
        office.inject(Fault(status=status, times=1))
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        assert (await delivery.settled(new)).status is Status.REJECTED
        assert await delivery.outcomes(new) == ["notfound", "unavailable", "notfound"]


async def test_a_forbidden_resource_backs_off_alone(database: Database, vitec_url: str, office: Office) -> None:
    office.inject(Fault(status=403, times=1))
    forbidden, allowed = at_estates("FORBIDDEN", "ALLOWED")
    await store(database, forbidden)
    async with working(database, vitec_url, retry=timedelta(hours=1), per_customer=1) as delivery:
        await delivery.attempted(forbidden, 1)
        await store(database, allowed)
        assert (await delivery.settled(allowed)).status is Status.DELIVERED
        assert (await delivery.submission(forbidden.id)).status is Status.PENDING
        await time_passes(database, timedelta(hours=2))
        outcome = await delivery.settled(forbidden)
    assert (outcome.status, outcome.main.attempts) == (Status.DELIVERED, 2)


AMBIGUOUS = [
    Fault(status=500, carried_out=True, times=1),
    Fault(status=502, times=1),
    Fault(status=504, times=1),
    Fault(cut=True, carried_out=True, times=1),
    Fault(delay_seconds=HANGING, times=1),
]
NAMES = ["500", "502", "504", "cut", "hanging"]


async def come_to_pass(fault: Fault, delivery: Delivery, office: Office) -> None:
    """If the fault is silence, lets the call time out."""
    if fault.delay_seconds:
        await soon(received(office, 1))
        delivery.time_out()


@pytest.mark.parametrize("fault", AMBIGUOUS, ids=NAMES)
async def test_what_may_have_been_carried_out_is_sent_again_and_marked(
    database: Database, vitec_url: str, office: Office, fault: Fault
) -> None:
    office.inject(fault)
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        await come_to_pass(fault, delivery, office)
        assert (await delivery.settled(new)).status is Status.DELIVERED
        assert await delivery.outcomes(new) == ["ambiguous", "delivered"]
    assert len(office.received) == 2


@pytest.mark.parametrize("fault", [AMBIGUOUS[0], AMBIGUOUS[-1]], ids=[NAMES[0], NAMES[-1]])
async def test_what_may_have_been_carried_out_is_parked_where_that_is_asked_for(
    database: Database, vitec_url: str, office: Office, fault: Fault
) -> None:
    office.inject(fault)
    new, of_another = application(), application(OTHER)
    await store(database, new)
    async with working(database, vitec_url, parks=frozenset({CUSTOMER})) as delivery:
        await come_to_pass(fault, delivery, office)
        assert (await delivery.settled(new)).status is Status.UNCERTAIN
        await store(database, of_another)
        assert (await delivery.settled(of_another)).status is Status.DELIVERED
    assert [request.customer_id for request in office.received] == [CUSTOMER, OTHER]


async def test_a_done_request_with_a_broken_answer_is_done_without_the_id(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=200, body='{"id": ', carried_out=True, times=1))
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        outcome = await delivery.settled(new)
    assert (outcome.status, outcome.main.result, len(office.received)) == (Status.DELIVERED, None, 1)


@pytest.mark.parametrize(
    ("parks", "status", "calls"),
    [(frozenset[str](), Status.DELIVERED, 2), (frozenset({CUSTOMER}), Status.UNCERTAIN, 1)],
    ids=["retried", "parked"],
)
async def test_a_worker_that_dies_in_the_call_leaves_it_ambiguous_to_the_next(
    database: Database, vitec_url: str, office: Office, parks: frozenset[str], status: Status, calls: int
) -> None:
    office.inject(Fault(delay_seconds=HANGING, times=1))
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as dying:
        await soon(received(office, 1))
    assert (await dying.submission(new.id)).main.status is StepStatus.SENDING
    await time_passes(database, LEASE)
    async with working(database, vitec_url, parks=parks) as delivery:
        assert (await delivery.settled(new)).status is status
        assert await delivery.outcomes(new) == ["ambiguous", "delivered"][:calls]
    assert len(office.received) == calls


async def test_a_call_that_takes_longer_than_the_lease_is_made_once(
    database: Database, database_url: str, vitec_url: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_renewal, "RENEWALS", 200)  # so that no test waits ten seconds
    new = application()
    await store(database, new)

    async def renewed() -> bool:
        until = (await row_of(database, new.id)).due_at
        return bool(until - datetime.now(UTC) > LEASE * 0.9)

    with opened(database_url) as another, held_answer("OBJ1") as may_come:
        async with working(database, vitec_url), working(another, vitec_url) as delivery:
            await soon(received(office, 1))
            for _ in range(3):
                await time_passes(database, LEASE / 2)
                await soon(renewed)
            may_come.set()
            assert (await delivery.settled(new)).status is Status.DELIVERED
    assert len(office.received) == 1


async def test_a_worker_never_takes_over_from_itself_however_the_databases_clock_jumps(
    database: Database, vitec_url: str, office: Office
) -> None:
    new, other = at_estates("A", "B")
    await store(database, new)
    async with working(database, vitec_url, give_up=timedelta(days=10_000)) as delivery:
        with held_answer("A") as may_come:
            await soon(received(office, 1))
            await time_passes(database, timedelta(days=3650))
            await store(database, other)
            assert (await delivery.settled(other)).status is Status.DELIVERED
            may_come.set()
            assert (await delivery.settled(new)).status is Status.DELIVERED
        assert await delivery.outcomes(new) == ["delivered"]
    assert estates_asked_for(office) == ["A", "B"]


async def test_what_was_not_sent_because_the_lease_was_over_is_not_in_doubt(
    database: Database, vitec_url: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a suspend of the machine between the claim and the call."""
    slept: list[float] = []
    claim_due = Outbox.claim_due

    async def suspended_after(outbox: Outbox, *asked: Any) -> list[Claim]:
        claims = await claim_due(outbox, *asked)
        for claim in claims if not slept else ():
            slept.append(claim.lease.until)
            claim.lease.until -= 2 * LEASE.total_seconds()
        return claims

    monkeypatch.setattr(Outbox, "claim_due", suspended_after)
    new = application()
    await store(database, new)
    async with working(database, vitec_url, parks=frozenset({CUSTOMER})) as delivery:
        outcome = await delivery.settled(new)
        assert await delivery.outcomes(new) == ["notsent", "delivered"]
    assert (outcome.status, outcome.main.attempts, len(office.received)) == (Status.DELIVERED, 1, 1)


async def test_stopping_finishes_what_is_in_flight_and_begins_nothing_new(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(delay_seconds=0.4))
    first, second = at_estates("A", "B")
    await store(database, first)
    async with working(database, vitec_url, per_customer=1) as delivery:
        await soon(received(office, 1))
        delivery.worker.stop()
        await store(database, second)
        await asyncio.wait_for(delivery.running, 30)
        assert (await delivery.submission(first.id)).status is Status.DELIVERED
        assert (await delivery.submission(second.id)).main.status is StepStatus.WAITING
    assert estates_asked_for(office) == ["A"]


async def test_an_idle_worker_stops_at_once(
    database: Database, vitec_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 60)
    async with working(database, vitec_url) as delivery:
        delivery.worker.stop()
        await asyncio.wait_for(delivery.running, 30)
    assert delivery.running.done()


async def test_one_hanging_customer_does_not_starve_another(database: Database, vitec_url: str, office: Office) -> None:
    office.inject(Fault(delay_seconds=HANGING, customer_id=CUSTOMER))
    hanging, others = [application() for _ in range(6)], [application(OTHER) for _ in range(6)]
    await store(database, *hanging)
    async with working(database, vitec_url, concurrency=4, per_customer=2) as delivery:
        await soon(received(office, 2))
        await store(database, *others)
        for new in others:
            assert (await delivery.settled(new)).status is Status.DELIVERED
    assert [request.customer_id for request in office.received].count(CUSTOMER) == 2


async def test_as_many_hanging_calls_as_there_are_places_starve_nobody(
    database: Database, vitec_url: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "HANGS_SECONDS", 0.3)
    office.inject(Fault(delay_seconds=HANGING, customer_id=CUSTOMER))
    await store(database, *(application() for _ in range(6)))
    async with working(database, vitec_url, concurrency=2, per_customer=2) as delivery:
        await soon(received(office, 2))
        others = [application(OTHER) for _ in range(6)]
        await store(database, *others)
        for new in others:
            assert (await delivery.settled(new)).status is Status.DELIVERED
    assert [request.customer_id for request in office.received].count(CUSTOMER) == 2


async def test_a_short_database_outage_does_not_end_the_delivery(
    database: Database, vitec_url: str, office: Office
) -> None:
    async def rename(before: str, after: str) -> None:
        statement = text(f"ALTER TABLE {before} RENAME TO {after}")
        await database.write(lambda connection: connection.execute(statement))

    new = application()
    await store(database, new)
    await rename("submissions", "away")
    async with working(database, vitec_url) as delivery:
        still, _ = await asyncio.wait({delivery.running}, timeout=0.2)
        assert not still
        await rename("away", "submissions")
        assert (await delivery.settled(new)).status is Status.DELIVERED


async def test_a_worker_whose_lease_was_taken_records_nothing_and_works_on(
    database: Database, vitec_url: str, office: Office
) -> None:
    taken, next_one = at_estates("TAKEN", "NEXT")
    await store(database, taken)
    by_another = text("UPDATE submissions SET claim = 'another'")
    async with working(database, vitec_url) as delivery:
        with held_answer("TAKEN") as may_come:
            await soon(received(office, 1))
            await database.write(lambda connection: connection.execute(by_another))
            await store(database, next_one)
            assert (await delivery.settled(next_one)).status is Status.DELIVERED
            await time_passes(database, LEASE)
            may_come.set()
            await delivery.attempted(taken, 1)
        assert not delivery.running.done()
        outcomes = await delivery.outcomes(taken)
    assert outcomes[0] == "ambiguous"  # by whoever took over when that lease had run out


async def test_what_was_being_claimed_when_the_stop_came_has_as_much_time_to_end(
    database: Database, vitec_url: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.inject(Fault(delay_seconds=0.5, times=1))
    office.inject(Fault(delay_seconds=1, times=1))
    first, second = at_estates("A", "B")
    claim_due = Outbox.claim_due

    async def stopped_meanwhile(outbox: Outbox, *asked: Any) -> list[Claim]:
        claims = await claim_due(outbox, *asked)
        if [claim.id for claim in claims] == [second.id]:
            delivery.worker.stop()
            await asyncio.wait({delivery.running}, timeout=0.1)
        return claims

    monkeypatch.setattr(Outbox, "claim_due", stopped_meanwhile)
    await store(database, first)
    async with working(database, vitec_url) as delivery:
        await soon(received(office, 1))
        await store(database, second)
        await asyncio.wait_for(delivery.running, 30)
        assert await delivery.outcomes(first) == await delivery.outcomes(second) == ["delivered"]


async def test_a_call_that_outlasts_the_stop_is_cut_off_and_recorded_as_what_it_then_is(
    database: Database, vitec_url: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "STOP_SECONDS", 0.2)
    office.inject(Fault(delay_seconds=HANGING, times=1))
    new = application()
    await store(database, new)
    async with working(database, vitec_url, retry=timedelta(seconds=1)) as delivery:
        await soon(received(office, 1))
        delivery.worker.stop()
        await asyncio.wait_for(delivery.running, 30)
        assert await delivery.outcomes(new) == ["ambiguous"]
    async with working(database, vitec_url) as heir:  # at once: no lease has to run out
        assert (await heir.settled(new)).status is Status.DELIVERED


async def test_an_answer_that_came_while_the_database_was_down_is_recorded_afterwards(
    database: Database, vitec_url: str, office: Office
) -> None:
    async def rename(old: str, new: str) -> None:
        await database.write(lambda connection: connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}")))

    office.inject(Fault(delay_seconds=0.5, times=1))
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        await soon(received(office, 1))
        await rename("attempts", "away")
        await asyncio.wait({delivery.running}, timeout=1)
        await rename("away", "attempts")
        assert (await delivery.settled(new)).status is Status.DELIVERED
    assert len(office.received) == 1


async def test_a_submission_that_needs_attention_is_logged_as_an_error(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=400, times=1))
    rejected, delivered = at_estates("A", "B")
    await store(database, rejected)
    with capture_logs() as lines:

        async def logged() -> dict[str, str] | None:
            """Once both have been, which is a little after each is recorded."""
            levels = {line["submission"]: line["log_level"] for line in lines if line["event"] == "attempt"}
            return levels if len(levels) == 2 else None

        async with working(database, vitec_url) as delivery:
            await delivery.settled(rejected)
            await store(database, delivered)
            assert await soon(logged) == {rejected.id: "error", delivered.id: "info"}
