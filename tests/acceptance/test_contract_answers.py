"""Answers to accepted and delivered posts: forms and JSON, interests and bookings."""

from pathlib import Path

from tests.acceptance.answers import EACH, Make, is_delivered, receipt_of
from tests.acceptance.bodies import PHONE, SITE, Members, booking, fields, interest, interest_path, key, viewing_path
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService, run_service


@EACH
def test_a_form_post_is_answered_303_to_its_receipt(service: RunningService, make: Make, body: Members) -> None:
    path = make()
    answer = service.client.post(path, data=fields(body | {"contactMessage": "Hemligt"}), headers=SITE)
    receipt = receipt_of(service, answer)
    page = page_of(receipt)
    assert PHONE in page.text
    for personal in ("Anna", "Ek ", "anna@example.se", "Hemligt"):
        assert personal not in receipt.text
    assert service.delivered(path)


def test_the_id_in_a_receipts_address_alone_opens_no_receipt(service: RunningService) -> None:
    answer = service.client.post(interest_path(), data=fields(interest()), headers=SITE)
    bare = answer.headers["location"].partition("?")[0]
    assert service.client.get(bare).status_code in {401, 403, 404}


def test_a_booking_as_json_with_a_key_is_answered_as_vitec_answers(service: RunningService) -> None:
    for body in (booking(), booking(returnBookingId=True)):
        path = viewing_path()
        answer = service.client.post(path, json=body, headers=key())
        is_delivered(answer)
        assert answer.json() == service.delivered(path).answer
        assert isinstance(answer.json(), str)


def test_an_interest_as_json_is_answered_null_where_vitec_sends_no_body(service: RunningService) -> None:
    for caller in (key(), SITE):
        answer = service.client.post(interest_path(), json=interest(), headers=caller)
        is_delivered(answer)
        assert answer.json() is None


@EACH
def test_without_a_key_the_answer_is_always_null(tmp_path: Path, make: Make, body: Members) -> None:
    with run_service(tmp_path) as service:
        service.office.answer_interest_with_contact_id = True
        path = make()
        answer = service.client.post(path, json=body, headers=SITE)
        is_delivered(answer)
        assert answer.text == "null"
        result = service.delivered(path).answer
        assert isinstance(result, str)
        assert all(result not in value for value in answer.headers.values())
        with_key = service.client.post(make(), json=body, headers=key())
        assert isinstance(with_key.json(), str)
