"""The rate limit per customer, in worked numbers on the test's own clock."""

import itertools

import pytest

from app.vitec.throttle import Throttle

A, B = "M12345", "M67890"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_ten_calls_a_second_are_a_tenth_of_a_second_apart(clock: Clock) -> None:
    throttle = Throttle(10, clock)
    began: list[float] = []
    while len(began) < 21:
        if throttle.available(A):
            throttle.acquire(A)
            began.append(clock.now)
        else:
            clock.now += throttle.seconds_until_available() or 0
    assert began[-1] - began[0] == pytest.approx(2.0)
    assert all(later - earlier >= 0.0999 for earlier, later in itertools.pairwise(began))


def test_idle_time_allows_no_burst(clock: Clock) -> None:
    throttle = Throttle(10, clock)
    throttle.acquire(A)
    clock.now += 3600
    assert throttle.available(A) == 1
    throttle.acquire(A)
    assert throttle.available(A) == 0


@pytest.mark.parametrize(("per_second", "at_once"), [(0.5, 1), (1, 1), (10, 1), (19, 1), (20, 2), (1000, 100)])
def test_a_tenth_of_a_seconds_calls_may_go_at_once(clock: Clock, per_second: float, at_once: int) -> None:
    throttle = Throttle(per_second, clock)
    assert throttle.available(A) == at_once
    for taken in range(1, at_once + 1):
        throttle.acquire(A)
        assert throttle.available(A) == at_once - taken


def test_the_next_wait_for_a_call_that_could_not(clock: Clock) -> None:
    throttle = Throttle(10, clock)
    for _ in range(3):  # a chain's three calls
        throttle.acquire(A)
    assert throttle.seconds_until_available() == pytest.approx(0.3)
    clock.now += 0.29
    assert throttle.available(A) == 0
    clock.now += 0.01
    assert throttle.available(A) == 1


def test_where_several_may_go_at_once_the_wait_is_until_the_first_of_them(clock: Clock) -> None:
    throttle = Throttle(30, clock)
    for _ in range(3):
        throttle.acquire(A)
    assert throttle.available(A) == 0
    assert throttle.seconds_until_available() == pytest.approx(1 / 30)


def test_each_customer_has_its_own_rate_limit(clock: Clock) -> None:
    throttle = Throttle(10, clock)
    throttle.acquire(A)
    assert (throttle.available(A), throttle.available(B)) == (0, 1)


def test_nobody_waits_when_all_may_call(clock: Clock) -> None:
    throttle = Throttle(10, clock)
    assert throttle.seconds_until_available() is None
    throttle.acquire(A)
    clock.now += 0.2
    assert throttle.seconds_until_available() is None


def test_a_lookup_borrows_a_call_and_the_next_one_waits(clock: Clock) -> None:
    throttle = Throttle(10, clock)
    assert throttle.acquire_lookup(A) == 0
    assert throttle.acquire_lookup(A) == pytest.approx(0.1)
    assert throttle.available(A) == 0
    clock.now += 0.1
    assert throttle.acquire_lookup(A) == 0


def test_continuous_deliveries_leave_no_calls_for_lookups(clock: Clock) -> None:
    throttle = Throttle(10, clock)
    for _ in range(50):
        throttle.acquire(A)
        assert throttle.acquire_lookup(A) > 0
        clock.now += 0.1
        assert throttle.acquire_lookup(A) > 0
        assert throttle.available(A) == 1
    clock.now += 0.06
    assert throttle.acquire_lookup(A) == 0


def test_a_lookup_waits_for_the_calls_that_a_chain_has_used_in_advance(clock: Clock) -> None:
    throttle = Throttle(10, clock)
    for _ in range(4):
        throttle.acquire(A)
    clock.now += 0.2
    assert throttle.acquire_lookup(A) > 0
    clock.now += 0.21
    assert throttle.acquire_lookup(A) == 0


def test_a_lookup_asks_again_soon_however_low_the_rate(clock: Clock) -> None:
    throttle = Throttle(1, clock)
    throttle.acquire(A)
    clock.now += 0.9
    assert 0 < throttle.acquire_lookup(A) <= 0.15


@pytest.mark.parametrize("per_second", [0.1, 0.5, 1, 10, 1000])
def test_no_number_of_lookups_holds_up_the_next_delivery_by_more_than_a_second(clock: Clock, per_second: float) -> None:
    throttle = Throttle(per_second, clock)
    lent = 0
    for _ in range(2000):
        lent += throttle.acquire_lookup(A) == 0
        clock.now += 0.01
    assert 1 <= lent <= 20 * per_second + 1
    waited = 0.0
    while not throttle.available(A):
        clock.now += 0.01
        waited += 0.01
    assert waited <= 1.01
