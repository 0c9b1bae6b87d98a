"""Valuations and final prices: by form and JSON, at each address, up to the CRM."""

from typing import Any
from urllib.parse import urlencode

import pytest

from app.sandbox import Fault, Received
from tests.acceptance.bodies import (
    CUSTOMER,
    FULL,
    PHONE,
    PLAIN,
    SITE,
    Members,
    faults_of,
    fields,
    final_price,
    final_price_path,
    key,
    member,
    problem,
    valuation,
    valuation_path,
)
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService
from tests.servers import eventually

TAGS = {"utm_source": "google", "gclid": "x1", "referrer": "https://www.maklarhuset.se/salja"}
MARKETING = {
    "referrer": "https://www.maklarhuset.se/salja",
    "utmTags": [{"name": "utm_source", "value": "google"}, {"name": "gclid", "value": "x1"}],
}
TOO_LONG = {"streetAddress": "x" * 69, "zipCode": "x" * 16, "city": "x" * 26}
HOME = {"streetAddress": "Storgatan 1", "zipCode": "12345", "city": "Ankeborg"}


def neutral(path: str) -> str:
    """The neutral address for one of Vitec's."""
    parts = path.split("/")
    return f"/forms/{parts[4]}/valuation" if parts[1] == "v2" else f"/forms/{parts[3]}/final-price/{parts[4]}"


def arrived(service: RunningService, email: str) -> Received:
    """The one call that contains this e-mail address; asserts that it was carried out and had no unknown members."""
    call = eventually(lambda: [call for call in list(service.office.received) if email in str(call.body)])[0]
    assert call.unknown_members == ()
    assert call.status == 200, call.answer
    return call


@pytest.mark.parametrize("address", [valuation_path(), neutral(valuation_path())])
def test_a_valuation_goes_from_the_form_to_vitec_with_its_campaign(service: RunningService, address: str) -> None:
    page = service.page(f"{address}?{urlencode(TAGS)}")
    asked = valuation()
    typed = fields(asked) | {"cellPhone": "070-174 06 05", "lead.message": "Tre rum och kök"}
    typed |= {f"address.{name}": value for name, value in HOME.items()}
    answer = page.submit(service.client, typed, **SITE)
    assert answer.status_code == 303
    assert "tagit emot din förfrågan" in service.client.get(answer.headers["location"]).text
    call = arrived(service, asked["email"])
    assert call.path == valuation_path()
    assert call.body == {
        "firstName": "Anna",
        "lastName": "Ek",
        "email": asked["email"],
        "cellPhone": "+46701740605",
        "address": HOME | {"zipCode": "123 45"},
        "gdpr": {"hasApproved": True},
        "lead": {"message": "Tre rum och kök"},
        "marketing": MARKETING,
    }


@pytest.mark.parametrize("is_neutral", [False, True])
def test_a_final_price_goes_from_the_form_to_vitec_with_its_campaign(service: RunningService, is_neutral: bool) -> None:
    path = final_price_path()
    page = service.page(f"{neutral(path) if is_neutral else path}?{urlencode(TAGS)}")
    typed = fields(final_price()) | {"telephone.cell": "070-174 06 05"}
    answer = page.submit(service.client, typed, **SITE)
    assert answer.status_code == 303
    assert service.delivered(path).body == {
        "person": {
            "firstName": "Anna",
            "lastName": "Ek",
            "email": {"emailAddress": "anna@example.se"},
            "telephone": {"cell": "+46701740605"},
        },
        "prospectiveBuyerStatus": "Interested",
        "marketing": MARKETING,
    }


def test_a_form_may_use_the_persons_prefix_or_leave_it_out(service: RunningService) -> None:
    bare = fields(final_price())
    prefixed = {name if name == "consent" else f"person.{name}": value for name, value in bare.items()}
    first, second = (service.submitted(final_price_path(), typed) for typed in (bare, prefixed))
    assert first == second


