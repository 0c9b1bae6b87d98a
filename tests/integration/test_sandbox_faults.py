"""Fault injection and the control plane: what a test or the demo can make the sandbox do, and see that it did."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.sandbox import Customer, Fault, Office, Person, serve_sandbox
from tests.servers import eventually

INTEREST = "/Advertising/Estate/M1/OBJ1/interest"
VIEWING = "/Viewing/M1/VIS1/SLOT1/Participant"
ANNA = {"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}}
VISITOR = {"updatePerson": {"customerId": "M1", "cellPhone": "0701740605"}}
IMPATIENT = httpx.Timeout(30, read=0.2)  # of silence; to get there may take a while on a busy machine


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Office, httpx.Client]]:
    office = Office([Customer("M1", "secret"), Customer("M2", "secret")], contacts=[Person(id="C1", customer_id="M1")])
    with serve_sandbox(office) as url, httpx.Client(base_url=url, auth=("partner", "secret")) as client:
        yield office, client


@pytest.fixture
def office(served: tuple[Office, httpx.Client]) -> Office:
    served[0].reset()
    return served[0]


@pytest.fixture
def vitec(served: tuple[Office, httpx.Client], office: Office) -> httpx.Client:
    return served[1]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 425, 429, 500, 502, 503, 504])
def test_any_refusal_can_be_injected_and_nothing_is_carried_out(
    vitec: httpx.Client, office: Office, status: int
) -> None:
    office.inject(Fault(status=status))
    response = vitec.post(INTEREST, json=ANNA)
    assert response.status_code == status
    assert response.json()["message"]
    assert (office.leads, office.received[0].carried_out, office.received[0].contact_id) == ([], False, None)


@pytest.mark.parametrize("retry_after", ["120", "Sun, 18 Oct 2026 13:00:00 GMT"])
def test_an_overloaded_vitec_says_when_to_come_back(vitec: httpx.Client, office: Office, retry_after: str) -> None:
    office.inject(Fault(status=503, headers={"Retry-After": retry_after}))
    assert vitec.post(INTEREST, json=ANNA).headers["Retry-After"] == retry_after


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_failure_may_hide_that_it_was_carried_out(vitec: httpx.Client, office: Office, status: int) -> None:
    office.inject(Fault(status=status, carried_out=True))
    assert vitec.post(INTEREST, json=ANNA).status_code == status
    assert len(office.leads) == 1
    assert office.received[0].carried_out
    assert office.received[0].contact_id == office.leads[0].contact_id


def test_what_would_be_refused_anyway_is_not_carried_out_behind_a_fault(vitec: httpx.Client, office: Office) -> None:
    office.inject(Fault(status=500, carried_out=True))
    assert vitec.post(INTEREST, json={}).status_code == 500
    assert not office.received[0].carried_out


def test_a_done_request_may_be_answered_with_broken_json(vitec: httpx.Client, office: Office) -> None:
    office.inject(Fault(status=200, body='{"id": ', carried_out=True))
    response = vitec.post(VIEWING, json=VISITOR)
    assert (response.status_code, response.text) == (200, '{"id": ')
    assert len(office.bookings) == 1


def test_a_redirect_can_be_injected(vitec: httpx.Client, office: Office) -> None:
    office.inject(Fault(status=302, headers={"Location": "https://example.se/"}))
    response = vitec.post(INTEREST, json=ANNA)
    assert (response.status_code, response.headers["Location"]) == (302, "https://example.se/")


@pytest.mark.parametrize(("status", "carried_out"), [(200, False), (200, True), (404, False), (503, False)])
def test_an_html_page_can_be_answered_instead_of_vitec(
    vitec: httpx.Client, office: Office, status: int, carried_out: bool
) -> None:
    office.inject(Fault(status=status, page=True, carried_out=carried_out))
    response = vitec.post(INTEREST, json=ANNA)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert response.text.startswith("<!DOCTYPE html>")
    assert len(office.leads) == carried_out


def test_an_answer_can_stall_after_its_head(vitec: httpx.Client, office: Office) -> None:
    office.inject(Fault(stalled=True))
    with vitec.stream("POST", VIEWING, json=VISITOR) as response:
        assert response.status_code == 200
        response.request.extensions["timeout"]["read"] = 0.3
        with pytest.raises(httpx.ReadTimeout):
            response.read()
    assert len(office.bookings) == 1


@pytest.mark.parametrize("path", [INTEREST, VIEWING])
def test_an_answer_can_break_off_after_the_request_was_carried_out(
    vitec: httpx.Client, office: Office, path: str
) -> None:
    office.inject(Fault(truncated=True))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        vitec.post(path, json=ANNA | VISITOR)
    assert len(office.leads) == 1


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_connection_can_be_cut_without_a_byte(vitec: httpx.Client, office: Office, carried_out: bool) -> None:
    office.inject(Fault(cut=True, carried_out=carried_out, times=1))
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)) as broken:
        vitec.post(INTEREST, json=ANNA)
    assert "complete message body" not in str(broken.value)
    assert (office.received[0].status, office.received[0].carried_out) == (None, carried_out)
    assert vitec.post(INTEREST, json=ANNA).status_code == 204


def test_a_slow_answer_is_late_and_otherwise_normal(vitec: httpx.Client, office: Office) -> None:
    office.inject(Fault(delay_seconds=0.1))
    begun = time.monotonic()
    assert vitec.post(INTEREST, json=ANNA).status_code == 204
    assert time.monotonic() - begun >= 0.1


def test_a_request_is_received_and_carried_out_though_the_caller_gives_up(vitec: httpx.Client, office: Office) -> None:
    office.inject(Fault(delay_seconds=30))
    with pytest.raises(httpx.ReadTimeout):
        vitec.post(INTEREST, json=ANNA, timeout=IMPATIENT)
    assert eventually(lambda: len(office.leads)) == 1


def test_a_slow_answer_keeps_nobody_else_waiting(vitec: httpx.Client, office: Office) -> None:
    office.inject(Fault(delay_seconds=30, times=1))
    with pytest.raises(httpx.ReadTimeout):
        vitec.post(INTEREST, json=ANNA, timeout=IMPATIENT)
    assert vitec.post(INTEREST, json=ANNA).status_code == 204


def test_a_fault_affects_as_many_requests_as_it_says(vitec: httpx.Client, office: Office) -> None:
    office.inject(Fault(status=500, times=2))
    office.inject(Fault(status=429, times=1))
    assert [vitec.post(INTEREST, json=ANNA).status_code for _ in range(4)] == [500, 500, 429, 204]


def test_a_fault_without_a_number_lasts_until_it_is_cleared(vitec: httpx.Client, office: Office) -> None:
    office.inject(Fault(status=503))
    assert [vitec.post(INTEREST, json=ANNA).status_code for _ in range(3)] == [503] * 3
    office.clear_faults()
    assert vitec.post(INTEREST, json=ANNA).status_code == 204


def test_a_fault_meets_only_its_operation_and_customer(vitec: httpx.Client, office: Office) -> None:
    office.inject(Fault.model_validate({"status": 503, "operation": "interest", "customerId": "M1"}))
    assert vitec.post(INTEREST, json=ANNA).status_code == 503
    assert vitec.post(INTEREST.replace("M1", "M2"), json=ANNA).status_code == 204
    assert vitec.post(VIEWING, json=VISITOR).status_code == 200
    assert vitec.get("/CRM/Contact/M1/C1").status_code == 200


def test_everything_received_is_listed_in_order(vitec: httpx.Client) -> None:
    vitec.post(INTEREST, json=ANNA | {"surname": "Ek"})
    contact_id = vitec.post(VIEWING, json=VISITOR).json()
    vitec.post(INTEREST, content=b"{", headers={"Content-Type": "application/json"})
    vitec.get("/CRM/Contact/M1/C1")
    vitec.post("/CRM/Lead/M1", json={})
    vitec.post("/CRM/Buyer/M1/C1/LoanPromise", json={})
    received = vitec.get("/_sandbox/received").json()
    assert [call["number"] for call in received] == [1, 2, 3, 4, 5, 6]
    assert [one["operation"] for one in received] == [
        "interest",
        "viewing",
        "interest",
        "contact",
        "lead",
        "loan-promise",
    ]
    assert [call["status"] for call in received] == [204, 200, 400, 200, 400, 200]
    assert [call["body"] for call in received[:4]] == [ANNA | {"surname": "Ek"}, VISITOR, "{", None]
    assert received[0]["unknownMembers"] == ["surname"]
    assert (received[1]["answer"], received[1]["contactId"]) == (contact_id, contact_id)
    assert (received[1]["customerId"], received[1]["path"]) == ("M1", VIEWING)
    assert received == [*vitec.get("/_sandbox/received?after=0").json()]
    assert vitec.get("/_sandbox/received?after=5").json() == received[5:]


def test_faults_are_injected_and_cleared_over_http(vitec: httpx.Client, office: Office) -> None:
    fault: dict[str, Any] = {"status": 500, "delaySeconds": 0, "carriedOut": True, "times": 2}
    assert vitec.post("/_sandbox/faults", json=fault).status_code == 201
    assert vitec.post(INTEREST, json=ANNA).status_code == 500
    assert vitec.delete("/_sandbox/faults").status_code == 204
    assert vitec.post(INTEREST, json=ANNA).status_code == 204
    assert len(office.leads) == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 99},
        {"page": True},
        {"status": 200, "page": True, "body": "x"},
        {"cut": True, "stalled": True},
        {"times": 0},
        {"operation": "sale"},
        {"typo": 1},
        {"body": "x"},
        {"delaySeconds": -1},
        [],
    ],
)
def test_a_fault_that_is_impossible_is_refused(vitec: httpx.Client, fault: Any) -> None:
    assert vitec.post("/_sandbox/faults", json=fault).status_code == 400
    assert vitec.post(INTEREST, json=ANNA).status_code == 204


def test_a_reset_forgets_everything_since_the_start(vitec: httpx.Client, office: Office) -> None:
    vitec.post(VIEWING, json=VISITOR)
    office.inject(Fault(status=500))
    assert vitec.post("/_sandbox/reset").status_code == 204
    assert (office.received, office.bookings, office.leads, list(office.contacts)) == ([], [], [], [("M1", "C1")])
    assert vitec.post(INTEREST, json=ANNA).status_code == 204


def test_the_control_plane_asks_for_no_login(vitec: httpx.Client) -> None:
    assert httpx.get(f"{vitec.base_url}/_sandbox/received").json() == []
