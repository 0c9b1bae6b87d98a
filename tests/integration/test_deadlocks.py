"""No deadlocks on PostgreSQL: between two workers that record outcomes and login states at once, and between a worker
and jobs over all submissions."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import Table, delete, select, text, update

from app.delivery.claims import Claim, Signal, StepOutcome
from app.delivery.outbox import Outbox
from app.domain.submission import AttemptOutcome, StepStatus
from app.maintenance.key_rotation import rotate
from app.privacy.erasure_log import ErasureLog
from app.privacy.requests import PersonQuery, PrivacyRequests
from app.privacy.search import PersonSearch
from app.storage.database import Database
from app.storage.encrypted_fields import step_aad
from app.storage.encryption import KeyedHash, Keyring
from app.storage.schema import logins, steps, submissions
from app.submissions.person_index import PersonIndex
from app.submissions.repository import SubmissionRepository
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import (
    CONTACT_HASH,
    KEYRING,
    MINUTE,
    OTHER,
    application,
    logins_of,
    opened,
    outbox_of,
    store,
)

pytestmark = pytest.mark.anyio

OFFICES = (CUSTOMER, OTHER)
AT_ONCE = 16  # of one office in each worker
ROUNDS = 4
STORIES = {
    "mass 503": [Signal.AWAY],
    "refused": [Signal.REFUSED],
    "forbidden": [Signal.FORBIDDEN],
    "one is let in": [Signal.REFUSED] * 9 + [Signal.LET_IN],
    "everything": list(Signal),
}


async def deadlocks(url: str) -> int:
    """The number of deadlocks so far. A connection's count is complete once it is closed."""
    count = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    with opened(url) as database, database.engine.connect() as connection:
        return int(connection.execute(text(count)).scalar_one())


async def claim_all(worker: Outbox) -> Sequence[Claim]:
    claims = await worker.claim_due(dict.fromkeys(OFFICES, AT_ONCE), AT_ONCE * len(OFFICES))
    assert len(claims) == AT_ONCE * len(OFFICES)
    return claims


async def record_all(worker: Outbox, claims: Sequence[Claim], signals: Sequence[Signal], choose: random.Random) -> None:
    async def record(claim: Claim) -> None:
        signal = choose.choice(signals)
        outcome = StepOutcome(StepStatus.WAITING, AttemptOutcome.UNAVAILABLE, named=(claim.id,), signal=signal)
        await worker.record(claim, claim.steps[0], outcome)

    await asyncio.gather(*(record(claim) for claim in choose.sample(claims, len(claims))))


@pytest.mark.parametrize("story", STORIES)
async def test_workers_that_record_at_once_never_wait_for_each_other(postgresql_url: str, story: str) -> None:
    choose = random.Random(7)
    with opened(postgresql_url) as here, opened(postgresql_url) as there:
        await store(here, *(application(office) for office in OFFICES for _ in range(2 * AT_ONCE)))
        for _ in range(ROUNDS):
            await forget_logins(here)
            workers = [outbox_of(database, logins=logins_of(database)) for database in (here, there)]
            claimed = [await claim_all(worker) for worker in workers]
            records = (record_all(*one, STORIES[story], choose) for one in zip(workers, claimed, strict=True))
            await asyncio.gather(*records)
    assert await deadlocks(postgresql_url) == 0


async def rotate_keys(database: Database) -> None:
    assert (await rotate(database, Keyring([bytes(32), b"0123456789abcdef0123456789abcdef"]))).values == 4


async def fill_person_index(database: Database) -> None:
    assert await PersonIndex(database, CONTACT_HASH, -MINUTE).fill()


async def erase_person(database: Database) -> None:
    search = PersonSearch(database, KEYRING, CONTACT_HASH, CONTACT_HASH)
    with TemporaryDirectory() as folder:
        log = ErasureLog(Path(folder) / "erasures.log", KeyedHash("a secret", "proofs"))
        requests = PrivacyRequests(database, SubmissionRepository(database, KEYRING), search, log)
        erased = await requests.erase(PersonQuery("phone", "+46701740605", None))
    assert erased.count == 2


@pytest.mark.parametrize("table", [submissions, steps], ids=str)
@pytest.mark.parametrize("job", [rotate_keys, fill_person_index, erase_person])
async def test_jobs_over_all_submissions_never_deadlock_with_a_worker(
    postgresql_url: str, job: Callable[[Database], Coroutine[Any, Any, None]], table: Table
) -> None:
    """A worker locks rows by login and then by id, the jobs by id."""
    of_other, of_ours = application(OTHER), application(CUSTOMER)
    identity = table.c.id if table is submissions else table.c.submission_id
    with opened(postgresql_url) as here, opened(postgresql_url) as there:
        await store(here, of_other, of_ours)
        for submission in (of_other, of_ours):
            sealed = KEYRING.encrypt("C1", step_aad(submission.id, 0, "result"))
            seal = update(steps).where(steps.c.submission_id == submission.id).values(result=sealed)
            await here.write(lambda connection, seal=seal: connection.execute(seal))  # type: ignore[misc]
        with here.engine.begin() as recording:
            recording.execute(select(identity).where(identity == of_ours.id).with_for_update())
            working = asyncio.create_task(job(there))
            await asyncio.wait([working], timeout=0.5)
            recording.execute(select(identity).where(identity == of_other.id).with_for_update())
        await working
    assert await deadlocks(postgresql_url) == 0


async def forget_logins(database: Database) -> None:
    await database.write(lambda connection: connection.execute(delete(logins)))
