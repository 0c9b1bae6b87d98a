"""A campaign's tags reach the CRM as a lead on the contact that a booking made."""

from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
import pytest

from app.sandbox import Fault, Office, Person
from tests.conftest import API_KEY, CUSTOMER, ORIGIN
from tests.servers import eventually

LEAD = {"lead_source_id": "CAMPAIGN", "assigned_to_id": "GROUP1", "office_id": "OFFICE1"}
AGENT = {"lead_source_id": "CAMPAIGN", "assigned_to_id": "contact-agent", "fallback_assigned_to_id": "FALLBACK"}
BOOKING = f"/Viewing/{CUSTOMER}/VIS1/SLOT1/Participant"
PERSON = {"firstName": "Anna", "lastName": "Åkesson", "cellPhone": "070-174 06 05"}
KEY = {"Authorization": f"Bearer {API_KEY}"}
NUMBERS = count()
Start = Callable[..., httpx.Client]


def _book(client: httpx.Client, query: str = "utm_source=google") -> httpx.Response:
    """Posts a booking with a unique message: the same one within ten minutes would be a repeat."""
    return client.post(
        f"{BOOKING}?{query}",
        json={"updatePerson": PERSON, "consent": True, "contactMessage": f"nr {next(NUMBERS)}"},
        headers={"Origin": ORIGIN, "Referer": f"{ORIGIN}/storgatan-1"},
    )


def _operations(office: Office) -> list[str]:
    return [str(call.operation) for call in office.received]


def test_a_booking_with_tags_becomes_a_lead_with_marketing_on_its_contact(start: Start, office: Office) -> None:
    answer = _book(start(customer={"lead": LEAD}))
    assert (answer.status_code, answer.json()) == (200, None)
    eventually(lambda: len(office.received) == 3)
    assert _operations(office) == ["viewing", "contact", "lead"]
    assert office.received[0].body["returnBookingId"] is False
    assert office.received[2].body == {
        "contactId": office.received[0].answer,
        "leadSourceId": "CAMPAIGN",
        "assignedToId": "GROUP1",
        "officeId": "OFFICE1",
        "marketing": {
            "referrer": f"{ORIGIN}/storgatan-1",
            "utmTags": [{"name": "utm_source", "value": "google"}],
        },
    }
    assert all(call.unknown_members == () for call in office.received)


def test_without_tags_there_is_no_lead_unless_one_is_always_wanted(start: Start, office: Office) -> None:
    answer = _book(start(customer={"lead": LEAD}), query="")
    assert answer.status_code == 200
    assert _operations(office) == ["viewing"]
    assert "returnBookingId" not in office.received[0].body
    office.reset()
    assert _book(start(customer={"lead": LEAD | {"when": "always"}}), query="x=1").status_code == 200
    eventually(lambda: _operations(office) == ["viewing", "contact", "lead"])


def test_the_contacts_own_agent_gets_the_lead_and_else_the_fallback(start: Start, office: Office) -> None:
    client = start(customer={"lead": AGENT})
    _book(client)
    eventually(lambda: len(office.received) == 3)
    assert office.received[2].body["assignedToId"] == "FALLBACK"
    contact = office.contacts[CUSTOMER, office.received[0].answer]
    assert isinstance(contact, Person)
    office.contacts[CUSTOMER, contact.id] = contact.model_copy(update={"agent_id": "AGENT7"})
    _book(client, query="utm_source=bing")
    eventually(lambda: len(office.received) == 6)
    assert office.received[5].body["assignedToId"] == "AGENT7"


def test_a_failed_lead_never_makes_the_booking_look_failed(start: Start, office: Office) -> None:
    office.inject(Fault(status=400, operation="lead", body='{"message": "Okänd källa"}'))
    client = start(customer={"lead": LEAD})
    answer = _book(client)
    assert answer.status_code == 200
    status = eventually(lambda: _status(client, answer.headers["Submission-Id"], "rejected"))
    assert status["status"] == "delivered"
    assert [step["status"] for step in status["steps"]] == ["delivered", "delivered", "rejected"]


def _status(client: httpx.Client, submission_id: str, last: str) -> dict[str, Any] | None:
    body: dict[str, Any] = client.get(f"/submissions/{submission_id}", headers=KEY).json()
    return body if body["steps"][-1]["status"] == last else None


def _steps(client: httpx.Client, submission_id: str) -> list[str]:
    return [step["status"] for step in client.get(f"/submissions/{submission_id}", headers=KEY).json()["steps"]]


def test_a_step_that_was_done_is_never_sent_again(start: Start, office: Office) -> None:
    office.inject(Fault(status=503, operation="lead", times=2))
    client = start(customer={"lead": LEAD}, delivery={"retry_seconds": [1]})
    _book(client)
    eventually(lambda: len(office.leads) == 2)  # the booking's own, and ours
    assert _operations(office) == ["viewing", "contact", "lead", "lead", "lead"]


def test_a_refused_crm_password_stops_the_lead_but_not_the_bookings(start: Start, office: Office) -> None:
    office.customers[CUSTOMER] = type(office.customers[CUSTOMER])(CUSTOMER, "secret", "changed")
    client = start(customer={"lead": LEAD})
    answer = _book(client)
    assert answer.status_code == 200
    eventually(lambda: _operations(office) == ["viewing", "contact"])
    eventually(lambda: _steps(client, answer.headers["Submission-Id"]) == ["delivered", "waiting", "waiting"])
    assert _book(client, query="utm_source=bing").status_code == 200
    assert _operations(office) == ["viewing", "contact", "viewing"]


def test_an_api_caller_who_asks_for_the_booking_id_gets_it_and_no_lead_follows(start: Start, office: Office) -> None:
    client = start(customer={"lead": LEAD})
    answer = client.post(
        f"{BOOKING}?utm_source=google", json={"updatePerson": PERSON, "returnBookingId": True}, headers=KEY
    )
    assert (answer.status_code, answer.json()) == (200, "B1")
    assert _operations(office) == ["viewing"]


@pytest.mark.parametrize("answers_id", [True, False])
def test_an_interests_marketing_goes_into_a_lead_when_configured_and_vitec_names_the_contact(
    start: Start, office: Office, answers_id: bool
) -> None:
    office.answer_interest_with_contact_id = answers_id
    client = start(customer={"lead": LEAD, "interest": {"marketing": "lead"}})
    person = {"firstName": "Anna", "lastName": "Å", "telephone": {"cell": "0701740605"}}
    answer = client.post(f"/Advertising/Estate/{CUSTOMER}/O1/interest?utm_source=google", json=person, headers=KEY)
    assert answer.status_code == 200
    submission_id = answer.headers["Submission-Id"]
    status = eventually(lambda: _status(client, submission_id, "delivered" if answers_id else "skipped"))
    assert status["status"] == "delivered"
    assert "marketing" not in office.received[0].body
    assert _operations(office) == (["interest", "contact", "lead"] if answers_id else ["interest"])
