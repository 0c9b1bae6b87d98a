"""Request bodies: JSON, urlencoded and multipart forms with the same members mean the same."""

from collections.abc import Callable
from typing import Any

import pytest

from app.operations.interest import INTEREST
from app.operations.specification import PostSpec
from app.operations.viewing import VIEWING
from tests.acceptance.bodies import (
    SITE,
    WHOLE_BOOKING,
    WHOLE_INTEREST,
    Members,
    booking,
    fields,
    interest,
    interest_path,
    key,
    viewing_path,
    with_member,
)
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService


def without_moment(body: Members) -> Members:
    """The body without the time of consent, which differs between posts; only its presence is kept."""
    return {
        name: None if name == "gdprApprovalDate" else without_moment(value) if isinstance(value, dict) else value
        for name, value in body.items()
    }


def files(body: dict[str, str]) -> dict[str, tuple[None, str]]:
    return {name: (None, value) for name, value in body.items()}


def test_an_interest_reads_the_same_as_json_as_urlencoded_and_as_multipart(service: RunningService) -> None:
    by_json = service.published(interest_path(), WHOLE_INTEREST)
    by_form = service.submitted(interest_path(), fields(WHOLE_INTEREST))
    path = interest_path()
    assert service.client.post(path, files=files(fields(WHOLE_INTEREST)), headers=SITE).status_code == 303
    assert without_moment(by_form) == without_moment(by_json)
    assert without_moment(dict(service.delivered(path).body)) == without_moment(by_json)


def test_a_booking_reads_the_same_as_json_and_as_a_form_with_or_without_the_persons_prefix(
    service: RunningService,
) -> None:
    by_json = service.published(viewing_path(), WHOLE_BOOKING)
    short = fields(WHOLE_BOOKING)
    long = fields(WHOLE_BOOKING["updatePerson"], prefix="updatePerson.") | fields(WHOLE_BOOKING | {"updatePerson": {}})
    mixed = long | {"lastName": "Ek"}
    del mixed["updatePerson.lastName"]
    for typed in (short, long, mixed):
        assert without_moment(service.submitted(viewing_path(), typed)) == without_moment(by_json)
        path = viewing_path()
        assert service.client.post(path, files=files(typed), headers=SITE).status_code == 303
        assert without_moment(dict(service.delivered(path).body)) == without_moment(by_json)


def test_in_json_the_persons_members_are_nested_in_their_own_object(service: RunningService) -> None:
    faults = service.faults(viewing_path(), booking() | {"firstName": "Anna"})
    assert set(faults) == {"firstName"}


def test_in_json_an_object_may_be_an_empty_list_as_php_writes_it(service: RunningService) -> None:
    nothing: Members = {"Address": [], "telephone": [], "presentAccommodation": {"price": 1, "coordinate": []}}
    body = service.published(interest_path(), interest(**nothing))
    assert not body.get("address")
    assert not body.get("telephone")
    assert body["presentAccommodation"]["price"] == 1
    assert service.published(viewing_path(), booking({"address": []}))["updatePerson"]["firstName"] == "Anna"
    assert set(service.faults(interest_path(), interest(address=["Storgatan 1"]), SITE)) == {"address"}


@pytest.mark.parametrize("blank", ["", " ", "\t", "\r\n"])
def test_an_empty_form_value_counts_as_absent(service: RunningService, blank: str) -> None:
    empty = dict.fromkeys(
        [
            "telephone.home",
            "address.city",
            "status",
            "contactMessage",
            "presentAccommodation.price",
            "gdprApprovalDate",
        ],
        blank,
    )
    path = interest_path()
    assert service.client.post(path, data=fields(interest()) | empty, headers=SITE).status_code == 303
    body = dict(service.delivered(path).body)
    assert set(body) == {"firstName", "lastName", "email", "status", "gdprApprovalDate"}


