"""The operations' effects on the office, their logins, and the sandbox's answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.sandbox import Company, Customer, DeceasedEstate, Office, Operation, Person, Slot, Viewing, serve_sandbox
from app.sandbox.contact_records import ContactEmail, ContactTelephone

NOW = datetime(2026, 10, 18, 11, 0, tzinfo=UTC)
ANNA = {"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}}
VISITOR = {"customerId": "M1", "firstName": "Bo", "lastName": "Al", "cellPhone": "070-174 06 05"}
LEAD = {"contactId": "C1", "assignedToId": "A1", "leadSourceId": "S1"}
INTEREST_PATH = "/Advertising/Estate/{}/OBJ1/interest"
ADVERTISING, CRM = ("partner", "ads"), ("partner", "crm")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Office, httpx.Client]]:
    office = Office(
        [Customer("M1", "ads", "crm"), Customer("M2", "other"), Customer("M3", "ads", has_access=False)],
        estates=frozenset({"OBJ1"}),
        slots={
            ("VIS1", "OPEN"): Slot(),
            ("VIS1", "ONE"): Slot(capacity=1),
            ("VIS1", "NOW"): Slot(deadline_at=NOW),
            ("VIS1", "PASSED"): Slot(deadline_at=NOW - timedelta(seconds=1)),
            ("VIS1", "LAST"): Slot(contested=True),
            ("VIS8", "ELSEWHERE"): Slot(),
        },
        viewings={
            "VIS1": Viewing("OBJ1", NOW + timedelta(days=3), NOW + timedelta(days=3, hours=1), comment="Porten"),
            "VIS0": Viewing("OBJ1", NOW - timedelta(days=300), NOW - timedelta(days=300), is_visible=False),
            "VIS8": Viewing("OBJ8", NOW, NOW),
        },
        contacts=[
            Person(
                id="C1",
                customer_id="M1",
                first_name="Cia",
                last_name="Dal",
                social_security_number="19900101-2384",
                telephone=ContactTelephone(home="08-465 004 00", work="08-465 004 01", cell="0701740606"),
                email=ContactEmail(email_address="cia@example.se"),
            ),
            Company(id="C2", customer_id="M1", name="Exempel AB"),
            DeceasedEstate(id="C3", customer_id="M1", name="Dödsbo"),
            Person(id="C9", customer_id="M2"),
        ],
        now=lambda: NOW,
    )
    with serve_sandbox(office) as url, httpx.Client(base_url=url) as client:
        yield office, client


@pytest.fixture
def office(served: tuple[Office, httpx.Client]) -> Office:
    served[0].reset()
    served[0].answer_interest_with_contact_id = False
    return served[0]


@pytest.fixture
def vitec(served: tuple[Office, httpx.Client], office: Office) -> httpx.Client:
    return served[1]


def book(vitec: httpx.Client, slot: str = "OPEN", **members: Any) -> httpx.Response:
    body = {"updatePerson": VISITOR} | members
    return vitec.post(f"/Viewing/M1/VIS1/{slot}/Participant", json=body, auth=ADVERTISING)


def attend(vitec: httpx.Client, slot: str = "OPEN", estate: str = "OBJ1", **members: Any) -> httpx.Response:
    body = {"timeSlotId": slot, "firstName": "Bo", "lastName": "Al", "cellPhone": "070-174 06 05"} | members
    return vitec.post(f"/v2/Advertising/Form/M1/Estate/{estate}/Viewing/Attend", json=body, auth=ADVERTISING)


def times(vitec: httpx.Client) -> dict[str, bool]:
    home = vitec.get("/v2/Advertising/Form/M1/Estate/OBJ1", auth=ADVERTISING).json()
    return {
        slot["id"]: slot["isRegistrationAvailable"] for viewing in home["viewings"] for slot in viewing["timeSlots"]
    }


def register(vitec: httpx.Client, **members: Any) -> httpx.Response:
    return vitec.post(INTEREST_PATH.format("M1"), json=ANNA | members, auth=ADVERTISING)


@pytest.mark.parametrize(
    ("customer", "login", "status"),
    [
        ("M1", ("partner", "ads"), 204),
        ("M1", ("partner", "crm"), 401),
        ("M1", ("partner", ""), 401),
        ("M1", ("Partner", "ads"), 401),
        ("M2", ("partner", "ads"), 401),
        ("M2", ("partner", "other"), 204),
        ("M3", ("partner", "ads"), 403),
        ("M3", ("partner", "wrong"), 401),
        ("M4", ("partner", "ads"), 403),
        ("M4", ("nobody", "ads"), 401),
        ("m1", ("partner", "ads"), 403),
    ],
)
def test_each_customer_has_a_password_for_advertising(
    vitec: httpx.Client, customer: str, login: tuple[str, str], status: int
) -> None:
    assert vitec.post(INTEREST_PATH.format(customer), json=ANNA, auth=login).status_code == status


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/CRM/Lead/M1"), ("GET", "/CRM/Contact/M1/C1"), ("POST", "/CRM/Buyer/M1/C1/LoanPromise")],
)
def test_crm_has_a_password_of_its_own(vitec: httpx.Client, method: str, path: str) -> None:
    body = LEAD if method == "POST" else None
    assert vitec.request(method, path, json=body, auth=ADVERTISING).status_code == 401
    assert vitec.request(method, path, json=body, auth=CRM).status_code == 200


def test_one_password_opens_both_groups_when_there_is_only_one(vitec: httpx.Client) -> None:
    assert vitec.get("/CRM/Contact/M2/C9", auth=("partner", "other")).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic :", "Basic %%%", "Basic cGFydG5lcg==", "Bearer cGFydG5lcjphZHM="]
)
def test_a_login_that_is_not_basic_is_refused(vitec: httpx.Client, header: str) -> None:
    response = vitec.post(INTEREST_PATH.format("M1"), json=ANNA, headers={"Authorization": header})
    assert response.status_code == 401


def test_the_login_is_checked_before_the_body(vitec: httpx.Client) -> None:
    assert vitec.post(INTEREST_PATH.format("M1"), content=b"{").status_code == 401


def test_an_interest_is_answered_with_nothing(vitec: httpx.Client, office: Office) -> None:
    response = register(vitec)
    assert (response.status_code, response.content) == (204, b"")
    assert [lead.made_by for lead in office.leads] == [Operation.INTEREST]


def test_an_interest_may_be_answered_with_the_contact_id(vitec: httpx.Client, office: Office) -> None:
    office.answer_interest_with_contact_id = True
    response = register(vitec)
    assert (response.status_code, response.json()) == (200, office.received[-1].contact_id)


def test_a_booking_is_answered_with_the_contact_or_on_demand_the_booking(vitec: httpx.Client, office: Office) -> None:
    contact_id = book(vitec).json()
    booking_id = book(vitec, returnBookingId=True).json()
    assert [booking.contact_id for booking in office.bookings] == [contact_id] * 2
    assert office.bookings[1].id == booking_id != contact_id


def test_a_booking_makes_a_lead_of_vitecs_own(vitec: httpx.Client, office: Office) -> None:
    contact_id = book(vitec, contactMessage="Kan jag ta med hunden?").json()
    [lead] = office.leads
    assert (lead.contact_id, lead.made_by) == (contact_id, Operation.VIEWING)
    assert lead.content.model_dump(by_alias=True)["contactMessage"] == "Kan jag ta med hunden?"


@pytest.mark.parametrize(
    ("slot", "option", "words"),
    [
        ("PASSED", "isDeadlineValidationEnabled", "Anmälningstiden har gått ut."),
        ("ONE", "enableBookingLimitValidation", "Visningstiden är fullbokad."),
    ],
)
def test_deadline_and_limit_are_kept_only_on_demand(vitec: httpx.Client, slot: str, option: str, words: str) -> None:
    assert book(vitec, slot).status_code == 200
    assert book(vitec, slot, options={option: False}).status_code == 200
    refused = book(vitec, slot, options={option: True})
    assert (refused.status_code, refused.json()) == (400, {"message": words})


def test_a_booking_at_the_deadline_or_in_the_last_place_is_taken(vitec: httpx.Client) -> None:
    strict = {"isDeadlineValidationEnabled": True, "enableBookingLimitValidation": True}
    assert book(vitec, "NOW", options=strict).status_code == 200
    assert book(vitec, "ONE", options=strict).status_code == 200
    assert book(vitec, "ONE", options=strict).status_code == 400


def test_a_home_is_read_with_all_its_viewings_in_bare_swedish_time(vitec: httpx.Client) -> None:
    home = vitec.get("/v2/Advertising/Form/M1/Estate/OBJ1", auth=ADVERTISING).json()
    assert [(viewing["id"], viewing["isVisible"]) for viewing in home["viewings"]] == [("VIS0", False), ("VIS1", True)]
    assert home["viewings"][1]["startsAt"] == "2026-10-21T13:00:00"
    assert times(vitec) == {"OPEN": True, "ONE": True, "NOW": True, "PASSED": False, "LAST": True}


def test_a_home_is_attended_by_slot_alone(vitec: httpx.Client, office: Office) -> None:
    answer = attend(vitec, lead={"message": "Hej"}, marketing={"utmTags": [{"name": "utm_source", "value": "x"}]})
    assert answer.json() == {"contactId": office.bookings[0].contact_id}
    assert (office.bookings[0].viewing_id, office.leads[0].made_by) == ("VIS1", Operation.ATTEND)


@pytest.mark.parametrize(("slot", "estate"), [("ELSEWHERE", "OBJ1"), ("NONE", "OBJ1"), ("OPEN", "OBJ8")])
def test_another_homes_slot_and_an_unknown_home_are_not_found(vitec: httpx.Client, slot: str, estate: str) -> None:
    assert attend(vitec, slot, estate).status_code == 404


def test_a_slot_that_fills_up_is_free_until_somebody_tries(vitec: httpx.Client) -> None:
    assert times(vitec)["LAST"]
    refused = attend(vitec, "LAST", validation={"isBookingLimitEnabled": True})
    assert (refused.status_code, refused.json()) == (400, {"message": "Visningstiden är fullbokad."})
    assert not times(vitec)["LAST"]


@pytest.mark.parametrize(
    "members",
    [
        {"firstName": "x" * 31},
        {"timeSlotId": None},
        {"cellPhone": "x" * 18},
        {"email": {"emailAddress": "a@example.se"}},
        {"cellPhone": None},
        {"validation": {"isDeadLineEnabled": "true"}},
    ],
)
def test_attending_is_held_to_the_limits_of_the_other_calls(vitec: httpx.Client, members: dict[str, Any]) -> None:
    assert attend(vitec, **members).status_code == 400


@pytest.mark.parametrize(
    ("same", "members"),
    [
        (True, {"socialSecurityNumber": "900101-2384", "firstName": "Someone", "lastName": "Else"}),
        (True, {"firstName": "CIA", "lastName": "dal", "email": {"emailAddress": "Cia@Example.se"}}),
        (True, {"firstName": "Cia", "lastName": "Dal", "telephone": {"cell": "+46 70 174 06 06"}}),
        (True, {"firstName": "Cia", "lastName": "Dal", "telephone": {"home": "08 465 00 400"}}),
        (False, {"firstName": "Cia", "lastName": "Dal"}),
        (False, {"firstName": "Cia", "lastName": "Dahl", "email": {"emailAddress": "cia@example.se"}}),
        (False, {"firstName": "Cia", "lastName": "Dal", "telephone": {"other": "0701740606"}}),
    ],
)
def test_the_same_person_is_never_added_twice(
    vitec: httpx.Client, office: Office, same: bool, members: dict[str, Any]
) -> None:
    before = len(office.contacts)
    assert register(vitec, **members).status_code == 204
    assert (office.received[-1].contact_id == "C1", len(office.contacts) == before) == (same, same)


def test_a_repeated_post_makes_a_second_lead_on_the_same_person(vitec: httpx.Client, office: Office) -> None:
    register(vitec)
    register(vitec)
    assert len(office.leads) == 2
    assert len({lead.contact_id for lead in office.leads}) == 1


def test_a_person_of_one_customer_is_unknown_to_another(vitec: httpx.Client, office: Office) -> None:
    register(vitec)
    vitec.post(INTEREST_PATH.format("M2"), json=ANNA, auth=("partner", "other"))
    assert len({lead.contact_id for lead in office.leads}) == 2


def test_a_booking_by_contact_id_is_on_that_contact(vitec: httpx.Client) -> None:
    assert book(vitec, updatePerson=VISITOR | {"contactId": "C2"}).json() == "C2"
    assert book(vitec, updatePerson=VISITOR | {"contactId": "C99"}).status_code == 404


def test_a_lead_and_a_loan_promise_are_answered_with_their_ids(vitec: httpx.Client, office: Office) -> None:
    lead = vitec.post("/CRM/Lead/M1", json=LEAD, auth=CRM)
    promise = vitec.post("/CRM/Buyer/M1/C2/LoanPromise", json={"bank": "Banken"}, auth=CRM)
    assert lead.json() == office.leads[0].id
    assert promise.json() == office.loan_promises[0].id
    assert [call.contact_id for call in office.received] == ["C1", "C2"]


def test_contacts_are_distinguished_by_type(vitec: httpx.Client) -> None:
    person, company, estate = vitec.get("/CRM/Contact/M1/C1,C2,C3", auth=CRM).json()
    assert (person["type"], person["lastName"]) == ("Person", "Dal")
    assert (company["type"], company["name"]) == ("Company", "Exempel AB")
    assert (estate["type"], estate["name"]) == ("DeceasedEstate", "Dödsbo")


def test_unknown_contacts_are_left_out_unless_all_are_unknown(vitec: httpx.Client) -> None:
    assert [contact["id"] for contact in vitec.get("/CRM/Contact/M1/C99,C1,C9", auth=CRM).json()] == ["C1"]
    assert vitec.get("/CRM/Contact/M1/C99,C9", auth=CRM).status_code == 404


def test_twenty_contacts_at_most_are_answered_at_once(vitec: httpx.Client) -> None:
    ids = [f"C{number}" for number in range(1, 22)]
    assert vitec.get(f"/CRM/Contact/M1/{','.join(ids[:20])}", auth=CRM).status_code == 200
    assert vitec.get(f"/CRM/Contact/M1/{','.join(ids)}", auth=CRM).status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "login"),
    [
        ("/Advertising/Estate/M1/OBJ2/interest", ANNA, ADVERTISING),
        ("/Viewing/M1/VIS2/OPEN/Participant", {"updatePerson": VISITOR}, ADVERTISING),
        ("/Viewing/M1/VIS1/open/Participant", {"updatePerson": VISITOR}, ADVERTISING),
        ("/CRM/Lead/M1", LEAD | {"contactId": "C9"}, CRM),
        ("/CRM/Buyer/M1/C9/LoanPromise", {}, CRM),
        ("/advertising/estate/M1/OBJ1/interest", ANNA, ADVERTISING),
        ("/Advertising/Estate/M1/OBJ1/interest/", ANNA, ADVERTISING),
    ],
)
def test_what_does_not_exist_is_not_found(vitec: httpx.Client, path: str, body: Any, login: tuple[str, str]) -> None:
    assert vitec.post(path, json=body, auth=login).status_code == 404


def test_vitec_shows_no_forms(vitec: httpx.Client) -> None:
    assert vitec.get(INTEREST_PATH.format("M1"), auth=ADVERTISING).status_code == 405


def test_a_valuation_makes_a_lead_and_answers_the_contact(office: Office, vitec: httpx.Client) -> None:
    seller = {"firstName": "Sara", "lastName": "Ek", "email": "sara@example.se", "receiver": {"userId": "A1"}}
    answer = vitec.post("/v2/Advertising/Form/M1/Valuation", json=seller, auth=ADVERTISING)
    assert answer.status_code == 200
    [lead] = office.leads
    assert (lead.made_by, lead.contact_id) == (Operation.VALUATION, answer.json()["contactId"])
    again = vitec.post("/v2/Advertising/Form/M1/Valuation", json=seller, auth=ADVERTISING)
    assert again.json() == answer.json()
    for wrong in (
        seller | {"email": None},
        seller | {"firstName": "x" * 31},
        seller | {"email": {"emailAddress": "x"}},
    ):
        assert vitec.post("/v2/Advertising/Form/M1/Valuation", json=wrong, auth=ADVERTISING).status_code == 400


def test_a_final_price_is_watched_by_a_contact(office: Office, vitec: httpx.Client) -> None:
    path = "/Advertising/Estate/M1/{}/FinalPriceWatched"
    answer = vitec.post(path.format("OBJ1"), json={"person": ANNA}, auth=ADVERTISING)
    assert isinstance(answer.json(), str)
    assert [(watch.estate_id, watch.contact_id) for watch in office.final_price_watches] == [("OBJ1", answer.json())]
    for wrong in ({}, {"person": ANNA | {"email": None}}, {"person": ANNA, "prospectiveBuyerStatus": 3}):
        assert vitec.post(path.format("OBJ1"), json=wrong, auth=ADVERTISING).status_code == 400
    assert vitec.post(path.format("OBJ2"), json={"person": ANNA}, auth=ADVERTISING).status_code == 404


def test_a_contact_who_opts_out_is_removed_from_the_homes_viewings_and_repeating_it_changes_nothing(
    office: Office, vitec: httpx.Client
) -> None:
    for path in ("/Viewing/M1/VIS1/OPEN/Participant", "/Viewing/M1/VIS8/ELSEWHERE/Participant"):
        contact = vitec.post(path, json={"updatePerson": VISITOR}, auth=ADVERTISING).json()
    path = "/Advertising/Message/M1/Estate/{}/Viewing/Attendee/{}/OptOut"
    for _ in range(2):
        answer = vitec.put(path.format("OBJ1", contact), auth=ADVERTISING)
        assert (answer.status_code, answer.content) == (204, b"")
        assert [booking.viewing_id for booking in office.bookings] == ["VIS8"]
    assert vitec.put(path.format("OBJ1", "C99"), auth=ADVERTISING).status_code == 404
    assert vitec.put(path.format("OBJ2", contact), auth=ADVERTISING).status_code == 404
    assert vitec.put(path.format("OBJ1", contact), json={}, auth=ADVERTISING).status_code == 400
    assert vitec.put(path.format("OBJ1", contact), auth=CRM).status_code == 401
    assert vitec.post(path.format("OBJ1", contact), auth=ADVERTISING).status_code == 405
