"""Submissions that can't be read, on either database: each is set aside alone, and continues once a key decrypts it."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from structlog.testing import capture_logs

from app.delivery import unreadable_submissions
from app.delivery.claims import StepOutcome
from app.delivery.unreadable_submissions import resume_readable
from app.domain.submission import AttemptOutcome, Operation, Status, StepStatus
from app.intake.new_submission import NewSubmission
from app.operations.planning import Defaults
from app.privacy.erasure_log import ErasureLog
from app.privacy.requests import PersonQuery, PrivacyRequests
from app.privacy.search import PersonSearch
from app.sandbox import Fault, Office
from app.storage.database import Database, now_of
from app.storage.encrypted_fields import payload_aad, step_aad
from app.storage.encryption import KeyedHash, Keyring
from app.storage.schema import steps, submissions
from app.submissions.backlog import need_a_person, outstanding
from app.submissions.listing import SubmissionFilter, list_submissions
from app.submissions.operator_actions import ActionImpossibleError, ActionProblem, OperatorActions
from app.submissions.repository import SubmissionRepository
from tests.conftest import CUSTOMER
from tests.integration.delivery_helpers import Delivery, received, working
from tests.integration.storage_helpers import (
    BOOKING,
    CONTACT_HASH,
    KEYRING,
    LEAD_AFTER,
    application,
    attempts_of,
    claim_one,
    outbox_of,
    row_of,
    soon,
    store,
    submission,
    submission_of,
    time_passes,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("short_poll")]

LOST = Keyring([b"a key that nobody has any longer"])
DAMAGED: list[Any] = [
    [],
    "text",
    None,
    {},
    {"resource": [], "application": {}, "marketing": {}, "consent": None, "consentedAt": None, "withKey": False},
]


async def seal(database: Database, new: NewSubmission, keyring: Keyring, value: Any = None) -> None:
    sealed = keyring.encrypt(new.application.to_json() if value is None else value, payload_aad(new.id))
    mine = update(submissions).where(submissions.c.id == new.id).values(payload=sealed)
    await database.write(lambda connection: connection.execute(mine))


async def set_aside(delivery: Delivery, new: NewSubmission) -> None:
    assert (await delivery.settled(new)).status is Status.UNREADABLE


async def all_needing_a_person(database: Database) -> list[str]:
    summaries = await list_submissions(database, KEYRING, SubmissionFilter(stuck=True), 100)
    return [summary.id for summary in summaries]


@pytest.mark.parametrize("value", DAMAGED, ids=lambda value: repr(value)[:20])
async def test_a_malformed_submission_is_set_aside_and_stops_no_other(
    database: Database, vitec_url: str, office: Office, value: Any
) -> None:
    damaged, sound = application(), application()
    await store(database, damaged, sound)
    await seal(database, damaged, KEYRING, value if value is not None else {"bodies": None})
    async with working(database, vitec_url) as delivery:
        assert (await delivery.settled(sound)).status is Status.DELIVERED
        await set_aside(delivery, damaged)
        assert await delivery.outcomes(damaged) == [AttemptOutcome.SET_ASIDE]
    assert len(office.received) == 1
    assert (await submission_of(database, damaged.id)).main.status is StepStatus.UNREADABLE


async def test_the_log_does_not_quote_what_could_not_be_read(database: Database) -> None:
    new, error = application(), ValueError("anna@example.se")
    await store(database, new)
    row = await row_of(database, new.id)
    with capture_logs() as lines:
        await database.write(
            lambda connection: unreadable_submissions.set_aside(connection, row, [], now_of(connection), error)
        )
    [line] = lines
    assert [name for name, value in line.items() if "anna" in str(value)] == ["exc_info"]  # its message is not written


async def test_a_submission_that_no_key_decrypts_continues_once_its_key_is_back(
    database: Database, vitec_url: str, office: Office
) -> None:
    new = application()
    await store(database, new)
    await seal(database, new, LOST)
    async with working(database, vitec_url, give_up=timedelta(hours=1)) as delivery:
        await set_aside(delivery, new)
        assert await resume_readable(database, KEYRING) == 0
    await time_passes(database, timedelta(hours=2))  # does not count as its age
    office.inject(Fault(status=503, times=1))
    assert await resume_readable(database, Keyring([KEYRING_BYTES, b"a key that nobody has any longer"])) == 1
    await seal(database, new, KEYRING)  # the worker has no other
    async with working(database, vitec_url, give_up=timedelta(hours=1)) as delivery:
        assert (await delivery.settled(new)).status is Status.DELIVERED
    assert await resume_readable(database, KEYRING) == 0


KEYRING_BYTES = b"0123456789abcdef0123456789abcdef"


async def test_an_unreadable_submission_is_listed_among_those_that_need_attention(
    database: Database, vitec_url: str
) -> None:
    closed, sound = application(), application()
    await store(database, closed, sound)
    await seal(database, closed, LOST)
    async with working(database, vitec_url) as delivery:
        await set_aside(delivery, closed)
        await delivery.settled(sound)
    assert await all_needing_a_person(database) == [closed.id]
    wanted = SubmissionFilter(status=Status.UNREADABLE)
    assert [summary.id for summary in await list_submissions(database, KEYRING, wanted, 9)] == [closed.id]
    numbers = await database.read(need_a_person)
    assert numbers == {(CUSTOMER, Operation.INTEREST.value, Status.UNREADABLE.value): 1}
    assert await database.read(outstanding) == []


async def test_an_unreadable_submission_can_be_discarded_and_does_not_hide_other_data(
    database: Database, vitec_url: str
) -> None:
    closed, sound = application(), application()
    await store(database, closed, sound)
    await seal(database, closed, LOST)
    async with working(database, vitec_url) as delivery:
        await set_aside(delivery, closed)
        await delivery.settled(sound)
    people = PersonSearch(database, KEYRING, KeyedHash("a secret key for the tests alone", "erasures"), CONTACT_HASH)
    traces, others = await people.find({people.digest_of("+46701740605")})
    assert ([trace.id for trace in traces], others) == ([sound.id], 1)
    traces, others = await people.find({people.digest_of("+46701740605")}, "+46701740605")
    assert ([trace.id for trace in traces], others) == ([closed.id, sound.id], 0)
    traces, others = await people.find({people.digest_of(closed.id)})
    assert ([trace.id for trace in traces], others) == ([closed.id], 0)
    assert await OperatorActions(database, KEYRING, {}).discard(await submission_of(database, closed.id))
    assert await all_needing_a_person(database) == []
    row = await row_of(database, closed.id)
    assert (row.status, row.payload, row.due_at) == (Status.FAILED, None, None)
    assert await resume_readable(database, LOST) == 0


MISSHAPEN: list[dict[str, Any]] = [  # these open, but are not what was accepted
    {**DAMAGED[-1], "differences": []},
    {**DAMAGED[-1], "differences": [{"set": {}, "unset": []}]},
]


@pytest.mark.parametrize("value", MISSHAPEN, ids=["no step", "no application"])
async def test_a_misshapen_submission_stops_no_export_and_is_not_retried(
    database: Database, tmp_path: Path, value: dict[str, Any]
) -> None:
    new = application()
    await store(database, new)
    await seal(database, new, KEYRING, value)
    search = PersonSearch(database, KEYRING, KeyedHash("a secret key for the tests alone", "erasures"), CONTACT_HASH)
    log = ErasureLog(tmp_path / "erasures.log", KeyedHash("a secret key for the tests alone", "erasure log"))
    requests = PrivacyRequests(database, SubmissionRepository(database, KEYRING), search, log)
    [exported] = await requests.export(PersonQuery("id", new.id, None))
    assert exported["id"] == new.id
    actions = OperatorActions(database, KEYRING, {CUSTOMER: Defaults()})
    with pytest.raises(ActionImpossibleError) as impossible:
        await actions.retry(await submission_of(database, new.id))
    assert impossible.value.problem is ActionProblem.UNREADABLE


async def test_a_person_is_found_by_what_can_be_read_of_a_submission(database: Database) -> None:
    new = application(more_steps=(BOOKING,))
    await store(database, new)
    outbox = outbox_of(database)
    claim = await claim_one(outbox)
    for step in claim.steps:
        await outbox.record(claim, step, StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, result="C7"))
    lost = LOST.encrypt("C6", step_aad(new.id, 0, "result"))
    first = update(steps).where(steps.c.submission_id == new.id, steps.c.position == 0).values(result=lost)
    await database.write(lambda connection: connection.execute(first))
    await seal(database, new, LOST)
    people = PersonSearch(database, KEYRING, KeyedHash("a secret key for the tests alone", "erasures"), CONTACT_HASH)
    found, others = await people.find({people.digest_of("C7")})
    assert ([match.id for match in found], others) == ([new.id], 0)


async def test_a_call_that_was_interrupted_is_ambiguous_though_nothing_of_it_can_be_read(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(delay_seconds=30, times=1))
    retried, parked = application(), application()
    for new, parks in ((retried, frozenset[str]()), (parked, frozenset({CUSTOMER}))):
        office.inject(Fault(delay_seconds=30, times=1))
        await store(database, new)
        async with working(database, vitec_url):
            await soon(received(office, 1))
        office.received.clear()
        office.clear_faults()
        await seal(database, new, LOST)
        await time_passes(database, timedelta(minutes=1))
        async with working(database, vitec_url, parks=parks) as delivery:
            expected = Status.UNCERTAIN if parks else Status.UNREADABLE
            assert (await delivery.settled(new)).status is expected
            assert (await delivery.outcomes(new))[0] == AttemptOutcome.AMBIGUOUS
    assert office.received == []


async def test_a_lookup_that_was_interrupted_is_set_aside_and_not_in_doubt(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(delay_seconds=30, operation="contact"))
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    async with working(database, vitec_url):
        await soon(received(office, 2))
    await seal(database, new, LOST)
    await time_passes(database, timedelta(minutes=1))
    async with working(database, vitec_url, parks=frozenset({CUSTOMER})) as delivery:
        await soon(lambda: is_unreadable(database, new.id, position=1))
        assert AttemptOutcome.AMBIGUOUS not in await delivery.outcomes(new)


async def test_all_that_can_be_read_again_continues_whichever_step_was_set_aside(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unreadable_submissions, "BATCH", 1)
    own, later = [application() for _ in range(3)], submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, *own, later)
    outbox = outbox_of(database)
    while claims := await outbox.claim_due({CUSTOMER: 1}, 1):
        [claim] = claims
        if claim.id == later.id:
            delivered = StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, result="C1")
            await outbox.record(claim, claim.steps[0], delivered)
        await database.write(partial(aside, claim.id))
    assert await resume_readable(database, KEYRING) == 4


def aside(submission_id: str, connection: Connection) -> None:
    row = connection.execute(select(submissions).where(submissions.c.id == submission_id)).one()
    of_row = select(steps).where(steps.c.submission_id == submission_id).order_by(steps.c.position)
    step_rows = connection.execute(of_row).all()
    unreadable_submissions.set_aside(connection, row, step_rows, now_of(connection), ValueError())


async def test_a_later_step_that_cannot_be_read_leaves_its_submission_delivered(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=503, operation="contact"))
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, new)
    async with working(database, vitec_url, retry=timedelta(milliseconds=200)) as delivery:
        await delivery.attempted(new, 2)
        await seal(database, new, LOST)
        await soon(lambda: is_unreadable(database, new.id, position=1))
        office.clear_faults()
        assert (await submission_of(database, new.id)).status is Status.DELIVERED
        assert await all_needing_a_person(database) == [new.id]
        await seal(database, new, KEYRING)
        assert await resume_readable(database, KEYRING) == 1
        await delivery.all_done(new)
    assert len(office.bookings) == 1


async def is_unreadable(database: Database, submission_id: str, position: int) -> bool:
    of_step = select(steps.c.status).where(steps.c.submission_id == submission_id, steps.c.position == position)

    def work(connection: Connection) -> bool:
        return connection.execute(of_step).scalar() == StepStatus.UNREADABLE

    return await database.read(work)


async def test_a_vitec_message_that_no_key_decrypts_hides_neither_its_submission_nor_a_list(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=400))
    new = application()
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        await delivery.settled(new)
    await database.write(lambda connection: connection.execute(update(steps).values(upstream=b"no such key")))
    leads = SubmissionRepository(database, KEYRING)
    assert [saved.main.upstream for saved in await leads.newest(SubmissionFilter(), None)] == [None]
    assert len(await attempts_of(database, new.id)) == 1