def test_a_program_gets_vitecs_own_answer_and_a_stranger_null(service: RunningService) -> None:
    asked = valuation()
    answer = service.client.post(valuation_path(), json=asked, headers=key())
    assert answer.json() == arrived(service, asked["email"]).answer
    assert set(answer.json()) == {"contactId"}
    assert service.client.post(valuation_path(), json=valuation(), headers=SITE).json() is None
    path = final_price_path()
    answer = service.client.post(path, json=final_price(), headers=key())
    assert answer.json() == service.delivered(path).answer
    assert service.client.post(final_price_path(), json=final_price(), headers=SITE).json() is None


@pytest.mark.parametrize("caller", [SITE, key(FULL)], ids=["public", "key"])
def test_without_a_key_only_a_visitors_members_are_accepted_and_the_rest_is_configured(
    service: RunningService, caller: dict[str, str]
) -> None:
    with_key = caller is not SITE
    lead = {"leadSourceId": "X", "assignmentSourceId": "Y", "message": "Hej"}
    asked = valuation(lead=lead, receiver={"userId": "Z"}, gdpr={"hasApproved": True})
    assert service.client.post(valuation_path(FULL), json=asked, headers=caller).status_code == 200
    body = arrived(service, asked["email"]).body
    configured = {"leadSourceId": "LS3", "assignmentSourceId": "AS3", "message": "Hej"}
    assert body["lead"] == (lead if with_key else configured)
    assert body["receiver"] == {"userId": "Z" if with_key else "U3"}
    path = final_price_path(FULL)
    members = final_price(leadSourceId="X", prospectiveBuyerStatus=2, message="Hej")
    assert service.client.post(path, json=members, headers=caller).status_code == 200
    body = service.delivered(path).body
    expected = ("X", "NotInterested") if with_key else ("LS4", "Assigned")
    assert (body["leadSourceId"], body["prospectiveBuyerStatus"], body["message"]) == (*expected, "Hej")


def test_consent_is_a_tick_or_in_json_the_approval(service: RunningService) -> None:
    silent = {name: value for name, value in valuation().items() if name != "consent"}
    for members in (silent, silent | {"gdpr": {"hasApproved": False}}):
        assert set(faults_of(service.client.post(valuation_path(), json=members, headers=SITE))) == {"consent"}
    approved = silent | {"gdpr": {"hasApproved": True}}
    assert service.client.post(valuation_path(), json=approved, headers=SITE).status_code == 200
    assert arrived(service, silent["email"]).body["gdpr"] == {"hasApproved": True}
    typed = fields(silent) | {"gdpr.hasApproved": "true"}
    assert page_of(service.client.post(valuation_path(), data=typed, headers=SITE)).faulty == {"consent"}


@pytest.mark.parametrize("inside", [True, False], ids=["in the person", "beside"])
def test_an_approval_that_a_final_price_has_no_place_for_is_a_consent_and_is_not_sent(
    service: RunningService, inside: bool
) -> None:
    asked = final_price({"email": {"emailAddress": f"approved{inside}@example.se"}}, consent=None)
    members = {"gdprApprovalDate": "2026-05-01"}
    body = asked | {"person": asked["person"] | members} if inside else asked | members
    answer = service.client.post(final_price_path(), json=body, headers=SITE)
    assert answer.status_code == 200, answer.text
    sent = arrived(service, asked["person"]["email"]["emailAddress"]).body
    assert member(sent, "gdprApprovalDate") is None
    assert member(sent, "person.gdprApprovalDate") is None
    faulty = service.client.post(final_price_path(), json=asked | {"gdprApprovalDate": "z"}, headers=SITE)
    assert set(faults_of(faulty)) == {"gdprApprovalDate", "consent"}


@pytest.mark.parametrize(
    ("members", "faulty"),
    [
        ({"firstName": " ", "lastName": "x" * 31}, {"firstName", "lastName"}),
        ({"email": None}, {"email"}),
        ({"email": "anna"}, {"email"}),
        ({"email": {"emailAddress": "anna@example.se"}}, {"email"}),
        ({"email": None, "cellPhone": "12"}, {"cellPhone"}),
        ({"address": TOO_LONG}, {f"address.{name}" for name in TOO_LONG}),
        ({"socialSecurityNumber": "811228-9874"}, {"socialSecurityNumber"}),
        ({"lead": {"fax": 1}, "x": 1}, {"lead.fax", "x"}),
    ],
)
def test_all_errors_of_a_valuation_are_reported_at_once(
    service: RunningService, members: Members, faulty: set[str]
) -> None:
    assert set(faults_of(service.client.post(valuation_path(), json=valuation(**members), headers=SITE))) == faulty


