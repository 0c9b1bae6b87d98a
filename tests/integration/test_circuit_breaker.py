"""The state of a login is shared by all processes on the database: pauses, probes, an outage and its end."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from app.delivery import circuit_breaker, claiming
from app.delivery.claims import Signal, StepOutcome
from app.domain.submission import AttemptOutcome, FunctionGroup, Operation, PlannedStep, Status, StepStatus
from app.intake.new_submission import NewSubmission
from app.sandbox import Fault, Office, Person
from app.storage.database import Database, now_of
from app.submissions.backlog import paused_logins
from app.vitec.errors import LoginRefusedError, NotFoundError, UnavailableError
from app.vitec.throttle import Throttle
from tests.conftest import CUSTOMER
from tests.integration.delivery_helpers import (
    MILLISECOND,
    Delivery,
    at_estates,
    estates_asked_for,
    held_answer,
    received,
    working,
)
from tests.integration.storage_helpers import (
    CRM,
    LEAD_AFTER,
    MINUTE,
    OTHER,
    VISITOR,
    application,
    claim_one,
    logins_of,
    opened,
    outbox_of,
    row_of,
    soon,
    store,
    submission,
    time_passes,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("short_poll")]

LONG = timedelta(minutes=5)


def lead(contact: str) -> PlannedStep:
    return PlannedStep(Operation.LEAD, (), {"contactId": contact})


async def test_a_pause_that_one_process_makes_holds_for_all(
    database: Database, database_url: str, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=401, customer_id=CUSTOMER))
    first, *others = at_estates("A", "B", "C", "D")
    await store(database, first)
    with opened(database_url) as another:
        async with working(database, vitec_url, probe=LONG) as here, working(another, vitec_url, probe=LONG) as there:
            await here.attempted(first, 1)
            of_another = application(OTHER)
            await store(database, *others, of_another)
            assert (await there.settled(of_another)).status is Status.DELIVERED
    assert estates_asked_for(office).count("A") == 1
    assert len(office.received) == 2


async def test_one_process_probes_and_the_first_success_ends_the_pause_for_all(
    database: Database, database_url: str, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=401, times=1))
    (first,) = at_estates("A")
    await store(database, first)
    with opened(database_url) as another:
        async with working(database, vitec_url, probe=LONG) as here, working(another, vitec_url, probe=LONG):
            await here.attempted(first, 1)
            later_ones = at_estates(*"BCDEF")
            await store(database, *later_ones)
            await time_passes(database, LONG)
            for new_submission in (first, *later_ones):
                assert (await here.settled(new_submission)).status is Status.DELIVERED
    assert estates_asked_for(office)[1] != "A"  # the probe was another one
    assert len(office.received) == 7


async def test_the_only_submission_probes_again_and_one_line_in_the_log_says_why(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=401, times=3))
    (new,) = at_estates("A")
    await store(database, new)
    with capture_logs() as logged:
        async with working(database, vitec_url, probe=50 * MILLISECOND) as delivery:
            outcome = await delivery.settled(new)
    assert [line["log_level"] for line in logged if line["event"] == "login paused"] == ["error"]
    assert (outcome.status, outcome.main.attempts, len(office.received)) == (Status.DELIVERED, 1, 4)


async def test_three_forbidden_resources_in_a_row_pause_the_login(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=403))
    new = at_estates("A", "B", "C", "D")
    await store(database, *new[:3])
    async with working(database, vitec_url, probe=LONG, retry=MINUTE, per_customer=1) as delivery:
        await soon(received(office, 3))
        await delivery.attempted(new[2], 1)
        await store(database, new[3])
        of_another = application(OTHER)
        office.clear_faults()
        await store(database, of_another)
        await delivery.settled(of_another)
        assert (await delivery.submission(new[3].id)).main.attempts == 0
        await time_passes(database, LONG)
        for new_submission in new:
            assert (await delivery.settled(new_submission)).status is Status.DELIVERED


async def test_one_forbidden_resource_pauses_nothing_however_often_it_is_asked_for(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=403, times=5))
    (new,) = at_estates("A")
    await store(database, new)
    async with working(database, vitec_url, probe=LONG) as delivery:
        outcome = await delivery.settled(new)
    assert (outcome.status, outcome.main.attempts) == (Status.DELIVERED, 6)


async def test_a_success_between_breaks_the_row_of_forbidden_ones(
    database: Database, vitec_url: str, office: Office
) -> None:
    new = at_estates(*"ABCDE")
    async with working(database, vitec_url, probe=LONG, retry=LONG, per_customer=1) as delivery:
        for new_submission in new:
            if new_submission is not new[2]:
                office.inject(Fault(status=403, times=1))
            await store(database, new_submission)
            await delivery.attempted(new_submission, 1)
    assert len(office.received) == 5


async def test_a_probe_that_is_forbidden_backs_off_alone_and_keeps_the_pause(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=403))
    new = at_estates("A", "B", "C", "D")
    await store(database, *new[:3])
    async with working(database, vitec_url, probe=LONG, retry=timedelta(hours=9), per_customer=1) as delivery:
        await delivery.attempted(new[2], 1)
        await store(database, new[3])
        await time_passes(database, LONG)
        await delivery.attempted(new[3], 1)
        assert (await delivery.submission(new[3].id)).main.attempts == 1
        await time_passes(database, LONG)
        await quiet(delivery)
    assert len(office.received) == 4


async def quiet(delivery: Delivery) -> None:
    """Waits half a second, in which everything due has been called."""
    still, _ = await asyncio.wait({delivery.running}, timeout=0.5)
    assert not still


STRANGERS = ("X", "Y", "Z")


async def pause_by_forbidding(delivery: Delivery, office: Office, database: Database) -> list[NewSubmission]:
    """Pauses the login with three estates for which Vitec denies access, as a stranger may name them."""
    strangers = at_estates(*STRANGERS)
    for estate, new in zip(STRANGERS, strangers, strict=True):
        office.inject(Fault(status=403, names=estate))
        await store(database, new)
        await delivery.attempted(new, 1)
    assert await database.read(lambda connection: len(paused_logins(connection))) == 1
    return strangers


async def delivered(delivery: Delivery, database: Database, estate: str) -> None:
    (fresh,) = at_estates(estate)
    await store(database, fresh)
    assert (await delivery.settled(fresh)).status is Status.DELIVERED


async def test_what_was_forbidden_is_no_probe_and_what_comes_fresh_goes_at_once(
    database: Database, vitec_url: str, office: Office
) -> None:
    async with working(database, vitec_url, probe=LONG, retry=MINUTE, per_customer=1) as delivery:
        await pause_by_forbidding(delivery, office, database)
        await time_passes(database, 1.5 * LONG)
        await quiet(delivery)
        assert len(office.received) == 3
        await delivered(delivery, database, "FRESH")
    assert estates_asked_for(office)[3] == "FRESH"


async def test_a_paused_login_that_nothing_else_can_try_is_tried_with_what_was_forbidden(
    database: Database, vitec_url: str, office: Office
) -> None:
    async with working(database, vitec_url, probe=LONG, retry=MINUTE, per_customer=1) as delivery:
        strangers = await pause_by_forbidding(delivery, office, database)
        await time_passes(database, 2 * LONG)
        await soon(received(office, 4))
        await quiet(delivery)
        assert len(office.received) == 4  # one of them
        await delivered(delivery, database, "FRESH")  # and what comes then need not wait for it
        for new_submission in strangers:
            await delivery.attempted(new_submission, 2)  # the pause is over: none is on its way when the next begins
        await pause_of(database)
        office.clear_faults()
        await time_passes(database, 2 * LONG)
        for new_submission in strangers:
            assert (await delivery.settled(new_submission)).status is Status.DELIVERED


async def test_the_only_submission_tries_a_paused_login_again_although_it_was_forbidden_before(
    database: Database,
) -> None:
    outbox = outbox_of(database, logins=logins_of(database, LONG))
    forbidden = StepOutcome(StepStatus.WAITING, AttemptOutcome.FORBIDDEN, retry_in=MINUTE)
    await store(database, application())
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], forbidden)
    await pause_of(database)
    for _ in range(2):
        await time_passes(database, 2 * LONG)
        claim = await claim_one(outbox)
        assert not claim.probes
        await outbox.record(claim, claim.steps[0], forbidden)


async def pause_of(database: Database) -> None:
    """Pauses the login again, as another process's 401 does."""
    await logins_of(database, LONG).record_lookup((CUSTOMER, FunctionGroup.ADVERTISING), Signal.REFUSED)


