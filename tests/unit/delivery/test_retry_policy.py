"""When a step is retried, with worked numbers for the defaults of `[delivery]`."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery.retry_policy import JITTER, Decision, RetryPolicy, decide
from app.domain.submission import StepStatus
from app.vitec.errors import (
    AccessDeniedError,
    AmbiguousError,
    LoginRefusedError,
    NotFoundError,
    RejectedError,
    UnavailableError,
    VitecError,
)

WAITING, REJECTED = StepStatus.WAITING, StepStatus.REJECTED
FAILED, UNCERTAIN = StepStatus.FAILED, StepStatus.UNCERTAIN
GIVE_UP = timedelta(hours=96)
DELAYS = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 1800, 3600))
POLICY = RetryPolicy(DELAYS, GIVE_UP, spread=lambda: 1.0)
NOW = timedelta(0)
ORDINARY = {"park": False, "was_not_found": False, "was_ambiguous": False, "probes": False}
OLD = GIVE_UP - timedelta(seconds=1)


def rejected() -> VitecError:
    return RejectedError("x", status=400, upstream={})


def not_found() -> VitecError:
    return NotFoundError("x", status=404, upstream={})


def unavailable() -> VitecError:
    return UnavailableError("x", status=503)


def refused_login() -> VitecError:
    return LoginRefusedError("x", status=401)


def forbidden() -> VitecError:
    return AccessDeniedError("x", status=403)


def ambiguous() -> VitecError:
    return AmbiguousError("x", status=500)


@pytest.mark.parametrize(
    ("error", "attempts", "age", "status", "retry_in"),
    [
        # as Vitec's overload comes: 10 s, 30 s, 2 m, 10 m, 30 m, then hourly
        (unavailable, 1, NOW, WAITING, 10),
        (unavailable, 2, NOW, WAITING, 30),
        (unavailable, 3, NOW, WAITING, 120),
        (unavailable, 4, NOW, WAITING, 600),
        (unavailable, 5, NOW, WAITING, 1800),
        (unavailable, 6, NOW, WAITING, 3600),
        (unavailable, 7, NOW, WAITING, 3600),
        (unavailable, 100, OLD, WAITING, 3600),
        (unavailable, 100, GIVE_UP, FAILED, None),
        (unavailable, 1, 2 * GIVE_UP, FAILED, None),
        # what names something that we may not see backs off alone
        (forbidden, 1, NOW, WAITING, 10),
        (forbidden, 6, OLD, WAITING, 3600),
        (forbidden, 6, GIVE_UP, FAILED, None),
        # what may have been carried out is retried like the others
        (ambiguous, 1, NOW, WAITING, 10),
        (ambiguous, 3, OLD, WAITING, 120),
        (ambiguous, 3, GIVE_UP, UNCERTAIN, None),
        # what Vitec refuses is never sent again as it is
        (rejected, 1, NOW, REJECTED, None),
        (rejected, 9, GIVE_UP, REJECTED, None),
        # an unknown id is asked for once more
        (not_found, 1, NOW, WAITING, 10),
        (not_found, 4, NOW, WAITING, 600),
        # a refused login rests, however old
        (refused_login, 1, NOW, WAITING, 0),
        (refused_login, 9, 9 * GIVE_UP, WAITING, 0),
    ],
)
def test_the_error_decides_what_becomes_of_the_step(
    error: Callable[[], VitecError], attempts: int, age: timedelta, status: StepStatus, retry_in: int | None
) -> None:
    decision = decide(error(), POLICY, attempts=attempts, age=age, **ORDINARY)
    assert decision.status is status
    assert decision.retry_in == (None if retry_in is None else timedelta(seconds=retry_in))


@pytest.mark.parametrize("error", [rejected, not_found, unavailable, refused_login, forbidden, ambiguous])
def test_only_a_refused_login_spends_no_attempt(error: Callable[[], VitecError]) -> None:
    decision = decide(error(), POLICY, attempts=1, age=NOW, **ORDINARY)
    assert decision.counts is (error is not refused_login)


def test_a_paused_login_that_is_tried_spends_nothing_and_gives_up_nothing() -> None:
    decision = decide(refused_login(), POLICY, attempts=9, age=GIVE_UP, **(ORDINARY | {"park": True, "probes": True}))
    assert decision == Decision(WAITING, timedelta(0), counts=False)
    away = decide(
        unavailable(),
        POLICY,
        attempts=9,
        age=GIVE_UP,
        **(ORDINARY | {"probes": True}),
    )
    assert away.status is WAITING


@pytest.mark.parametrize("error", [unavailable, forbidden, ambiguous])
def test_what_may_have_been_carried_out_once_is_never_called_failed(error: Callable[[], VitecError]) -> None:
    doubtful = ORDINARY | {"was_ambiguous": True}
    assert decide(error(), POLICY, attempts=9, age=OLD, **doubtful).status is WAITING
    assert decide(error(), POLICY, attempts=9, age=GIVE_UP, **doubtful) == Decision(UNCERTAIN)


def test_an_id_that_was_not_found_before_is_rejected() -> None:
    assert decide(not_found(), POLICY, attempts=2, age=NOW, **(ORDINARY | {"was_not_found": True})) == Decision(
        REJECTED
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ambiguous, UNCERTAIN),
        (unavailable, WAITING),
        (forbidden, WAITING),
        (refused_login, WAITING),
        (not_found, WAITING),
        (rejected, REJECTED),
    ],
)
@pytest.mark.parametrize("age", [NOW, OLD])
def test_where_parking_is_asked_for_only_the_ambiguous_is_parked(
    error: Callable[[], VitecError], status: StepStatus, age: timedelta
) -> None:
    assert decide(error(), POLICY, attempts=1, age=age, **(ORDINARY | {"park": True})).status is status


@pytest.mark.parametrize(
    ("wished", "attempts", "retry_in"),
    [
        (None, 1, 10),
        (0, 1, 10),
        (9, 1, 10),
        (10, 1, 10),
        (11, 1, 11),
        (120, 2, 120),
        (120, 4, 600),
        (3599, 1, 3599),
        (3600, 1, 3600),
        (3601, 1, 3600),
        (86400, 1, 3600),
    ],
)
def test_retry_after_is_a_minimum_up_to_an_hour(wished: int | None, attempts: int, retry_in: int) -> None:
    retry_after = None if wished is None else timedelta(seconds=wished)
    error = UnavailableError("x", status=503, retry_after=retry_after)
    decision = decide(error, POLICY, attempts=attempts, age=NOW, **ORDINARY)
    assert decision == Decision(WAITING, timedelta(seconds=retry_in), at_recovery=wished is None)


@given(st.integers(1, 1000))
def test_each_delay_has_a_jitter_of_at_most_a_fifth(attempts: int) -> None:
    planned = DELAYS[min(attempts, len(DELAYS)) - 1]
    delay = RetryPolicy(DELAYS, GIVE_UP).delay(attempts)
    assert planned * (1 - JITTER) <= delay <= planned * (1 + JITTER)


def test_the_jitter_is_a_fifth_in_both_directions() -> None:
    delays = [RetryPolicy((timedelta(seconds=100),), GIVE_UP).delay(1).total_seconds() for _ in range(500)]
    assert JITTER == 0.2
    assert 80 <= min(delays) < 85
    assert 115 < max(delays) <= 120


@pytest.mark.parametrize("spread", [0.8, 1.2])
def test_retry_after_is_a_minimum_whatever_the_jitter(spread: float) -> None:
    policy = RetryPolicy(DELAYS, GIVE_UP, spread=lambda: spread)
    error = UnavailableError("x", status=429, retry_after=timedelta(seconds=10))
    decision = decide(error, policy, attempts=1, age=NOW, **ORDINARY)
    assert decision.retry_in == timedelta(seconds=max(10, 10 * spread))


def test_the_default_delays_outlast_a_long_weekend() -> None:
    age, attempts = timedelta(0), 0
    while True:
        attempts += 1
        decision = decide(
            unavailable(),
            POLICY,
            attempts=attempts,
            age=age,
            **ORDINARY,
        )
        if decision.retry_in is None:
            break
        age += decision.retry_in
    assert timedelta(hours=96) <= age < timedelta(hours=97)
    assert attempts == 102
