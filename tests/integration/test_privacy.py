"""Access and erasure requests, on either database: everything is found, and erased again after a restore."""

import json
import os
import resource
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, update
from structlog.testing import capture_logs

from app.delivery.claims import StepOutcome
from app.delivery.outbox import Outbox
from app.domain.ids import reference_of
from app.domain.submission import AttemptOutcome, Operation, PlannedStep, Status, StepStatus
from app.maintenance.key_rotation import rotate
from app.privacy.erasure_log import Erasure, ErasureLog, ErasureLogError
from app.privacy.requests import PersonQuery, PrivacyRequests
from app.privacy.retention import Retention, RetentionPeriods
from app.privacy.retention_job import RetentionJob
from app.privacy.search import BATCH, PersonSearch
from app.storage.database import Database
from app.storage.encrypted_fields import payload_aad
from app.storage.encryption import KeyedHash, Keyring
from app.storage.schema import submissions
from app.submissions.erasure import erase
from app.submissions.operator_actions import OperatorActions
from app.submissions.repository import SubmissionRepository
from tests.integration.storage_helpers import (
    BOOKING,
    CONTACT_HASH,
    KEYRING,
    LEAD_AFTER,
    MINUTE,
    OTHER,
    again,
    application,
    claim_one,
    ids,
    logins_of,
    marked,
    outbox_of,
    row_of,
    store,
    submission,
)

pytestmark = pytest.mark.anyio

LATER = datetime.now(UTC) + timedelta(days=1)

BODY = {
    "firstName": "Anna",
    "email": {"emailAddress": "Anna@example.se", "emailAddress2": "second@example.se"},
    "telephone": {"cell": "+46701740605", "work": "+468123456x12"},
}
NEW_KEY = b"fedcba9876543210fedcba9876543210"
PROOF = KeyedHash("a secret key for the tests alone", "erasure log")
ERASURE = Erasure(datetime.now(UTC), "email", b"0123456789abcdef", None)


@pytest.fixture
def people(database: Database) -> PersonSearch:
    return PersonSearch(database, KEYRING, KeyedHash("a secret key for the tests alone", "erasures"), CONTACT_HASH)


async def find(people: PersonSearch, *values: str) -> list[str]:
    traces, closed = await people.find({people.digest_of(value) for value in values})
    assert closed == 0
    return [trace.id for trace in traces]


@pytest.mark.parametrize(
    "value", ["anna@example.se", "ANNA@example.se", "second@example.se", "+46701740605", "+468123456"]
)
async def test_a_person_is_found_by_every_address_and_number(
    database: Database, people: PersonSearch, value: str
) -> None:
    new, another = application(body=BODY), application(body={"firstName": "Bo"})
    await store(database, new, another)
    assert await find(people, value) == [new.id]


async def test_a_submission_is_found_by_its_id_and_its_reference(database: Database, people: PersonSearch) -> None:
    new = application()
    # Of those of one second, one in a thousand shares its reference.
    another = next(one for one in iter(application, None) if reference_of(one.id) != reference_of(new.id))
    await store(database, new, another)
    assert await find(people, new.id) == await find(people, reference_of(new.id).lower()) == [new.id]


async def test_a_contact_is_found_by_what_vitec_answered_by_the_path_and_by_the_body(
    database: Database, people: PersonSearch
) -> None:
    booked = application()
    await store(database, booked)
    outbox = outbox_of(database)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, result="C7"))
    promise = submission(
        Operation.LOAN_PROMISE, PlannedStep(Operation.LOAN_PROMISE, ("C7",), {"bank": "SBAB"}), resource=("C7",)
    )
    body = {"contactId": "C7", "leadSourceId": "web"}
    lead = submission(Operation.LEAD, PlannedStep(Operation.LEAD, (), body), body=body)
    await store(database, promise, lead)
    assert await find(people, "C7") == [booked.id, promise.id, lead.id]


