"""Rules about a body as a whole: ways to reach the person, JSON, content type, members that Vitec does not know."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.sandbox import Customer, Office, serve_sandbox

INTEREST = "/Advertising/Estate/M1/OBJ1/interest"
VIEWING = "/Viewing/M1/VIS1/SLOT1/Participant"
ANNA = {"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}}


@pytest.fixture(scope="module")
def office() -> Office:
    return Office([Customer("M1", "secret")])


@pytest.fixture(scope="module")
def vitec(office: Office) -> Iterator[httpx.Client]:
    with serve_sandbox(office) as url, httpx.Client(base_url=url, auth=("partner", "secret")) as client:
        yield client


@pytest.mark.parametrize(
    "way",
    [
        {"telephone": {"home": "08123456"}},
        {"telephone": {"work": "08123456"}},
        {"telephone": {"cell": "0701740605"}},
        {"email": {"emailAddress": "anna@example.se"}},
    ],
)
def test_one_way_to_reach_an_interested_person_is_enough(vitec: httpx.Client, way: dict[str, Any]) -> None:
    response = vitec.post(INTEREST, json={"firstName": "Anna", "lastName": "Ek", **way})
    assert response.status_code == 204


@pytest.mark.parametrize(
    "way",
    [
        {},
        {"telephone": {"other": "08123456"}},
        {"telephone": {"home": " ", "work": "", "cell": "\t"}, "email": {"emailAddress": " "}},
        {"telephone": None, "email": None},
        {"email": {"emailAddress2": "anna@example.se"}},
    ],
)
def test_an_interested_person_who_cannot_be_reached_is_refused(vitec: httpx.Client, way: dict[str, Any]) -> None:
    response = vitec.post(INTEREST, json={"firstName": "Anna", "lastName": "Ek", **way})
    assert response.status_code == 400
    assert list(response.json()["modelState"]) == ["application"]


@pytest.mark.parametrize(
    "way",
    [
        {"telePhone": "08123456"},
        {"workPhone": "08123456"},
        {"cellPhone": "0701740605"},
        {"email": {"emailAddress": "anna@example.se"}},
    ],
)
def test_one_way_to_reach_a_visitor_is_enough(vitec: httpx.Client, way: dict[str, Any]) -> None:
    assert vitec.post(VIEWING, json={"updatePerson": {"customerId": "M1", **way}}).status_code == 200


@pytest.mark.parametrize(
    "way", [{}, {"otherPhone": "08123456"}, {"cellPhone": " ", "email": {"emailAddress": ""}}, {"telePhone": None}]
)
def test_a_visitor_who_cannot_be_reached_is_refused(vitec: httpx.Client, way: dict[str, Any]) -> None:
    response = vitec.post(VIEWING, json={"updatePerson": {"customerId": "M1", **way}})
    assert response.status_code == 400
    assert list(response.json()["modelState"]) == ["participant.updatePerson"]


@pytest.mark.parametrize(("code", "status"), [("NO", 200), ("NOR", 400), ("N", 400), ("no", 400), ("", 400)])
def test_a_country_is_two_capital_letters(vitec: httpx.Client, code: str, status: int) -> None:
    person = {"customerId": "M1", "cellPhone": "0701740605", "address": {"countryCode": code}}
    assert vitec.post(VIEWING, json={"updatePerson": person}).status_code == status


@pytest.mark.parametrize(("ids", "status"), [([], 200), (["a", "b"], 200), (None, 200), ("a", 400), ([1], 400)])
def test_categories_are_a_list_of_texts(vitec: httpx.Client, ids: Any, status: int) -> None:
    person = {"customerId": "M1", "cellPhone": "0701740605", "categoryIds": ids}
    assert vitec.post(VIEWING, json={"updatePerson": person}).status_code == status


@pytest.mark.parametrize(
    ("tags", "key"),
    [
        ([{"name": "utm_source", "value": "hemnet"}], None),
        ([], None),
        ([{"name": "utm_source"}, {"name": 1}], "application.marketing.utmTags[1].name"),
        ({"utm_source": "hemnet"}, "application.marketing.utmTags"),
    ],
)
def test_utm_tags_are_a_list_of_names_and_values(vitec: httpx.Client, tags: Any, key: str | None) -> None:
    response = vitec.post(INTEREST, json={**ANNA, "marketing": {"utmTags": tags}})
    if key is None:
        assert response.status_code == 204
    else:
        assert list(response.json()["modelState"]) == [key]


def test_every_broken_rule_is_reported_at_once(vitec: httpx.Client) -> None:
    response = vitec.post(INTEREST, json={"firstName": "", "telephone": {"cell": "1" * 18}, "status": "Curious"})
    assert set(response.json()["modelState"]) == {
        "application.firstName",
        "application.lastName",
        "application.telephone.cell",
        "application.status",
    }


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"firstName=Anna",
        b"[]",
        b'"Anna"',
        b"null",
        b'{"firstName": "Anna",}',
        b'{"status": NaN}',
        b'{"presentAccommodation": {"price": 1e999}}',
        b'{"firstName": "\\ud83d"}',
        b"\xff\xfe\xfd",
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_object_is_refused(vitec: httpx.Client, raw: bytes) -> None:
    response = vitec.post(INTEREST, content=raw, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert list(response.json()["modelState"]) == ["application"]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_taken_under_its_own_name(vitec: httpx.Client, content_type: str) -> None:
    raw = httpx.Request("POST", "http://x", json=ANNA).content
    assert vitec.post(INTEREST, content=raw, headers={"Content-Type": content_type}).status_code == 204


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_json_under_another_name_is_refused(vitec: httpx.Client, content_type: str) -> None:
    raw = httpx.Request("POST", "http://x", json=ANNA).content
    assert vitec.post(INTEREST, content=raw, headers={"Content-Type": content_type}).status_code == 415


def test_unknown_members_are_ignored_and_remembered_by_name(vitec: httpx.Client, office: Office) -> None:
    body = {
        **ANNA,
        "FirstName": "another case is another name",
        "first_name": "and so is another style",
        "address": {"city": "Umeå", "countryCode": "SE"},
        "marketing": {"utmTags": [{"name": "a"}, {"name": "b", "x": {"y": 1}}]},
    }
    assert vitec.post(INTEREST, json=body).status_code == 204
    assert office.received[-1].unknown_members == (
        "FirstName",
        "first_name",
        "address.countryCode",
        "marketing.utmTags[1].x",
    )


def test_unknown_members_are_remembered_of_a_refused_body_too(vitec: httpx.Client, office: Office) -> None:
    assert vitec.post(INTEREST, json={"surname": "Ek"}).status_code == 400
    assert office.received[-1].unknown_members == ("surname",)


def test_every_documented_member_of_a_visitor_is_known(vitec: httpx.Client, office: Office) -> None:
    names = (
        "contactId firstName lastName socialSecurityNumber isForeignSocialSecurityNumber telePhone workPhone "
        "otherPhone categoryIds userId wishAdvertising note coordinate task customField approval approvalDate "
        "gdprApprovalDate obtainThrough leadScore email address"
    )
    person = {"customerId": "M1", "cellPhone": "0701740605", **dict.fromkeys(names.split())}
    vitec.post(VIEWING, json={"updatePerson": person})
    assert office.received[-1].unknown_members == ()
