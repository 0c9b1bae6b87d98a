"""Posts of personal links: the submission that follows, and what a second post does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox import Fault, Person
from tests.acceptance.bodies import CUSTOMER, PHONE, SITE, Members, faults_of
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService, run_service
from tests.acceptance.test_personal_pages import LEAD, known, link_to
from tests.servers import eventually

TAGS = "utm_source=brev&UTM_Campaign=h%C3%B6st&gclid=1&utm_source=igen&x=y"
MARKETING = {
    "utmTags": [
        {"name": "utm_source", "value": "brev"},
        {"name": "utm_campaign", "value": "höst"},
        {"name": "gclid", "value": "1"},
    ]
}
PROMISE = {"bank": "SEB", "validUntil": "2027-06-30", "estateType": "Apartment", "financing": "Bank"}
SENT = {
    "bank": "SEB",
    "validUntil": "2027-06-30T23:59:59+02:00",
    "estateType": "Apartment",
    "financing": "Bank",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    customers = [{"id": CUSTOMER, "lead": LEAD | {"office_id": "OFFICE1", "assignment_source_id": "AS1"}}]
    with run_service(tmp_path_factory.mktemp("service"), customers=customers) as service:
        yield service


@pytest.fixture(autouse=True)
def _no_faults(service: RunningService) -> Iterator[None]:
    yield
    service.office.clear_faults()


def leads_on(service: RunningService, contact: str) -> list[Members]:
    at = service.received(f"/CRM/Lead/{CUSTOMER}")
    assert all(call.unknown_members == () for call in at)
    return [one.body for one in at if one.body["contactId"] == contact]


def promises_of(service: RunningService, contact: str) -> list[Members]:
    at = service.received(f"/CRM/Buyer/{CUSTOMER}/{contact}/LoanPromise")
    assert all(call.unknown_members == () for call in at)
    return [call.body for call in at]


def receipt_of(service: RunningService, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return service.client.get(answer.headers["location"]).text


def test_a_contact_me_form_becomes_a_lead_on_that_contact_with_the_configured_members(service: RunningService) -> None:
    contact = known(service, first_name="Anna")
    answer = service.page(link_to(contact)).submit(service.client, {"message": "Ring mig\nefter fem"})
    receipt = receipt_of(service, answer)
    assert PHONE in receipt
    assert not {"Anna", "Ring mig", contact} & set(receipt.replace("<", " ").split())
    [body] = eventually(lambda: leads_on(service, contact))
    assert body == {
        "contactId": contact,
        "leadSourceId": "WEB",
        "assignedToId": "GROUP1",
        "officeId": "OFFICE1",
        "assignmentSourceId": "AS1",
        "message": "Ring mig\nefter fem",
    }


@pytest.mark.parametrize("headers", [{}, {"Referer": "same"}, {"Origin": "null"}, {"Origin": "https://evil.example"}])
def test_the_links_tags_become_the_leads_marketing_and_its_own_address_stays_secret(
    service: RunningService, headers: dict[str, str]
) -> None:
    contact = known(service)
    page = service.page(f"{link_to(contact)}?{TAGS}")
    sent = {name: page.url if value == "same" else value for name, value in headers.items()}
    assert receipt_of(service, page.submit(service.client, {}, **sent))
    [body] = eventually(lambda: leads_on(service, contact))
    assert body["marketing"] == MARKETING
    assert "personal/" not in str(body)
    assert "message" not in body


def test_a_page_of_ours_as_referrer_is_not_passed_on_either(service: RunningService) -> None:
    contact = known(service)
    path = link_to(contact)
    page = service.page(f"{path}?{TAGS}", Referer=f"https://leads.example.se{path}")
    assert "personal/" not in str(page.values)
    headers = {"Referer": f"https://leads.example.se{path}", "Idempotency-Key": "k" * 256}
    faulty = page.submit(service.client, {"message": "hej"}, **headers)
    again = page_of(faulty)
    assert "personal/" not in str(again.values)
    assert receipt_of(service, again.submit(service.client, {"message": "nu"}))
    [body] = eventually(lambda: leads_on(service, contact))
    assert "personal/" not in str(body)
    assert body["marketing"]["utmTags"] == MARKETING["utmTags"]


def test_the_contacts_own_agent_gets_the_lead_when_configured_so(tmp_path: Path) -> None:
    lead = {"lead_source_id": "WEB", "assigned_to_id": "contact-agent", "fallback_assigned_to_id": "FALL"}
    with run_service(tmp_path, customers=[{"id": CUSTOMER, "lead": lead}]) as service:
        with_agent, without = known(service, agent_id="AGENT7"), known(service)
        for contact, agent in ((with_agent, "AGENT7"), (without, "FALL")):
            assert service.client.post(link_to(contact), data={"message": "Hej"}).status_code == 303
            [body] = eventually(lambda contact=contact: leads_on(service, contact))  # type: ignore[misc]
            assert body == {"contactId": contact, "leadSourceId": "WEB", "assignedToId": agent, "message": "Hej"}


def test_a_loan_promise_form_becomes_exactly_its_four_members(service: RunningService) -> None:
    contact = known(service)
    page = service.page(f"{link_to(contact, 'loan-promise')}?{TAGS}")
    assert PHONE in receipt_of(service, page.submit(service.client, PROMISE))
    assert eventually(lambda: promises_of(service, contact)) == [SENT]
    assert leads_on(service, contact) == []


BEYOND = {"estateId": "E1", "status": "VerifiedByBank"}
NAMES = {"contactId": "OTHER", "customerId": "M67890", "message": "x", "leadSourceId": "x", "marketing.referrer": "x"}


@pytest.mark.parametrize("beyond", [BEYOND, NAMES, {name.upper(): value for name, value in BEYOND.items()}])
def test_members_beyond_are_ignored_in_a_loan_promise_form(service: RunningService, beyond: dict[str, str]) -> None:
    contact = known(service)
    answer = service.client.post(link_to(contact, "loan-promise") + "?contactId=OTHER", data=PROMISE | beyond)
    assert answer.status_code == 303
    assert eventually(lambda: promises_of(service, contact)) == [SENT]


def test_members_that_vitec_knows_are_ignored_in_json_and_unknown_ones_refused(service: RunningService) -> None:
    contact = known(service)
    path = link_to(contact, "loan-promise")
    assert set(faults_of(service.client.post(path, json=PROMISE | {"contactId": "OTHER"}))) == {"contactId"}
    answer = service.client.post(path, json=PROMISE | BEYOND)
    assert (answer.status_code, answer.text) == (200, "null")
    assert promises_of(service, contact) == [SENT]
    assert promises_of(service, "OTHER") == []


BEYOND_LEAD: Members = {"assignedToId": "ME", "leadSourceId": "MINE", "officeId": "O", "assignmentSourceId": "A"}


@pytest.mark.parametrize("names", [{}, {"contactId": "OTHER"}, {"contactId": "OTHER,C1"}])
@pytest.mark.parametrize("as_json", [True, False])
def test_a_holder_can_name_neither_another_contact_nor_who_gets_the_lead(
    service: RunningService, names: dict[str, str], as_json: bool
) -> None:
    contact = known(service)
    path = link_to(contact) + "?contactId=OTHER"
    body: dict[str, Any] = BEYOND_LEAD | names | {"message": "Hej"}
    answer = service.client.post(path, json=body) if as_json else service.client.post(path, data=body)
    assert answer.status_code == (200 if as_json else 303), answer.text
    [sent] = eventually(lambda: leads_on(service, contact))
    assert (sent["assignedToId"], sent["leadSourceId"], sent["officeId"]) == ("GROUP1", "WEB", "OFFICE1")
    assert leads_on(service, "OTHER") == []


def test_json_without_a_key_shows_nothing_from_vitec(service: RunningService) -> None:
    answer = service.client.post(link_to(known(service)), json={"message": "Hej"})
    assert (answer.status_code, answer.text) == (200, "null")
    assert answer.headers["submission-id"] in answer.headers["location"]


FAULTY: list[tuple[str, dict[str, str], str, str]] = [
    ("loan-promise", {"bank": ""}, "bank", "Skriv vilken bank"),
    ("loan-promise", {"bank": "SE\x07B"}, "bank", ""),
    ("loan-promise", {"validUntil": "i morgon"}, "validUntil", "2026-12-31"),
    ("loan-promise", {"validUntil": "2027-02-30"}, "validUntil", ""),
    ("loan-promise", {"estateType": "Castle"}, "estateType", ""),
    ("loan-promise", {"validUntil": "0027-03-31"}, "validUntil", "2026-12-31"),
    ("loan-promise", {"validUntil": "2020-01-01"}, "validUntil", "gått ut"),
    ("loan-promise", {"estateType": "4"}, "estateType", ""),
    ("loan-promise", {"financing": "3"}, "financing", ""),
]


@pytest.mark.parametrize(("form", "wrong", "field", "words"), FAULTY)
def test_an_error_is_shown_at_its_field_with_every_value_kept(
    service: RunningService, form: str, wrong: dict[str, str], field: str, words: str
) -> None:
    contact = known(service)
    typed = (PROMISE if form == "loan-promise" else {}) | wrong
    answer = service.page(f"{link_to(contact, form)}?lang=sv&{TAGS}").submit(service.client, typed)
    assert answer.status_code == 400
    page = page_of(answer)
    assert page.title.startswith("Fel: ")
    assert page.faulty == {field}
    assert page.links == [f"#{field}"]
    assert words in page.messages[f"{field}-fault"]
    kept = {name: page.values.get(name, "") for name in typed if name not in {"estateType", "financing"}}
    assert kept == {name: value for name, value in typed.items() if name in kept}
    for choice in {"estateType", "financing"} & set(typed) - {field}:
        assert page.values[choice] == typed[choice]
    assert promises_of(service, contact) == leads_on(service, contact) == []
    right = PROMISE if form == "loan-promise" else {"message": "rätt"}
    assert page.submit(service.client, right).status_code == 303
    assert eventually(lambda: promises_of(service, contact) or leads_on(service, contact))


def test_errors_are_in_english_for_an_english_reader(service: RunningService) -> None:
    answer = service.client.post(link_to(known(service), "loan-promise") + "?lang=en", data={"bank": ""})
    page = page_of(answer)
    assert (page.language, page.title[:6]) == ("en", "Error:")
    assert "bank" in page.alert


def says_used(answer: httpx.Response) -> None:
    page = page_of(answer)
    assert answer.status_code in {200, 409, 410}
    assert not page.has_form
    assert not page.alert
    assert page.text
    assert PHONE in page.text


@pytest.mark.parametrize("again", [PROMISE | {"bank": "Swedbank"}, {"bank": ""}])
def test_a_link_that_was_used_for_a_loan_promise_says_so_kindly(service: RunningService, again: dict[str, str]) -> None:
    contact = known(service)
    path = link_to(contact, "loan-promise")
    page = service.page(path)
    assert page.submit(service.client, PROMISE).status_code == 303
    used = service.client.get(path + "?lang=sv")
    says_used(used)
    assert "lånelöfte" in used.text
    assert "loan promise" in service.client.get(path + "?lang=en").text
    says_used(page.submit(service.client, again))
    says_used(service.client.post(path + "?utm_source=x", data=again))
    eventually(lambda: promises_of(service, contact))
    assert promises_of(service, contact) == [SENT]
    other = known(service)
    assert service.page(link_to(other, "loan-promise")).has_form
    assert service.page(link_to(contact)).has_form


def test_a_loan_promise_sent_again_is_answered_with_the_first_outcome(service: RunningService) -> None:
    contact = known(service)
    page = service.page(link_to(contact, "loan-promise"))
    first, again = (page.submit(service.client, PROMISE) for _ in range(2))
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["location"] == again.headers["location"]


def test_a_json_post_of_a_used_link_is_answered_with_a_problem(service: RunningService) -> None:
    path = link_to(known(service), "loan-promise")
    first, again = (service.client.post(path, json=PROMISE) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.headers["submission-id"] == again.headers["submission-id"]
    other = service.client.post(path, json=PROMISE | {"bank": "Swedbank"})
    assert (other.status_code, other.headers["content-type"]) == (422, "application/problem+json")
    assert other.json()["title"] == "Vi har redan ditt lånelöfte"


def test_a_link_cannot_be_used_twice_by_encoding_it_differently(service: RunningService) -> None:
    contact = known(service)
    path = link_to(contact, "loan-promise")
    for spelled in (path, f"{path}.", f"{path}="):
        service.client.post(spelled, json=PROMISE)  # which waits for Vitec
    assert promises_of(service, contact) == [SENT]


def test_when_a_link_is_used_twice_at_once_one_promise_is_sent_and_both_get_a_friendly_page(
    service: RunningService,
) -> None:
    contact = known(service)
    path = link_to(contact, "loan-promise")
    banks = [f"Bank {number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda bank: service.client.post(path, data=PROMISE | {"bank": bank}), banks))
    received = [answer for answer in answers if answer.status_code == 303]
    assert len(received) == 1
    eventually(lambda: promises_of(service, contact))
    for answer in answers:
        if answer.status_code != 303:
            says_used(answer)
    assert len(promises_of(service, contact)) == 1


def test_the_same_press_twice_at_once_is_one_promise_with_one_receipt(service: RunningService) -> None:
    contact = known(service)
    page = service.page(link_to(contact, "loan-promise"))
    with ThreadPoolExecutor(6) as pool:
        posts = [pool.submit(service.client.post, page.url, data=page.values | PROMISE) for _ in range(6)]
    answers = [post.result() for post in posts]
    assert len({answer.headers["location"] for answer in answers if answer.status_code == 303}) == 1
    for answer in answers:
        if answer.status_code != 303:
            says_used(answer)
    assert eventually(lambda: promises_of(service, contact)) == [SENT]


def test_a_contact_link_may_be_used_again_and_the_same_press_twice_is_one_lead(service: RunningService) -> None:
    contact = known(service)
    page = service.page(link_to(contact))
    assert page.submit(service.client, {"message": "ett"}).status_code == 303
    assert page.submit(service.client, {"message": "ett"}).status_code == 303
    assert service.page(link_to(contact)).submit(service.client, {"message": "två"}).status_code == 303
    assert eventually(lambda: len(leads_on(service, contact)) == 2)


def test_a_loan_promise_that_vitec_refused_may_be_sent_again_by_the_same_link(service: RunningService) -> None:
    contact = known(service)
    path = link_to(contact, "loan-promise")
    service.office.inject(Fault(status=400, operation="loan-promise", times=1))
    refused = service.client.post(path, json=PROMISE)
    assert refused.status_code == 400
    assert refused.json()["upstream"]
    assert service.page(path).has_form
    assert service.client.post(path, json=PROMISE | {"bank": "Swedbank"}).status_code == 200
    says_used(service.client.get(path))


def test_a_promise_that_waits_for_vitec_uses_its_link_too(service: RunningService) -> None:
    contact = known(service)
    path = link_to(contact, "loan-promise")
    service.office.inject(Fault(status=503, operation="loan-promise"))
    assert service.client.post(path, data=PROMISE).status_code == 303
    says_used(service.client.get(path))
    service.office.clear_faults()
    assert eventually(
        lambda: [promise.content.bank for promise in service.office.loan_promises if promise.contact_id == contact]
    )


def test_a_used_link_is_still_used_after_a_restart(tmp_path: Path) -> None:
    customers = [{"id": CUSTOMER, "lead": LEAD}]
    with run_service(tmp_path, customers=customers) as service:
        path = link_to(known(service), "loan-promise")
        assert service.client.post(path, data=PROMISE).status_code == 303
    with run_service(tmp_path, customers=customers) as service:
        says_used(service.client.get(path))


def test_a_contact_that_is_gone_when_the_form_is_sent_loses_nothing(service: RunningService) -> None:
    contact = known(service)
    path = link_to(contact)
    page = service.page(path)
    person = service.office.contacts.pop((CUSTOMER, contact))
    answer = page.submit(service.client, {"message": "Hej"})
    assert answer.status_code in {303, 404, 410}
    assert isinstance(person, Person)


@pytest.mark.parametrize("form", ["contact", "loan-promise"])
def test_other_bodies_are_refused_as_elsewhere(service: RunningService, form: str) -> None:
    path = link_to(known(service), form)
    assert service.client.post(path, content=b"<x/>", headers={"Content-Type": "text/xml"}).status_code == 415
    assert service.client.post(path, data={"message": "x" * 70_000}).status_code == 413
    assert service.client.post(path, content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert service.client.post(path, files={"message": ("a.txt", b"x")}, headers=SITE).status_code == 400


def test_posts_from_one_address_are_limited_and_what_was_typed_is_kept(tmp_path: Path) -> None:
    with run_service(tmp_path, customers=[{"id": CUSTOMER, "lead": LEAD, "rate_limit": "2/minute"}]) as service:
        contact = known(service)
        for number in range(2):
            assert service.client.post(link_to(contact), data={"message": str(number)}).status_code == 303
        answer = service.client.post(link_to(contact), data={"message": "den tredje"})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert page_of(answer).values["message"] == "den tredje"
