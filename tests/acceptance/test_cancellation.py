"""A visitor cancels a booking from its receipt: confirmed once, stored like any submission, shown on the receipt."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from app.sandbox import Fault, Slot, Viewing
from tests.acceptance.bodies import CUSTOMER, FULL, ORIGIN, PHONE, PLAIN, SITE, booking, fields, key
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService, run_service
from tests.servers import eventually

SLOT = "2099-01-01T13:00:00+01:00/2099-01-01T13:15:00+01:00"
OFFER = "Kan du inte komma? Avboka"
_numbers = count(1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    cancel = {"viewing": {"cancel": True}}
    customers = [{"id": CUSTOMER, **cancel}, {"id": FULL, **cancel, "on_ambiguous": "park"}]
    with run_service(tmp_path_factory.mktemp("cancel"), customers=customers) as service:
        yield service


@pytest.fixture(autouse=True)
def _no_faults(service: RunningService) -> Iterator[None]:
    yield
    service.office.clear_faults()


def booked(
    service: RunningService,
    customer: str = CUSTOMER,
    estate: str | None = "",
    slot: str = SLOT,
    number: int | None = None,
    **members: str,
) -> str:
    """The address of the receipt of a delivered booking, for a visitor and a home that no other test uses, unless it
    gives the `number` of an earlier booking."""
    number = number or next(_numbers)
    query = {"slots": f"S{number}@{slot}", "title": "Storgatan 1"}
    query |= {"estate": estate or f"HOME{number}"} if estate is not None else {}
    path = f"/Viewing/{customer}/VIS1/S{number}/Participant"
    typed = fields(booking({"email": {"emailAddress": f"anna{number}@example.se"}})) | members
    answer = service.client.post(f"{path}?{urlencode(query)}", data=typed, headers=SITE)
    assert answer.status_code == 303, answer.text
    service.delivered(path)
    return answer.headers["location"]


def cancellation(receipt: str) -> str:
    path, _, query = receipt.partition("?")
    return f"{path}/cancellation?{query}"


def opt_outs(service: RunningService, receipt: str) -> list[str]:
    """Vitec's cancellation calls for the visitor of this booking."""
    submission_id = receipt.partition("?")[0].rpartition("/")[2]
    contact = service.client.get(f"/submissions/{submission_id}", headers=key()).json()["result"]
    calls = [call for call in list(service.office.received) if call.operation == "cancellation"]
    return [call.path for call in calls if f"/{contact}/" in call.path]


def text_of(service: RunningService, receipt: str) -> str:
    answer = service.client.get(receipt)
    assert answer.status_code == 200
    return answer.text


def heading(service: RunningService, receipt: str) -> str:
    [found] = re.findall(r"<h1[^>]*>(.*?)</h1>", text_of(service, receipt))
    return str(found)


def test_one_press_and_one_confirmation_take_the_visitor_off_the_viewing(service: RunningService) -> None:
    receipt = booked(service, estate="OBJ77")
    [(path, query)] = re.findall(rf'<a href="([^"?]*)\?([^"]*)">{re.escape(OFFER)}</a>', text_of(service, receipt))
    href = f"{path}?{unescape(query)}"
    asked = service.client.get(href)
    assert asked.status_code == 200
    assert "kl. 13.00–13.15" in asked.text
    assert not opt_outs(service, receipt)
    answer = service.client.post(href, headers={"Origin": "null"})
    assert (answer.status_code, answer.headers["location"]) == (303, receipt)
    [call] = opt_outs(service, receipt)
    assert call.startswith(f"/Advertising/Message/{CUSTOMER}/Estate/OBJ77/Viewing/Attendee/")
    shown = text_of(service, receipt)
    assert heading(service, receipt) == "Avbokad"
    assert OFFER not in shown
    assert "viewing.ics" not in shown


def test_pressing_again_or_twice_at_once_cancels_once(service: RunningService) -> None:
    receipt = booked(service)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: service.client.post(cancellation(receipt)), range(4)))
    answers.append(service.client.post(cancellation(receipt)))
    assert {answer.headers["location"] for answer in answers} == {receipt}
    assert len(opt_outs(service, receipt)) == 1
    assert service.client.get(cancellation(receipt)).headers["location"] == receipt


def test_who_books_the_same_time_again_after_a_cancellation_has_a_new_booking(service: RunningService) -> None:
    number = next(_numbers)
    receipt = booked(service, number=number)
    assert booked(service, number=number) == receipt
    service.client.post(cancellation(receipt))
    again = booked(service, number=number)
    assert again != receipt
    assert heading(service, again) == "Din plats är bokad"


def test_a_cancellation_waits_while_vitec_is_down_and_the_receipt_updates_by_itself(service: RunningService) -> None:
    receipt = booked(service)
    service.office.inject(Fault(status=503, operation="cancellation", times=1))
    with ThreadPoolExecutor(1) as pool:
        posted = pool.submit(service.client.post, cancellation(receipt))
        shown = eventually(lambda: text if "tagit emot din avbokning" in (text := text_of(service, receipt)) else "")
        assert "data-refresh=" in shown
        assert '<meta http-equiv="refresh"' in shown
        assert posted.result().status_code == 303
    assert heading(service, receipt) == "Avbokad"


def test_a_refused_cancellation_needs_attention_and_the_receipt_says_whom_to_call(service: RunningService) -> None:
    receipt = booked(service)
    service.office.inject(Fault(status=400, body='"Visningen har varit."', operation="cancellation", times=1))
    assert service.client.post(cancellation(receipt)).headers["location"] == receipt
    shown = text_of(service, receipt)
    assert "gick inte att avboka" in shown
    assert PHONE in page_of(service.client.get(receipt)).text
    assert OFFER not in shown
    metrics = service.client.get("/metrics").text
    assert f'intresse_need_a_person{{customer="{CUSTOMER}",operation="cancellation",status="rejected"}} 1.0' in metrics
    received = len(service.office.received)
    assert service.client.post(cancellation(receipt)).headers["location"] == receipt
    assert len(service.office.received) == received