async def test_what_was_forbidden_before_makes_no_other_pause_and_grows_old_alone(
    database: Database, vitec_url: str, office: Office
) -> None:
    day, give_up = timedelta(days=1), timedelta(hours=96)
    async with working(database, vitec_url, probe=LONG, retry=day, give_up=give_up, per_customer=1) as delivery:
        strangers = await pause_by_forbidding(delivery, office, database)
        for number in range(2, 7):
            await time_passes(database, day)
            await delivered(delivery, database, f"FRESH{number}")
            await time_passes(database, day)
            for new_submission in strangers:
                if (await delivery.submission(new_submission.id)).status is Status.PENDING:
                    await delivery.attempted(new_submission, number)
            assert await database.read(paused_logins) == []
        assert [(await delivery.submission(new_submission.id)).status for new_submission in strangers] == [
            Status.FAILED
        ] * 3


async def test_steps_of_chains_are_counted_by_the_contact_that_they_name(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=403, operation="contact"))
    async with working(database, vitec_url, probe=LONG, retry=MINUTE, per_customer=1) as delivery:
        for number in range(3):
            visitor = VISITOR["updatePerson"] | {"firstName": f"Anna{number}", "cellPhone": f"+4670174060{number}"}
            booking = PlannedStep(Operation.VIEWING, ("VIS1", f"SLOT{number}"), {"updatePerson": visitor})
            chain = submission(Operation.VIEWING, booking, *LEAD_AFTER)
            await store(database, chain)
            await delivery.attempted(chain, 2)
        (pause,) = await database.read(paused_logins)
    assert (pause.customer_id, pause.group) == CRM