def test_a_form_with_errors_is_shown_again_with_everything_typed_and_a_link_to_each_error(
    service: RunningService,
) -> None:
    typed = {"firstName": "Anna", "lastName": "", "email": "anna@", "address.city": "Ankeborg", "lead.message": "Hej"}
    page = page_of(service.client.post(valuation_path(), data=typed, headers=SITE))
    assert page.faulty == {"lastName", "email", "consent"}
    assert set(page.links) == {"#lastName", "#email", "#consent"}
    assert {name: page.values[name] for name in typed} == typed
    page = page_of(service.client.post(valuation_path(), data={"consent": "on"}, headers=SITE))
    assert "#cellPhone" in page.links  # of the pair, the one that comes first
    page = page_of(service.client.post(final_price_path(), data={"person.lastName": "Ek"}, headers=SITE))
    assert {"#firstName", "#email-emailAddress"} <= set(page.links)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("headers", [{}, key(PLAIN)], ids=["public", "key"])
def test_without_its_table_in_the_configuration_a_form_is_404(
    service: RunningService, method: str, headers: dict[str, str]
) -> None:
    for path in (valuation_path(PLAIN), final_price_path(PLAIN)):
        for address in (path, neutral(path)):
            problem(service.client.request(method, address, headers=headers), 404)


def test_the_same_valuation_twice_is_one(service: RunningService) -> None:
    asked = valuation()
    typed = fields(asked)
    first, second = (service.client.post(valuation_path(), data=typed, headers=SITE) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    third = service.client.post(neutral(valuation_path()), data=typed, headers=SITE)
    assert third.headers["location"] == first.headers["location"]


def test_an_answer_that_was_lost_counts_and_a_page_instead_of_vitecs_answer_does_not(service: RunningService) -> None:
    asked = valuation()
    service.office.inject(Fault(status=200, body="<html>Underhåll</html>", operation="valuation", times=1))
    service.client.post(valuation_path(), data=fields(asked), headers=SITE)

    def tries() -> list[bool]:
        return [call.carried_out for call in list(service.office.received) if asked["email"] in str(call.body)]

    eventually(lambda: len(tries()) == 2)
    assert tries() == [False, True]


def test_what_vitec_refuses_a_visitor_gets_a_receipt_for(service: RunningService) -> None:
    service.office.inject(Fault(status=400, operation="final-price", times=2))
    answer = service.client.post(final_price_path(), data=fields(final_price()), headers=SITE)
    assert answer.status_code == 303
    assert PHONE in service.client.get(answer.headers["location"]).text
    answer = service.client.post(final_price_path(), json=final_price(), headers=SITE)
    assert problem(answer, 400)["upstream"]["status"] == 400


BUTTONS = {
    "sv": ["Boka en värdering", "Meddela mig slutpriset"],
    "en": ["Book a valuation", "Tell me the final price"],
}


@pytest.mark.parametrize(("language", "words"), BUTTONS.items())
def test_the_buttons_say_what_they_do(service: RunningService, language: str, words: list[str]) -> None:
    for path, text in zip((valuation_path(), final_price_path()), words, strict=True):
        assert f">{text}</button>" in service.client.get(path, params={"lang": language}).text


def test_a_valuation_asks_for_no_personnummer(service: RunningService) -> None:
    assert "socialSecurityNumber" not in service.page(valuation_path(FULL)).values
    asked: dict[str, Any] = valuation(socialSecurityNumber="811228-9874")
    assert set(faults_of(service.client.post(valuation_path(FULL), json=asked, headers=SITE))) == {
        "socialSecurityNumber"
    }
    assert CUSTOMER in valuation_path()
