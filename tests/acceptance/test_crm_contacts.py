"""`GET /CRM/Contact`: who may call it, which ids it takes, its answers, and what happens when Vitec fails."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox import Company, Customer, DeceasedEstate, Fault, Office, Person
from tests.acceptance.bodies import CUSTOMER, FULL, KEYS, PLAIN, SITE, basic, key, problem
from tests.acceptance.running_service import RunningService, run_service
from tests.servers import eventually

PERSON = Person(id="C1", customer_id=CUSTOMER, first_name="Anna", last_name="Ek", agent_id="A1", lead_score=3)
COMPANY = Company(id="C2", customer_id=CUSTOMER, name="Ek & Co", corporate_number="556000-0001", home_page="ek.se")
ESTATE = DeceasedEstate(id="C3", customer_id=CUSTOMER, name="Dödsboet efter Ek", note="Rad ett\nrad två")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    vitec = {"paused_probe_seconds": 3, "timeout_seconds": 2}
    with run_service(tmp_path_factory.mktemp("service"), vitec=vitec) as service:
        yield service


@pytest.fixture(autouse=True)
def _contacts(service: RunningService) -> Iterator[None]:
    service.office.reset()
    for contact in (PERSON, COMPANY, ESTATE):
        service.office.contacts[CUSTOMER, contact.id] = contact
    yield
    service.office.clear_faults()


def path_of(ids: str, customer: str = CUSTOMER) -> str:
    return f"/CRM/Contact/{customer}/{ids}"


def ask(service: RunningService, ids: str = "C1", **headers: str) -> httpx.Response:
    return service.client.get(path_of(ids), headers=key() | headers)


def answered(service: RunningService, ids: str = "C1") -> Any:
    answer = ask(service, ids)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    return answer.json()


def test_the_three_kinds_come_as_vitec_has_them(service: RunningService) -> None:
    known = [contact.model_dump(mode="json", by_alias=True) for contact in (PERSON, COMPANY, ESTATE)]
    assert answered(service, "C1,C2,C3") == known
    assert [contact["type"] for contact in answered(service, "C3,C1")] == ["DeceasedEstate", "Person"]
    assert answered(service, "C1,NOBODY") == known[:1]


@pytest.mark.parametrize(
    "contact",
    [
        {"type": "Household", "id": "C1", "customerId": CUSTOMER, "members": [{"id": "C9"}], "agentId": None},
        {"id": "C1", "customerId": CUSTOMER, "firstName": "utan typ"},
        {"type": "Person", "id": "C1", "nyMedlem": {"a": [1, 2.5, None, True]}, "telephone": "ett nummer"},
        {"type": "Person", "id": "C1", "firstName": "", "lastName": " ", "agentId": ""},
        {"type": "person", "id": "C1", "firstName": ["Anna"], "isDeceased": "nej"},
        {"type": "Company", "id": "C1", "name": 5, "email": None},
        {"type": ["Person"], "id": 17, "customerId": 5, "agentId": {"id": "A1"}},
        {"type": "Person", "model_dump": 1, "greeting": 2, "": 3},
        {"type": None},
        {},
    ],
    ids=str,
)
def test_whatever_members_a_contact_has_they_are_passed_on_as_they_came(
    service: RunningService, contact: dict[str, Any]
) -> None:
    service.office.inject(Fault(status=200, body=json.dumps([contact]), operation="contact"))
    assert answered(service) == [contact]


def test_one_to_twenty_ids_are_accepted(service: RunningService) -> None:
    twenty = [f"C{number}" for number in range(1, 21)]
    assert len(answered(service, ",".join(twenty))) == 3
    assert service.office.received[-1].path == path_of(",".join(twenty))
    before = len(service.office.received)
    for many in (",".join([*twenty, "C21"]), ",".join(["C1"] * 21), ",".join(["C" * 40] * 100)):
        errors = problem(ask(service, many), 400)["errors"]
        assert [error["field"] for error in errors] == ["contactIds"]
        assert "20" in errors[0]["message"]
    assert len(service.office.received) == before


@pytest.mark.parametrize(
    "ids",
    [
        "",
        ",",
        "C1,",
        ",C1",
        "C1,,C2",
        ".",
        "..",
        "C1,..",
        "å",
        "C1%20",
        "C1, C2",
        "C" * 41,
        "C1%2F..",
        "a;b",
        "%00",
        "C1%0A",
    ],
)
def test_malformed_ids_are_404_and_vitec_is_not_called(service: RunningService, ids: str) -> None:
    status, _ = service.raw("GET", path_of(ids.replace(" ", "%20").replace("å", "%C3%A5")), headers=key())
    assert status == 404
    assert service.office.received == []


def test_an_id_of_forty_characters_is_asked_for(service: RunningService) -> None:
    problem(ask(service, "C" * 40), 404)
    assert service.office.received[-1].path == path_of("C" * 40)


def test_vitecs_404_is_404(service: RunningService) -> None:
    assert problem(ask(service, "NOBODY"), 404)["title"]
    assert len(service.office.received) == 1


def test_a_contact_of_another_customer_is_not_found(service: RunningService) -> None:
    service.office.contacts[PLAIN, "C50"] = Person(id="C50", customer_id=PLAIN)
    problem(ask(service, "C50"), 404)


@pytest.mark.parametrize("fault", [{}, {"status": 404}, {"status": 503}, {"status": 200, "body": "x"}], ids=str)
def test_shared_caches_store_nothing(service: RunningService, fault: dict[str, Any]) -> None:
    service.office.inject(Fault(**fault, operation="contact"))
    answer = ask(service)
    assert {"no-store", "private"} & {part.strip() for part in answer.headers["cache-control"].split(",")}
    service.office.clear_faults()
    assert ask(service).status_code == 200  # asked anew


@pytest.mark.parametrize(
    "authorization",
    [
        key(),
        basic("partner", KEYS[CUSTOMER]),
        {"Authorization": basic("", KEYS[CUSTOMER])["Authorization"].lower()[:5]},
    ],
    ids=["bearer", "basic", "scheme alone"],
)
def test_the_customers_key_is_needed(service: RunningService, authorization: dict[str, str]) -> None:
    right = " " in authorization["Authorization"]
    assert service.client.get(path_of("C1"), headers=authorization).status_code == (200 if right else 401)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        SITE,
        {"Authorization": "Bearer wrong"},
        key(PLAIN),
        basic("partner", KEYS[PLAIN]),
        basic(KEYS[CUSTOMER], ""),
        basic("partner", "secret"),
    ],
    ids=str,
)
def test_without_the_customers_key_the_answer_is_401_and_vitec_is_not_called(
    service: RunningService, headers: dict[str, str]
) -> None:
    answer = service.client.get(path_of("C1"), headers=headers)
    problem(answer, 401)
    assert "www-authenticate" in answer.headers
    assert "Anna" not in answer.text
    assert service.office.received == []


def test_an_unknown_customer_is_404_with_any_key(service: RunningService) -> None:
    for headers in ({}, key(), {"Authorization": "Bearer wrong"}):
        problem(service.client.get(path_of("C1", "M99999"), headers=headers), 404)
    assert service.office.received == []


def test_only_get_is_answered(service: RunningService) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert service.client.request(method, path_of("C1"), headers=key(), json={}).status_code == 405


AWAY = [408, 425, 429, 500, 502, 503, 504]


@pytest.mark.parametrize("status", AWAY)
def test_while_vitec_is_down_the_answer_is_503_with_retry_after(service: RunningService, status: int) -> None:
    service.office.inject(Fault(status=status, operation="contact", times=1))
    answer = ask(service)
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert ask(service).status_code == 200


@pytest.mark.parametrize("fault", [{"cut": True}, {"delay_seconds": 6}], ids=str)
def test_an_answer_that_does_not_come_is_503(service: RunningService, fault: dict[str, Any]) -> None:
    service.office.inject(Fault(**fault, operation="contact", times=1))
    problem(ask(service), 503)


def test_a_vitec_that_cannot_be_reached_is_503(tmp_path: Path) -> None:
    with run_service(tmp_path, vitec={"base_url": "http://127.0.0.1:9"}) as service:
        problem(ask(service), 503)


BROKEN = [
    "",
    '[{"id": ',
    '"C1"',
    "null",
    "{}",
    '{"type": "Person", "id": "C1"}',
    "[1]",
    "[null]",
    '["C1"]',
    "<html>",
    '[{"id": "C1", "leadScore": NaN}]',
    '[{"id": "C1", "note": "\\ud800"}]',
]


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: body[:30])
def test_an_unreadable_answer_is_502(service: RunningService, body: str) -> None:
    service.office.inject(Fault(status=200, body=body, operation="contact"))
    problem(ask(service), 502)


@pytest.mark.parametrize("fault", [{"status": 204}, {"truncated": True}], ids=str)
def test_an_answer_that_breaks_off_or_is_empty_is_502_or_503(service: RunningService, fault: dict[str, Any]) -> None:
    service.office.inject(Fault(**fault, operation="contact"))
    answer = ask(service)
    problem(answer, answer.status_code)
    assert answer.status_code in {502, 503}


def test_a_redirect_is_never_followed(service: RunningService) -> None:
    elsewhere = {"Location": f"/CRM/Contact/{CUSTOMER}/C2"}
    service.office.inject(Fault(status=302, headers=elsewhere, operation="contact"))
    answer = ask(service)
    assert answer.status_code in {502, 503}
    assert len(service.office.received) == 1


def test_vitecs_400_is_400_with_its_words(service: RunningService) -> None:
    service.office.inject(Fault(status=400, operation="contact", body='{"message": "Fel på id"}'))
    assert problem(ask(service), 400)["upstream"]["message"] == "Fel på id"


def test_vitecs_403_is_not_reported_as_a_wrong_api_key(service: RunningService) -> None:
    service.office.inject(Fault(status=403, operation="contact"))
    assert ask(service).status_code in {502, 503}


def test_a_refused_login_is_503_and_vitec_is_asked_again_only_after_a_while(service: RunningService) -> None:
    service.office.inject(Fault(status=401, operation="contact"))
    for _ in range(5):
        problem(ask(service), 503)
    assert len(service.office.received) == 1
    service.office.clear_faults()
    eventually(lambda: ask(service).status_code == 200)
    assert len(service.office.received) == 2


def test_when_a_refused_login_is_due_for_a_retry_exactly_one_call_tries_it(service: RunningService) -> None:
    """Vitec has blocked an integrator who kept calling with a refused login."""
    service.office.inject(Fault(status=401, operation="contact", delay_seconds=0.3))
    problem(ask(service), 503)

    def many() -> int:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: ask(service), range(8)))
        return len(service.office.received)

    eventually(lambda: many() > 1)
    assert len(service.office.received) == 2


def test_a_paused_crm_password_pauses_no_other_customers(service: RunningService) -> None:
    service.office.inject(Fault(status=401, operation="contact", customer_id=CUSTOMER))
    problem(ask(service), 503)
    service.office.contacts[FULL, "C9"] = Person(id="C9", customer_id=FULL)
    assert service.client.get(path_of("C9", FULL), headers=key(FULL)).status_code == 200
    service.office.clear_faults()
    eventually(lambda: ask(service).status_code == 200)


def test_contacts_are_read_with_the_crm_password(start: Any, office: Office) -> None:
    office.customers["M12345"] = Customer("M12345", "secret", "crm-secret")
    office.contacts["M12345", "C1"] = PERSON
    client = start()
    answer = client.get(path_of("C1"), headers={"Authorization": "Bearer test-api-key"})
    assert answer.status_code == 200
    office.customers["M12345"] = Customer("M12345", "crm-secret", "secret")
    assert client.get(path_of("C1"), headers={"Authorization": "Bearer test-api-key"}).status_code == 503
