"""The cache of homes: one read for all callers, how long it is kept, and what strangers can do to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from app.bootstrap.services import build_service, prepare_database
from app.lookups import home_cache as home_cache_module
from app.lookups.home_cache import FRESH_SECONDS, STALE_SECONDS, HomeCache
from app.lookups.lookup_queue import LookupQueue
from app.sandbox import Fault, Office, Slot, Viewing
from app.vitec.errors import NotFoundError, UnavailableError
from app.vitec.throttle import Throttle
from tests.conftest import CUSTOMER, Configure

pytestmark = pytest.mark.anyio


class Clock:
    """Monotonic seconds, set by the test."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def home_cache(configure: Configure, clock: Clock) -> AsyncIterator[HomeCache]:
    service = build_service(configure())
    prepare_database(service.database)
    async with service.running(deliver=False):
        yield HomeCache(service.vitec, LookupQueue(service.circuit_breaker, Throttle(10_000)), clock)


def reads(office: Office) -> int:
    return sum(call.operation == "estate" for call in office.received)


async def test_an_answer_is_cached_for_a_minute_and_shown_for_fifteen_while_vitec_is_down(
    configure: Configure, office: Office
) -> None:
    clock = Clock()
    async with home_cache(configure, clock) as homes:
        first = await homes.find(CUSTOMER, "OBJ1", "me")
        clock.now += FRESH_SECONDS - 1
        assert await homes.find(CUSTOMER, "OBJ1", "me") is first
        assert homes.fresh(CUSTOMER, "OBJ1") is first
        clock.now += 2
        assert homes.fresh(CUSTOMER, "OBJ1") is None
        assert await homes.find(CUSTOMER, "OBJ1", "me") is not first
        assert reads(office) == 2

        office.inject(Fault(status=503))
        clock.now += STALE_SECONDS - 1
        stale = await homes.find(CUSTOMER, "OBJ1", "me")
        assert await homes.find(CUSTOMER, "OBJ1", "me") is stale
        assert reads(office) == 3  # not asked again at once
        clock.now += 2 + FRESH_SECONDS
        with pytest.raises(UnavailableError):
            await homes.find(CUSTOMER, "OBJ1", "me")
        office.clear_faults()
        clock.now += FRESH_SECONDS
        assert await homes.find(CUSTOMER, "OBJ1", "me") is not stale


async def test_many_simultaneous_refusals_cause_only_one_or_two_reads(configure: Configure, office: Office) -> None:
    clock = Clock()
    async with home_cache(configure, clock) as homes:
        await homes.find(CUSTOMER, "OBJ1", "me")
        clock.now += 1
        renewed = await asyncio.gather(*(homes.renew(CUSTOMER, "OBJ1", "me") for _ in range(100)))
        assert {home.began_at for home in renewed} == {clock.now}
        assert reads(office) <= 3


async def test_a_thousand_made_up_homes_are_remembered_no_longer_than_there_is_room(
    configure: Configure, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_cache_module, "MAX_FAILED", 100)
    office.estates = frozenset({"OBJ1"})
    async with home_cache(configure, Clock()) as homes:
        known = await homes.find(CUSTOMER, "OBJ1", "me")

        async def ask(number: int) -> bool:
            try:
                await homes.find(CUSTOMER, f"X{number}", f"network {number % 7}")
            except (NotFoundError, UnavailableError):
                return True
            return False

        for start in range(0, 1_000, 500):
            assert all(await asyncio.gather(*map(ask, range(start, start + 500))))
        assert len(homes._unknown) + len(homes._away) <= 2 * 100
        if under_way := [read.task for read in homes._reads.values()]:  # on a busy machine their callers have left
            await asyncio.wait(under_way)
        assert (len(homes._homes), homes._reads, dict(homes._waiting)) == (1, {}, {})
        assert await homes.find(CUSTOMER, "OBJ1", "me") is known


async def test_the_viewing_of_a_slot_is_known_for_as_long_as_the_home_is(configure: Configure, office: Office) -> None:
    soon = office.now() + timedelta(days=1)
    office.viewings = {"VIS1": Viewing("OBJ1", soon, soon)}
    office.slots = {("VIS1", "T1"): Slot()}
    clock = Clock()
    async with home_cache(configure, clock) as homes:
        assert homes.viewing_of(CUSTOMER, "OBJ1", "T1") == ""
        await homes.find(CUSTOMER, "OBJ1", "me")
        clock.now += 10 * STALE_SECONDS
        assert homes.viewing_of(CUSTOMER, "OBJ1", "T1") == "VIS1"
