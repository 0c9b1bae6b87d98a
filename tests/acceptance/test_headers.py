"""Headers of every answer: framing, caching, HTTPS, referrers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.bootstrap.web_app import create_app, create_worker_app
from app.web.http.security_headers import DEFAULTS
from app.web.rendering.static_files import static_url
from tests.acceptance.bodies import key
from tests.acceptance.running_service import RunningService
from tests.conftest import API_KEY, CUSTOMER, ORIGIN, Configure
from tests.servers import serve

Start = Callable[..., httpx.Client]
KEY = {"Authorization": f"Bearer {API_KEY}"}
INTEREST = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
BROWSER = {"Accept": "text/html"}
ANNA = {"firstName": "Anna", "lastName": "Ek", "email.emailAddress": "anna@example.se", "consent": "true"}
ANNA_JSON = {"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}}
SITE = {"Origin": ORIGIN}


@dataclass(frozen=True)
class Ask:
    method: str
    path: str
    status: int
    more: dict[str, Any]


def ask(status: int, method: str, path: str, **more: Any) -> Ask:
    return Ask(method, path, status, more)


ANSWERS = [
    ask(200, "GET", INTEREST),
    ask(303, "POST", INTEREST, data=ANNA, headers=SITE),
    ask(200, "POST", INTEREST, json=ANNA_JSON, headers=key(CUSTOMER)),
    ask(400, "POST", INTEREST, data={"firstName": "Anna"}, headers=SITE),
    ask(400, "POST", INTEREST, json={}, headers=SITE),
    ask(204, "OPTIONS", INTEREST, headers=SITE),
    ask(403, "POST", INTEREST, data=ANNA, headers={"Origin": "https://evil.example"}),
    ask(401, "GET", f"/CRM/Contact/{CUSTOMER}/C1"),
    ask(404, "GET", "/nothing"),
    ask(404, "GET", "/nothing", headers=BROWSER),
    ask(404, "GET", "/personal/forged", headers=BROWSER),
    ask(404, "GET", "/static/nothing.js"),
    ask(405, "PUT", INTEREST),
    ask(413, "POST", INTEREST, content=b"x" * 70_000, headers=SITE | {"Content-Type": "application/json"}),
    ask(415, "POST", INTEREST, content=b"x", headers=SITE | {"Content-Type": "text/plain"}),
    ask(200, "GET", "/healthz"),
    ask(200, "GET", "/metrics"),
    ask(200, "GET", "/embed.js"),
    ask(200, "GET", "/embed.d.ts"),
    ask(404, "GET", "/embed/check"),
    ask(200, "GET", "/openapi.json"),
    ask(200, "GET", "/docs"),
    ask(200, "GET", "/docs/swagger-ui.css"),
    ask(200, "GET", static_url("form.js")),
]


@pytest.mark.parametrize("asked", ANSWERS, ids=lambda answer: f"{answer.method} {answer.path} {answer.status}")
def test_every_answer_says_how_it_may_be_used(service: RunningService, asked: Ask) -> None:
    answer = service.client.request(asked.method, asked.path, **asked.more)
    assert answer.status_code == asked.status
    assert set(DEFAULTS) <= set(answer.headers)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert len(answer.headers.get_list("content-security-policy")) == 1


@pytest.mark.parametrize("asked", ANSWERS, ids=lambda answer: f"{answer.method} {answer.path} {answer.status}")
def test_every_answer_of_an_https_service_holds_browsers_to_https(service: RunningService, asked: Ask) -> None:
    answer = service.client.request(asked.method, asked.path, **asked.more)
    assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000"]


@pytest.mark.parametrize("path", ["/console", "/console/sign-in", "/console/nothing", "/readyz", "/personal/forged"])
def test_every_other_answer_and_the_console_hold_browsers_to_https_too(start: Start, path: str) -> None:
    answer = start(deliver=False, console_password="ett långt lösenord").get(path)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_service_with_an_http_address_sends_no_hsts(public: Callable[..., str]) -> None:
    for path in (INTEREST, "/nothing", "/healthz"):
        assert "strict-transport-security" not in httpx.get(public() + path).headers


def test_a_worker_with_health_endpoints_holds_browsers_to_https_too(configure: Configure) -> None:
    settings = configure()
    create_app(settings)  # which brings the database up to date
    with serve(create_worker_app(settings)) as url:
        for path in ("/healthz", "/nothing"):
            assert httpx.get(url + path).headers["strict-transport-security"] == "max-age=31536000"


def test_an_internal_error_sends_the_same_headers(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    client = start()
    monkeypatch.setattr("app.web.operations.status.SubmissionStatus.from_submission", None)
    submission_id = (
        client.post(INTEREST, data=ANNA, headers=SITE).headers["location"].partition("?")[0].rpartition("/")[2]
    )
    answer = client.get(f"/submissions/{submission_id}", headers=KEY)
    assert answer.status_code == 500
    assert {*DEFAULTS, "strict-transport-security"} <= set(answer.headers)


@pytest.mark.parametrize(
    ("path", "caching"),
    [
        (INTEREST, "private, no-cache"),
        ("/nothing", "no-store"),
        ("/healthz", "no-store"),
        (static_url("form.js"), "public, max-age=31536000, immutable"),
        ("/docs/swagger-ui.css", "public, max-age=86400"),
    ],
)
def test_only_answers_without_personal_data_may_be_cached(service: RunningService, path: str, caching: str) -> None:
    assert service.client.get(path).headers["cache-control"] == caching


def test_a_form_page_is_framed_by_its_own_customers_origins_and_nobody_else(client: httpx.Client) -> None:
    policy = client.get(INTEREST).headers["content-security-policy"].split("; ")
    assert [part for part in policy if part.startswith("frame-ancestors")] == [f"frame-ancestors 'self' {ORIGIN}"]


@pytest.fixture
def foreign() -> Iterator[Callable[[str], str]]:
    """Another site's page, on another host name, that frames what it is told to."""

    async def page(request: Request) -> Response:
        return HTMLResponse(f'<h1>Elsewhere</h1><iframe src="{request.query_params["src"]}"></iframe>')

    with serve(Starlette(routes=[Route("/", page)])) as url:
        yield lambda src: f"{url.replace('127.0.0.1', 'localhost')}/?src={src}"


