"""Contract, section 3, `GET CRM/Contact`: who may, which ids, what comes back, and what when Vitec is not well."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox import Company, Customer, DeceasedEstate, Fault, Office, Person
from tests.acceptance.bodies import CUSTOMER, FULL, KEYS, PLAIN, SITE, basic, key, problem
from tests.acceptance.desk import Desk, open_desk
from tests.serving import eventually

PERSON = Person(id="C1", customer_id=CUSTOMER, first_name="Anna", last_name="Ek", agent_id="A1", lead_score=3)
COMPANY = Company(id="C2", customer_id=CUSTOMER, name="Ek & Co", corporate_number="556000-0001", home_page="ek.se")
ESTATE = DeceasedEstate(id="C3", customer_id=CUSTOMER, name="Dödsboet efter Ek", note="Rad ett\nrad två")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    vitec = {"paused_probe_seconds": 3, "timeout_seconds": 2}
    with open_desk(tmp_path_factory.mktemp("desk"), vitec=vitec) as desk:
        yield desk


@pytest.fixture(autouse=True)
def _contacts(desk: Desk) -> Iterator[None]:
    desk.office.reset()
    for contact in (PERSON, COMPANY, ESTATE):
        desk.office.contacts[CUSTOMER, contact.id] = contact
    yield
    desk.office.lift()


def path_of(ids: str, customer: str = CUSTOMER) -> str:
    return f"/CRM/Contact/{customer}/{ids}"


def ask(desk: Desk, ids: str = "C1", **headers: str) -> httpx.Response:
    return desk.client.get(path_of(ids), headers=key() | headers)


def answered(desk: Desk, ids: str = "C1") -> Any:
    answer = ask(desk, ids)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    return answer.json()


def test_the_three_kinds_come_as_vitec_has_them(desk: Desk) -> None:
    known = [contact.model_dump(mode="json", by_alias=True) for contact in (PERSON, COMPANY, ESTATE)]
    assert answered(desk, "C1,C2,C3") == known
    assert [one["type"] for one in answered(desk, "C3,C1")] == ["DeceasedEstate", "Person"]
    assert answered(desk, "C1,NOBODY") == known[:1]


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
def test_whatever_members_a_contact_has_they_are_passed_on_as_they_came(desk: Desk, contact: dict[str, Any]) -> None:
    desk.office.order(Fault(status=200, body=json.dumps([contact]), operation="contact"))
    assert answered(desk) == [contact]


def test_one_to_twenty_ids(desk: Desk) -> None:
    twenty = [f"C{number}" for number in range(1, 21)]
    assert len(answered(desk, ",".join(twenty))) == 3
    assert desk.office.received[-1].path == path_of(",".join(twenty))
    before = len(desk.office.received)
    for many in (",".join([*twenty, "C21"]), ",".join(["C1"] * 21), ",".join(["C" * 40] * 100)):
        errors = problem(ask(desk, many), 400)["errors"]
        assert [error["field"] for error in errors] == ["contactIds"]
        assert "20" in errors[0]["message"]
    assert len(desk.office.received) == before


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
def test_ids_that_can_be_none_of_vitecs_are_404_and_vitec_is_not_asked(desk: Desk, ids: str) -> None:
    status, _ = desk.raw("GET", path_of(ids.replace(" ", "%20").replace("å", "%C3%A5")), headers=key())
    assert status == 404
    assert desk.office.received == []


def test_an_id_of_forty_characters_is_asked_for(desk: Desk) -> None:
    problem(ask(desk, "C" * 40), 404)
    assert desk.office.received[-1].path == path_of("C" * 40)


def test_vitecs_404_is_404(desk: Desk) -> None:
    assert problem(ask(desk, "NOBODY"), 404)["title"]
    assert len(desk.office.received) == 1


def test_a_contact_of_another_customer_is_not_found(desk: Desk) -> None:
    desk.office.contacts[PLAIN, "C50"] = Person(id="C50", customer_id=PLAIN)
    problem(ask(desk, "C50"), 404)


@pytest.mark.parametrize("fault", [{}, {"status": 404}, {"status": 503}, {"status": 200, "body": "x"}], ids=str)
def test_nothing_is_kept_by_shared_caches(desk: Desk, fault: dict[str, Any]) -> None:
    desk.office.order(Fault(**fault, operation="contact"))
    answer = ask(desk)
    assert {"no-store", "private"} & {part.strip() for part in answer.headers["cache-control"].split(",")}
    desk.office.lift()
    assert ask(desk).status_code == 200  # asked anew


@pytest.mark.parametrize(
    "authorization",
    [
        key(),
        basic("partner", KEYS[CUSTOMER]),
        {"Authorization": basic("", KEYS[CUSTOMER])["Authorization"].lower()[:5]},
    ],
    ids=["bearer", "basic", "scheme alone"],
)
def test_the_customers_key_is_needed(desk: Desk, authorization: dict[str, str]) -> None:
    right = " " in authorization["Authorization"]
    assert desk.client.get(path_of("C1"), headers=authorization).status_code == (200 if right else 401)


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
def test_without_it_the_answer_is_401_and_vitec_is_not_asked(desk: Desk, headers: dict[str, str]) -> None:
    answer = desk.client.get(path_of("C1"), headers=headers)
    problem(answer, 401)
    assert "www-authenticate" in answer.headers
    assert "Anna" not in answer.text
    assert desk.office.received == []


def test_an_unknown_customer_is_404_with_any_key(desk: Desk) -> None:
    for headers in ({}, key(), {"Authorization": "Bearer wrong"}):
        problem(desk.client.get(path_of("C1", "M99999"), headers=headers), 404)
    assert desk.office.received == []


def test_only_get_is_answered(desk: Desk) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert desk.client.request(method, path_of("C1"), headers=key(), json={}).status_code == 405


AWAY = [408, 425, 429, 500, 502, 503, 504]


@pytest.mark.parametrize("status", AWAY)
def test_while_vitec_is_away_the_answer_is_503_and_says_when_to_ask_again(desk: Desk, status: int) -> None:
    desk.office.order(Fault(status=status, operation="contact", times=1))
    answer = ask(desk)
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert ask(desk).status_code == 200


@pytest.mark.parametrize("fault", [{"cut": True}, {"delay_seconds": 6}], ids=str)
def test_an_answer_that_does_not_come_is_503(desk: Desk, fault: dict[str, Any]) -> None:
    desk.office.order(Fault(**fault, operation="contact", times=1))
    problem(ask(desk), 503)


def test_a_vitec_that_cannot_be_reached_is_503(tmp_path: Path) -> None:
    with open_desk(tmp_path, vitec={"base_url": "http://127.0.0.1:9"}) as desk:
        problem(ask(desk), 503)


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
def test_an_unreadable_answer_is_502(desk: Desk, body: str) -> None:
    desk.office.order(Fault(status=200, body=body, operation="contact"))
    problem(ask(desk), 502)


@pytest.mark.parametrize("fault", [{"status": 204}, {"truncated": True}], ids=str)
def test_an_answer_that_breaks_off_or_is_empty_is_502_or_503(desk: Desk, fault: dict[str, Any]) -> None:
    desk.office.order(Fault(**fault, operation="contact"))
    answer = ask(desk)
    problem(answer, answer.status_code)
    assert answer.status_code in {502, 503}


def test_a_redirect_is_never_followed(desk: Desk) -> None:
    elsewhere = {"Location": f"/CRM/Contact/{CUSTOMER}/C2"}
    desk.office.order(Fault(status=302, headers=elsewhere, operation="contact"))
    answer = ask(desk)
    assert answer.status_code in {502, 503}
    assert len(desk.office.received) == 1


def test_vitecs_400_is_400_with_its_words(desk: Desk) -> None:
    desk.office.order(Fault(status=400, operation="contact", body='{"message": "Fel på id"}'))
    assert problem(ask(desk), 400)["upstream"]["message"] == "Fel på id"


def test_a_403_of_vitecs_is_no_answer_of_ours_about_the_key(desk: Desk) -> None:
    desk.office.order(Fault(status=403, operation="contact"))
    assert ask(desk).status_code in {502, 503}


def test_a_refused_login_is_503_and_vitec_is_asked_again_only_after_a_while(desk: Desk) -> None:
    desk.office.order(Fault(status=401, operation="contact"))
    for _ in range(5):
        problem(ask(desk), 503)
    assert len(desk.office.received) == 1
    desk.office.lift()
    eventually(lambda: ask(desk).status_code == 200)
    assert len(desk.office.received) == 2


def test_when_it_is_time_to_try_a_refused_login_again_one_call_tries(desk: Desk) -> None:
    """ "Hammering a refused office got an integrator blocked" (vitec-connect.md, O)."""
    desk.office.order(Fault(status=401, operation="contact", delay_seconds=0.3))
    problem(ask(desk), 503)

    def many() -> int:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: httpx.get(desk.url + path_of("C1"), headers=key()), range(8)))
        return len(desk.office.received)

    eventually(lambda: many() > 1)
    assert len(desk.office.received) == 2


def test_a_paused_crm_password_pauses_no_other_customers(desk: Desk) -> None:
    desk.office.order(Fault(status=401, operation="contact", customer_id=CUSTOMER))
    problem(ask(desk), 503)
    desk.office.contacts[FULL, "C9"] = Person(id="C9", customer_id=FULL)
    assert desk.client.get(path_of("C9", FULL), headers=key(FULL)).status_code == 200
    desk.office.lift()
    eventually(lambda: ask(desk).status_code == 200)


def test_the_crm_password_opens_it(start: Any, office: Office) -> None:
    office.customers["M12345"] = Customer("M12345", "secret", "crm-secret")
    office.contacts["M12345", "C1"] = PERSON
    client = start()
    answer = client.get(path_of("C1"), headers={"Authorization": "Bearer test-api-key"})
    assert answer.status_code == 200
    office.customers["M12345"] = Customer("M12345", "crm-secret", "secret")
    assert client.get(path_of("C1"), headers={"Authorization": "Bearer test-api-key"}).status_code == 503
