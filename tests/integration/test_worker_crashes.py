"""A worker that dies at any point around any call of a chain, and what the next worker does.

It dies as a process does: nothing of it runs on, nothing is rolled forward, its lease expires.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.delivery.deliverer import Deliverer
from app.delivery.outbox import Outbox
from app.domain.submission import Operation
from app.intake.new_submission import NewSubmission
from app.sandbox import Office
from app.storage.database import Database
from app.vitec.client import VitecClient
from tests.conftest import CUSTOMER
from tests.integration.delivery_helpers import LEASE, working
from tests.integration.storage_helpers import BOOKING, LEAD_AFTER, soon, store, submission, time_passes

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("short_poll"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CHAIN = ("viewing", "contact", "lead")
Work = Callable[..., Awaitable[Any]]


class Killed(BaseException):
    """A base exception, so that nothing catches it."""


def dying(work: Work, number: int, death: asyncio.Event, *, after: bool) -> Work:
    """`work`, except that it dies at its call of this number (0, 1, ...), before doing anything or when all is done."""
    calls = iter(range(100))

    async def killed(*arguments: Any, **named: Any) -> Any:
        mine = next(calls) == number
        if mine and not after:
            death.set()
            raise Killed
        done = await work(*arguments, **named)
        if mine:
            death.set()
            raise Killed
        return done

    return killed


# How often the call reaches Vitec in all: where it is sent again, and where it is parked.
AROUND_A_CALL = {"after the intent": (1, 0), "after the answer": (2, 1)}


def place_death(patch: pytest.MonkeyPatch, boundary: str, place: int) -> asyncio.Event:
    """Lets the worker die at that boundary; the event says that it has. Before the intent of a later call is the same
    as after the record of the previous one: they are one transaction."""
    death = asyncio.Event()
    looks_up = place == 1
    call, number = ("contacts", 0) if looks_up else ("post", place // 2)
    record, recorded = ("record", 0) if place == 2 else ("record_and_begin", place)
    if boundary == "before the intent":
        patch.setattr(Outbox, "claim_due", dying(Outbox.claim_due, 0, death, after=False))
    elif boundary == "after the record":
        patch.setattr(Outbox, record, dying(getattr(Outbox, record), recorded, death, after=True))
    else:
        patch.setattr(
            VitecClient, call, dying(getattr(VitecClient, call), number, death, after=boundary == "after the answer")
        )
    return death


@pytest.mark.parametrize("parks", [False, True], ids=["again", "park"])
@pytest.mark.parametrize("place", range(3), ids=CHAIN)
@pytest.mark.parametrize("boundary", AROUND_A_CALL)
async def test_a_worker_that_dies_around_a_call_leaves_it_to_the_next(
    database: Database, vitec_url: str, office: Office, boundary: str, place: int, parks: bool
) -> None:
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER, resource=("VIS1", "SLOT1"))
    await store(database, new)
    with pytest.MonkeyPatch.context() as patch:
        death = place_death(patch, boundary, place)
        async with working(database, vitec_url) as victim:
            await _ends(victim, death)
            assert await _is_at(victim, new, place)
    parked = parks and place != 1
    parking = frozenset({CUSTOMER}) if parks else frozenset[str]()
    await time_passes(database, LEASE)
    async with working(database, vitec_url, parks=parking) as heir:
        last = "uncertain" if parked else "delivered"
        await soon(lambda: _ended(heir, new, place if parked else 2, last))
    again, once = AROUND_A_CALL[boundary]
    asked = [request.operation.value for request in office.received]
    assert asked.count(CHAIN[place]) == (once if parked else again)
    assert all(asked.count(operation) == 1 for operation in CHAIN[:place])


@pytest.mark.parametrize("place", range(3), ids=CHAIN)
async def test_a_worker_that_dies_after_the_record_repeats_nothing_that_is_recorded(
    database: Database, vitec_url: str, office: Office, place: int
) -> None:
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER, resource=("VIS1", "SLOT1"))
    await store(database, new)
    with pytest.MonkeyPatch.context() as patch:
        death = place_death(patch, "after the record", place)
        async with working(database, vitec_url) as victim:
            await _ends(victim, death)
            assert await _is_done(victim, new, place)
    await time_passes(database, LEASE)
    async with working(database, vitec_url) as heir:
        await soon(lambda: _ended(heir, new, 2, "delivered"))
    asked = [request.operation.value for request in office.received]
    assert [asked.count(operation) for operation in CHAIN] == [1, 1, 1]


async def test_a_worker_that_dies_before_it_claims_has_done_nothing(
    database: Database, vitec_url: str, office: Office
) -> None:
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER, resource=("VIS1", "SLOT1"))
    await store(database, new)
    with pytest.MonkeyPatch.context() as patch:
        place_death(patch, "before the intent", 0)
        async with working(database, vitec_url) as victim:
            await soon(lambda: _finished(victim))
    assert office.received == []
    await time_passes(database, LEASE)
    async with working(database, vitec_url) as heir:
        await soon(lambda: _ended(heir, new, 2, "delivered"))
    assert [request.operation.value for request in office.received] == list(CHAIN)


async def test_a_worker_that_slept_through_its_lease_sends_nothing_when_it_wakes_up(
    database: Database, vitec_url: str, office: Office
) -> None:
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER, resource=("VIS1", "SLOT1"))
    await store(database, new)
    with pytest.MonkeyPatch.context() as patch:
        deliver = Deliverer.deliver
        awake = asyncio.Event()

        async def frozen(self: Deliverer, claim: Any) -> None:
            claim.lease.until = 0  # as its clock says when it wakes up
            await deliver(self, claim)
            awake.set()

        patch.setattr(Deliverer, "deliver", frozen)
        async with working(database, vitec_url) as sleeper:
            await _ends(sleeper, awake)
    assert office.received == []


async def _is_at(delivery: Any, new: NewSubmission, place: int) -> bool:
    return bool((await delivery.submission(new.id)).steps[place].status == "sending")


async def _is_done(delivery: Any, new: NewSubmission, place: int) -> bool:
    return bool((await delivery.submission(new.id)).steps[place].status == "delivered")


async def _ended(delivery: Any, new: NewSubmission, place: int, status: str) -> bool:
    return bool((await delivery.submission(new.id)).steps[place].status == status)


async def _idle(delivery: Any) -> bool:
    return not delivery.worker._running


async def _ends(delivery: Any, event: asyncio.Event) -> None:
    """Waits for the event, and until nothing is in progress. A step can be `sending` before its delivery has begun."""
    await asyncio.wait_for(event.wait(), 30)
    await soon(lambda: _idle(delivery))


async def _finished(delivery: Any) -> bool:
    return bool(delivery.running.done())
