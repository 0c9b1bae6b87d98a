"""PostgreSQL's answers are lost: no commit is reported before the database has been asked about it."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, make_url, select, text

from app.delivery import outbox as outbox_module
from app.delivery.claims import StepOutcome
from app.domain.submission import AttemptOutcome, Status, StepStatus
from app.intake import intake as intake_module
from app.intake.idempotency import Accepted
from app.sandbox import Office
from app.storage import database as database_module
from app.storage.database import CommitUnknownError, Database, StoreUnavailableError
from app.storage.driver import threads as threads_module
from app.storage.schema import submissions
from tests.integration.delivery_helpers import at_estates, estates_asked_for, working
from tests.integration.storage_helpers import (
    BOOKING,
    LEAD_AFTER,
    again,
    application,
    claim_one,
    connect_all_writers,
    ids,
    marked,
    opened,
    outbox_of,
    soon,
    store,
    submission,
    taking_in,
)
from tests.postgresql_proxy import Cut, Proxy, proxied

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("short_poll")]

CUTS = pytest.mark.parametrize("when", Cut, ids=lambda when: when.name.lower())
DELIVERED = StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, http_status=200)
INTAKE, CLAIM, OUTCOME = b"INSERT INTO submissions", b"SKIP LOCKED", b"ended_at"


@pytest.fixture
def proxy(postgresql_url: str) -> Iterator[Proxy]:
    with proxied(postgresql_url) as made:
        yield made


@pytest.fixture
def through(proxy: Proxy) -> Iterator[Database]:
    """The database through the proxy."""
    with opened(proxy.url) as database:
        yield database


@CUTS
@pytest.mark.parametrize("is_connected", [False, True], ids=["first transaction", "later one"])
async def test_a_post_whose_commit_got_no_answer_is_accepted_once(
    through: Database, proxy: Proxy, when: Cut, is_connected: bool
) -> None:
    if is_connected:
        await connect_all_writers(through)
    new = [application(), application(repeat=marked(b"a key of its own"))]
    async with taking_in(through) as intake:
        proxy.cut(when, INTAKE)
        accepted = await asyncio.gather(*(intake.accept(new_submission) for new_submission in new))
        assert proxy.made == 1
        assert accepted == [Accepted(new_submission.id, repeated=False) for new_submission in new]
        repeated = await intake.accept(new[1])
        assert repeated.id == new[1].id
    assert sorted(ids(through)) == sorted(new_submission.id for new_submission in new)


@CUTS
async def test_a_post_is_accepted_once_however_often_the_answer_is_lost(
    through: Database, proxy: Proxy, when: Cut
) -> None:
    new = application()
    async with taking_in(through) as intake:
        proxy.cut(when, INTAKE, times=2)
        assert await intake.accept(new) == Accepted(new.id, repeated=False)
    assert ids(through) == [new.id]


async def test_a_post_is_accepted_although_its_commit_is_carried_out_while_it_is_stored_again(
    through: Database, proxy: Proxy
) -> None:
    known, new = application(repeat=marked(b"key")), application()
    async with taking_in(through) as intake:
        await intake.accept(known)
        proxy.cut(Cut.LATE, b"FROM submissions")  # the second try, which looks for repeats
        accepted = await asyncio.gather(intake.accept(again(known)), intake.accept(new))
    assert proxy.made == 1
    assert [*accepted] == [Accepted(known.id, repeated=True), Accepted(new.id, repeated=False)]
    assert ids(through) == [known.id, new.id]


@CUTS
async def test_a_claim_whose_commit_got_no_answer_is_delivered_once_and_never_in_doubt(
    through: Database, proxy: Proxy, vitec_url: str, office: Office, when: Cut
) -> None:
    new = at_estates("A", "B")
    await store(through, *new)
    proxy.cut(when, CLAIM)
    async with working(through, vitec_url) as delivery:
        for new_submission in new:
            assert (await delivery.settled(new_submission)).status is Status.DELIVERED
            assert await delivery.outcomes(new_submission) == [AttemptOutcome.DELIVERED]
    assert proxy.made == 1
    assert sorted(estates_asked_for(office)) == ["A", "B"]


@CUTS
async def test_an_outcome_whose_commit_got_no_answer_is_recorded_once(
    through: Database, proxy: Proxy, vitec_url: str, office: Office, when: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RETRY_SECONDS", 0.05)
    new, chain = application(), submission(BOOKING.operation, BOOKING, *LEAD_AFTER)
    await store(through, new)
    proxy.cut(when, OUTCOME)
    async with working(through, vitec_url) as delivery:
        assert (await delivery.settled(new)).status is Status.DELIVERED
        assert await delivery.outcomes(new) == [AttemptOutcome.DELIVERED]
        assert await soon(lambda: among(delivery.recorded, new.id))
        assert proxy.made == 1
        proxy.cut(when, OUTCOME, times=2)
        await store(through, chain)
        outcome = await delivery.all_done(chain)
        assert [step.attempts for step in outcome.steps] == [1, 1, 1]
        assert await delivery.outcomes(chain) == [AttemptOutcome.DELIVERED] * 3
    assert len(office.received) == 4


@pytest.mark.parametrize("begins", [False, True], ids=["recorded", "begun"])
async def test_a_lease_ends_as_the_row_says_although_its_commit_was_found_later(
    through: Database, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, begins: bool
) -> None:
    lease = timedelta(seconds=1)
    monkeypatch.setattr(outbox_module, "RETRY_SECONDS", lease.total_seconds())  # as if PostgreSQL was away for so long
    await store(through, submission(BOOKING.operation, BOOKING, *LEAD_AFTER))
    outbox = outbox_of(through, lease)
    claim = await claim_one(outbox)
    proxy.cut(Cut.AFTER, OUTCOME)
    if begins:
        assert await outbox.record_and_begin(claim, claim.steps[0], DELIVERED, claim.steps[1]) == (True, True)
    else:
        await outbox.record(claim, claim.steps[0], DELIVERED)
    assert proxy.made == 1
    assert not claim.lease.holds
    await claim_one(outbox)  # so another worker may have the submission now, and a call would be a second one


@CUTS
async def test_a_lost_answer_is_not_taken_for_a_refusal(through: Database, proxy: Proxy, when: Cut) -> None:
    count = select(func.count()).select_from(submissions)
    assert await through.write(lambda connection: connection.execute(count).scalar()) == 0
    proxy.cut(when, b"count")
    with pytest.raises(CommitUnknownError):
        await through.write(lambda connection: connection.execute(count).scalar())
    assert await through.write(lambda connection: connection.execute(count).scalar()) == 0


@pytest.mark.parametrize(("tuned", "used"), [("off", "on"), ("remote_apply", "remote_apply")])
async def test_a_commit_is_on_disk_before_it_is_answered_however_the_server_is_tuned(
    postgresql_url: str, tuned: str, used: str
) -> None:
    url = make_url(postgresql_url).update_query_dict({"options": f"-csynchronous_commit={tuned}"})
    with opened(url.render_as_string(hide_password=False)) as database:
        setting = await database.write(lambda connection: connection.execute(text("SHOW synchronous_commit")).scalar())
    assert setting == used


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "WRITE_SECONDS", 3.0)
    monkeypatch.setattr(database_module, "READ_SECONDS", 3.0)
    monkeypatch.setattr(intake_module, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(threads_module, "WATCH_SECONDS", 0.1)
    monkeypatch.setattr(threads_module, "CLOSE_SECONDS", 1.0)


@pytest.mark.usefixtures("impatient")
async def test_a_database_that_falls_silent_leaves_no_post_unanswered_and_a_close_ends(proxy: Proxy) -> None:
    with opened(proxy.url) as database:
        async with taking_in(database) as intake:
            await accepted_again(intake, application())
            proxy.silent.set()
            began = time.monotonic()
            refused = await asyncio.gather(*(intake.accept(application()) for _ in range(3)), return_exceptions=True)
            assert [str(error) for error in refused] == [
                "the database does not answer"
            ] * 3  # said before the write ends
            with pytest.raises(StoreUnavailableError):
                await intake.accept(application())
            with pytest.raises(StoreUnavailableError):
                await database.read(lambda connection: connection.execute(select(submissions.c.id)).all())
            assert time.monotonic() - began < 20
            proxy.silent.clear()
            new = application()
            await accepted_again(intake, new)
            proxy.silent.set()
            hanging = asyncio.ensure_future(
                database.read(lambda connection: connection.execute(select(submissions.c.id)).all())
            )
            await asyncio.sleep(0.1)
        closing = time.monotonic()
    assert time.monotonic() - closing < 20
    hanging.cancel()


async def accepted_again(intake: intake_module.Intake, new: object) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await intake.accept(new)  # type: ignore[arg-type]
            except StoreUnavailableError:
                await asyncio.sleep(0.1)
            else:
                return


async def among(recorded: list[str], submission_id: str) -> bool:
    return submission_id in recorded
