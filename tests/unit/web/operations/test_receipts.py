"""The calendar file of a booked viewing."""

from datetime import UTC, datetime

from icalendar import Calendar

from app.web.operations.receipts import viewing_file
from app.web.operations.slots import parse_slots

[SLOT] = parse_slots("A@2026-11-29T13:00/2026-11-29T13:15")
RECEIVED_AT = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


def file(summary: str) -> bytes:
    return viewing_file(SLOT, uid="1@b.se", received_at=RECEIVED_AT, summary=summary, description="Rad ett\nrad två")


def test_the_calendar_file_can_be_parsed() -> None:
    [event] = Calendar.from_ical(file("Visning: Tvåa, Storgatan 1; " + "ö" * 80)).events
    assert event["summary"] == "Visning: Tvåa, Storgatan 1; " + "ö" * 80
    assert event["description"] == "Rad ett\nrad två"
    assert event["uid"] == "1@b.se"
    assert event.start == datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
    assert event.end == datetime(2026, 11, 29, 12, 15, tzinfo=UTC)


def test_a_title_cannot_add_lines_to_the_calendar_file() -> None:
    content = file("x\r\nATTENDEE:mailto:a@b.se\nEND:VEVENT")
    assert b"\nATTENDEE" not in content
    assert content.count(b"\r\nEND:VEVENT") == 1