async def test_of_any_number_of_processes_one_tries_a_paused_login(
    database: Database, database_url: str, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=401, times=1))
    office.inject(Fault(delay_seconds=30))
    new = at_estates(*"ABCDEFGH")
    await store(database, new[0])
    probe = timedelta(seconds=0.3)
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(working(database, vitec_url, probe=LONG))
        await here.attempted(new[0], 1)
        await store(database, *new[1:])
        for _ in range(3):
            another = stack.enter_context(opened(database_url))
            await stack.enter_async_context(working(another, vitec_url, probe=probe))
        await time_passes(database, LONG)
        await soon(received(office, 2))
        await quiet(here)
        assert len(office.received) == 2  # it hangs for longer than a rest, and there is no other meanwhile


async def test_a_pause_has_lasted_since_the_first_refusal(database: Database) -> None:
    logins = logins_of(database)
    since = []
    for _ in range(2):
        await logins.record_lookup(CRM, Signal.REFUSED)
        since += [login.since for login in await database.read(paused_logins)]
    assert since[0] == since[1]


async def test_a_success_ends_the_pause_of_its_own_login_alone(database: Database) -> None:
    logins = logins_of(database)
    for customer in (CUSTOMER, OTHER):
        await logins.record_lookup((customer, FunctionGroup.ADVERTISING), Signal.REFUSED)
    await logins.record_lookup((CUSTOMER, FunctionGroup.ADVERTISING), Signal.LET_IN)
    assert [login.customer_id for login in await database.read(paused_logins)] == [OTHER]


async def test_another_customers_call_that_is_under_way_holds_up_no_probe(database: Database) -> None:
    outbox, logins = outbox_of(database, lease=2 * LONG), logins_of(database, LONG)
    await store(database, application(OTHER), new := application())
    await logins.record_lookup((CUSTOMER, FunctionGroup.ADVERTISING), Signal.REFUSED)
    await claim_one(outbox, OTHER)
    await time_passes(database, LONG)
    assert (await claim_one(outbox)).id == new.id


async def test_a_probe_whose_worker_died_holds_up_the_next_only_until_its_lease_has_run_out(database: Database) -> None:
    outbox, logins = outbox_of(database, lease=2 * LONG), logins_of(database, LONG)
    await store(database, new := application())
    await logins.record_lookup((CUSTOMER, FunctionGroup.ADVERTISING), Signal.REFUSED)
    await time_passes(database, LONG)
    assert (await claim_one(outbox)).probes
    await time_passes(database, 1.5 * LONG)
    assert not await logins.may_read((CUSTOMER, FunctionGroup.ADVERTISING))
    await time_passes(database, LONG)
    assert (await claim_one(outbox)).id == new.id


@pytest.mark.parametrize("order", [False, True], ids=["the probe last", "the probe first"])
async def test_a_probe_takes_one_of_its_customers_places(
    database: Database, monkeypatch: pytest.MonkeyPatch, order: bool
) -> None:
    monkeypatch.setattr(claiming, "shuffle", lambda credentials: credentials.sort(reverse=order))
    await store(database, application(), submission(Operation.LEAD, lead("C1")))
    await logins_of(database, LONG).record_lookup(CRM, Signal.REFUSED)
    await time_passes(database, LONG)
    (claim,) = await outbox_of(database).claim_due({CUSTOMER: 1}, 1)
    assert claim.probes is order


