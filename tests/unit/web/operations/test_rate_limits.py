"""Rate limits of posts: counted in a moving window, on the test's own clock."""

import time
import tracemalloc
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.rates import parse_rate
from app.web.operations import rate_limits
from app.web.operations.rate_limits import (
    MAX_KEYS,
    MAX_PERSONS,
    AddressLimits,
    MovingWindows,
    PersonLimits,
    RateLimitedError,
)
from tests.unit.web.sample_customer import CUSTOMER

MINUTE = 60


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock.monotonic)
    return clock


def refused(counted: AddressLimits, address: str = "192.0.2.1", rate: str = "2/minute") -> int | None:
    """After how many seconds to come back; None where the post was let through."""
    try:
        counted.count(replace(CUSTOMER, rate=parse_rate(rate)), address)
    except RateLimitedError as many:
        return many.retry_after
    return None


def test_an_address_above_the_rate_learns_when_to_retry(clock: Clock) -> None:
    counted = AddressLimits()
    assert [refused(counted), refused(counted)] == [None, None]
    assert refused(counted) == MINUTE
    clock.now += 20
    assert refused(counted) == MINUTE - 20


def test_each_address_and_each_customer_is_counted_by_itself() -> None:
    counted = AddressLimits()
    another = replace(CUSTOMER, id="M67890")
    for who, address in ((CUSTOMER, "192.0.2.1"), (CUSTOMER, "192.0.2.2"), (another, "192.0.2.1")):
        counted.count(who, address)
        counted.count(who, address)
    with pytest.raises(RateLimitedError):
        counted.count(another, "192.0.2.1")


def test_a_household_with_ipv6_is_counted_as_one() -> None:
    counted = AddressLimits()
    counted.count(CUSTOMER, "2001:db8::1")
    counted.count(CUSTOMER, "2001:db8::2")
    with pytest.raises(RateLimitedError):
        counted.count(CUSTOMER, "2001:db8::3")
    counted.count(CUSTOMER, "2001:db8:0:1::1")


def test_after_the_window_an_address_may_post_again(clock: Clock) -> None:
    counted = AddressLimits()
    assert refused(counted, rate="1/minute") is None
    seconds = refused(counted, rate="1/minute")
    assert seconds is not None
    clock.now += seconds
    assert refused(counted, rate="1/minute") is None
    assert refused(counted, rate="1/minute") == MINUTE


def test_the_window_moves_with_each_post_instead_of_opening_all_at_once(clock: Clock) -> None:
    counted = AddressLimits()
    assert refused(counted) is None
    clock.now += 50
    assert refused(counted) is None
    clock.now += 10  # the first has fallen out, the second has not
    assert refused(counted) is None
    assert refused(counted) == 50


def test_refused_posts_are_not_counted(clock: Clock) -> None:
    counted = AddressLimits()
    assert [refused(counted, rate="1/minute") for _ in range(5)] == [None, 60, 60, 60, 60]
    clock.now += 60
    assert refused(counted, rate="1/minute") is None


def test_the_retry_time_is_always_sufficient_and_never_much_too_long(clock: Clock) -> None:
    counted = AddressLimits()
    for pause in (0, 7.3, 0.2, 31, 0, 19.9, 60.1, 3):
        clock.now += pause
        seconds = refused(counted)
        if seconds is not None:
            clock.now += seconds - 1.001
            assert refused(counted) is not None
            clock.now += 1.001
            assert refused(counted) is None


POSTS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40)), max_size=60)


def fits(windows: MovingWindows, key: str, rate: str) -> bool:
    try:
        windows.count(parse_rate(rate), key)
    except RateLimitedError:
        return False
    return True


@given(POSTS, st.integers(1, 5), st.integers(1, 90))
def test_a_window_never_exceeds_the_rate_and_nobody_below_it_is_refused(
    posts: list[tuple[str, int]], limit: int, expiry: int
) -> None:
    clock = Clock()
    taken: dict[str, list[float]] = defaultdict(list)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", clock.monotonic)
        windows = MovingWindows()
        for key, pause in posts:
            clock.now += pause
            inside = [moment for moment in taken[key] if moment > clock.now - expiry]
            assert fits(windows, key, f"{limit}/{expiry} seconds") is (len(inside) < limit)
            if len(inside) < limit:
                taken[key].append(clock.now)


def test_addresses_that_have_been_silent_are_forgotten(clock: Clock) -> None:
    windows = MovingWindows()
    for number in range(1000):
        assert fits(windows, f"{number}", "2/minute")
    clock.now += 2 * MINUTE
    assert fits(windows, "last", "2/minute")
    assert len(windows) == 1


def test_addresses_whose_window_is_still_open_are_not_forgotten(clock: Clock) -> None:
    windows = MovingWindows()
    assert fits(windows, "a day", "1/day")
    clock.now += 2 * MINUTE
    assert fits(windows, "a minute", "1/minute")
    assert not fits(windows, "a day", "1/day")


