"""Helpers of the delivery tests: a worker that delivers to the sandbox."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from app.delivery.deliverer import Deliverer
from app.delivery.retry_policy import RetryPolicy
from app.delivery.worker import Worker
from app.domain.submission import FINAL, Status, Submission
from app.intake.new_submission import NewSubmission
from app.lookups.contact_reader import ContactReader
from app.lookups.lookup_queue import LookupQueue
from app.sandbox import Office
from app.storage.database import POSTGRESQL_WRITERS, Database
from app.vitec.client import Credential, VitecClient
from app.vitec.throttle import Throttle
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import OTHER, application, attempts_of, logins_of, outbox_of, soon, submission_of

MILLISECOND = timedelta(milliseconds=1)
HANGING = 30.0  # seconds; no test waits for it
LEASE = timedelta(seconds=30)  # of one that dies, too: where it must have run out, time passes in the database
CREDENTIALS = {CUSTOMER: Credential("secret", "crm-secret"), OTHER: Credential("other", "other-crm")}


@dataclass
class Delivery:
    """A running worker and its database."""

    database: Database
    worker: Worker
    running: asyncio.Task[None]
    recorded: list[str]
    vitec: VitecClient
    contact_reader: ContactReader

    def time_out(self) -> None:
        """Lets the calls in progress end as if they had taken too long."""
        self.vitec.abandon()

    async def submission(self, submission_id: str) -> Submission:
        return await submission_of(self.database, submission_id)

    async def settled(self, new: NewSubmission) -> Submission:
        async def check() -> Submission | None:
            saved = await self.submission(new.id)
            return saved if saved.status is not Status.PENDING else None

        return await soon(check)

    async def all_done(self, new: NewSubmission) -> Submission:
        """The submission, once all its steps are final."""

        async def check() -> Submission | None:
            saved = await self.submission(new.id)
            return saved if all(step.status in FINAL for step in saved.steps) else None

        return await soon(check)

    async def outcomes(self, new: NewSubmission) -> list[str | None]:
        return [attempt.outcome for attempt in await attempts_of(self.database, new.id)]

    async def attempted(self, new: NewSubmission, times: int) -> None:
        """Waits until so many attempts have ended."""

        async def check() -> bool:
            return len([outcome for outcome in await self.outcomes(new) if outcome]) >= times

        await soon(check)


@asynccontextmanager
async def working(
    database: Database,
    vitec_url: str,
    *,
    retry: timedelta = MILLISECOND,
    probe: timedelta = 50 * MILLISECOND,
    lease: timedelta = LEASE,
    give_up: timedelta = timedelta(hours=1),
    parks: frozenset[str] = frozenset(),
    concurrency: int = 8,
    per_customer: int = 2,
    throttle: Throttle | None = None,
    outage: timedelta = timedelta(0),
) -> AsyncIterator[Delivery]:
    """Runs a worker until the end of the `with`. Then it dies, and whatever it was doing is left as it is."""
    outside = asyncio.all_tasks()
    throttle = throttle or Throttle(10_000)
    vitec = VitecClient(vitec_url, "partner", CREDENTIALS, HANGING, concurrency)
    logins = logins_of(database, probe, outage)
    outbox = outbox_of(database, lease, logins)
    policy = RetryPolicy((retry,), give_up)
    recorded: list[str] = []
    worker = Worker(
        outbox,
        Deliverer(outbox, vitec, policy, parks, throttle, lambda claim, _: recorded.append(claim.id)),
        [CUSTOMER, OTHER],
        concurrency=concurrency,
        concurrency_per_customer=per_customer,
        lease=lease,
        throttle=throttle,
        abandon=vitec.abandon,
    )
    running = asyncio.create_task(worker.run())
    try:
        yield Delivery(database, worker, running, recorded, vitec, ContactReader(vitec, LookupQueue(logins, throttle)))
    finally:
        await _cancel_all_but(outside)
        await _writers_idle(database)
        await vitec.close()


async def _cancel_all_but(outside: set[asyncio.Task[Any]]) -> None:
    while its_own := asyncio.all_tasks() - outside:  # Python 3.11's `wait_for` can swallow a cancellation
        for task in its_own:
            task.cancel()
        await asyncio.wait(its_own, timeout=0.1)


async def _writers_idle(database: Database) -> None:
    """Waits for the dead worker's threads, which still commit a claim that it was making: that must not come later and
    take what the test stores next. If the database is unavailable, nothing comes."""
    number = 1 if database.is_sqlite else POSTGRESQL_WRITERS
    all_here = Barrier(number, timeout=5)
    works = (database.write(lambda _: all_here.wait()) for _ in range(number))
    await asyncio.gather(*works, return_exceptions=True)


@contextmanager
def held_answer(estate: str) -> Iterator[asyncio.Event]:
    """Withholds Vitec's answers about that estate until the event is set."""
    post, may_come = VitecClient.post, asyncio.Event()

    async def held(vitec: VitecClient, operation: Any, customer_id: str, resource: Any, *more: Any) -> Any:
        answer = await post(vitec, operation, customer_id, resource, *more)
        if estate in resource:
            await may_come.wait()
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VitecClient, "post", held)
        yield may_come


async def has_head(vitec: VitecClient) -> None:
    """Waits until the head of an answer has been received and its body is awaited."""

    async def check() -> bool:
        pools: Any = [pool.transport for pool in vitec._pools]
        connections = [connection for pool in pools for connection in pool._pool.connections]
        return any(
            str(getattr(connection._connection, "_h11_state", None) and connection._connection._h11_state.their_state)
            == "SEND_BODY"
            for connection in connections
        )

    await soon(check)


def received(office: Office, number: int) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return len(office.received) >= number

    return check


def at_estates(*estates: str, customer_id: str = CUSTOMER) -> list[NewSubmission]:
    return [application(customer_id, resource=(estate,)) for estate in estates]


def estates_asked_for(office: Office) -> list[str]:
    return [request.path.split("/")[4] for request in office.received]