@pytest.mark.parametrize("value", ["Anna", "ma", "Interested", "", "OBJ1", "8112189876"])
async def test_only_what_names_a_person_finds_one(database: Database, people: PersonSearch, value: str) -> None:
    """`intresse leads erase --id "$REFERENCE"` with a mistaken or unset variable must not erase strangers."""
    body = BODY | {"status": "Interested", "contactMessage": "x", "socialSecurityNumber": "8112189876"}
    body |= {"email": {"emailAddress": "max@example.se"}}
    new = application(body=body)
    await store(database, new)
    assert await find(people, value) == ([new.id] if value.isdecimal() else [])


async def test_a_search_covers_more_than_one_batch(database: Database, people: PersonSearch) -> None:
    last = application(body={"email": {"emailAddress": "zoë@example.se"}})
    await store(database, *(application(body={"firstName": "Bo"}) for _ in range(BATCH + 1)), last)
    assert await find(people, "zoë@example.se") == [last.id]


async def test_submissions_that_no_key_decrypts_are_counted_and_reported(database: Database) -> None:
    await store(database, application())
    people = PersonSearch(database, Keyring([NEW_KEY]), KeyedHash("another", "erasures"), CONTACT_HASH)
    assert await people.find({b"anything"}) == ([], 1)


async def test_everything_is_re_encrypted_with_the_first_key(database: Database) -> None:
    new = [application() for _ in range(250)]
    await store(database, *new)
    outbox = outbox_of(database)
    claim = await claim_one(outbox)
    refusal = {"message": "Anna finns redan"}
    await outbox.record(
        claim, claim.steps[0], StepOutcome(StepStatus.REJECTED, AttemptOutcome.REJECTED, upstream=refusal)
    )
    both = Keyring([NEW_KEY, b"0123456789abcdef0123456789abcdef"])
    done = await rotate(database, both)
    assert (done.values, done.unreadable) == (251, 0)
    assert (await rotate(database, both)).values == 0
    alone = Keyring([NEW_KEY])
    for new_submission in new:
        assert alone.decrypt((await row_of(database, new_submission.id)).payload, payload_aad(new_submission.id))[
            "application"
        ]
    refused = await SubmissionRepository(database, alone).get(claim.id)
    assert refused is not None
    assert refused.refusal == refusal


async def test_values_that_cannot_be_decrypted_are_left_unchanged_and_reported(database: Database) -> None:
    await store(database, application())
    before = await row_of(database, (await _only(database)))
    done = await rotate(database, Keyring([NEW_KEY]))
    assert (done.values, done.unreadable) == (0, 1)
    assert (await row_of(database, before.id)).payload == before.payload


async def _only(database: Database) -> str:
    [submission_id] = ids(database)
    return submission_id


async def test_a_worker_delivers_submissions_that_are_re_encrypted_meanwhile(database: Database) -> None:
    await store(database, application())
    both = Keyring([NEW_KEY, b"0123456789abcdef0123456789abcdef"])
    outbox = Outbox(database, both, logins_of(database), MINUTE, MINUTE)
    claim = await claim_one(outbox)
    await rotate(database, both)
    await outbox.record(claim, claim.steps[0], StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, result="C7"))
    saved = await SubmissionRepository(database, both).get(claim.id)
    assert saved is not None
    assert (saved.main.status, saved.main.result) == (StepStatus.DELIVERED, "C7")


def test_an_erasure_is_written_down_as_a_hash_and_read_again(tmp_path: Path) -> None:
    log = ErasureLog(tmp_path / "new" / "erasures.log", PROOF)
    assert log.read() == []
    erasures = [replace(ERASURE, customer_id=id_) for id_ in (None, "M12345", "")]
    lines = [log.append(erasure) for erasure in erasures]
    assert log.read() == erasures
    assert log.path.read_text().splitlines() == lines
    assert log.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("spoil", ["by", "at", "hash", "proof"])
def test_an_altered_line_of_the_erasure_log_is_reported(tmp_path: Path, spoil: str) -> None:
    log = ErasureLog(tmp_path / "erasures.log", PROOF)
    line = json.loads(log.append(ERASURE))
    log.path.write_text(json.dumps(line | {spoil: line[spoil][:-1] + "0x"}) + "\n")
    with pytest.raises(ErasureLogError, match="line 1: altered"):
        log.read()