def test_an_empty_form_value_does_not_satisfy_what_is_required(service: RunningService) -> None:
    answer = service.client.post(interest_path(), data=fields(interest()) | {"firstName": " "}, headers=SITE)
    assert answer.status_code == 400
    assert "firstName" in page_of(answer).faulty


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        (interest_path, "fax", "1"),
        (interest_path, "first_name", "Anna"),
        (interest_path, "telephone.fax", "1"),
        (interest_path, "email.address", "x"),
        (interest_path, "address.countryCode", "NO"),
        (interest_path, "presentAccommodation.rooms", 3),
        (interest_path, "presentAccommodation.coordinate.longitude", 18),
        (interest_path, "marketing.campaign", "x"),
        (interest_path, "updatePerson", {}),
        (interest_path, "", "x"),
        (interest_path, "__proto__", {}),
        (viewing_path, "firstName", "Anna"),
        (viewing_path, "updatePerson.fax", "1"),
        (viewing_path, "updatePerson.email.address", "x"),
        (viewing_path, "updatePerson.telephone", {"cell": "070-1740605"}),
        (viewing_path, "updatePerson.address.country", "NO"),
    ],
)
def test_an_unknown_member_is_refused_by_name_in_json(
    service: RunningService, path: Any, name: str, value: Any, with_key: bool
) -> None:
    body = with_member(interest() if path is interest_path else booking(), name, value)
    at = path()
    faults = service.faults(at, body, key() if with_key else SITE)
    assert name in faults
    assert service.nothing_at(at)


@pytest.mark.parametrize("multipart", [False, True])
def test_a_form_may_be_a_part_of_a_page_that_is_one_large_form(service: RunningService, multipart: bool) -> None:
    path = interest_path()
    typed = fields(interest()) | {f"ctl00$main$grid$row{number}": "x" for number in range(400)}
    form: Any = {"files": {name: (None, value) for name, value in typed.items()}} if multipart else {"data": typed}
    assert service.client.post(path, headers=SITE, **form).status_code == 303
    assert service.delivered(path).body["firstName"] == "Anna"


def test_unknown_members_are_ignored_in_forms(service: RunningService) -> None:
    junk = {
        "fax": "1",
        "g-recaptcha-response": "x",
        "telephone.fax": "2",
        "telephone": "3",
        "firstName.x": "4",
        "email.emailAddress.y.z": "5",
        "..": "6",
        "": "7",
        "a.b.c": "8",
        "updatePerson.firstName": "9",
        "marketing.utmTags": "10",
        "consent.x": "11",
        "presentAccommodation": "12",
    }
    body = service.submitted(interest_path(), junk | fields(interest()) | junk)
    assert set(body) == {"firstName", "lastName", "email", "status", "gdprApprovalDate"}
    assert body["firstName"] == "Anna"
    person = service.submitted(
        viewing_path(), fields(booking()) | {"nonsense": "1", "updatePerson": "2", "options": "3"}
    )
    assert person["updatePerson"]["firstName"] == "Anna"


@pytest.mark.parametrize("make", [interest_path, viewing_path])
def test_a_file_is_refused_and_what_was_typed_kept(service: RunningService, make: Any) -> None:
    typed = fields(interest(contactMessage="Se bilagan") if make is interest_path else booking(contactMessage="Se"))
    path = make()
    parts: Any = files(typed) | {"attachment": ("cv.pdf", b"%PDF", "application/pdf")}
    answer = service.client.post(path, files=parts, headers=SITE)
    assert answer.status_code == 400
    page = page_of(answer)
    assert {name: page.values.get(name) for name in ("firstName", "contactMessage")} == {
        "firstName": "Anna",
        "contactMessage": typed["contactMessage"],
    }
    assert page.alert.strip()
    assert service.nothing_at(path)


@pytest.mark.parametrize(
    ("spec", "filled", "path"),
    [(INTEREST.posts[0], interest(), interest_path), (VIEWING.posts[0], booking(), viewing_path)],
    ids=["interest", "viewing"],
)
@pytest.mark.parametrize("blank", ["", " ", "\u200b"], ids=ascii)
def test_empty_inputs_count_as_absent_in_both_kinds_of_form(
    service: RunningService, spec: PostSpec, filled: Members, path: Callable[[], str], blank: str
) -> None:
    """A browser sends every input, as does a script with `FormData`."""
    typed = dict.fromkeys(spec.places, blank) | fields(filled)
    by_urlencoded = service.submitted(path(), typed)
    address = path()
    assert service.client.post(address, files=files(typed), headers=SITE).status_code == 303
    assert without_moment(dict(service.delivered(address).body)) == without_moment(by_urlencoded)


def test_a_file_in_the_place_of_a_member_is_refused(service: RunningService) -> None:
    parts: Any = files(fields(interest())) | {"firstName": ("name.txt", b"Anna", "text/plain")}
    assert service.client.post(interest_path(), files=parts, headers=SITE).status_code == 400


def test_an_unused_file_input_is_ignored(service: RunningService) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="'
    body = b"".join(head + f'{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields(interest()).items())
    body += head + b'photo"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n'
    headers = SITE | {"Content-Type": "multipart/form-data; boundary=x"}
    assert service.client.post(interest_path(), content=body, headers=headers).status_code == 303
