"""The demo's office, as visitors of the demo page find it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from app.sandbox import Customer, Office, demo_contacts, demo_office, serve_sandbox
from app.sandbox.demo_data import next_sunday_at_one

STRICT = {"isDeadlineValidationEnabled": True, "enableBookingLimitValidation": True}


@pytest.fixture(scope="module")
def vitec() -> Iterator[httpx.Client]:
    with serve_sandbox(demo_office()) as url, httpx.Client(base_url=url, auth=("partner", "demo")) as client:
        yield client


@pytest.mark.parametrize(
    ("slot", "status"), [("SLOT1", 200), ("SLOT2", 200), ("FULL", 400), ("PASSED", 400), ("SLOT3", 404)]
)
def test_two_slots_are_open_one_is_full_and_one_is_closed(vitec: httpx.Client, slot: str, status: int) -> None:
    booking = {"updatePerson": {"customerId": "M00000", "cellPhone": "0701740605"}, "options": STRICT}
    assert vitec.post(f"/Viewing/M00000/VIS1/{slot}/Participant", json=booking).status_code == status


def test_slots_follow_each_other_by_the_quarter_from_sunday_at_one() -> None:
    slots = [slot for (viewing, _), slot in (demo_office().slots or {}).items() if viewing == "VIS1"]
    starts = [slot.starts_at for slot in slots if slot.starts_at]
    assert [start - starts[0] for start in starts] == [timedelta(minutes=15) * place for place in range(4)]
    assert all(
        slot.ends_at and slot.starts_at and slot.ends_at - slot.starts_at == timedelta(minutes=15) for slot in slots
    )
    assert (starts[0].isoweekday(), starts[0].hour, starts[0].tzinfo) == (7, 13, ZoneInfo("Europe/Stockholm"))
    assert starts[0] > datetime.now(UTC)


@pytest.mark.parametrize(
    ("now", "sunday"),
    [
        (datetime(2026, 10, 17, 12, tzinfo=UTC), "2026-10-18T13:00:00+02:00"),
        (datetime(2026, 10, 17, 22, 30, tzinfo=UTC), "2026-10-25T13:00:00+01:00"),  # Sunday already, in Stockholm
        (datetime(2026, 10, 19, 12, tzinfo=UTC), "2026-10-25T13:00:00+01:00"),
    ],
)
def test_next_sunday_is_reckoned_in_stockholm(now: datetime, sunday: str) -> None:
    assert next_sunday_at_one(now).isoformat() == sunday


def test_the_demo_knows_a_person_a_company_and_a_deceased_estate(vitec: httpx.Client) -> None:
    anna, company, estate = vitec.get("/CRM/Contact/M00000/C1,C2,C3", auth=("partner", "demo-crm")).json()
    assert (anna["firstName"], anna["lastName"], anna["agentId"]) == ("Anna", "Andersson", "A1")
    assert (company["type"], estate["type"]) == ("Company", "DeceasedEstate")


def test_any_office_can_have_the_three_contacts() -> None:
    office = Office([Customer("M30011", password="x")], contacts=demo_contacts("M30011", datetime.now(UTC)))
    with serve_sandbox(office) as url, httpx.Client(base_url=url, auth=("partner", "x")) as client:
        contacts = client.get("/CRM/Contact/M30011/C1,C2,C3").json()
    assert [contact["type"] for contact in contacts] == ["Person", "Company", "DeceasedEstate"]
