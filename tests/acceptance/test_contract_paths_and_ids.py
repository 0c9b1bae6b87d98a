"""One URL per operation, and the ids that it may contain."""

from typing import Any

import pytest

from tests.acceptance.bodies import (
    CUSTOMER,
    FORM,
    JSON,
    PUBLIC_URL,
    SITE,
    booking,
    fields,
    interest,
    interest_path,
    key,
    viewing_path,
)
from tests.acceptance.running_service import RunningService

GOOD_IDS = ["1", "a", "Z", "0123456789", "a" * 40, "A-b_c.d", "...", "-", "_", ".a", "a.", "F47AC10B-58CC-4372-A567"]
BAD_IDS = [
    "a" * 41,
    "a%20b",
    "a+b",
    "a:b",
    "a%00b",
    "OBJ1%0A",
    "%0AOBJ1",
    "a%09",
    "%20",
    "a~b",
    "a@b",
    "a'b",
    "a,b",
    "a;b",
    "a%3Fb",
    "a%23b",
    "a%5Cb",
    "a%25b",
    "%E2%80%8B",
    "%F0%9F%8F%A0",
    "%D9%A1",  # a digit, but an Arabic one
    "%FF",
    "%2E",
    "%2E%2E",
    ".",
    "..",
]


@pytest.mark.parametrize("path_id", GOOD_IDS)
def test_an_id_of_1_to_40_allowed_characters_is_passed_on_as_it_is(service: RunningService, path_id: str) -> None:
    paths = (
        f"/Advertising/Estate/{CUSTOMER}/{path_id}/interest",
        f"/Viewing/{CUSTOMER}/{path_id}/S{path_id[:39]}/Participant",
        f"/Viewing/{CUSTOMER}/V{path_id[:39]}/{path_id}/Participant",
    )
    for path in paths:
        body = interest() if path.endswith("interest") else booking()
        assert service.client.get(path).status_code == 200
        assert service.client.post(path, json=body, headers=key()).status_code == 200
        assert service.delivered(path)


@pytest.mark.parametrize("path_id", BAD_IDS)
@pytest.mark.parametrize(
    "path",
    [
        f"/Advertising/Estate/{CUSTOMER}/{{}}/interest",
        f"/Viewing/{CUSTOMER}/{{}}/S1/Participant",
        f"/Viewing/{CUSTOMER}/V1/{{}}/Participant",
        "/Advertising/Estate/{}/OBJ1/interest",
        "/Viewing/{}/V1/S1/Participant",
        f"/forms/{CUSTOMER}/interest/{{}}",
        f"/forms/{CUSTOMER}/viewing/V1/{{}}",
        "/forms/{}/interest/OBJ1",
    ],
)
def test_any_other_id_is_404_and_never_reaches_vitec(service: RunningService, path: str, path_id: str) -> None:
    before = len(service.office.received)
    body = b"firstName=Anna&lastName=Ek&email.emailAddress=anna%40example.se&consent=on"
    assert service.raw("GET", path.format(path_id))[0] == 404
    assert service.raw("POST", path.format(path_id), body, FORM | SITE)[0] == 404
    assert service.raw("POST", path.format(path_id), b"{}", JSON | SITE)[0] == 404
    assert len(service.office.received) == before


@pytest.mark.parametrize(
    "path",
    [
        f"/Advertising/Estate/{CUSTOMER}/a%2Fb/interest",
        f"/Advertising/Estate/{CUSTOMER}%2FOBJ1/interest",
        f"/Advertising%2FEstate/{CUSTOMER}/OBJ1/interest",
        f"/Advertising/Estate/{CUSTOMER}/OBJ1%2Finterest",
        f"/Viewing/{CUSTOMER}/V1%2FS1/Participant",
        f"/Viewing/{CUSTOMER}%2FV1/S1/Participant",
        f"/Viewing/{CUSTOMER}/V1/S%2F1/Participant",
        f"/Advertising/Estate/{CUSTOMER}/..%2F..%2Fx/interest",
    ],
)
def test_an_encoded_slash_separates_no_segments_and_is_no_part_of_an_id(service: RunningService, path: str) -> None:
    assert service.raw("GET", path)[0] == 404
    assert service.raw("POST", path, b"{}", JSON | key())[0] == 404


