"""Every status code that Vitec can answer, for every operation, through the service."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest

from app.sandbox import Fault, Operation, Person
from tests.acceptance.bodies import CUSTOMER, FULL, PLAIN, Members, booking, interest, key
from tests.acceptance.running_service import RunningService, run_service
from tests.servers import eventually

RETRIES = CUSTOMER
PARKS = FULL
NUMBERS = count(1)


@dataclass(frozen=True)
class Posted:
    customer: str
    submission_id: str
    path: str


def _interest(customer: str, number: int) -> tuple[str, Members]:
    return f"/Advertising/Estate/{customer}/STATUS{number}/interest", interest()


def _viewing(customer: str, number: int) -> tuple[str, Members]:
    return f"/Viewing/{customer}/VIS1/STATUS{number}/Participant", booking()


def _lead(customer: str, number: int) -> tuple[str, Members]:
    return f"/CRM/Lead/{customer}", {"contactId": f"C{number}", "assignedToId": "A1", "leadSourceId": "L1"}


def _promise(customer: str, number: int) -> tuple[str, Members]:
    return f"/CRM/Buyer/{customer}/C{number}/LoanPromise", {"bank": "SEB"}


OPERATIONS: dict[str, Callable[[str, int], tuple[str, Members]]] = {
    "interest": _interest,
    "viewing": _viewing,
    "lead": _lead,
    "loan-promise": _promise,
}
ALL = pytest.mark.parametrize("operation", OPERATIONS)
OVERLOADED = (408, 425, 429, 503)
UNKNOWN_OUTCOME = (500, 502, 504)
DELIVERED = ("delivered", ["delivered"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    parks = [{"id": PARKS, "on_ambiguous": "park"}]
    folder = tmp_path_factory.mktemp("service")
    with run_service(folder, customers=parks, vitec={"paused_probe_seconds": 1, "timeout_seconds": 2}) as service:
        yield service


def post(service: RunningService, operation: str, fault: dict[str, Any], customer: str = RETRIES) -> Posted:
    """Posts while Vitec answers like that; returns once the first attempt has been recorded."""
    number = next(NUMBERS)
    service.office.contacts[customer, f"C{number}"] = Person(id=f"C{number}", customer_id=customer)
    path, body = OPERATIONS[operation](customer, number)
    before = len(service.office.received)
    service.office.inject(Fault.model_validate({"times": 1, **fault, "operation": operation, "customer_id": customer}))
    answer = service.client.post(path, json=body, headers=key(customer) | {"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    posted = Posted(customer, answer.json()["id"], path)
    eventually(lambda: len(service.office.received) > before)
    eventually(lambda: steps(service, posted)[1] != ["sending"])
    return posted


def steps(service: RunningService, posted: Posted) -> tuple[str, list[str]]:
    body = service.client.get(f"/submissions/{posted.submission_id}", headers=key(posted.customer)).json()
    return body["status"], [step["status"] for step in body["steps"]]


def test_what_was_not_carried_out_is_tried_again_until_it_is_delivered(service: RunningService) -> None:
    """An ambiguous call is retried too, as `on_ambiguous = "retry"` says."""
    faults: list[dict[str, Any]] = [{"status": status} for status in (404, *OVERLOADED, *UNKNOWN_OUTCOME, 302, 403)]
    faults += [{"status": status, "page": True} for status in (200, 400, 404, 405)]
    faults += [{"status": 407, "body": ""}, {"status": 200, "body": '{"Message": "An error has occurred."}'}]
    faults += [{"cut": True}, {"status": 301, "headers": {"Location": "https://example.se/"}}]
    all_posted = [(post(service, operation, fault), operation, fault) for operation in OPERATIONS for fault in faults]
    for posted, operation, fault in all_posted:
        # On a busy machine the next try may be under way already.
        assert steps(service, posted) in [("pending", ["waiting"]), ("pending", ["sending"]), DELIVERED], (
            operation,
            fault,
        )
    for posted, _, _ in all_posted:
        eventually(lambda posted=posted: steps(service, posted) == DELIVERED)  # type: ignore[misc]


@pytest.mark.parametrize("operations", [("interest", "lead"), ("viewing", "loan-promise")], ids=str)
def test_a_refused_login_waits_for_the_password_and_costs_nothing(
    service: RunningService, operations: tuple[str, str]
) -> None:
    all_posted = [post(service, operation, {"status": 401, "times": None}, PLAIN) for operation in operations]
    for posted in all_posted:
        eventually(lambda posted=posted: steps(service, posted) == ("pending", ["waiting"]))  # type: ignore[misc]
    service.office.clear_faults()
    for posted in all_posted:
        eventually(lambda posted=posted: steps(service, posted) == DELIVERED)  # type: ignore[misc]


@ALL
@pytest.mark.parametrize("customer", [RETRIES, PARKS])
def test_a_400_is_refused_at_once_and_never_sent_again(service: RunningService, operation: str, customer: str) -> None:
    posted = post(service, operation, {"status": 400, "body": '"Nej"'}, customer)
    assert steps(service, posted) == ("rejected", ["rejected"])


@ALL
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": '{"id": ', "carried_out": True},
        {"status": 200, "body": "", "carried_out": True},
        {"status": 200, "body": '"\\ud800"', "carried_out": True},
        {"stalled": True},
        {"status": 200, "body": "17", "carried_out": True},
        {"status": 204, "carried_out": True},
        {"status": 201, "body": '"X1"', "carried_out": True},
    ],
    ids=str,
)
def test_a_2xx_of_vitecs_is_delivered_however_its_body_ends(
    service: RunningService, operation: str, fault: dict[str, Any]
) -> None:
    posted = post(service, operation, fault, PARKS)
    eventually(lambda: steps(service, posted) == DELIVERED)


@ALL
@pytest.mark.parametrize(
    "body", ["", "Nej", "null", "[]", '{"message": null, "modelState": 5}', '{"message": "\\ud800"}'], ids=str
)
def test_a_400_is_refused_whatever_its_body_and_its_answer_can_be_read(
    service: RunningService, operation: str, body: str
) -> None:
    number = next(NUMBERS)
    path, application = OPERATIONS[operation](PLAIN, number)
    service.office.inject(Fault(status=400, body=body, operation=operation, customer_id=PLAIN, times=1))
    answer = service.client.post(path, json=application, headers=key(PLAIN))
    assert answer.status_code == 400
    assert answer.json()["upstream"]["status"] == 400


@ALL
def test_an_ambiguous_call_is_parked_if_so_configured(service: RunningService, operation: str) -> None:
    faults: list[dict[str, Any]] = [*({"status": status} for status in UNKNOWN_OUTCOME), {"cut": True}]
    faults += [{"status": 200, "page": True}, {"status": 200, "body": '{"error": "x"}'}]
    for fault in faults:
        posted = post(service, operation, fault, PARKS)
        assert steps(service, posted) == ("uncertain", ["uncertain"]), fault


@pytest.mark.parametrize("customer", [RETRIES, PARKS])
def test_what_was_not_carried_out_is_never_parked(service: RunningService, customer: str) -> None:
    for status in OVERLOADED:
        posted = post(service, "loan-promise", {"status": status}, customer)
        assert steps(service, posted)[0] in {"pending", "delivered"}


def test_an_answer_that_does_not_come_in_time_may_have_been_carried_out(service: RunningService) -> None:
    posted = post(service, "lead", {"delay_seconds": 4}, PARKS)
    assert steps(service, posted) == ("uncertain", ["uncertain"])


def test_a_404_is_retried_once_and_then_refused_with_vitecs_words(service: RunningService) -> None:
    def refused(operation: str) -> httpx.Response:
        path, body = OPERATIONS[operation](PLAIN, next(NUMBERS))
        fault = Fault(
            status=404, body='{"message": "Finns inte"}', operation=Operation(operation), customer_id=PLAIN, times=2
        )
        service.office.inject(fault)
        return service.client.post(path, json=body, headers=key(PLAIN))

    before = len(service.office.received)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(refused, OPERATIONS))
    for operation, answer in zip(OPERATIONS, answers, strict=True):
        assert answer.status_code == 400, operation
        assert answer.json()["upstream"]["message"] == "Finns inte"
        calls = [
            call
            for call in service.office.received[before:]
            if (call.operation, call.customer_id) == (operation, PLAIN)
        ]
        assert len(calls) == 2
        assert (calls[1].at - calls[0].at).total_seconds() > 0.7
