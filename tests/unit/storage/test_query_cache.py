"""Looks that are kept: as long as they took, and longer."""

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


async def test_a_look_is_shown_again_for_as_long_as_its_share_of_the_time_asks() -> None:
    looks = Looks(0.01)
    kept = AdaptiveCache(looks, share=0.0001)
    assert [await kept.get(1), await kept.get(1), await kept.get(2)] == [1, 1, 2]


async def test_whoever_asks_meanwhile_gets_the_same_look() -> None:
    looks = Looks(0.01)
    kept = AdaptiveCache(looks, share=0.0001)
    assert await asyncio.gather(*(kept.get(1) for _ in range(5))) == [1] * 5


async def test_a_look_that_is_old_is_made_anew() -> None:
    looks = Looks(0.001)
    kept = AdaptiveCache(looks, share=1e9)  # it is old at once, however slow the machine
    assert [await kept.get(1), await kept.get(1)] == [1, 2]


async def test_what_has_changed_is_seen_at_once() -> None:
    kept = AdaptiveCache(Looks(), share=0.1, shortest=60.0)
    await kept.get(1)
    kept.forget()
    assert await kept.get(1) == 2


async def test_a_look_that_failed_is_not_kept() -> None:
    async def fails(key: int) -> int:
        raise LookupError(key)

    kept = AdaptiveCache(fails, share=0.1, shortest=60.0)
    for _ in range(2):
        with pytest.raises(LookupError):
            await kept.get(1)


async def test_keys_do_not_pile_up() -> None:
    looks = Looks()
    kept = AdaptiveCache(looks, share=0.1, shortest=60.0)
    for key in range(MAX_KEYS + 1):
        await kept.get(key)
    assert await kept.get(0) == MAX_KEYS + 2
