"""A booked viewing as a file for the visitor's calendar (RFC 5545)."""

from datetime import UTC, datetime

from app.web.slots import Slot

MEDIA_TYPE = "text/calendar; charset=utf-8"


def viewing_file(slot: Slot, *, uid: str, received_at: datetime, summary: str, description: str) -> bytes:
    """One event, in UTC: every calendar shows that in its owner's time."""
    from icalendar import Calendar, Event  # 3 MB of time zones and grammar, which only a replica that is asked needs

    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", received_at.astimezone(UTC))
    event.add("dtstart", slot.starts_at.astimezone(UTC))
    event.add("dtend", slot.ends_at.astimezone(UTC))
    event.add("summary", summary)
    event.add("description", description)
    calendar = Calendar()
    calendar.add("prodid", "-//Intresse//Viewing//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content
