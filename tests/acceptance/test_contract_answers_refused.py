"""Answers to posts with errors, and to posts that Vitec refuses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.sandbox import Fault
from tests.acceptance.answers import EACH, Make, assert_kept, is_delivered, is_pending, receipt_of
from tests.acceptance.bodies import (
    SITE,
    Members,
    booking,
    faults_of,
    fields,
    interest,
    interest_path,
    key,
    problem,
    viewing_path,
)
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService, run_service
from tests.servers import eventually


@EACH
def test_errors_in_json_are_a_problem_that_lists_each_field(service: RunningService, make: Make, body: Members) -> None:
    answer = service.client.post(make(), json=body | {"contactMessage": 5, "fax": "1"}, headers=SITE)
    assert set(faults_of(answer)) == {"contactMessage", "fax"}
    content = answer.json()
    assert content["status"] == 400
    assert "upstream" not in content
    assert all(error["message"] != error["code"] for error in content["errors"])


TYPED = {
    "firstName": "  Anna ",
    "lastName": "",
    "email.emailAddress": 'anna"@',
    "contactMessage": "Rad ett\nRad två <b>&amp;</b>\n\n  sist ",
    "address.streetAddress": "Storgatan 1",
    "address.zipCode": "12345",
    "address.city": "Ort's",
}
TYPED_INTEREST = TYPED | {
    "telephone.cell": "070 - 1",
    "status": "VeryInterested",
    "presentAccommodation.estateType": "Cottage",
    "presentAccommodation.livingSpace": "75,5 m2",
    "presentAccommodation.numberOfRooms": "3",
    "presentAccommodation.price": "2 500 000",
    "presentAccommodation.other": "Pool",
}
TYPED_BOOKING = TYPED | {"cellPhone": "070 - 1", "address.countryCode": "NO", "mailConfirmation": "true"}


@pytest.mark.parametrize(("make", "typed"), [(interest_path, TYPED_INTEREST), (viewing_path, TYPED_BOOKING)])
@pytest.mark.parametrize("multipart", [False, True])
def test_a_form_with_errors_is_shown_again_with_every_value_a_summary_and_each_error_at_its_field(
    service: RunningService, make: Make, typed: dict[str, str], multipart: bool
) -> None:
    path = make()
    data: Any = {"files": {n: (None, v) for n, v in typed.items()}} if multipart else {"data": typed}
    answer = service.client.post(path, headers=SITE, **data)
    assert answer.status_code == 400
    page = page_of(answer)
    assert_kept(page, typed)
    if make is viewing_path:
        assert "smsReminder" in page.values or "ticks" not in typed
    assert {"lastName", "email.emailAddress"} <= page.faulty
    for name in page.faulty:
        assert f"#{name.replace('.', '-')}" in page.links
        assert page.messages[f"{name.replace('.', '-')}-fault"]
    assert page.title.startswith(("Fel:", "Error:"))
    assert service.nothing_at(path)


def test_a_removed_tick_stays_removed_when_the_form_is_shown_again(service: RunningService) -> None:
    page = service.page(viewing_path())
    del page.values["smsReminder"]
    again = page_of(page.submit(service.client, {"firstName": ""}, **SITE))
    assert "smsReminder" not in again.values
    assert "mailConfirmation" in again.values


SLOT_IS_FULL = Fault(status=400, body='{"message": "Visningstiden är fullbokad."}')


@pytest.fixture(scope="module")
def sullen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service whose CRM each test tells how to refuse."""
    with run_service(tmp_path_factory.mktemp("sullen")) as service:
        yield service


@pytest.fixture
def full(sullen: RunningService) -> Iterator[RunningService]:
    """Lets Vitec refuse everything, with its own message."""
    sullen.office.inject(SLOT_IS_FULL)
    yield sullen
    sullen.office.clear_faults()


def test_a_booking_that_vitec_refuses_is_shown_again_with_vitecs_words(full: RunningService) -> None:
    typed = fields(booking({"address": {"city": "Ort"}}, contactMessage="Två rader\nhär"))
    path = viewing_path()
    answer = full.client.post(path, data=typed, headers=SITE)
    assert answer.status_code == 400
    page = page_of(answer)
    assert_kept(page, typed)
    assert "Visningstiden är fullbokad." in page.alert
    assert not page.faulty
    full.office.clear_faults()
    assert page.submit(full.client, {}, **SITE).status_code == 303


def test_an_interest_that_vitec_refuses_has_its_receipt_all_the_same(full: RunningService) -> None:
    path = interest_path()
    answer = full.client.post(path, data=fields(interest()), headers=SITE)
    assert receipt_of(full, answer)
    assert eventually(lambda: full.received(path))
    assert "fullbokad" not in receipt_of(full, answer).text


@EACH
@pytest.mark.parametrize("caller", [SITE, key()])
def test_json_that_vitec_refuses_is_a_problem_with_vitecs_words(
    full: RunningService, make: Make, body: Members, caller: dict[str, str]
) -> None:
    content = problem(full.client.post(make(), json=body, headers=caller), 400)
    assert "Visningstiden är fullbokad." in str(content["upstream"])
    assert not content.get("errors")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ('{"Message": "Fullt.", "ModelState": {"participant.updatePerson": ["Fel"]}}', "Fullt."),
        ('{"Message": "The request is invalid.", "ModelState": {"slot": ["Fullt."], "a": "Nej"}}', "Fullt."),
        ('"Fullt."', "Fullt."),
        ('{"message": "<script>alert(1)</script>"}', "<script>alert(1)</script>"),
        ("not json", ""),
        ("", ""),
        ("[1]", ""),
        ('{"message": {"a": 1}, "modelState": 5}', ""),
        ("null", ""),
        ('{"message": "' + "x" * 100_000 + '"}', "xxx"),
    ],
    ids=range(10),
)
def test_vitecs_words_are_always_shown_as_text(sullen: RunningService, words: str, shown: str) -> None:
    sullen.office.inject(Fault(status=400, body=words, times=2))
    content = problem(sullen.client.post(viewing_path(), json=booking(), headers=key()), 400)
    assert isinstance(content["upstream"], dict)
    assert shown in str(content["upstream"])
    answer = sullen.client.post(viewing_path(), data=fields(booking()), headers=SITE)
    assert answer.status_code == 400
    page = page_of(answer)
    assert page.alert.strip()
    assert shown in page.alert
    assert "<script>alert" not in answer.text


def test_an_interest_in_an_unknown_estate_is_retried_once_and_then_refused(tmp_path: Path) -> None:
    with run_service(tmp_path) as service:
        service.office.estates = frozenset()
        path = interest_path()
        headers = key() | {"Idempotency-Key": "1"}
        pending = is_pending(service.client.post(path, json=interest(), headers=headers | {"Prefer": "respond-async"}))
        status = f"/submissions/{pending['id']}"
        assert eventually(lambda: service.client.get(status, headers=key()).json()["status"] == "rejected")
        assert len(service.received(path)) == 2


@EACH
def test_an_unreadable_answer_from_vitec_counts_as_delivered(tmp_path: Path, make: Make, body: Members) -> None:
    with run_service(tmp_path) as service:
        service.office.inject(Fault(status=200, body='{"id": ', carried_out=True, times=1))
        path = make()
        answer = service.client.post(path, json=body, headers=key())
        is_delivered(answer)
        assert answer.json() is None
        assert len(service.received(path)) == 1