async def test_the_end_of_a_pause_makes_nothing_younger_that_vitec_had_forbidden(database: Database) -> None:
    outbox, logins = outbox_of(database), logins_of(database)
    await store(database, *(new := at_estates("FORBIDDEN", "WAITED")))
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], StepOutcome(StepStatus.WAITING, AttemptOutcome.FORBIDDEN, retry_in=LONG))
    before = [(await row_of(database, new_submission.id)).delivery_since for new_submission in new]
    await logins.record_lookup((CUSTOMER, FunctionGroup.ADVERTISING), Signal.REFUSED)
    await logins.record_lookup((CUSTOMER, FunctionGroup.ADVERTISING), Signal.LET_IN)
    after = [(await row_of(database, new_submission.id)).delivery_since for new_submission in new]
    is_younger = {
        new_submission.id: later > earlier for new_submission, earlier, later in zip(new, before, after, strict=True)
    }
    assert is_younger == {new_submission.id: new_submission.id != claim.id for new_submission in new}


async def test_time_spent_paused_does_not_count_towards_giving_up(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=401, times=1))
    first, second = at_estates("A", "B")
    await store(database, first)
    async with working(database, vitec_url, probe=LONG, give_up=timedelta(hours=96), per_customer=1) as delivery:
        await delivery.attempted(first, 1)
        await store(database, second)
        office.inject(Fault(status=503, names="B", times=2))  # the probe, and the first call after the pause
        await time_passes(database, timedelta(hours=200))
        await delivery.attempted(second, 1)
        await time_passes(database, timedelta(hours=1))
        for new_submission in (first, second):
            assert (await delivery.settled(new_submission)).status is Status.DELIVERED


async def test_a_call_that_was_under_way_when_the_login_was_refused_may_end_the_pause(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=401, names="REFUSED", times=1))
    slow, refused = at_estates("SLOW", "REFUSED")
    await store(database, slow)
    async with working(database, vitec_url, probe=LONG, per_customer=2) as delivery:
        with held_answer("SLOW") as may_come:
            await soon(received(office, 1))
            await store(database, refused)
            await delivery.attempted(refused, 1)
            may_come.set()
            assert (await delivery.settled(slow)).status is Status.DELIVERED
        assert (await delivery.settled(refused)).status is Status.DELIVERED


