"""Two workers on one PostgreSQL that record at once, whatever they have to tell of the logins: neither waits for what
the other has while it has what the other waits for."""

import asyncio
import random
from collections.abc import Sequence

import pytest
from sqlalchemy import delete, text

from app.delivery.claims import Claim, Signal, StepOutcome
from app.delivery.outbox import Outbox
from app.domain.submission import AttemptOutcome, StepStatus
from app.storage.database import Database
from app.storage.schema import logins
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import OTHER, application, logins_of, opened, outbox_of, store

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
    """How many there have been. A connection's count is complete once it is closed."""
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


async def forget_logins(database: Database) -> None:
    await database.write(lambda connection: connection.execute(delete(logins)))
