"""Validation of enums, numbers, booleans and datetimes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance.bodies import SITE, fields, interest, interest_path, key, member
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService
from tests.acceptance.single_member import accepted, at, refused

ENUMS = [
    ("status", "Interested VeryInterested Assigned NotInterested"),
    (
        "presentAccommodation.estateType",
        "House RowHouse HousingCooperative Cottage Plot AgricultureProperty Tenancy OtherHousing CommercialProperty "
        "Condominium",
    ),
    ("updatePerson.obtainThrough", "Interest Phone Visit Agreement Other Email NotAsked"),
]


@pytest.mark.parametrize(("name", "values"), ENUMS)
def test_an_enum_is_taken_by_name_or_by_vitecs_number_and_sent_by_name(
    service: RunningService, name: str, values: str
) -> None:
    for number, value in enumerate(values.split()):
        assert accepted(service, name, value) == value
        assert accepted(service, name, number) == value
        path, body = at(name, str(number))
        assert service.client.post(path, data=fields(body), headers=key()).status_code == 303
        assert member(service.delivered(path).body, name) == value


@pytest.mark.parametrize(("name", "values"), ENUMS)
def test_another_value_of_an_enum_is_refused(service: RunningService, name: str, values: str) -> None:
    wrong: list[Any] = ["Nothing", -1, len(values.split()), True, 1.5, [], {}, "1.0", "Interested,House", "٠", 10**12]
    for value in wrong:
        refused(service, name, value)


QUANTITIES = ["livingSpace", "numberOfRooms", "price"]


@pytest.mark.parametrize("name", [f"presentAccommodation.{name}" for name in QUANTITIES])
def test_a_quantity_is_not_negative(service: RunningService, name: str) -> None:
    for value in (0, 0.5, 75, 75.5, 2500000):
        assert accepted(service, name, value) == value
    wrong: list[Any] = [-1, -0.01, "75", True, [], "x", 1e30]
    for value in wrong:
        refused(service, name, value)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("75", 75),
        ("75,5", 75.5),
        ("2 500 000", 2500000),
        ("2\u00a0500\u00a0000 kr", 2500000),
        ("2.500.000", 2500000),
        ("850,000", 850000),
        ("0", 0),
    ],
)
def test_a_quantity_is_typed_as_people_write_numbers(service: RunningService, typed: str, sent: float) -> None:
    body = service.submitted(interest_path(), fields(interest()) | {"presentAccommodation.price": typed})
    assert body["presentAccommodation"]["price"] == sent


@pytest.mark.parametrize("typed", ["många", "1e5x", "NaN", "inf", "--", "1,2,3", "ungefär 70", "9" * 200])
def test_an_unreadable_quantity_goes_into_the_message(service: RunningService, typed: str) -> None:
    for value, message in (("Hej!", f"Hej!\n\nBoarea: {typed}"), ("", f"Boarea: {typed}")):
        body = fields(interest()) | {"presentAccommodation.livingSpace": typed, "contactMessage": value}
        received = service.submitted(interest_path(), body)
        assert received["contactMessage"] == message
        assert "livingSpace" not in received.get("presentAccommodation", {})
    script = interest(presentAccommodation={"livingSpace": typed})
    assert service.published(interest_path(), script)["contactMessage"] == f"Boarea: {typed}"


@pytest.mark.parametrize("typed", ["igår", "2026-02-30", "27/3"])
def test_an_unreadable_date_goes_into_the_message(service: RunningService, typed: str) -> None:
    """But one before 1900 is refused: `test_an_implausible_year_is_refused`."""
    received = service.submitted(interest_path(), fields(interest()) | {"gdprApprovalDate": typed})
    assert typed in received["contactMessage"]
    assert typed in service.published(interest_path(), interest(gdprApprovalDate=typed))["contactMessage"]


@pytest.mark.parametrize("typed", ["-1", "\u22120,5 m²"])
def test_a_quantity_below_zero_is_refused_at_its_field(service: RunningService, typed: str) -> None:
    answer = service.client.post(
        interest_path(), data=fields(interest()) | {"presentAccommodation.livingSpace": typed}, headers=SITE
    )
    assert answer.status_code == 400
    page = page_of(answer)
    assert page.faulty == {"presentAccommodation.livingSpace"}
    assert page.values["presentAccommodation.livingSpace"] == typed


def test_minutes_and_scores_are_whole_numbers_and_minutes_not_negative(service: RunningService) -> None:
    assert accepted(service, "reminderTime", 0) == 0
    assert accepted(service, "updatePerson.leadScore", -5) == -5
    for wrong in (-1, 1.5, "60", 2**31, True):
        refused(service, "reminderTime", wrong)
    for wrong in (1.5, "7", 2**31, -(2**31) - 1):
        refused(service, "updatePerson.leadScore", wrong)


@pytest.mark.parametrize("where", ["presentAccommodation.coordinate", "updatePerson.coordinate"])
def test_coordinates_are_on_the_globe(service: RunningService, where: str) -> None:
    for name, edge in (("longitud", 180), ("latitud", 90)):
        for value in (edge, -edge, 0, 18.0686):
            assert accepted(service, f"{where}.{name}", value) == value
        for wrong in (edge + 0.001, -edge - 0.001, "18", True):
            refused(service, f"{where}.{name}", wrong)


@pytest.mark.parametrize("name", ["isForeignSocialSecurityNumber", "smsReminder", "participated"])
def test_a_boolean_is_true_or_false(service: RunningService, name: str) -> None:
    for value in (True, False):
        assert accepted(service, name, value) is value
    wrong: list[Any] = ["true", 1, 0, [], "yes"]
    for value in wrong:
        refused(service, name, value)


DATES = ["gdprApprovalDate", "updatePerson.gdprApprovalDate", "updatePerson.approvalDate"]


@pytest.mark.parametrize("name", DATES)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00+00:00"),
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00+00:00"),
        ("2024-05-01T10:00:00-05:00", "2024-05-01T15:00:00+00:00"),
        ("2024-05-01T10:00:00", "2024-05-01T08:00:00+00:00"),  # summer in Sweden
        ("2024-01-15T10:00:00", "2024-01-15T09:00:00+00:00"),  # winter
        ("2024-01-15T10:00", "2024-01-15T09:00:00+00:00"),
        ("2024-07-01", "2024-06-30T22:00:00+00:00"),
        ("2024-01-15", "2024-01-14T23:00:00+00:00"),
        ("2024-02-29", "2024-02-28T23:00:00+00:00"),
    ],
)
def test_a_datetime_without_offset_is_swedish_local_time_and_a_bare_date_its_first_second(
    service: RunningService, name: str, value: str, expected: str
) -> None:
    sent = datetime.fromisoformat(accepted(service, name, value))
    assert sent.tzinfo is not None
    assert sent == datetime.fromisoformat(expected)


@pytest.mark.parametrize("name", DATES)
@pytest.mark.parametrize(
    "value",
    [
        "2024-02-30",
        "2023-02-29",
        "2024-13-01",
        "1 maj 2024",
        "2024-05-01T25:00:00",
        "01/05/2024",
        1714550400,
        True,
        "nu",
        {},
    ],
)
def test_an_invalid_datetime_is_refused(service: RunningService, name: str, value: Any) -> None:
    refused(service, name, value)


@pytest.mark.parametrize("name", DATES[:2])
def test_an_approval_in_the_future_becomes_now(service: RunningService, name: str) -> None:
    tomorrow = datetime.now(ZoneInfo("Europe/Stockholm")) + timedelta(days=1)
    for value in (tomorrow.isoformat(timespec="seconds"), f"{tomorrow:%Y-%m-%d}", "2999-01-01T00:00:00Z", "9999-12-30"):
        sent = datetime.fromisoformat(accepted(service, name, value))
        assert timedelta(seconds=-2) < datetime.now(UTC) - sent < timedelta(seconds=20)
