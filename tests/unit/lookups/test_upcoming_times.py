"""Which of a home's viewings are still to come."""

from datetime import UTC, datetime

from app.lookups.upcoming_times import upcoming
from app.vitec.homes import Home, TimeSlot, Viewing

NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)


def slot(id_: str, hour: int) -> TimeSlot:
    return TimeSlot(id_, NOW.replace(hour=hour), None, is_available=True)


def home_with(*slots: TimeSlot) -> Home:
    return Home("OBJ1", {}, (Viewing("V1", slots[0].starts_at, None, None, "", slots),), b"")


def test_a_viewing_that_has_begun_is_past_and_each_start_changes_the_answer() -> None:
    both = home_with(slot("T1", 12), slot("T2", 13))
    before = upcoming(both, NOW.replace(hour=11))
    assert [one.id for one in before.viewings[0].slots] == ["T1", "T2"]
    assert before.changes_at == NOW
    at = upcoming(both, NOW)
    assert [one.id for one in at.viewings[0].slots] == ["T2"]
    assert at.find("T1") is None
    assert not before.holds(NOW)
    assert upcoming(both, NOW.replace(hour=14)).viewings == ()