@pytest.mark.parametrize("allowed", [True, False])
def test_a_real_browser_frames_the_form_on_an_allowed_page_only(
    page: Page, public: Callable[..., str], foreign: Callable[[str], str], allowed: bool
) -> None:
    parent = urlsplit(foreign(""))
    origins = [f"{parent.scheme}://{parent.netloc}"] if allowed else [ORIGIN]
    address = public(customer={"allowed_origins": origins})
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(foreign(address + INTEREST))
    inside = page.frames[1]
    assert (inside.locator("form").count() == 1) is allowed
    assert any("frame-ancestors" in text for text in messages) is not allowed


@pytest.mark.parametrize(
    "policy",
    [
        None,  # ours
        "no-referrer",
        "no-referrer-when-downgrade",
        "origin",
        "origin-when-cross-origin",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
    ],
)
def test_our_own_form_can_be_posted_under_every_referrer_policy(
    page: Page, public: Callable[..., str], policy: str | None
) -> None:
    """A proxy or an extension may set another policy than ours; under some of them browsers send `Origin: null`."""

    def with_policy(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers=answer.headers | {"referrer-policy": policy})

    address = public() + INTEREST
    if policy is not None:
        page.route(address, lambda route: with_policy(route) if route.request.method == "GET" else route.continue_())
    page.goto(address)
    for name in ("firstName", "lastName", "email.emailAddress"):
        page.locator(f"[name='{name}']").fill(ANNA[name])
    page.locator("[name=consent]").check()
    page.get_by_role("button").click()
    page.wait_for_url("**/receipts/**")


def test_the_apis_description_asks_no_other_host_and_breaks_no_policy(page: Page, public: Callable[..., str]) -> None:
    address = public()
    asked: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(f"{address}/docs")
    page.get_by_text("Book a place at a viewing", exact=True).first.wait_for()
    page.get_by_text("Book a place at a viewing", exact=True).first.click()
    page.get_by_text("On disk, not delivered yet").first.wait_for()
    assert {urlsplit(url).netloc for url in asked if not url.startswith("data:")} == {urlsplit(address).netloc}
    assert messages == []
