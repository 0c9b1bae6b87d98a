"""CORS: what a script on an allowed page may send, and that it can read every answer."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page

from app.sandbox import Fault
from app.storage.database import StoreUnavailableError
from app.storage.encryption import Keyring
from app.web.personal.links import PersonalLink, write
from tests.acceptance.bodies import CUSTOMER, ORIGIN, PUBLIC_URL, SITE, interest, interest_path, key, viewing_path
from tests.acceptance.broker import Broker
from tests.acceptance.running_service import RunningService, run_service
from tests.acceptance.test_contract_who_may import ALLOWED, LOOKALIKES

JSON = {"Content-Type": "application/json"}
UNKNOWN = "/Advertising/Estate/M99999/OBJ1/interest"
PASSWORD = "ett långt lösenord"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    lead = {"lead_source_id": "LS", "assigned_to_id": "A1"}
    customer = {"id": CUSTOMER, "lead": lead}
    with run_service(tmp_path_factory.mktemp("service"), customers=[customer], console_password=PASSWORD) as service:
        yield service


def personal(expires: timedelta = timedelta(days=1), form: Any = "contact") -> str:
    ring = Keyring([b"01234567890123456789012345678901"])
    return "/personal/" + write(ring, PersonalLink(CUSTOMER, "C1", form, datetime.now(UTC) + expires))


def readable(answer: httpx.Response, origin: str = ORIGIN) -> bool:
    """Whether scripts of this origin can read the answer, and caches distinguish it from those for other origins."""
    readers = answer.headers.get_list("access-control-allow-origin")
    assert "origin" in answer.headers["vary"].lower()
    assert readers in ([], [origin])
    return readers == [origin]


ERRORS: list[tuple[int, str, str, dict[str, Any]]] = [
    (400, "POST", interest_path(), {"json": {}}),
    (400, "POST", interest_path(), {"content": b"{", "headers": JSON}),
    (400, "POST", interest_path(), {"data": {"firstName": "Anna"}}),
    (401, "POST", interest_path(), {"json": interest(), "headers": {"Authorization": "Bearer wrong"}}),
    (401, "GET", interest_path(), {"headers": {"Authorization": "Basic !!"}}),
    (401, "GET", f"/CRM/Contact/{CUSTOMER}/C1", {}),
    (401, "POST", f"/CRM/Lead/{CUSTOMER}", {"json": {}}),
    (401, "POST", f"/CRM/Buyer/{CUSTOMER}/C1/LoanPromise", {"json": {}}),
    (401, "GET", "/submissions/nothing", {}),
    (401, "GET", "/submissions/nothing?key=x", {"headers": {"Authorization": "Bearer wrong"}}),
    (401, "GET", personal(), {"headers": {"Authorization": "Bearer wrong"}}),
    (400, "GET", f"/CRM/Contact/{CUSTOMER}/" + ",".join(["C1"] * 21), {"headers": key()}),
    (404, "GET", f"/CRM/Contact/{CUSTOMER}/c%20d", {"headers": key()}),
    (404, "POST", interest_path().replace("OBJ", "%20"), {"json": interest()}),
    (404, "POST", f"/Advertising/Estate/{CUSTOMER}/a%2Fb/interest", {"json": interest()}),
    (404, "POST", f"/Advertising/Estate/{CUSTOMER}/OBJ1/nothing", {"json": interest()}),
    (404, "GET", "/nothing", {}),
    (404, "GET", "/personal/forged", {}),
    (404, "GET", "/receipts/nothing", {}),
    (404, "GET", "/submissions/nothing", {"headers": key()}),
    (405, "PUT", interest_path(), {"json": interest()}),
    (405, "DELETE", personal(), {}),
    (410, "GET", personal(-timedelta(days=1)), {}),
    (413, "POST", interest_path(), {"content": b"x" * 70_000, "headers": JSON}),
    (413, "POST", personal(), {"content": b"x" * 70_000, "headers": JSON}),
    (415, "POST", interest_path(), {"content": b"<x/>", "headers": {"Content-Type": "application/xml"}}),
    (415, "POST", viewing_path(), {"content": b"x", "headers": {"Content-Type": "text/plain"}}),
    (400, "POST", personal(form="loan-promise"), {"json": {}}),
]


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize(("status", "method", "path", "more"), ERRORS)
def test_an_allowed_page_can_read_what_went_wrong(
    service: RunningService, status: int, method: str, path: str, more: dict[str, Any], accept: str
) -> None:
    headers = more.get("headers", {}) | SITE | {"Accept": accept}
    answer = service.client.request(method, path, **more | {"headers": headers})
    assert answer.status_code == status
    assert readable(answer)
    stranger = service.client.request(method, path, **more | {"headers": headers | {"Origin": "https://evil.example"}})
    assert not readable(stranger)


def test_a_script_can_read_a_429(tmp_path: Path) -> None:
    with run_service(tmp_path, customers=[{"id": CUSTOMER, "rate_limit": "1/hour"}]) as limited:
        answers = [limited.client.post(interest_path(), json=interest(), headers=SITE) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert all(map(readable, answers))
    assert "Retry-After" in answers[1].headers["access-control-expose-headers"]


def test_a_script_can_read_a_503_and_a_500(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_service(tmp_path) as service:

        def answer(error: Exception) -> httpx.Response:
            async def fails(*_: object) -> None:
                raise error

            monkeypatch.setattr("app.storage.database.Database.read", fails)
            return service.client.get("/submissions/nothing", headers=key() | SITE)

        for error, status in ((StoreUnavailableError("away"), 503), (RuntimeError("a fault"), 500)):
            response = answer(error)
            assert response.status_code == status
            assert readable(response)


@pytest.mark.parametrize(("fault", "status"), [({"status": 503}, 503), ({"status": 404}, 404), ({"status": 400}, 400)])
def test_a_script_can_read_vitecs_errors(service: RunningService, fault: dict[str, int], status: int) -> None:
    service.office.inject(Fault(**fault, operation="contact"))
    answer = service.client.get(f"/CRM/Contact/{CUSTOMER}/C{status}", headers=key() | SITE)
    service.office.clear_faults()
    assert answer.status_code == status
    assert readable(answer)


@pytest.mark.parametrize("origin", ALLOWED)
def test_each_allowed_origin_is_answered_by_its_own_name(service: RunningService, origin: str) -> None:
    assert readable(service.client.post(interest_path(), json={}, headers={"Origin": origin}), origin)


@pytest.mark.parametrize("origin", [*LOOKALIKES, "null"])
def test_no_lookalike_reads_anything(service: RunningService, origin: str) -> None:
    for method, path in (("POST", interest_path()), ("GET", "/nothing"), ("OPTIONS", interest_path())):
        answer = service.client.request(method, path, headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers


def test_another_customers_page_reads_no_answer_of_this_one(service: RunningService) -> None:
    theirs = {"Origin": "https://a.granne.se"}
    assert readable(service.client.post(f"/Advertising/Estate/{CUSTOMER}/x/interest", headers=theirs), theirs["Origin"])
    assert not readable(service.client.post("/Advertising/Estate/M67890/x/interest", json={}, headers=theirs))
    assert not readable(service.client.post(UNKNOWN, headers=theirs))


def test_no_other_site_reads_what_is_an_operators(service: RunningService) -> None:
    for path in ("/console", "/console/sign-in", "/console/nothing", "/metrics"):
        for origin in (ORIGIN, PUBLIC_URL):
            assert "access-control-allow-origin" not in service.client.get(path, headers={"Origin": origin}).headers
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            assert "access-control-allow-origin" not in service.client.options(path, headers=asked).headers


PUBLIC_OPERATIONS = {
    interest_path(): "POST",
    viewing_path(): "POST",
    f"/CRM/Lead/{CUSTOMER}": "POST",
    f"/CRM/Buyer/{CUSTOMER}/C1/LoanPromise": "POST",
    f"/CRM/Contact/{CUSTOMER}/C1": "GET",
    "/submissions/anything": "GET",
    personal(): "POST",
    personal(form="loan-promise"): "POST",
}


def asked(
    service: RunningService, path: str, headers: str | None, origin: str = ORIGIN, method: str = "POST"
) -> httpx.Response:
    question = {"Origin": origin, "Access-Control-Request-Method": method}
    more = {} if headers is None else {"Access-Control-Request-Headers": headers}
    return service.client.options(path, headers=question | more)


def granted(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 204
    return [name.strip() for name in answer.headers["access-control-allow-headers"].split(",")]


@pytest.mark.parametrize("path", PUBLIC_OPERATIONS)
def test_a_preflight_allows_the_headers_that_it_asks_for(service: RunningService, path: str) -> None:
    answer = asked(service, path, "authorization,content-type,x-request-id", method=PUBLIC_OPERATIONS[path])
    assert readable(answer)
    assert {"authorization", "content-type", "x-request-id", "idempotency-key", "prefer"} <= set(granted(answer))
    assert PUBLIC_OPERATIONS[path] in answer.headers["access-control-allow-methods"]
    refused = asked(service, path, "content-type", origin="https://evil.example")
    assert refused.status_code == 403
    assert "access-control-allow-headers" not in refused.headers


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        (None, []),
        ("", []),
        ("X-One", ["x-one"]),
        ("x-one, X-ONE ,x-one", ["x-one"]),
        ("x-one\t,,x-two,", ["x-one", "x-two"]),
        ("*, x-one", ["x-one"]),
        ('x one, x:two, x=three, x;four, <x>, "x", x/y, (x)', []),
        ("åäö, x-\xad", []),
        ("x-" + "y" * 99, []),
        ("x-" + "y" * 98, ["x-" + "y" * 98]),
    ],
)
def test_an_invalid_header_name_is_not_repeated(
    service: RunningService, question: str | None, answered: list[str]
) -> None:
    named: Any = None if question is None else question.encode("latin-1")
    usual = ["content-type", "idempotency-key", "prefer", "accept-language"]
    assert granted(asked(service, interest_path(), named)) == usual + answered


def test_an_overlong_preflight_gets_a_short_answer(service: RunningService) -> None:
    names = granted(asked(service, interest_path(), ",".join(f"x-{number}" for number in range(1000))))
    assert len(names) == 54


def test_a_preflight_of_an_unknown_customer_is_404_as_the_request_would_be(service: RunningService) -> None:
    for path in (UNKNOWN, "/nothing"):
        assert asked(service, path, "content-type").status_code == 404


def test_a_preflight_of_an_address_that_leads_nowhere_lets_the_script_read_that_it_does(
    service: RunningService,
) -> None:
    for path in (f"/Advertising/Estate/{CUSTOMER}/a%20b/interest", f"/Nothing/{CUSTOMER}", "/personal/forged"):
        assert "x-one" in granted(asked(service, path, "x-one"))
        assert readable(service.client.post(path, json={}, headers=SITE))


SEND = """async ([url, headers, body]) => {
    const answer = await fetch(url, {method: "POST", headers, body});
    return [answer.status, await answer.text()];
}"""


def test_a_real_script_sends_headers_of_its_own_and_reads_the_refusal(
    public: Callable[..., str], website: Broker, page: Page
) -> None:
    service_url = public(customer={"allowed_origins": [website.url]})
    page.goto(website.show("/", "<p>"))
    url = f"{service_url}/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
    sent = {"Content-Type": "application/json", "X-Request-Id": "1", "Authorization": "Bearer wrong"}
    assert page.evaluate(SEND, [url, sent, "{}"])[0] == 401
    del sent["Authorization"]
    status, text = page.evaluate(SEND, [url, sent, "{}"])
    assert (status, "firstName" in text) == (400, True)
    assert page.evaluate(SEND, [url, sent, "x" * 70_000])[0] == 413
    assert page.evaluate(SEND, [url, {"Content-Type": "application/xml"}, "<x/>"])[0] == 415
    assert page.evaluate(SEND, [url.replace("OBJ1", "a b"), sent, "{}"])[0] == 404
    assert urlsplit(service_url).port != urlsplit(website.url).port
