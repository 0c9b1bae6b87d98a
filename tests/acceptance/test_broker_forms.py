"""A broker's own plain form, with a page to return to, and its own script with fetch."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from app.sandbox import Office
from tests.acceptance.broker import Broker
from tests.conftest import CUSTOMER, ORIGIN
from tests.servers import eventually

INTEREST = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
PERSON = {"firstName": "Anna", "lastName": "Ek", "email.emailAddress": "anna@example.se", "consent": "true"}
FETCH = """async (url) => {
  const answer = await fetch(url, {
    method: "POST",
    headers: {"Content-Type": "application/json", "Idempotency-Key": "a-key", "Prefer": "respond-async"},
    body: JSON.stringify({firstName: "Anna", lastName: "Ek", email: {emailAddress: "anna@example.se"}, consent: true}),
  })
  return [answer.status, await answer.json()]
}"""


@pytest.fixture
def service(public: Callable[..., str], website: Broker) -> str:
    return public(customer={"allowed_origins": [website.url, "https://*.granne.se"]})


def _form(action: str, **hidden: str) -> str:
    inputs = "".join(f"<input name='{name}' value='{value}'>" for name, value in (PERSON | hidden).items())
    return f"<form method=post action='{action}'>{inputs}<button>Skicka</button></form>"


def test_a_plain_form_sends_the_visitor_back_to_the_firms_own_page(
    service: str, website: Broker, page: Page, office: Office
) -> None:
    thanks = website.show("/tack", "<h1>Tack!</h1>") + "?bostad=1#klart"
    page.goto(website.show("/form", _form(service + INTEREST, return_url=thanks, utm_source="blad")))
    page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text("Tack!")
    assert page.evaluate("location.pathname + location.hash") == "/tack#klart"
    query = dict(page.evaluate("[...new URLSearchParams(location.search)]"))
    assert {"bostad": "1", "intresse": "ok", "reference": query["reference"]} == query
    [received] = eventually(lambda: office.received)
    assert received.body["marketing"]["utmTags"] == [{"name": "utm_source", "value": "blad"}]


def test_after_an_error_our_form_keeps_the_return_url(service: str, website: Broker, page: Page) -> None:
    thanks = website.show("/tack", "<h1>Tack!</h1>")
    page.goto(website.show("/form", _form(service + INTEREST, return_url=thanks, firstName="")))
    page.get_by_role("button").click()
    page.get_by_label("Förnamn").fill("Anna")
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tack!")


@pytest.mark.parametrize(
    "address",
    [
        "https://www.maklarhuset.se.evil.example/tack",
        "https://www.maklarhuset.se@evil.example/",
        "https://evil.example\\@www.maklarhuset.se/",
        "https://user@www.maklarhuset.se/",
        "https:/www.maklarhuset.se/",
        "//www.maklarhuset.se/tack",
        "/tack",
        "javascript:alert(1)//https://www.maklarhuset.se/",
        "http://www.maklarhuset.se/",
        "https://www.maklarhuset.se:8443/",
        "https://www.maklarhuset.se/\r\nSet-Cookie: a=b",
        "https://www.maklarhuset.se/a\u2028b",
        "https://www.maklarhuset.se.",
        "https://www.maklarhuset.se./tack",
        "https://www.maklarhuset.se:443/tack",
        "https://www.maklarhuset.se:/tack",
        "https://www.maklarhuset.se:x/tack",
        "https://www.maklarhuset.se:@evil.example/",
        "https://www.maklarhuset.se%2eevil.example/",
        "https://www.maklarhuset.se%00.evil.example/",
        "https://www.maklarhuset.se\\.evil.example/",
        "https://www.maklarhuset.se;.evil.example/",
        "https://evil.example/https://www.maklarhuset.se/",
        "https://evil.example?https://www.maklarhuset.se/",
        "https://evil.example#https://www.maklarhuset.se/",
        "https://evil.example%23@www.maklarhuset.se/",
        "https://evilwww.maklarhuset.se/",
        "https://maklarhuset.se/",
        "https://a.www.maklarhuset.se/",
        "https:www.maklarhuset.se/",
        "https:///www.maklarhuset.se/",
        "https:\\\\www.maklarhuset.se\\",
        "///www.maklarhuset.se/",
        "\\\\evil.example\\",
        "ftp://www.maklarhuset.se/",
        "data:text/html,https://www.maklarhuset.se/",
        "view-source:https://www.maklarhuset.se/",
        "https://[::1]/",
        "https://[www.maklarhuset.se]/",
        "https://www.maklarhuset\u3002se/",
        "https://www.m\u0430klarhuset.se/",  # a Cyrillic letter
        "ht\ttps://www.maklarhuset.se/",
        "*",
    ],
    ids=ascii,
)
def test_a_return_url_on_another_site_is_ignored(client: httpx.Client, address: str) -> None:
    answer = client.post(INTEREST, data=PERSON | {"return_url": address}, headers={"Origin": ORIGIN})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/receipts/")


@pytest.mark.parametrize("address", [ORIGIN, f"{ORIGIN}/", f"{ORIGIN}?a=1", f"{ORIGIN}/tack%20s%C3%A5"])
def test_a_return_url_on_the_firms_origin_is_used(client: httpx.Client, address: str) -> None:
    answer = client.post(INTEREST, data=PERSON | {"return_url": address}, headers={"Origin": ORIGIN})
    assert answer.headers["location"].startswith(address)
    assert "intresse=ok&reference=" in answer.headers["location"]


def test_fetch_from_an_allowed_page_is_answered_and_can_follow_the_outcome(
    service: str, website: Broker, page: Page
) -> None:
    page.goto(website.show("/", "<p>"))
    status, answer = page.evaluate(FETCH, service + INTEREST)
    assert status == 202
    assert answer["status"] in {"pending", "delivered"}  # as it is: the call may be over already

    def delivered() -> bool:
        status: dict[str, Any] = page.evaluate("async (url) => (await fetch(url)).json()", answer["statusUrl"])
        return bool(status["status"] == "delivered")

    eventually(delivered)


def test_fetch_from_a_foreign_page_is_refused_before_it_is_sent(
    public: Callable[..., str], website: Broker, page: Page, office: Office
) -> None:
    service = public()
    page.goto(website.show("/", "<p>"))
    assert (
        page.evaluate(f"async (url) => ({FETCH})(url).catch((error) => error.name)", service + INTEREST) == "TypeError"
    )
    assert office.received == []


def test_an_options_request_without_an_origin_lists_the_methods(client: httpx.Client) -> None:
    answer = client.options(INTEREST)
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, POST, OPTIONS")
    assert "access-control-allow-origin" not in answer.headers


def test_a_preflight_is_answered_for_exactly_the_customers_origins(client: httpx.Client) -> None:
    def asked(origin: str) -> httpx.Response:
        return client.options(INTEREST, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})

    allowed = asked(ORIGIN)
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    for origin in (f"{ORIGIN}.evil.example", "https://maklarhuset.se", "null", "http://www.maklarhuset.se"):
        refused = asked(origin)
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers
