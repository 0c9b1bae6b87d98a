"""`GET /submissions/{id}`: the status of a submission."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox import Fault
from tests.acceptance.bodies import (
    CUSTOMER,
    KEYS,
    PLAIN,
    PUBLIC_URL,
    SITE,
    Members,
    basic,
    booking,
    customer_of,
    interest,
    interest_path,
    key,
    problem,
    viewing_path,
)
from tests.acceptance.html_page import query_of
from tests.acceptance.running_service import RunningService, run_service
from tests.servers import eventually

MEMBERS = {"id", "customerId", "operation", "status", "receivedAt", "deliveredAt", "attempts", "result", "steps"}


def accepted(service: RunningService, path: str, body: Members, headers: dict[str, str] | None = None) -> Members:
    """`{"id", "status", "statusUrl"}` of a post that did not wait."""
    caller = key(customer_of(path)) if headers is None else headers
    answer = service.client.post(path, json=body, headers=caller | {"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    content: Members = answer.json()
    return content


def by_url(service: RunningService, url: str, **headers: str) -> httpx.Response:
    """The status at `statusUrl`, on the test's own host."""
    assert url.startswith(f"{PUBLIC_URL}/")
    return service.client.get(url.removeprefix(PUBLIC_URL), headers=headers)


def status_of(service: RunningService, submission_id: str, **headers: str) -> Members:
    answer = service.client.get(f"/submissions/{submission_id}", headers=headers or key())
    assert answer.status_code == 200, answer.text
    content: Members = answer.json()
    return content


def settled(service: RunningService, submission_id: str) -> Members:
    return eventually(lambda: (found := status_of(service, submission_id))["status"] != "pending" and found)


@pytest.mark.parametrize("authorization", [key(), basic("partner", KEYS[CUSTOMER])])
def test_the_customers_key_shows_what_became_of_a_booking(
    service: RunningService, authorization: dict[str, str]
) -> None:
    path = viewing_path()
    submission_id = accepted(service, path, booking())["id"]
    settled(service, submission_id)
    status = status_of(service, submission_id, **authorization)
    assert set(status) == MEMBERS
    assert status["id"] == submission_id
    assert status["customerId"] == CUSTOMER
    assert status["status"] == "delivered"
    assert status["attempts"] == 1
    assert status["result"] == service.delivered(path).answer
    assert isinstance(status["steps"], list)
    assert len(status["steps"]) == 1
    received, delivered = (datetime.fromisoformat(status[name]) for name in ("receivedAt", "deliveredAt"))
    assert received.tzinfo is not None
    assert received <= delivered <= datetime.now(UTC) + timedelta(seconds=1)
    assert datetime.now(UTC) - received < timedelta(seconds=30)


def test_an_interest_has_no_result_where_vitec_sends_none(service: RunningService) -> None:
    status = settled(service, accepted(service, interest_path(), interest())["id"])
    assert (status["status"], status["result"]) == ("delivered", None)


def test_the_status_names_the_operation(service: RunningService) -> None:
    first = status_of(service, accepted(service, interest_path(), interest())["id"])["operation"]
    assert first != status_of(service, accepted(service, viewing_path(), booking())["id"])["operation"]


@pytest.mark.parametrize("caller", [SITE, key()])
def test_the_status_url_opens_without_a_key_and_shows_no_id_of_vitecs(
    service: RunningService, caller: dict[str, str]
) -> None:
    path = viewing_path()
    pending = accepted(service, path, booking(), caller)
    result = settled(service, pending["id"])["result"]
    answer = by_url(service, pending["statusUrl"])
    assert answer.status_code == 200
    assert set(answer.json()) == MEMBERS
    assert answer.json()["status"] == "delivered"
    assert answer.json()["result"] is None
    assert str(result) not in str(answer.json()["steps"])
    assert f'"{result}"' not in answer.text


def test_the_status_url_shows_a_caller_with_the_customers_key_what_the_key_does(service: RunningService) -> None:
    pending = accepted(service, viewing_path(), booking())
    status = settled(service, pending["id"])
    assert status["result"]
    assert by_url(service, pending["statusUrl"], **key()).json() == status


PERSONAL = {
    "firstName": "Förnamnius",
    "lastName": "Efternamnius",
    "email": {"emailAddress": "personal@example.se"},
}


@pytest.mark.parametrize("make", [interest_path, viewing_path])
def test_there_is_no_personal_data_in_it(service: RunningService, make: Callable[[], str]) -> None:
    body = interest(**PERSONAL) if make is interest_path else booking(PERSONAL)
    body["contactMessage"] = "Hemligt meddelande"
    path = make()
    pending = accepted(service, f"{path}?utm_source=hemlig", body)
    settled(service, pending["id"])
    for answer in (
        by_url(service, pending["statusUrl"]),
        service.client.get(f"/submissions/{pending['id']}", headers=key()),
    ):
        for word in ("Förnamnius", "Efternamnius", "personal", "Hemligt", "hemlig"):
            assert word not in answer.text


