"""The submitted data on a submission's page."""

from datetime import UTC, datetime

from app.domain.marketing import normalize_marketing
from app.operations.planning import SubmissionContext
from app.operations.stored_application import StoredApplication
from app.web.console.submission_detail import submitted_fields

MARKETING = normalize_marketing((("utm_source", "google"),), ["https://www.maklarhuset.se/hem/1"])


def test_a_booking_begins_with_the_home_and_the_time_and_ends_with_the_page() -> None:
    booking = StoredApplication(
        ("VIS1", "SLOT1"),
        {"updatePerson": {"firstName": "Anna"}},
        SubmissionContext(False, None, MARKETING),
        title="Storgatan 1",
        starts_at=datetime(2099, 12, 6, 12, tzinfo=UTC),
    )
    assert submitted_fields(booking, "en", str) == [
        ("Home", "Storgatan 1"),
        ("Time", "6 Dec 2099 13:00"),
        ("First name", "Anna"),
        ("utm_source", "google"),
        ("Page", "https://www.maklarhuset.se/hem/1"),
    ]
