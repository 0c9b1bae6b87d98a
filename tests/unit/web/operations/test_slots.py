"""Times as an embed sends them and as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.operations.slots import MAX_SLOTS, choose_slot, parse_slots
from app.web.rendering.templates import Templates

TEXT = "A@2026-11-29T13:00:00+01:00/2026-11-29T13:15:00+01:00"
TEMPLATES = Templates()


def formatted(text: str, language: str = "sv") -> list[str]:
    return [" ".join(slot.format(language, TEMPLATES.gettext(language))) for slot in parse_slots(text)]


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("+", " "),  # nobody encoded the plus
        "A@2026-11-29T12:00Z/2026-11-29T12:15Z",
        "A@2026-11-29T13:00/2026-11-29T13:15",  # Swedish time
        "A@20261129T130000/20261129T131500",
        f"  {TEXT};;\n, x@y/z",
        f"{TEXT},A@2027-01-01T10:00/2027-01-01T11:00",  # the first of each id
    ],
)
def test_a_time_may_be_written_in_many_ways(text: str) -> None:
    assert formatted(text) == ["söndag 29 november kl. 13.00–13.15"]


def test_several_times_are_listed_in_order_and_in_the_readers_language() -> None:
    text = "B@2026-12-01T17:30/2026-12-01T18:00 A@2026-06-01T09:00Z/2026-06-01T09:30Z"
    assert formatted(text, "en") == ["Tuesday 1 December, 17:30–18:00", "Monday 1 June, 11:00–11:30"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "A@",
        "A@2026-11-29T13:00",
        "A@2026-11-29T13:00/",
        "A@/2026-11-29T13:15",
        "@2026-11-29T13:00/2026-11-29T13:15",
        "../x@2026-11-29T13:00/2026-11-29T13:15",
        "A@2026-11-29T13:15/2026-11-29T13:00",
        "A@2026-11-29T13:00/2026-12-29T13:00",
        "A@0001-01-01/9999-12-31",
        "A@0001-01-01T00:00/0001-01-01T00:10",  # its UTC is before the calendar's first day
        "A@9999-12-31T23:30Z/9999-12-31T23:40Z",
    ],
)
def test_an_invalid_time_is_left_out(text: str) -> None:
    assert parse_slots(text) == ()


@given(st.text())
def test_no_input_raises_an_unexpected_error(text: str) -> None:
    assert len(parse_slots(text)) <= MAX_SLOTS


def test_a_formatted_time_can_be_read_back() -> None:
    [slot] = parse_slots(TEXT)
    assert parse_slots(str(slot)) == (slot,)


@pytest.mark.parametrize(
    ("asked", "slot", "code"), [("A", "A", None), (None, "DEFAULT", "required"), ("B", "DEFAULT", "invalid_choice")]
)
def test_only_an_offered_time_can_be_chosen(asked: str | None, slot: str, code: str | None) -> None:
    chosen, faults = choose_slot(asked, "DEFAULT", parse_slots(TEXT))
    assert (chosen, [fault.code for fault in faults]) == (slot, [code] if code else [])


def test_the_chosen_time_counts_and_not_the_one_in_the_address() -> None:
    assert choose_slot("B", "A", parse_slots(f"{TEXT},{TEXT.replace('A@', 'B@')}")) == ("B", [])


def test_without_offered_times_the_address_decides() -> None:
    assert choose_slot("B", "DEFAULT", ()) == ("DEFAULT", [])


def test_a_form_without_the_times_means_the_one_in_its_address_until_vitec_has_refused_it() -> None:
    slots = parse_slots(f"{TEXT},{TEXT.replace('A@', 'B@')}")
    assert choose_slot(None, "A", slots) == ("A", [])
    assert [fault.code for fault in choose_slot(None, "A", slots, gone=["A"])[1]] == ["required"]
    assert choose_slot(None, "A", slots, gone=["B", "A"]) == ("A", [])