def test_an_ambiguous_attempt_is_tried_again_also_where_others_are_parked(service: RunningService) -> None:
    receipt = booked(service, FULL)
    service.office.inject(Fault(status=500, carried_out=True, operation="cancellation", times=1))
    assert service.client.post(cancellation(receipt)).status_code == 303
    assert heading(service, receipt) == "Avbokad"


@pytest.mark.parametrize(
    "changed",
    [
        {"customer": PLAIN},
        {"estate": None},
        {"slot": "2020-01-01T13:00:00+01:00/2020-01-01T13:15:00+01:00"},
    ],
    ids=["not configured", "no home", "over"],
)
def test_a_booking_that_cannot_be_cancelled_offers_and_accepts_no_cancellation(
    service: RunningService, changed: dict[str, Any]
) -> None:
    receipt = booked(service, **changed)
    assert "/cancellation?" not in text_of(service, receipt)
    before = len(service.office.received)
    assert service.client.get(cancellation(receipt)).status_code == 404
    assert service.client.post(cancellation(receipt)).status_code == 404
    assert len(service.office.received) == before


def test_a_booking_id_is_not_taken_for_a_contact_id(service: RunningService) -> None:
    number = next(_numbers)
    path = f"/Viewing/{CUSTOMER}/VIS1/S{number}/Participant?estate=OBJ1"
    typed = fields(booking()) | {"returnBookingId": "true"}
    answer = service.client.post(path, data=typed, headers=key())
    assert answer.status_code == 303
    assert "/cancellation?" not in text_of(service, answer.headers["location"])


def test_an_interest_can_not_be_cancelled(service: RunningService) -> None:
    typed = {"firstName": "Anna", "lastName": "Ek", "telephone.cell": "070-174 06 05", "consent": "on"}
    receipt = service.client.post(f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest", data=typed, headers=SITE)
    assert service.client.post(cancellation(receipt.headers["location"])).status_code == 404


def test_only_the_receipts_link_opens_the_cancellation(service: RunningService) -> None:
    receipt = booked(service)
    other = booked(service)
    forged = cancellation(receipt).replace("key=", "key=x")
    borrowed = f"{cancellation(receipt).partition('?')[0]}?{other.partition('?')[2]}"
    for address in (forged, borrowed, cancellation(receipt).partition("?")[0]):
        assert service.client.get(address).status_code == 404
        assert service.client.post(address).status_code == 404
    assert not opt_outs(service, receipt)


def test_a_body_that_is_too_large_is_refused_and_nothing_cancelled(service: RunningService) -> None:
    receipt = booked(service)
    assert service.client.post(cancellation(receipt), content=b"x" * 2000).status_code == 400
    assert OFFER in text_of(service, receipt)


def test_a_cancellations_outcome_can_be_read_as_json(service: RunningService) -> None:
    receipt = booked(service)
    answer = service.client.post(cancellation(receipt), headers={"Origin": ORIGIN})
    assert answer.status_code == 303
    submission_id = receipt.partition("?")[0].rpartition("/")[2]
    assert service.client.get(f"/submissions/{submission_id}", headers=key()).json()["status"] == "delivered"


def test_the_english_receipt_says_cancelled(service: RunningService) -> None:
    receipt = booked(service).replace("lang=sv", "lang=en")
    assert "Can’t come? Cancel" in text_of(service, receipt)
    assert httpx.URL(service.client.post(cancellation(receipt)).headers["location"]).params["lang"] == "en"
    assert heading(service, receipt) == "Cancelled"


@pytest.mark.parametrize("call", ["participant", "attend"])
def test_a_booking_by_home_alone_can_be_cancelled(tmp_path: Path, call: str) -> None:
    customers = [{"id": CUSTOMER, "viewing": {"cancel": True, "call": call}}]
    with run_service(tmp_path, customers=customers) as service:
        starts_at = datetime.now(UTC) + timedelta(days=3)
        ends_at = starts_at + timedelta(minutes=15)
        service.office.slots = {("VIS1", "S1"): Slot(starts_at=starts_at, ends_at=ends_at)}
        service.office.viewings = {"VIS1": Viewing("OBJ5", starts_at, ends_at)}
        typed = {"firstName": "Anna", "lastName": "Ek", "email": "anna@example.se", "consent": "on", "timeSlotId": "S1"}
        answer = service.client.post(f"/forms/{CUSTOMER}/viewing/OBJ5", data=typed, headers=SITE)
        assert answer.status_code == 303, answer.text
        receipt = answer.headers["location"]
        assert OFFER in text_of(service, receipt)
        assert len(service.office.bookings) == 1
        assert service.client.post(cancellation(receipt)).status_code == 303
        assert heading(service, receipt) == "Avbokad"
        assert service.office.bookings == []
        assert service.office.received[-1].path.startswith(f"/Advertising/Message/{CUSTOMER}/Estate/OBJ5/Viewing/")


def test_after_thirty_days_a_receipt_shows_and_cancels_nothing(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = booked(service)
    assert service.client.get(receipt).status_code == 200
    monkeypatch.setattr("app.web.operations.receipt_links.RECEIPT_LIFETIME", timedelta(0))  # instead of waiting
    assert service.client.get(receipt).status_code == 410
    assert service.client.get(receipt.replace("?", "/viewing.ics?")).status_code == 410
    assert service.client.post(cancellation(receipt)).status_code == 410
    assert not opt_outs(service, receipt)