async def test_a_success_ends_a_pause_that_another_thread_was_just_too_early_to_see(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that looks for pauses begins to look before one is committed, and ends after it."""
    breaker, login = logins_of(database), (CUSTOMER, FunctionGroup.ADVERTISING)
    looked, committed = Event(), Event()
    without_delay = circuit_breaker._ANY.rows

    def delayed(connection: Connection, values: Mapping[str, object]) -> Sequence[object]:
        rows = without_delay(connection, values)
        looked.set()
        assert committed.wait(10)
        return rows

    monkeypatch.setattr(circuit_breaker._ANY, "rows", delayed)
    looking = asyncio.create_task(database.read(breaker.rows))
    assert await asyncio.to_thread(looked.wait, 10)
    await breaker.record_lookup(login, Signal.REFUSED)
    assert len(await database.read(paused_logins)) == 1
    committed.set()
    assert await looking == {}
    await breaker.record_lookup(login, Signal.LET_IN)
    assert await database.read(paused_logins) == []


async def test_a_success_ends_the_pause_also_if_its_transaction_is_repeated(database: Database) -> None:
    breaker, login = logins_of(database), (CUSTOMER, FunctionGroup.ADVERTISING)

    def is_rolled_back(connection: Connection) -> None:
        breaker.lock(connection, login, Signal.LET_IN)
        breaker.record(connection, login, Signal.LET_IN, now_of(connection))
        raise LookupError

    await breaker.record_lookup(login, Signal.REFUSED)
    with pytest.raises(LookupError):
        await database.write(is_rolled_back)
    assert len(await database.read(paused_logins)) == 1
    await breaker.record_lookup(login, Signal.LET_IN)
    assert await database.read(paused_logins) == []


async def test_a_page_does_not_call_vitec_while_any_process_has_paused_the_login(
    database: Database, database_url: str, vitec_url: str, office: Office
) -> None:
    with opened(database_url) as another:
        async with working(database, vitec_url, probe=LONG) as here, working(another, vitec_url, probe=LONG) as there:
            office.inject(Fault(status=401, times=1))
            with pytest.raises(LoginRefusedError):
                await here.contact_reader.contacts(CUSTOMER, ["C1"])
            for process in (here, there):
                with pytest.raises(LoginRefusedError):
                    await process.contact_reader.contacts(CUSTOMER, ["C1"])
            assert len(office.received) == 1
            await time_passes(database, LONG)
            with pytest.raises(NotFoundError):  # the probe: it was let in
                await there.contact_reader.contacts(CUSTOMER, ["C9"])
            with pytest.raises(NotFoundError):
                await here.contact_reader.contacts(CUSTOMER, ["C9"])


async def test_a_lookup_may_be_the_probe_and_then_there_is_no_other(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=401, times=1))
    office.inject(Fault(status=503))
    async with working(database, vitec_url, probe=LONG) as delivery:
        with pytest.raises(LoginRefusedError):
            await delivery.contact_reader.contacts(CUSTOMER, ["C1"])
        await time_passes(database, LONG)
        with pytest.raises(UnavailableError):
            await delivery.contact_reader.contacts(CUSTOMER, ["C1"])
        with pytest.raises(LoginRefusedError):
            await delivery.contact_reader.contacts(CUSTOMER, ["C1"])
    assert len(office.received) == 2


async def test_a_lookups_success_ends_the_pause_also_in_a_process_that_delivers_nothing(database: Database) -> None:
    await logins_of(database, LONG).record_lookup(CRM, Signal.REFUSED)
    await time_passes(database, LONG)
    web = logins_of(database, LONG)
    assert await web.may_read(CRM)
    await web.record_lookup(CRM, Signal.LET_IN)
    assert await database.read(paused_logins) == []


async def test_while_the_database_is_down_a_page_learns_that_vitec_cannot_be_called(
    vitec_url: str, tmp_path: object
) -> None:
    with opened(f"sqlite:///{tmp_path}/no-tables.db") as database:
        async with working(database, vitec_url) as delivery:
            with pytest.raises(UnavailableError):
                await delivery.contact_reader.contacts(CUSTOMER, ["C1"])


async def test_after_an_outage_the_first_success_brings_the_backlog_back(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=503))
    office.contacts[CUSTOMER, "C1"] = Person(id="C1", customer_id=CUSTOMER)
    new = [
        *at_estates("A", "B", "C"),
        submission(Operation.LOAN_PROMISE, PlannedStep(Operation.LOAN_PROMISE, ("C1",), {})),
    ]
    await store(database, *new)
    async with working(database, vitec_url, retry=timedelta(hours=1), outage=MINUTE) as delivery:
        for new_submission in new:
            await delivery.attempted(new_submission, 1)
        office.clear_faults()
        await time_passes(database, 2 * MINUTE)
        fresh = application(resource=("FRESH",))
        await store(database, fresh)
        for new_submission in (fresh, *new):
            assert (await delivery.settled(new_submission)).status in {Status.DELIVERED, Status.REJECTED}
    assert office.received[4].path.split("/")[4] == "FRESH"


@pytest.mark.parametrize(
    "fault",
    [Fault(status=503, headers={"Retry-After": "1800"}), Fault(status=403), Fault(status=500), Fault(status=404)],
    ids=["asked to wait", "forbidden", "ambiguous", "not found"],
)
async def test_what_waits_for_something_else_is_not_brought_back(
    database: Database, vitec_url: str, office: Office, fault: Fault
) -> None:
    office.inject(fault)
    waiting, fresh = at_estates("WAITING", "FRESH")
    await store(database, waiting)
    async with working(database, vitec_url, retry=timedelta(hours=1)) as delivery:
        await delivery.attempted(waiting, 1)
        office.clear_faults()
        office.inject(Fault(status=503, times=1))
        away, _ = at_estates("AWAY", "X")
        await store(database, away)
        await delivery.attempted(away, 1)
        await store(database, fresh)
        await delivery.settled(fresh)
        await delivery.settled(away)  # brought back
        assert (await delivery.submission(waiting.id)).status is Status.PENDING
    assert estates_asked_for(office).count("WAITING") == 1


async def test_a_short_outage_makes_nothing_due_early(database: Database, vitec_url: str, office: Office) -> None:
    office.inject(Fault(status=503, times=1))
    waiting, fresh = at_estates("WAITING", "FRESH")
    await store(database, waiting)
    async with working(database, vitec_url, retry=timedelta(hours=1), outage=MINUTE) as delivery:
        await delivery.attempted(waiting, 1)
        await store(database, fresh)
        await delivery.settled(fresh)
        assert (await row_of(database, waiting.id)).claim is None
        assert (await delivery.submission(waiting.id)).status is Status.PENDING


async def test_a_call_that_is_under_way_is_not_brought_back_and_so_not_sent_twice(database: Database) -> None:
    outbox, calling = outbox_of(database), at_estates("CALLING", "FRESH")
    await store(database, calling[0])
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], unreachable(timedelta(0)))
    again = await claim_one(outbox)
    await store(database, calling[1])
    fresh = await claim_one(outbox)
    assert (again.id, fresh.id) == (calling[0].id, calling[1].id)
    await outbox.record(fresh, fresh.steps[0], DELIVERED)
    assert not await outbox.claim_due({CUSTOMER: 2}, 2)
    assert (await row_of(database, again.id)).claim == again.token


async def test_an_outage_has_lasted_since_the_first_call_that_could_not_be_made(database: Database) -> None:
    logins = logins_of(database, outage=LONG)
    outbox = outbox_of(database, logins=logins)
    await store(database, new := application())
    for _ in range(2):
        claim = await claim_one(outbox)
        await outbox.record(claim, claim.steps[0], unreachable(LONG))
        await time_passes(database, LONG)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], unreachable(timedelta(hours=1)))
    await logins.record_lookup((CUSTOMER, FunctionGroup.ADVERTISING), Signal.LET_IN)
    assert (await claim_one(outbox)).id == new.id


async def test_the_end_of_a_pause_brings_back_what_could_not_be_sent_before_it(database: Database) -> None:
    """However short that outage was: the pause has lasted longer."""
    logins = logins_of(database, outage=LONG)
    outbox, credential = outbox_of(database, logins=logins), (CUSTOMER, FunctionGroup.ADVERTISING)
    await store(database, new := application())
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], unreachable(timedelta(hours=1)))
    await logins.record_lookup(credential, Signal.REFUSED)
    await logins.record_lookup(credential, Signal.LET_IN)
    assert (await claim_one(outbox)).id == new.id


def unreachable(retry_in: timedelta) -> StepOutcome:
    return StepOutcome(
        StepStatus.WAITING, AttemptOutcome.UNAVAILABLE, retry_in=retry_in, at_recovery=True, signal=Signal.AWAY
    )


DELIVERED = StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, signal=Signal.LET_IN)


async def test_what_someone_waits_for_goes_before_the_backlog(database: Database) -> None:
    new = at_estates("OLD", "OLDER", "FRESH")
    await store(database, *new[:2])
    await time_passes(database, MINUTE)
    await store(database, new[2])
    outbox = outbox_of(database)
    claimed = [(await outbox.claim_due({CUSTOMER: 1}, 1))[0].id for _ in new]
    assert claimed == [new[2].id, new[0].id, new[1].id]


async def test_the_backlog_drains_at_the_customers_pace(database: Database, vitec_url: str, office: Office) -> None:
    began: list[float] = []

    class Noted(Throttle):
        def acquire(self, customer: str) -> None:
            began.append(time.monotonic())  # not when Vitec saw it: on a busy machine calls bunch on their way
            super().acquire(customer)

    new = at_estates(*(f"E{number}" for number in range(11)))
    await store(database, *new)
    async with working(database, vitec_url, throttle=Noted(20), per_customer=8) as delivery:
        for new_submission in new:
            await delivery.settled(new_submission)
    assert len(began) == len(office.received) == 11
    assert began[-1] - began[0] >= 0.4
    for first, fourth in zip(began, began[3:], strict=False):
        assert fourth - first >= 0.04


@pytest.mark.parametrize("delivers", [True, False])
async def test_a_success_of_a_working_login_writes_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, delivers: bool
) -> None:
    logins = logins_of(database)
    assert not logins.changes((CUSTOMER, FunctionGroup.ADVERTISING), Signal.LET_IN)
    await logins.record_lookup(CRM, Signal.REFUSED)
    assert logins.changes(CRM, Signal.LET_IN)
    await logins.record_lookup(CRM, Signal.LET_IN)
    await logins.record_lookup(CRM, Signal.LET_IN)  # another, which finds nothing to do
    monkeypatch.setattr(circuit_breaker, "SETTLES_SECONDS", 0)  # a little later
    if delivers:
        await database.read(logins.rows)
    else:
        assert await logins.may_read(CRM)
    assert not logins.changes(CRM, Signal.LET_IN)