def test_an_empty_id_is_404(service: RunningService) -> None:
    for path in (
        f"/Advertising/Estate/{CUSTOMER}//interest",
        "/Advertising/Estate//OBJ1/interest",
        f"/Viewing/{CUSTOMER}//S1/Participant",
    ):
        assert service.raw("GET", path)[0] == 404
        assert service.raw("POST", path, b"{}", JSON | key())[0] == 404


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_unknown_customer_is_answered_exactly_as_an_unknown_path(service: RunningService, accept: str) -> None:
    unknown = "/Advertising/Estate/M99999/OBJ1/interest"
    nowhere = "/Advertising/Nothing"
    answer = service.client.get(unknown, headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.text == service.client.get(nowhere, headers={"Accept": accept}).text
    assert "M99999" not in answer.text
    posted = service.client.post(unknown, json=interest(), headers=SITE | {"Accept": accept})
    assert posted.status_code == 404
    assert posted.text == service.client.post(nowhere, json=interest(), headers={"Accept": accept}).text
    assert "access-control-allow-origin" not in posted.headers


@pytest.mark.parametrize(
    ("path", "body", "vitecs"),
    [
        (f"/forms/{CUSTOMER}/interest/N1", interest(), f"/Advertising/Estate/{CUSTOMER}/N1/interest"),
        (f"/forms/{CUSTOMER}/viewing/N1/S1", booking(), f"/Viewing/{CUSTOMER}/N1/S1/Participant"),
        (f"/Forms/{CUSTOMER}/INTEREST/N2", interest(), f"/Advertising/Estate/{CUSTOMER}/N2/interest"),
        (f"/advertising/estate/{CUSTOMER}/N3/Interest", interest(), f"/Advertising/Estate/{CUSTOMER}/N3/interest"),
        (f"/VIEWING/{CUSTOMER}/N3/s3/participant", booking(), f"/Viewing/{CUSTOMER}/N3/s3/Participant"),
    ],
)
def test_a_form_is_also_at_a_neutral_address_in_any_casing_and_posts_to_the_address_it_was_opened_at(
    service: RunningService, path: str, body: dict[str, Any], vitecs: str
) -> None:
    page = service.page(path)
    assert page.action == ""  # to its own address
    typed = fields(body) | {"token": page.values["token"]}
    assert service.client.post(path, data=typed).status_code == 303  # the token alone allows it
    sent = service.delivered(vitecs)
    assert service.client.post(vitecs, data=typed).status_code == 303  # the same again, whichever of its addresses
    assert service.received(vitecs) == [sent]


def test_a_segment_that_only_resembles_a_fixed_one_is_another_path(service: RunningService) -> None:
    for path in ("/forms/{}/%C4%B1nterest/OBJ1", "/Advert%C4%B0sing/Estate/{}/O/interest", "/forms/{}/intere%C5%BFt/O"):
        assert service.raw("GET", path.format(CUSTOMER))[0] == 404


def test_customer_ids_are_case_sensitive(service: RunningService) -> None:
    assert service.client.get(f"/Advertising/Estate/{CUSTOMER.lower()}/OBJ1/interest").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("make", [interest_path, viewing_path])
def test_only_get_and_post_are_allowed(service: RunningService, method: str, make: object) -> None:
    path = interest_path() if make is interest_path else viewing_path()
    answer = service.client.request(method, path, json=interest(), headers=key())
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["allow"].replace(" ", "").split(","))
    assert service.received(path) == []


def test_allow_names_the_methods_of_a_path_with_a_typed_route(service: RunningService) -> None:
    for path in (f"/CRM/Contact/{CUSTOMER}/C1", "/submissions/1"):
        answer = service.client.post(path, json={}, headers=key())
        assert answer.status_code == 405
        assert {"GET", "HEAD"} <= set(answer.headers["allow"].replace(" ", "").split(","))


def test_a_path_with_a_slash_more_is_another_path_and_no_redirect(service: RunningService) -> None:
    answer = service.client.get(f"{interest_path()}/")
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_absolute_urls_are_made_from_public_url_whatever_host_is_named(service: RunningService) -> None:
    hostile = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Prefer": "respond-async"}
    answer = service.client.post(interest_path(), json=interest(), headers=key() | hostile)
    assert answer.json()["statusUrl"].startswith(f"{PUBLIC_URL}/submissions/")
    form = service.client.post(interest_path(), data=fields(interest()), headers=SITE | {"Host": "evil.example"})
    assert form.status_code == 303
    assert "evil.example" not in form.headers["location"]
    page = service.client.get(interest_path(), headers={"Host": "evil.example"})
    assert "evil.example" not in page.text
