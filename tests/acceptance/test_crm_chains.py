"""Chains whose later steps fail, or get an unexpected answer from the first."""

from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
import pytest

from app.sandbox import Fault, Office, Person
from tests.acceptance.bodies import problem
from tests.acceptance.html_page import page_of
from tests.conftest import API_KEY, CUSTOMER, ORIGIN
from tests.servers import eventually

LEAD = {"lead_source_id": "CAMPAIGN", "assigned_to_id": "GROUP1"}
AGENT = {"lead_source_id": "CAMPAIGN", "assigned_to_id": "contact-agent", "fallback_assigned_to_id": "FALLBACK"}
KEY = {"Authorization": f"Bearer {API_KEY}"}
PERSON = {"firstName": "Anna", "lastName": "Åkesson", "cellPhone": "070-174 06 05"}
TAGS = {"utmTags": [{"name": "utm_source", "value": "x"}]}
FAST: dict[str, Any] = {"retry_seconds": [1], "wait_seconds": 10}
SLOTS = count(1)
Start = Callable[..., httpx.Client]


def book(client: httpx.Client, query: str = "utm_source=x", **headers: str) -> httpx.Response:
    path = f"/Viewing/{CUSTOMER}/VIS1/CHAIN{next(SLOTS)}/Participant?{query}"
    return client.post(path, json={"updatePerson": PERSON}, headers=headers or KEY)


def operations(office: Office) -> list[str]:
    return [str(call.operation) for call in office.received]


def status_of(client: httpx.Client, submission_id: str) -> tuple[str, list[str]]:
    body = client.get(f"/submissions/{submission_id}", headers=KEY).json()
    return body["status"], [step["status"] for step in body["steps"]]


def test_a_contact_id_that_was_inferred_wrongly_stops_the_lead_and_never_the_booking(
    start: Start, office: Office
) -> None:
    office.inject(Fault(status=200, body='"B-17, inte en kontakt"', operation="viewing", carried_out=True))
    client = start(customer={"lead": LEAD}, delivery=FAST)
    answer = book(client)
    assert (answer.status_code, answer.json()) == (200, "B-17, inte en kontakt")
    submission_id = answer.headers["submission-id"]
    eventually(lambda: status_of(client, submission_id)[1][1] == "rejected")
    status, steps = status_of(client, submission_id)
    assert status == "delivered"
    assert steps[2] != "delivered"
    assert "lead" not in operations(office)


def test_a_contact_that_vitec_does_not_know_yet_is_looked_up_once_more(start: Start, office: Office) -> None:
    office.inject(Fault(status=404, operation="contact", times=1))
    client = start(customer={"lead": LEAD}, delivery=FAST)
    submission_id = book(client).headers["submission-id"]
    eventually(lambda: status_of(client, submission_id) == ("delivered", ["delivered"] * 3))
    assert operations(office) == ["viewing", "contact", "contact", "lead"]
    office.inject(Fault(status=404, operation="contact"))
    other = book(client).headers["submission-id"]
    eventually(lambda: status_of(client, other)[1][1] == "rejected")
    first, second = office.received[-2:]
    assert (second.at - first.at).total_seconds() > 0.7
    assert operations(office)[4:] == ["viewing", "contact", "contact"]


@pytest.mark.parametrize("body", ['{"id": ', "", "null", "17", '""', '"  "', '["C1"]'])
def test_a_booking_answered_without_an_id_is_delivered_and_no_lead_follows(
    start: Start, office: Office, body: str
) -> None:
    office.inject(Fault(status=200, body=body, operation="viewing", carried_out=True))
    client = start(customer={"lead": LEAD}, delivery=FAST)
    answer = book(client)
    assert answer.status_code == 200
    submission_id = answer.headers["submission-id"]
    eventually(lambda: status_of(client, submission_id)[1][1] in {"failed", "rejected"})  # among what needs a person
    assert status_of(client, submission_id)[0] == "delivered"
    assert "lead" not in operations(office)
    assert len(office.bookings) == 1


FAULTS: list[dict[str, Any]] = [
    *({"status": status} for status in (403, 408, 425, 429, 500, 502, 503, 504, 302, 204)),
    {"status": 200, "body": '[{"id": '},
    {"cut": True},
    {"truncated": True},
    {"status": 401},
]


@pytest.mark.parametrize("park", ["retry", "park"])
def test_a_failed_lookup_is_retried_and_the_lead_follows(start: Start, office: Office, park: str) -> None:
    """A lookup changes nothing at Vitec, so it is never parked."""
    client = start(customer={"lead": LEAD, "on_ambiguous": park}, delivery=FAST, vitec={"paused_probe_seconds": 1})
    booked = []
    for fault in FAULTS:
        office.inject(Fault(**fault, operation="contact", times=1))
        booked.append(book(client).headers["submission-id"])
        asked = len(booked)
        eventually(lambda asked=asked: operations(office).count("contact") >= asked)  # type: ignore[misc]
    for submission_id, fault in zip(booked, FAULTS, strict=True):
        eventually(lambda submission_id=submission_id: status_of(client, submission_id)[1][-1] == "delivered")  # type: ignore[misc]
        assert status_of(client, submission_id) == ("delivered", ["delivered"] * 3), fault
    times = {name: operations(office).count(name) for name in ("viewing", "contact", "lead")}
    assert times == {"viewing": len(FAULTS), "contact": 2 * len(FAULTS), "lead": len(FAULTS)}