@pytest.mark.parametrize("left", [1, 5, 40, -1])
def test_a_truncated_line_of_the_erasure_log_is_skipped_and_the_next_line_is_complete(
    tmp_path: Path, left: int
) -> None:
    log = ErasureLog(tmp_path / "erasures.log", PROOF)
    first, cut = log.append(ERASURE), log.append(ERASURE)
    log.path.write_text(f"{first}\n{cut[:left]}")
    second = replace(ERASURE, customer_id="M12345")
    log.append(second)
    assert log.read() == [ERASURE, second]
    log.path.write_text(f"{first}\n" + "\0" * 30)
    assert log.read() == [ERASURE]


def test_a_line_that_the_disk_has_no_room_for_leaves_nothing_behind(tmp_path: Path) -> None:
    log = ErasureLog(tmp_path / "erasures.log", PROOF)
    first = log.append(ERASURE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(first) + 20, limits[1]))  # as on a disk that is nearly full
    try:
        with pytest.raises(ErasureLogError, match="File too large"):
            log.append(ERASURE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert log.path.read_text() == f"{first}\n"


def test_an_unwritable_erasure_log_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ErasureLogError, match="erasure log"):
        ErasureLog(tmp_path / "file" / "erasures.log", PROOF).append(ERASURE)


async def test_an_erasure_names_what_vitec_has_and_what_it_may_have(database: Database) -> None:
    delivered, uncertain, ambiguous, sending, _, refused = new = [application() for _ in range(6)]
    await store(database, *new)
    outbox = outbox_of(database)
    for new_submission, outcome in (
        (delivered, StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, result="C7")),
        (uncertain, StepOutcome(StepStatus.UNCERTAIN, AttemptOutcome.AMBIGUOUS)),
        (ambiguous, StepOutcome(StepStatus.WAITING, AttemptOutcome.AMBIGUOUS, retry_in=60 * MINUTE)),
        (refused, StepOutcome(StepStatus.REJECTED, AttemptOutcome.REJECTED)),
    ):
        await only_due(database, new_submission.id)
        claim = await claim_one(outbox)
        await outbox.record(claim, claim.steps[0], outcome)
    await only_due(database, sending.id)
    await claim_one(outbox)
    erased = await database.write(lambda connection: erase(connection, [new_submission.id for new_submission in new]))
    assert {erasure.id for erasure in erased if erasure.arrived} == {delivered.id}
    assert {erasure.id for erasure in erased if erasure.may_have_arrived} == {uncertain.id, ambiguous.id, sending.id}
    statuses = [(await row_of(database, new_submission.id)).status for new_submission in new]
    assert statuses == ["delivered", "uncertain", "uncertain", "uncertain", "failed", "rejected"]


async def test_what_vitec_has_of_an_erased_chain_is_named_once(
    database: Database, people: PersonSearch, tmp_path: Path
) -> None:
    chain = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER)
    await store(database, chain)
    outbox = outbox_of(database)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, result="C7"))
    await outbox.record(claim, claim.steps[1], StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED))
    await outbox.record(claim, claim.steps[2], StepOutcome(StepStatus.UNCERTAIN, AttemptOutcome.AMBIGUOUS))
    erased = await requests_of(database, people, tmp_path).erase(PersonQuery("id", "C7", None))
    assert [submission.id for submission in erased.delivered] == [chain.id]
    assert erased.uncertain == []


async def test_an_export_has_the_contact_that_a_call_names_in_its_path(
    database: Database, people: PersonSearch, tmp_path: Path
) -> None:
    promise = submission(
        Operation.LOAN_PROMISE, PlannedStep(Operation.LOAN_PROMISE, ("C7",), {"bank": "SBAB"}), resource=("C7",)
    )
    await store(database, promise)
    [exported] = await requests_of(database, people, tmp_path).export(PersonQuery("id", "C7", None))
    assert [tuple(step["resource"]) for step in exported["steps"]] == [("C7",)]


