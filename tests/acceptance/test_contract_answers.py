"""Contract, section 3, "Answers": accepted, delivered, for forms and for JSON, interests and bookings."""

from pathlib import Path

from tests.acceptance.answers import BOTH, Make, is_delivered, receipt_of
from tests.acceptance.bodies import PHONE, SITE, Members, booking, fields, interest, interest_path, key, viewing_path
from tests.acceptance.desk import Desk, open_desk
from tests.acceptance.html_page import page_of


@BOTH
def test_a_form_post_is_answered_303_to_its_receipt(desk: Desk, make: Make, body: Members) -> None:
    path = make()
    answer = desk.client.post(path, data=fields(body | {"contactMessage": "Hemligt"}), headers=SITE)
    receipt = receipt_of(desk, answer)
    page = page_of(receipt)
    assert PHONE in page.text
    for personal in ("Anna", "Ek ", "anna@example.se", "Hemligt"):
        assert personal not in receipt.text
    assert desk.delivered(path)


def test_the_id_in_a_receipts_address_opens_no_receipt_alone(desk: Desk) -> None:
    answer = desk.client.post(interest_path(), data=fields(interest()), headers=SITE)
    bare = answer.headers["location"].partition("?")[0]
    assert desk.client.get(bare).status_code in {401, 403, 404}


def test_a_booking_as_json_with_a_key_is_answered_as_vitec_answers(desk: Desk) -> None:
    for body in (booking(), booking(returnBookingId=True)):
        path = viewing_path()
        answer = desk.client.post(path, json=body, headers=key())
        is_delivered(answer)
        assert answer.json() == desk.delivered(path).answer
        assert isinstance(answer.json(), str)


def test_an_interest_as_json_is_answered_null_where_vitec_sends_no_body(desk: Desk) -> None:
    for caller in (key(), SITE):
        answer = desk.client.post(interest_path(), json=interest(), headers=caller)
        is_delivered(answer)
        assert answer.json() is None


@BOTH
def test_without_a_key_the_answer_is_always_null(tmp_path: Path, make: Make, body: Members) -> None:
    with open_desk(tmp_path) as desk:
        desk.office.answer_interest_with_contact_id = True
        path = make()
        answer = desk.client.post(path, json=body, headers=SITE)
        is_delivered(answer)
        assert answer.text == "null"
        result = desk.delivered(path).answer
        assert isinstance(result, str)
        assert all(result not in value for value in answer.headers.values())
        with_key = desk.client.post(make(), json=body, headers=key())
        assert isinstance(with_key.json(), str)
