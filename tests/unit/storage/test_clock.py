"""When a machine's clock is trusted, check by check."""

from datetime import UTC, datetime, timedelta

import pytest

from app.storage.clock import ALWAYS, BELIEVED_AFTER, ClockState, Redating, advance, steady_for

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SECONDS = timedelta(seconds=10)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DECADE = timedelta(days=3653)


def seen(*moments: datetime) -> tuple[ClockState, list[Redating]]:
    """After looks at these moments, the first of them at the beginning."""
    state, redatings = ClockState(moments[0]), []
    for moment in moments[1:]:
        state, redating = advance(state, moment)
        redatings += [redating] if redating else []
    return state, redatings


@pytest.mark.parametrize("step", [-30 * timedelta(seconds=1), timedelta(0), SECONDS, 9 * MINUTE])
def test_a_steady_clock_is_trusted(step: timedelta) -> None:
    assert seen(NOW, NOW + step) == (ClockState(max(NOW, NOW + step)), [])
    assert steady_for(ClockState(NOW), NOW + step) == ALWAYS


@pytest.mark.parametrize("jump", [-DECADE, -HOUR, HOUR, 30 * 24 * HOUR, DECADE])
def test_a_clock_that_jumps_is_in_doubt_from_before_the_first_check(jump: timedelta) -> None:
    assert steady_for(ClockState(NOW), NOW + jump) == timedelta(0)
    state, redatings = seen(NOW, NOW + jump, NOW + jump + SECONDS)
    assert (state.newest_at, redatings) == (NOW, [])
    assert steady_for(state, NOW + jump + SECONDS) == SECONDS


@pytest.mark.parametrize("jump", [-DECADE, -HOUR, HOUR, DECADE])
def test_a_clock_that_is_right_again_is_in_doubt_until_its_dates_are_corrected(jump: timedelta) -> None:
    state, _ = seen(NOW, NOW + jump)
    assert steady_for(state, NOW + SECONDS) == timedelta(0)
    state, [_] = seen(NOW, NOW + jump, NOW + SECONDS)
    assert steady_for(state, NOW + SECONDS) == ALWAYS


@pytest.mark.parametrize("jump", [HOUR, 30 * 24 * HOUR, DECADE])
def test_dates_from_a_clock_that_was_ahead_are_corrected(jump: timedelta) -> None:
    state, [redating] = seen(NOW, NOW + jump, NOW + jump + MINUTE, NOW + 2 * MINUTE)
    assert state == ClockState(NOW + 2 * MINUTE)
    assert redating == Redating(NOW + jump - MINUTE, None, NOW + 2 * MINUTE)
    assert steady_for(state, NOW + 2 * MINUTE) == ALWAYS


@pytest.mark.parametrize("jump", [HOUR, DECADE])
def test_dates_from_a_clock_that_was_behind_are_corrected(jump: timedelta) -> None:
    state, [redating] = seen(NOW, NOW - jump, NOW - jump + MINUTE, NOW + 2 * MINUTE)
    assert state == ClockState(NOW + 2 * MINUTE)
    assert (redating.since, redating.to) == (NOW - jump - MINUTE, NOW)
    assert redating.until is not None
    assert NOW - jump + MINUTE < redating.until < NOW


@pytest.mark.parametrize("jump", [-48 * HOUR, HOUR, DECADE])
def test_a_clock_that_is_steady_for_a_day_after_a_jump_is_trusted(jump: timedelta) -> None:
    looks = [NOW + jump + number * 5 * MINUTE for number in range(int(BELIEVED_AFTER / (5 * MINUTE)) + 1)]
    state, redatings = seen(NOW, *looks)
    assert state == ClockState(looks[-1])
    # What it was ahead before, is known now.
    assert redatings == ([Redating(looks[-1] + MINUTE, None, looks[-1])] if jump < timedelta(0) else [])


@pytest.mark.parametrize(("off", "trusted"), [(14 * HOUR, True), (80 * HOUR, True), (5 * 24 * HOUR, False)])
def test_a_machine_that_is_off_now_and_then_is_trusted_after_a_day_of_use(off: timedelta, trusted: bool) -> None:
    looks = [NOW + (10 * HOUR + off) * day + number * MINUTE for day in range(1, 5) for number in range(600)]
    states = [seen(NOW, *looks[:checks])[0] for checks in (2 * 600 + 200, 2 * 600 + 300)]
    assert [state == ClockState(state.newest_at) for state in states] == [False, trusted]
    assert seen(NOW, *looks)[1] == []


def test_a_clock_that_keeps_jumping_is_not_trusted() -> None:
    looks = [NOW + number * HOUR for number in range(1, 72)]
    state, redatings = seen(NOW, *looks)
    assert (state.newest_at, redatings) == (NOW, [])
    assert steady_for(state, looks[-1]) < HOUR


@pytest.mark.parametrize("jumps", [[-HOUR], [-DECADE, -HOUR], [2 * DECADE], [2 * DECADE, 4 * DECADE]])
def test_a_clock_that_is_then_ahead_by_another_time_stays_in_doubt(jumps: list[timedelta]) -> None:
    state, [redating] = seen(NOW, *(NOW + jump for jump in jumps), NOW + DECADE)
    assert redating.to == (NOW if jumps[0] < timedelta(0) else NOW + DECADE)
    assert (state.newest_at, state.wrong_from) == (NOW, NOW + DECADE)
