"""Cached query results, kept in proportion to what they cost."""

import asyncio

import pytest

from app.storage.query_cache import MAX_KEYS, AdaptiveCache

pytestmark = pytest.mark.anyio


class Looks:
    """What was looked for, in order; each look takes as long as it is told to."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seen: list[int] = []
        self._seconds = seconds

    async def __call__(self, key: int) -> int:
        await asyncio.sleep(self._seconds)
        self.seen.append(key)
        return len(self.seen)


async def test_a_result_is_cached_in_proportion_to_what_it_cost() -> None:
    looks = Looks(0.01)
    kept = AdaptiveCache(looks, share=0.0001)
    assert [await kept.get(1), await kept.get(1), await kept.get(2)] == [1, 1, 2]


async def test_simultaneous_callers_share_one_query() -> None:
    looks = Looks(0.01)
    kept = AdaptiveCache(looks, share=0.0001)
    assert await asyncio.gather(*(kept.get(1) for _ in range(5))) == [1] * 5


async def test_an_expired_result_is_queried_again() -> None:
    looks = Looks(0.001)
    kept = AdaptiveCache(looks, share=1e9)  # it is old at once, however slow the machine
    assert [await kept.get(1), await kept.get(1)] == [1, 2]


async def test_a_forgotten_result_is_queried_again() -> None:
    kept = AdaptiveCache(Looks(), share=0.1, shortest=60.0)
    await kept.get(1)
    kept.forget()
    assert await kept.get(1) == 2


async def test_a_failed_query_is_not_cached() -> None:
    async def fails(key: int) -> int:
        raise LookupError(key)

    kept = AdaptiveCache(fails, share=0.1, shortest=60.0)
    for _ in range(2):
        with pytest.raises(LookupError):
            await kept.get(1)


async def test_the_number_of_cached_keys_is_bounded() -> None:
    looks = Looks()
    kept = AdaptiveCache(looks, share=0.1, shortest=60.0)
    for key in range(MAX_KEYS + 1):
        await kept.get(key)
    assert await kept.get(0) == MAX_KEYS + 2