def test_however_many_addresses_come_the_memory_has_a_bound_and_who_posts_on_is_still_counted(clock: Clock) -> None:
    windows, rate = MovingWindows(), parse_rate("20/minute")
    tracemalloc.start()
    for number in range(3 * MAX_KEYS // 2):
        windows.count(rate, f"M12345/2001:db8:{number:x}::/64")
        if number % 1000 == 0:
            fits(windows, "the stranger", "20/minute")
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 12_000_000
    assert not fits(windows, "the stranger", "20/minute")
    assert len(windows) <= MAX_KEYS


def test_however_much_each_may_post_the_memory_has_a_bound(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MAX_ENTRIES", 500)
    windows, rate = MovingWindows(), parse_rate("100/minute")
    for number in range(8):
        for _ in range(100):
            windows.count(rate, f"{number}")
    assert windows._entries == 500
    assert windows._entries == sum(map(len, windows._moments.values()))


def test_an_address_that_posts_on_takes_no_more_memory_than_its_windows(clock: Clock) -> None:
    windows = MovingWindows()
    for _ in range(1000):
        assert fits(windows, "a", "20/minute")
        clock.now += 3
    assert windows._entries == sum(map(len, windows._moments.values())) <= 2 * 20


def test_an_address_can_be_reset(clock: Clock) -> None:
    windows = MovingWindows()
    assert fits(windows, "a", "1/minute")
    assert fits(windows, "b", "1/minute")
    windows.forget("a")
    windows.forget("nobody")
    assert fits(windows, "a", "1/minute")
    assert not fits(windows, "b", "1/minute")


DAY = 86_400
ANNA = {"email": "anna@example.se", "phone": "+46701740605"}


def test_posts_of_a_person_are_held_only_above_the_rate(clock: Clock) -> None:
    persons = PersonLimits()
    assert [persons.exceeded(CUSTOMER, ANNA) for _ in range(5)] == [False, False, False, True, True]


@pytest.mark.parametrize("contact", [{"email": "anna@example.se"}, {"phone": "+46701740605"}])
def test_a_person_is_recognised_by_the_email_address_or_the_phone_number_alone(
    clock: Clock, contact: dict[str, str]
) -> None:
    persons = PersonLimits()
    for _ in range(3):
        assert not persons.exceeded(CUSTOMER, ANNA)
    assert persons.exceeded(CUSTOMER, contact)
    assert not persons.exceeded(CUSTOMER, {"email": "bo@example.se"})


def test_a_person_is_counted_for_each_customer(clock: Clock) -> None:
    persons = PersonLimits()
    another = replace(CUSTOMER, id="M67890")
    assert not any(persons.exceeded(customer, ANNA) for customer in (CUSTOMER, another) for _ in range(3))


def test_counts_of_persons_are_forgotten_after_two_days(clock: Clock) -> None:
    persons = PersonLimits()
    for _ in range(4):
        persons.exceeded(CUSTOMER, ANNA)
    clock.now += 2 * DAY
    assert [persons.exceeded(CUSTOMER, ANNA) for _ in range(4)] == [False, False, False, True]


def test_the_posts_of_a_persons_day_before_count_less_the_longer_ago_it_is(clock: Clock) -> None:
    persons = PersonLimits()
    clock.now = 10 * DAY - 1
    assert not any(persons.exceeded(CUSTOMER, ANNA) for _ in range(3))
    clock.now += 2
    assert [persons.exceeded(CUSTOMER, ANNA) for _ in range(2)] == [False, True]
    clock.now += DAY / 2
    assert [persons.exceeded(CUSTOMER, ANNA) for _ in range(2)] == [False, True]


def test_a_post_without_email_and_phone_is_not_counted(clock: Clock) -> None:
    persons = PersonLimits()
    assert not any(persons.exceeded(CUSTOMER, {}) for _ in range(10))


def test_the_number_of_remembered_persons_is_bounded(clock: Clock) -> None:
    persons = PersonLimits()
    for number in range(3 * MAX_PERSONS):
        persons.exceeded(CUSTOMER, {"email": f"{number}@example.se"})
    [period] = persons._periods.values()
    assert len(period.current) + len(period.previous) <= 2 * MAX_PERSONS


@given(st.lists(st.integers(0, DAY), max_size=40))
def test_nobody_below_the_rate_is_ever_held(pauses: list[int]) -> None:
    clock = Clock()
    taken: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", clock.monotonic)
        persons = PersonLimits()
        for pause in pauses:
            clock.now += pause
            near = [moment for moment in taken if moment > clock.now - 2 * DAY]
            if len(near) < 3:  # in this and the day before
                assert not persons.exceeded(CUSTOMER, ANNA)
                taken.append(clock.now)
