"""A home as Vitec answers it: which viewings count, and how times without offset are read."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lookups.upcoming_times import upcoming
from app.vitec.homes import Home, read_home

NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)


def home(*slots: Any, **viewing: Any) -> Home:
    members = {
        "id": "V1",
        "isVisible": True,
        "isSelfRegistrationEnabled": True,
        "startsAt": "2026-10-24T13:00:00",
        "endsAt": "2026-10-24T14:00:00",
        "timeSlots": list(slots),
    }
    return read_home("OBJ1", {"id": "OBJ1", "viewings": [members | viewing]}, b"")


def slot(starts_at: str | None = None, ends_at: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": "T1", "startsAt": starts_at, "endsAt": ends_at, "isRegistrationAvailable": True} | more


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "starts", "ends"),
    [
        ("2026-10-24T13:00:00", "2026-10-24T13:30:00", "2026-10-24T11:00", "2026-10-24T11:30"),  # summer time
        ("2026-10-25T13:00", "2026-10-25T13:30", "2026-10-25T12:00", "2026-10-25T12:30"),  # winter time
        ("2026-10-25T01:30:00", "2026-10-25T03:30:00", "2026-10-24T23:30", "2026-10-25T02:30"),  # across the change
        ("2026-10-25T02:45:00", "2026-10-25T02:15:00", "2026-10-25T00:45", "2026-10-25T01:15"),  # within it
        ("2026-10-25T02:15:00", "2026-10-25T02:45:00", "2026-10-25T00:15", "2026-10-25T00:45"),
        ("2027-03-28T02:30:00", "2027-03-28T03:45:00", "2027-03-28T01:30", "2027-03-28T01:45"),  # no such time
        ("2026-10-25T13:00:00+02:00", "2026-10-25T12:00:00Z", "2026-10-25T11:00", "2026-10-25T12:00"),  # with offset
        ("2026-10-24T13:00:00.123", None, "2026-10-24T11:00", "2026-10-24T12:00"),  # the viewing's end
        (None, None, "2026-10-24T11:00", "2026-10-24T12:00"),  # both the viewing's
    ],
)
def test_bare_times_are_swedish_also_when_the_clock_changes(
    starts_at: str | None, ends_at: str | None, starts: str, ends: str
) -> None:
    [viewing] = home(slot(starts_at, ends_at)).viewings
    [parsed] = viewing.slots
    assert parsed.starts_at.isoformat()[:16] == starts
    assert parsed.ends_at is not None
    assert parsed.ends_at.isoformat()[:16] == ends


@pytest.mark.parametrize("never", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00"])
def test_a_time_that_no_calendar_in_sweden_has_is_none(never: str) -> None:
    [viewing] = home(slot(), deadlineAt=never).viewings
    assert viewing.deadline_at is None


def test_an_end_before_the_start_is_omitted() -> None:
    [parsed] = home(slot("2026-10-24T13:00", "2026-10-24T12:00")).viewings[0].slots
    assert parsed.ends_at is None


@pytest.mark.parametrize(
    "viewing",
    [
        {"isVisible": False},
        {"isVisible": None},
        {"isSelfRegistrationEnabled": False},
        {"timeSlots": []},
        {"timeSlots": None},
        {"id": "a/b"},
        {"id": None},
    ],
)
def test_a_viewing_that_nobody_may_book_is_omitted(viewing: dict[str, Any]) -> None:
    assert home(slot(), **viewing).viewings == ()


def test_members_are_known_in_any_casing_and_ids_may_be_numbers() -> None:
    members = {"ISVISIBLE": True, "IsSelfRegistrationEnabled": True, "Id": 7, "StartsAt": "2026-10-24T13:00"}
    slots = [{"ID": 8, "IsRegistrationAvailable": True}]
    [viewing] = read_home("OBJ1", {"Viewings": [members | {"TimeSlots": slots}]}, b"").viewings
    assert (viewing.id, viewing.slots[0].id, viewing.slots[0].is_available) == ("7", "8", True)


_leaf = st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.datetimes().map(str)
_names = st.sampled_from(
    [
        "id",
        "viewings",
        "timeSlots",
        "startsAt",
        "endsAt",
        "isVisible",
        "isSelfRegistrationEnabled",
        "address",
        "comment",
    ]
)
_json = st.recursive(_leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=8))


@given(viewings=st.lists(_json, max_size=4) | _json, address=_json)
def test_no_answer_breaks_the_reading(viewings: Any, address: Any) -> None:
    upcoming(read_home("OBJ1", {"viewings": viewings, "address": address}, b""), NOW)