def test_a_lead_that_may_have_been_made_is_parked_if_so_configured(start: Start, office: Office) -> None:
    office.inject(Fault(status=500, operation="lead", carried_out=True))
    client = start(customer={"lead": LEAD, "on_ambiguous": "park"}, delivery=FAST)
    submission_id = book(client).headers["submission-id"]
    eventually(lambda: status_of(client, submission_id) == ("delivered", ["delivered", "delivered", "uncertain"]))
    assert operations(office) == ["viewing", "contact", "lead"]


def test_a_visitors_receipt_says_booked_though_the_lead_was_refused(start: Start, office: Office) -> None:
    office.inject(Fault(status=400, operation="lead"))
    client = start(customer={"lead": LEAD}, delivery=FAST)
    path = f"/Viewing/{CUSTOMER}/VIS1/CHAIN{next(SLOTS)}/Participant?utm_source=x&lang=sv"
    form = {"firstName": "Anna", "lastName": "Å", "cellPhone": "070-174 06 05", "consent": "true"}
    answer = client.post(path, data=form, headers={"Origin": ORIGIN})
    eventually(lambda: operations(office) == ["viewing", "contact", "lead"])
    assert answer.status_code == 303
    page = page_of(client.get(answer.headers["location"]))
    assert "bokad" in page.text
    assert not page.alert


def test_a_strangers_status_shows_every_step_and_no_id_of_vitecs(start: Start, office: Office) -> None:
    client = start(customer={"lead": LEAD}, delivery=FAST)
    answer = client.post(
        f"/Viewing/{CUSTOMER}/VIS1/CHAIN{next(SLOTS)}/Participant?utm_source=x",
        json={"updatePerson": PERSON, "consent": True},
        headers={"Origin": ORIGIN, "Prefer": "respond-async"},
    )
    url = answer.json()["statusUrl"].removeprefix("https://leads.example.se")
    eventually(lambda: [step["status"] for step in client.get(url).json()["steps"]] == ["delivered"] * 3)
    shown = client.get(url)
    ids = {call.answer for call in office.received if isinstance(call.answer, str)}
    assert len(ids) == 2
    assert not any(f'"{submission_id}"' in shown.text for submission_id in ids)
    assert shown.json()["status"] == "delivered"


@pytest.mark.parametrize("members", [{}, {"assignedToId": "contact-agent"}])
def test_a_lead_of_an_api_caller_goes_to_the_contacts_own_agent_when_configured(
    start: Start, office: Office, members: dict[str, str]
) -> None:
    office.contacts[CUSTOMER, "C1"] = Person(id="C1", customer_id=CUSTOMER, agent_id="AGENT7")
    client = start(customer={"lead": AGENT}, delivery=FAST)
    answer = client.post(f"/CRM/Lead/{CUSTOMER}?utm_source=x", json={"contactId": "C1"} | members, headers=KEY)
    assert (answer.status_code, answer.json()) == (200, "L1")
    assert operations(office) == ["contact", "lead"]
    expected = {"contactId": "C1", "leadSourceId": "CAMPAIGN", "assignedToId": "AGENT7", "marketing": TAGS}
    assert office.received[-1].body == expected
    assert office.received[-1].unknown_members == ()


def test_a_lead_whose_contact_is_unknown_is_refused_with_vitecs_words(start: Start, office: Office) -> None:
    for customer in ({"lead": AGENT}, {"lead": LEAD}):
        client = start(customer=customer, delivery=FAST)
        answer = client.post(f"/CRM/Lead/{CUSTOMER}", json={"contactId": "NOBODY"}, headers=KEY)
        content = problem(answer, 400)
        assert content["upstream"]["message"], customer
    assert "lead" in operations(office)


def test_an_interest_has_its_marketing_inline_and_no_lead_of_its_own(start: Start, office: Office) -> None:
    office.answer_interest_with_contact_id = True
    client = start(customer={"lead": LEAD | {"when": "always"}}, delivery=FAST)
    body = {"firstName": "Anna", "lastName": "Å", "telephone": {"cell": "0701740605"}}
    answer = client.post(f"/Advertising/Estate/{CUSTOMER}/O1/interest?utm_source=x", json=body, headers=KEY)
    assert answer.status_code == 200
    [step] = client.get(f"/submissions/{answer.headers['submission-id']}", headers=KEY).json()["steps"]
    assert step["status"] == "delivered"
    assert office.received[0].body["marketing"] == TAGS


def test_a_referrer_without_tags_makes_no_lead(start: Start, office: Office) -> None:
    client = start(customer={"lead": LEAD}, delivery=FAST)
    answer = book(client, query="referrer=https://www.maklarhuset.se/hem", **KEY)
    assert status_of(client, answer.headers["submission-id"]) == ("delivered", ["delivered"])
    assert operations(office) == ["viewing"]


def test_a_customer_without_the_lead_table_gets_no_lead(start: Start, office: Office) -> None:
    answer = book(client := start(delivery=FAST))
    assert status_of(client, answer.headers["submission-id"]) == ("delivered", ["delivered"])
    assert "returnBookingId" not in office.received[0].body or not office.received[0].body["returnBookingId"]