async def test_a_request_says_in_the_log_that_not_everything_could_be_searched(
    database: Database, people: PersonSearch, tmp_path: Path
) -> None:
    new = application(body={"firstName": "Bo"})
    await store(database, application(body=BODY), new)
    sealed = Keyring([NEW_KEY]).encrypt(new.application.to_json(), payload_aad(new.id))
    mine = update(submissions).where(submissions.c.id == new.id).values(payload=sealed, email_hash=None)
    await database.write(lambda connection: connection.execute(mine))
    with capture_logs() as lines:
        found = await requests_of(database, people, tmp_path).export(PersonQuery("email", "anna@example.se", None))
    assert len(found) == 1
    assert [line["count"] for line in lines if "not searched" in line["event"]] == [1]


def requests_of(database: Database, people: PersonSearch, folder: Path) -> PrivacyRequests:
    return PrivacyRequests(
        database, SubmissionRepository(database, KEYRING), people, ErasureLog(folder / "erasures.log", PROOF)
    )


async def only_due(database: Database, submission_id: str) -> None:
    def work(connection: Connection) -> None:
        mine = submissions.c.id == submission_id
        connection.execute(update(submissions).where(~mine, submissions.c.due_at.is_not(None)).values(due_at=LATER))
        connection.execute(update(submissions).where(mine).values(due_at=datetime.now(UTC)))

    await database.write(work)


async def test_an_erasure_removes_idempotency_keys_but_a_used_link_stays_used(database: Database) -> None:
    new = application(repeat=marked(b"content!"))
    link = application(repeat=marked(b"the link", lifetime=timedelta(days=91)))
    await store(database, new, link)
    await database.write(lambda connection: erase(connection, [new.id, link.id]))
    rows = [await row_of(database, new_submission.id) for new_submission in (new, link)]
    assert [(row.repeat_key, row.repeat_content) for row in rows] == [(None, None), (b"the link", None)]


def test_a_new_erasure_log_is_on_disk_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(Path(os.readlink(f"/proc/self/fd/{file}"))))
    log = ErasureLog(tmp_path / "erasures.log", PROOF)
    log.append(ERASURE)
    assert synced == [tmp_path, log.path]
    log.append(ERASURE)
    assert synced == [tmp_path, log.path, log.path]


async def test_a_replay_erases_only_what_its_erasure_did(
    database: Database, people: PersonSearch, tmp_path: Path
) -> None:
    ours = application(body=BODY)
    theirs = replace(application(OTHER, body=BODY), received_at=ours.received_at)
    await store(database, ours, theirs, again(ours))
    log = ErasureLog(tmp_path / "erasures.log", PROOF)
    log.append(Erasure(ours.received_at, "email", people.digest_of("anna@example.se"), ours.customer_id))
    assert len(await requests_of(database, people, tmp_path).replay_erasures()) == 1
    assert (await row_of(database, ours.id)).erased_at is not None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("way", ["a request", "one submission", "a replay", "an operator", "retention"])
async def test_erased_data_is_in_no_file_of_the_database(
    database: Database, people: PersonSearch, tmp_path: Path, way: str
) -> None:
    new = application()
    await store(database, new)
    sealed = (await row_of(database, new.id)).payload
    folder = Path(database.url.database or "").parent
    repository, log = SubmissionRepository(database, KEYRING), ErasureLog(tmp_path / "erasures.log", PROOF)
    requests = PrivacyRequests(database, repository, people, log)
    found = await repository.get(new.id)
    assert found is not None

    def files() -> bytes:
        return b"".join(file.read_bytes() for file in folder.glob("intresse.db*"))

    assert sealed[:64] in files()
    if way == "a request":
        await requests.erase(PersonQuery("id", new.id, None))
    elif way == "one submission":
        await requests.erase_submission(found)
    elif way == "a replay":
        log.append(Erasure(LATER, "id", people.digest_of(new.id), None))
        await requests.replay_erasures()
    elif way == "an operator":
        await OperatorActions(database, KEYRING, {}).discard(found)
    else:
        held = update(submissions).values(status=Status.HELD.value, due_at=None)
        await database.write(lambda connection: connection.execute(held))
        await RetentionJob(Retention(database, RetentionPeriods(*[timedelta(microseconds=1)] * 3))).run_once()
    assert (await row_of(database, new.id)).erased_at is not None
    assert sealed[:64] not in files()
