"""Random bytes: as many as asked for, and never the same twice."""

from concurrent.futures import ThreadPoolExecutor

from app.domain.random_bytes import BATCH, RandomBytes


def test_random_bytes_have_the_requested_length_and_never_repeat_in_any_thread() -> None:
    chance = RandomBytes(12)
    with ThreadPoolExecutor(8) as threads:
        drawn = list(threads.map(lambda _: chance.draw(), range(50 * BATCH + 1)))
    assert {len(value) for value in drawn} == {12}
    assert len(set(drawn)) == len(drawn)