def test_the_id_alone_opens_nothing(service: RunningService) -> None:
    pending = accepted(service, interest_path(), interest())
    unknown = "01a00000-0000-7000-8000-000000000000"
    answer = service.client.get(f"/submissions/{pending['id']}")
    assert answer.status_code in {401, 403, 404}
    assert answer.text == service.client.get(f"/submissions/{unknown}").text
    for headers in (SITE, {"Origin": PUBLIC_URL}, {"Referer": f"{PUBLIC_URL}/"}):
        assert service.client.get(f"/submissions/{pending['id']}", headers=headers).status_code == answer.status_code


@pytest.mark.parametrize(
    "spoil", [lambda s: s[:-1], lambda s: s + "x", lambda s: "", lambda s: "å", lambda s: s.swapcase()]
)
def test_another_secret_opens_nothing(service: RunningService, spoil: Callable[[str], str]) -> None:
    pending = accepted(service, interest_path(), interest())
    query = {name: spoil(value) for name, value in query_of(pending["statusUrl"]).items()}
    assert query
    assert service.client.get(f"/submissions/{pending['id']}", params=query).status_code in {401, 403, 404}


def test_the_secret_of_one_submission_opens_no_other(service: RunningService) -> None:
    first, second = (accepted(service, interest_path(), interest()) for _ in range(2))
    crossed = first["statusUrl"].replace(first["id"], second["id"])
    assert by_url(service, crossed).status_code in {401, 403, 404}


def test_a_wrong_or_another_customers_key_is_401_with_or_without_the_secret(service: RunningService) -> None:
    pending = accepted(service, interest_path(), interest())
    for wrong in (key(PLAIN), {"Authorization": "Bearer x"}, basic("partner", "secret"), {"Authorization": "Bearer"}):
        problem(service.client.get(f"/submissions/{pending['id']}", headers=wrong), 401)
        problem(by_url(service, pending["statusUrl"], **wrong), 401)


@pytest.mark.parametrize(
    "submission_id", ["01a00000-0000-7000-8000-000000000000", "1", "x" * 500, "%00", "å", "..%2F..", "'--", "%FF"]
)
def test_an_id_that_there_is_not_is_404_to_a_key(service: RunningService, submission_id: str) -> None:
    status, body = service.raw(
        "GET", f"/submissions/{submission_id}" if submission_id != "å" else "/submissions/%C3%A5", b"", key()
    )
    assert status == 404
    assert b"Traceback" not in body


def steps_of(status: Members) -> list[Any]:
    return list(status["steps"])


def test_while_vitec_is_down_the_status_is_pending_and_then_delivered(tmp_path: Path) -> None:
    with run_service(tmp_path) as service:
        service.office.inject(Fault(status=503))
        path = interest_path()
        pending = accepted(service, path, interest())
        assert pending["status"] == "pending"
        assert eventually(lambda: service.received(path))[0].status == 503  # an attempt is counted before its call
        status = status_of(service, pending["id"])
        assert (status["status"], status["deliveredAt"], status["result"]) == ("pending", None, None)
        service.office.clear_faults()
        status = settled(service, pending["id"])
        assert status["status"] == "delivered"
        assert status["attempts"] >= 2
        assert status["deliveredAt"]


def test_what_vitec_refused_is_rejected(tmp_path: Path) -> None:
    with run_service(tmp_path) as service:
        service.office.inject(Fault(status=400, body='{"message": "Hemliga Anna finns redan."}'))
        pending = accepted(service, viewing_path(), booking())
        status = settled(service, pending["id"])
        assert (status["status"], status["deliveredAt"], status["attempts"]) == ("rejected", None, 1)
        assert by_url(service, pending["statusUrl"]).json()["status"] == "rejected"


def test_what_may_have_been_carried_out_is_uncertain_where_it_is_parked(tmp_path: Path) -> None:
    with run_service(tmp_path, customers=[{"id": CUSTOMER, "on_ambiguous": "park"}]) as service:
        service.office.inject(Fault(status=500))
        status = settled(service, accepted(service, interest_path(), interest())["id"])
        assert (status["status"], status["deliveredAt"]) == ("uncertain", None)


def test_a_delivery_that_was_given_up_is_failed(tmp_path: Path) -> None:
    with run_service(tmp_path, delivery={"give_up_hours": 1e-9}) as service:
        service.office.inject(Fault(status=503))
        status = settled(service, accepted(service, interest_path(), interest())["id"])
        assert (status["status"], status["deliveredAt"]) == ("failed", None)
