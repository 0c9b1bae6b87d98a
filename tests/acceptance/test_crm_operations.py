"""Leads and loan promises with an API key, with every member, at Vitec's own paths."""

import base64
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox import Fault, Person
from tests.acceptance.bodies import (
    CUSTOMER,
    FULL,
    KEYS,
    PLAIN,
    PUBLIC_URL,
    SITE,
    Members,
    basic,
    faults_of,
    key,
    problem,
)
from tests.acceptance.running_service import RunningService, run_service
from tests.servers import eventually

LEAD = {
    "lead_source_id": "LS1",
    "assigned_to_id": "GROUP1",
    "office_id": "O1",
    "assignment_source_id": "AS1",
}
CONFIGURED = {"leadSourceId": "LS1", "assignedToId": "GROUP1", "officeId": "O1", "assignmentSourceId": "AS1"}
SAID = {"assignedToId": "A2", "leadSourceId": "L2"}
_numbers = count(1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with run_service(tmp_path_factory.mktemp("service"), customers=[{"id": FULL, "lead": LEAD}]) as service:
        yield service


@pytest.fixture(autouse=True)
def _no_faults(service: RunningService) -> Iterator[None]:
    yield
    service.office.clear_faults()


def known(service: RunningService, customer: str = CUSTOMER, length: int = 0) -> str:
    """The id of a contact that no other test uses."""
    contact_id = f"K{next(_numbers)}".ljust(length, "x")
    service.office.contacts[customer, contact_id] = Person(id=contact_id, customer_id=customer)
    return contact_id


def lead_path(customer: str = CUSTOMER) -> str:
    return f"/CRM/Lead/{customer}"


def promise_path(contact: str, customer: str = CUSTOMER) -> str:
    return f"/CRM/Buyer/{customer}/{contact}/LoanPromise"


def sent(service: RunningService, path: str, body: Members, customer: str = CUSTOMER, **headers: str) -> Members:
    """Posts JSON with the key; returns what Vitec received."""
    before = len(service.office.received)
    answer = service.client.post(path, json=body, headers=key(customer) | headers)
    assert answer.status_code == 200, answer.text
    [call] = service.office.received[before:]
    assert call.path == path.partition("?")[0]
    assert call.unknown_members == ()
    assert answer.json() == call.answer
    assert isinstance(answer.json(), str)
    assert answer.headers["location"] == f"/submissions/{answer.headers['submission-id']}"
    return dict(call.body)


# Who may


@pytest.mark.parametrize(
    "authorization",
    [
        f"Bearer {KEYS[CUSTOMER]}",
        f"bearer {KEYS[CUSTOMER]}",
        basic("partner", KEYS[CUSTOMER])["Authorization"],
        basic("partner", KEYS[CUSTOMER])["Authorization"].replace("Basic", "basic"),
        basic("", KEYS[CUSTOMER])["Authorization"].replace("Basic", "BASIC"),
    ],
)
@pytest.mark.parametrize("origin", [{}, {"Origin": "https://evil.example"}])
def test_the_customers_key_may_post(service: RunningService, authorization: str, origin: dict[str, str]) -> None:
    headers = {"Authorization": authorization} | origin
    contact = known(service)
    assert service.client.post(lead_path(), json=SAID | {"contactId": contact}, headers=headers).status_code == 200
    assert service.client.post(promise_path(contact), json={"bank": "SEB"}, headers=headers).status_code == 200


NO_KEY: list[dict[str, str]] = [
    {},
    SITE,
    {"Origin": PUBLIC_URL},
    {"Authorization": "Bearer wrong"},
    {"Authorization": f"Bearer {KEYS[PLAIN]}"},
    {"Authorization": "Basic"},
    basic("partner", KEYS[PLAIN]),
    basic(KEYS[CUSTOMER], ""),
    basic("partner", "secret"),
]


@pytest.mark.parametrize("headers", NO_KEY, ids=str)
def test_without_the_customers_key_nobody_may_post_and_vitec_is_not_called(
    service: RunningService, headers: dict[str, str]
) -> None:
    contact = known(service)
    before = len(service.office.received)
    for path, body in ((lead_path(), SAID | {"contactId": contact}), (promise_path(contact), {"bank": "SEB"})):
        refused = service.client.post(path, json=body, headers=headers)
        problem(refused, 401)
        assert "www-authenticate" in refused.headers
        assert service.client.post(path, data=body, headers=headers).status_code == 401
        assert service.client.post(path, content=b"{", headers=headers).status_code == 401
    assert len(service.office.received) == before


def test_in_a_demo_too_a_key_is_needed(tmp_path: Path) -> None:
    with run_service(tmp_path, demo=True) as demo:
        problem(demo.client.post(lead_path(), json=SAID | {"contactId": "C1"}), 401)
        problem(demo.client.post(promise_path("C1"), json={"bank": "SEB"}), 401)


@pytest.mark.parametrize("headers", [{}, key(), {"Authorization": "Bearer wrong"}], ids=str)
def test_an_unknown_customer_is_404_without_further_detail(service: RunningService, headers: dict[str, str]) -> None:
    problem(service.client.post(lead_path("M99999"), json={}, headers=headers), 404)
    problem(service.client.post(promise_path("C1", "M99999"), json={}, headers=headers), 404)


@pytest.mark.parametrize("contact", [".", "..", "%2e%2e", "a%2Fb", "%C3%A5", "C" * 41, "C1,C2", "C1%20", "", "%00"])
def test_a_malformed_contact_id_in_the_path_is_404(service: RunningService, contact: str) -> None:
    before = len(service.office.received)
    headers = key() | {"Content-Type": "application/json"}
    status, _ = service.raw("POST", promise_path(contact), b'{"bank": "SEB"}', headers)
    assert status == 404
    assert len(service.office.received) == before


def test_a_contact_id_may_have_forty_characters(service: RunningService) -> None:
    contact = known(service, length=40)
    assert sent(service, promise_path(contact), {"bank": "SEB"}) == {"bank": "SEB"}
    assert sent(service, lead_path(), SAID | {"contactId": contact})["contactId"] == contact


def test_only_posts_are_answered(service: RunningService) -> None:
    for path in (lead_path(), promise_path("C1")):
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            assert service.client.request(method, path, headers=key()).status_code == 405


# The vendor's samples: nothing changed but the host and the password


def test_the_vendors_curl_sample_succeeds(service: RunningService) -> None:
    curl = shutil.which("curl")
    assert curl, "curl is on every machine that CI uses"
    contact = known(service)
    credentials = base64.b64encode(f"partner:{KEYS[CUSTOMER]}".encode()).decode()
    body = f'{{"contactId": "{contact}", "assignedToId": "A1", "leadSourceId": "L1", "message": "Hej å"}}'
    head = ["-H", f"Authorization: basic {credentials}", "-H", "Content-Type: application/json"]

    def run(*more: str) -> str:
        return subprocess.run(
            [curl, "-sS", "--fail-with-body", *more], capture_output=True, text=True, check=True
        ).stdout

    assert run("-X", "POST", service.url + lead_path(), *head, "-d", body).startswith('"L')
    assert run(service.url + f"/CRM/Contact/{CUSTOMER}/{contact}", *head[:2]).startswith("[{")
    # As PHP's curl does: CURLOPT_USERPWD, CURLAUTH_BASIC, and a body that is sent after "100 Continue".
    basic_user = ("-u", f"partner:{KEYS[CUSTOMER]}", "--basic", "-H", "Expect: 100-continue", *head[2:])
    promise = '{"bank": "SEB", "estateType": 1, "status": 3, "financing": 1}'
    assert run("-d", promise, service.url + promise_path(contact), *basic_user).startswith('"LP')
    assert run("-d", body, service.url + lead_path(), *basic_user, "--http1.0").startswith('"L')


# Lead


def test_a_lead_with_every_member_reaches_vitec_unchanged(service: RunningService) -> None:
    body = {
        "contactId": known(service),
        "assignedToId": "USER1",
        "leadSourceId": "SOURCE1",
        "officeId": "OFFICE1",
        "assignmentSourceId": "AS1",
        "message": "Ring mig\n\nefter fem 😀",
        "marketing": {
            "referrer": "https://www.maklarhuset.se/hem/1?id=2",
            "utmTags": [{"name": "utm_source", "value": "google"}, {"name": "gclid", "value": "å"}],
        },
    }
    assert sent(service, lead_path(), body) == body
    of_full = body | {"contactId": known(service, FULL)}
    assert sent(service, lead_path(FULL), of_full, FULL) == of_full


def test_the_configuration_fills_in_what_the_caller_leaves_out_and_nothing_else(service: RunningService) -> None:
    contact = known(service, FULL)
    assert sent(service, lead_path(FULL), {"contactId": contact}, FULL) == CONFIGURED | {"contactId": contact}
    for member in CONFIGURED:
        contact = known(service, FULL)
        body = {"contactId": contact, member: "MINE"}
        assert sent(service, lead_path(FULL), body, FULL) == CONFIGURED | body
        for blank in ("", "  ", None):
            contact = known(service, FULL)
            lead = {"contactId": contact, member: blank}
            assert sent(service, lead_path(FULL), lead, FULL) == CONFIGURED | {"contactId": contact}


def test_a_lead_without_required_members_is_refused_and_all_of_them_are_named(
    service: RunningService,
) -> None:
    before = len(service.office.received)
    assert set(service.faults(lead_path(), {})) == {"contactId", "assignedToId", "leadSourceId"}
    assert set(service.faults(lead_path(), {"contactId": "C1", "assignedToId": "A"})) == {"leadSourceId"}
    assert set(service.faults(lead_path(), {"contactId": " ", "leadSourceId": ""})) == {
        "contactId",
        "assignedToId",
        "leadSourceId",
    }
    assert set(service.faults(lead_path(FULL), {})) == {"contactId"}
    assert set(service.faults(lead_path(FULL), {"contactId": "C" * 41, "officeId": 5, "x": 1, "message": 5})) == {
        "contactId",
        "officeId",
        "x",
        "message",
    }
    assert len(service.office.received) == before


@pytest.mark.parametrize(
    "unknown", ["contactsId", "contact_id", "customerId", "note", "marketing.utm", "marketing.utmTags.x"]
)
def test_an_unknown_member_of_a_lead_is_refused_by_its_name(service: RunningService, unknown: str) -> None:
    body: Members = SAID | {"contactId": "C1", "marketing": {"utmTags": []}}
    if unknown == "marketing.utmTags.x":
        body["marketing"] = {"utmTags": [{"name": "a", "value": "b", "x": 1}]}
        unknown = "marketing.utmTags.0.x"
    elif unknown == "marketing.utm":
        body["marketing"] = {"utm": 1}
    else:
        body[unknown] = "x"
    assert unknown in service.faults(lead_path(), body)


@pytest.mark.parametrize(
    ("query", "members", "expected"),
    [
        ("utm_source=google&utm_medium=cpc", {}, [("utm_source", "google"), ("utm_medium", "cpc")]),
        ("UTM_Source=a&utm_source=b&gclid=1&x=y", {}, [("utm_source", "a"), ("gclid", "1")]),
        ("utm_source=h%C3%B6st%20%F0%9F%98%80", {}, [("utm_source", "höst 😀")]),
        ("utm_source=q", {"utm_source": "m", "utm_x": "n"}, [("utm_source", "q"), ("utm_x", "n")]),
        ("", {"utm_source": "m"}, [("utm_source", "m")]),
    ],
)
def test_the_tags_of_a_leads_query_and_members_reach_its_marketing(
    service: RunningService, query: str, members: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    tags = [{"name": name, "value": value} for name, value in members.items()]
    body: Members = {"contactId": known(service, FULL)} | ({"marketing": {"utmTags": tags}} if tags else {})
    marketing = sent(service, f"{lead_path(FULL)}?{query}", body, FULL)["marketing"]
    assert marketing == {"utmTags": [{"name": name, "value": value} for name, value in expected]}


def test_at_most_twenty_tags_each_cut_at_five_hundred(service: RunningService) -> None:
    query = "&".join(f"utm_{number}={'x' * 600}" for number in range(25))
    body = sent(service, f"{lead_path(FULL)}?{query}", {"contactId": known(service, FULL)}, FULL)
    assert body["marketing"]["utmTags"] == [{"name": f"utm_{number}", "value": "x" * 500} for number in range(20)]


# Loan promise


def test_a_loan_promise_with_every_member_reaches_vitec_unchanged(service: RunningService) -> None:
    body = {
        "bank": "Svenska Handelsbanken 😀",
        "validUntil": "2027-06-30T12:00:00+02:00",
        "estateId": "OBJ1",
        "estateType": "House",
        "status": "VerifiedByBank",
        "financing": "Other",
    }
    assert sent(service, promise_path(known(service)), body) == body
    assert sent(service, promise_path(known(service)), {}) == {}


@pytest.mark.parametrize(
    ("member", "first", "names"),
    [
        ("estateType", 1, "Apartment Cottage House"),
        (
            "status",
            1,
            "AutomaticVerification CanNotVerify VerifiedByBank IsBeingProcessed CouldNotBeVerified NoLoanPromiseExists "
            "PreApprovalVerifiedByBank",
        ),
        ("financing", 0, "Unknown Bank Other"),
    ],
)
def test_each_choice_goes_by_name_or_number_and_is_sent_by_name(
    service: RunningService, member: str, first: int, names: str
) -> None:
    contact = known(service)
    for number, name in enumerate(names.split(), first):
        assert sent(service, promise_path(contact), {member: name}) == {member: name}
        assert sent(service, promise_path(contact), {member: number}) == {member: name}
    last = first + len(names.split())
    assert first == 0 or sent(service, promise_path(contact), {member: 0}) == {}
    for wrong in (-1, last, "Slott", True, 1.5, [name]):
        assert set(service.faults(promise_path(contact), {member: wrong})) == {member}


def test_a_bare_valid_until_is_that_days_last_second_in_stockholm(service: RunningService) -> None:
    contact = known(service)
    for day, last in (("2026-12-31", "2026-12-31T23:59:59+01:00"), ("2027-07-01", "2027-07-01T23:59:59+02:00")):
        assert sent(service, promise_path(contact), {"validUntil": day}) == {"validUntil": last}
    local = {"validUntil": "2027-07-01T10:00:00"}
    assert sent(service, promise_path(contact), local) == {"validUntil": "2027-07-01T10:00:00+02:00"}


def test_all_errors_of_a_loan_promise_are_reported_at_once_in_the_callers_language(service: RunningService) -> None:
    body = {
        "bank": "a\nb",
        "validUntil": "snart",
        "estateType": 4,
        "status": 8,
        "financing": "x",
        "y": 1,
        "estateId": [],
    }
    faults = service.faults(promise_path(known(service)), body, key() | {"Accept-Language": "sv"})
    assert set(faults) == set(body)
    english = service.faults(promise_path(known(service)), body, key() | {"Accept-Language": "en"})
    assert all(faults[name] != english[name] for name in body)


def test_a_loan_promise_on_another_customers_contact_is_vitecs_404(service: RunningService) -> None:
    contact = known(service, PLAIN)
    answer = service.client.post(promise_path(contact), json={"bank": "SEB"}, headers=key())
    assert problem(answer, 400)["upstream"]["status"] == 404


# Answers, for both


@pytest.fixture(params=["lead", "loan-promise"])
def post(request: pytest.FixtureRequest, service: RunningService) -> Any:
    """Posts a valid body as JSON, with the key and the given headers."""
    contact = known(service)
    path, body = (
        (lead_path(), SAID | {"contactId": contact})
        if request.param == "lead"
        else (promise_path(contact), {"bank": contact})
    )

    def run(more: Members | None = None, **headers: str) -> httpx.Response:
        return service.client.post(path, json=body | (more or {}), headers=key() | headers)

    run.operation = request.param  # type: ignore[attr-defined]
    return run


def test_respond_async_is_answered_202_and_its_status_url_shows_the_outcome_without_vitecs_id(
    service: RunningService, post: Any
) -> None:
    answer = post(Prefer="respond-async")
    assert answer.status_code == 202
    content = answer.json()
    assert set(content) == {"id", "status", "statusUrl"}
    assert content["statusUrl"].startswith(f"{PUBLIC_URL}/submissions/{content['id']}")
    url = content["statusUrl"].removeprefix(PUBLIC_URL)
    eventually(lambda: service.client.get(url).json()["status"] == "delivered")
    shown = service.client.get(url).json()
    assert shown["operation"] == post.operation
    assert shown["result"] is None
    owned = service.client.get(f"/submissions/{content['id']}", headers=key()).json()
    assert isinstance(owned["result"], str)
    assert service.client.get(f"/submissions/{content['id']}", headers=key(PLAIN)).status_code == 401


def test_while_vitec_does_not_answer_the_caller_gets_202(tmp_path: Path) -> None:
    with run_service(tmp_path, delivery={"wait_seconds": 0.3}) as hasty:
        contact = known(hasty)
        hasty.office.inject(Fault(status=503))
        for path, body in ((lead_path(), SAID | {"contactId": contact}), (promise_path(contact), {"bank": "SEB"})):
            answer = hasty.client.post(path, json=body, headers=key())
            assert (answer.status_code, answer.json()["status"]) == (202, "pending")
        hasty.office.clear_faults()
        eventually(lambda: len(hasty.office.leads) == 1)
        eventually(lambda: len(hasty.office.loan_promises) == 1)


def test_what_vitec_refuses_is_400_with_vitecs_words(service: RunningService, post: Any) -> None:
    words = '{"Message": "Nej", "ModelState": {"lead.contactId": ["Fel"]}}'
    service.office.inject(Fault(status=400, body=words, operation=post.operation, times=1))
    content = problem(post(), 400)
    assert content["upstream"] == {"status": 400, "message": "Nej", "modelState": {"lead.contactId": ["Fel"]}}


def test_the_same_idempotency_key_sends_once_and_answers_the_same(service: RunningService, post: Any) -> None:
    before = len(service.office.received)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(**{"Idempotency-Key": f"one {post.operation}"}), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(service.office.received) == before + 1
    assert problem(
        post(
            {"message" if post.operation == "lead" else "estateId": "x"}, **{"Idempotency-Key": f"one {post.operation}"}
        ),
        422,
    )
    assert post().status_code == post().status_code == 200
    assert len(service.office.received) == before + 3  # without a key of its own each is a new one


def test_a_form_with_the_key_is_answered_as_json_is(service: RunningService) -> None:
    contact = known(service)
    form = SAID | {"contactId": contact, "message": "Hej", "utm_source": "x", "okänd": "y"}
    answer = service.client.post(lead_path(), data=form, headers=key())
    assert answer.status_code == 200
    assert isinstance(answer.json(), str)
    assert service.office.received[-1].body == SAID | {
        "contactId": contact,
        "message": "Hej",
        "marketing": {"utmTags": [{"name": "utm_source", "value": "x"}]},
    }
    promise = {"bank": "SEB", "validUntil": "2027-07-01", "estateType": "1", "status": "7", "financing": "0"}
    assert service.client.post(
        promise_path(contact), files={k: (None, v) for k, v in promise.items()}, headers=key()
    ).is_success
    assert service.office.received[-1].body == {
        "bank": "SEB",
        "validUntil": "2027-07-01T23:59:59+02:00",
        "estateType": "Apartment",
        "status": "PreApprovalVerifiedByBank",
        "financing": "Unknown",
    }
    assert set(faults_of(service.client.post(lead_path(), data={"message": "x"}, headers=key()))) == {
        "contactId",
        "assignedToId",
        "leadSourceId",
    }


def test_other_bodies_are_refused(service: RunningService, post: Any) -> None:
    path = lead_path() if post.operation == "lead" else promise_path(known(service))
    for content, kind, status in (
        (b"<x/>", "application/xml", 415),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b'{"bank": "' + b"x" * 70_000 + b'"}', "application/json", 413),
    ):
        answer = service.client.post(path, content=content, headers=key() | {"Content-Type": kind})
        problem(answer, status)


def test_callers_with_a_key_have_no_limit_by_address(tmp_path: Path) -> None:
    with run_service(tmp_path, customers=[{"id": CUSTOMER, "rate_limit": "1/minute"}]) as service:
        contact = known(service)
        for _ in range(4):
            assert service.client.post(promise_path(contact), json={"bank": "SEB"}, headers=key()).status_code == 200
