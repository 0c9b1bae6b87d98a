"""A login that Vitec has refused rests, but for a probe now and then."""

from datetime import timedelta

import pytest

from app.domain.submission import FunctionGroup
from app.vitec.pauses import Credential, Pauses

ADVERTISING: Credential = ("M12345", FunctionGroup.ADVERTISING)
CRM: Credential = ("M12345", FunctionGroup.CRM)
OTHERS: Credential = ("M67890", FunctionGroup.ADVERTISING)
PROBE = 300


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pauses(clock: Clock) -> Pauses:
    return Pauses(timedelta(seconds=PROBE), clock)


def test_a_login_that_was_never_refused_has_all_its_places(pauses: Pauses) -> None:
    assert [pauses.places(ADVERTISING, usual) for usual in (0, 1, 8)] == [0, 1, 8]
    assert not pauses.rests(ADVERTISING)


@pytest.mark.parametrize(
    ("after", "places"), [(0, 0), (PROBE - 0.001, 0), (PROBE, 1), (PROBE + 0.001, 1), (10 * PROBE, 1)]
)
def test_a_refused_login_has_no_place_and_after_a_while_one(
    clock: Clock, pauses: Pauses, after: float, places: int
) -> None:
    pauses.refused(ADVERTISING)
    clock.now += after
    assert pauses.places(ADVERTISING, 8) == places
    assert pauses.rests(ADVERTISING) is (places == 0)


def test_a_probe_that_is_refused_begins_the_pause_anew(clock: Clock, pauses: Pauses) -> None:
    for _ in range(5):
        pauses.refused(ADVERTISING)
        clock.now += PROBE - 1
        assert pauses.rests(ADVERTISING)
        clock.now += 1
        assert pauses.places(ADVERTISING, 8) == 1


def test_a_probe_has_no_second_beside_it_whatever_becomes_of_it(clock: Clock, pauses: Pauses) -> None:
    pauses.refused(ADVERTISING)
    clock.now += PROBE
    assert pauses.places(ADVERTISING, 8) == 1
    pauses.tried(ADVERTISING)
    assert pauses.rests(ADVERTISING)
    clock.now += PROBE
    assert pauses.places(ADVERTISING, 8) == 1


def test_to_try_a_login_that_does_not_rest_begins_no_pause(pauses: Pauses) -> None:
    pauses.tried(ADVERTISING)
    assert pauses.places(ADVERTISING, 8) == 8


def test_a_login_that_is_accepted_has_all_its_places_at_once(pauses: Pauses) -> None:
    pauses.refused(ADVERTISING)
    pauses.accepted(ADVERTISING)
    assert pauses.places(ADVERTISING, 8) == 8
    pauses.accepted(ADVERTISING)
    assert pauses.places(ADVERTISING, 8) == 8


def test_only_the_refused_one_of_a_customers_two_logins_rests(pauses: Pauses) -> None:
    pauses.refused(ADVERTISING)
    assert [pauses.rests(one) for one in (ADVERTISING, CRM, OTHERS)] == [True, False, False]
    pauses.accepted(CRM)
    pauses.accepted(OTHERS)
    assert pauses.rests(ADVERTISING)
