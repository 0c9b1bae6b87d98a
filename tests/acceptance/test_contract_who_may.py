"""Who may post: `Origin`, form token, `Referer`, API key; and the 403 page."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.bodies import (
    CUSTOMER,
    KEYS,
    ORIGIN,
    PHONE,
    PLAIN,
    PUBLIC_URL,
    SITE,
    Members,
    basic,
    booking,
    fields,
    interest,
    interest_path,
    key,
    problem,
    viewing_path,
)
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService, run_service


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with run_service(tmp_path_factory.mktemp("demo"), demo=True) as service:
        yield service


ALLOWED = [ORIGIN, PUBLIC_URL, "https://www.granne.se", "https://a.b.granne.se", "https://x-1.granne.se"]
LOOKALIKES = [
    "http://www.maklarhuset.se",
    "https://maklarhuset.se",
    "https://www.maklarhuset.se:8443",
    "https://www.maklarhuset.se:443",
    "https://www.maklarhuset.se/",
    "https://www.maklarhuset.se/x",
    "https://www.maklarhuset.se.",
    "https://www.maklarhuset.se.evil.example",
    "https://evil-www.maklarhuset.se",
    "https://a.www.maklarhuset.se",
    "https://wwwxmaklarhuset.se",
    "https://www.maklarhuset.se@evil.example",
    "https://evil.example#www.maklarhuset.se",
    "https://www.maklarhuset.se, https://evil.example",
    "https://granne.se",
    "https://evilgranne.se",
    "http://a.granne.se",
    "https://a.granne.se:8443",
    "https://a.granne.se.evil.example",
    "https://.granne.se",
    "https://a..granne.se",
    "https://*.granne.se",
    "https://evil.example/.granne.se",
    "https://evil.example#.granne.se",
    "https://evil.example?.granne.se",
    "https://evil.example:1.granne.se",
    "https://u@a.granne.se",
    "https://evil.example\\.granne.se",
    "https://leads.example.se.evil.example",
    "http://leads.example.se",
    "https://evil.example",
    "file://",
    "*",
    "",
    "NULL",
]


@pytest.mark.parametrize("origin", ALLOWED)
def test_a_page_of_an_allowed_origin_or_of_our_own_may_post(service: RunningService, origin: str) -> None:
    headers = {"Origin": origin}
    assert service.client.post(interest_path(), json=interest(), headers=headers).status_code == 200
    assert service.client.post(viewing_path(), json=booking(), headers=headers).status_code == 200
    assert service.client.post(interest_path(), data=fields(interest()), headers=headers).status_code == 303
    assert service.client.post(viewing_path(), data=fields(booking()), headers=headers).status_code == 303


@pytest.mark.parametrize("origin", LOOKALIKES)
def test_a_page_of_any_other_origin_may_not(service: RunningService, origin: str) -> None:
    headers = {"Origin": origin}
    path = interest_path()
    refused = service.client.post(path, json=interest(), headers=headers)
    problem(refused, 403)
    assert "access-control-allow-origin" not in refused.headers
    assert service.client.post(path, data=fields(interest()), headers=headers).status_code == 403
    assert service.client.post(viewing_path(), data=fields(booking()), headers=headers).status_code == 403
    assert service.nothing_at(path)


def test_another_customers_origin_may_not_post(service: RunningService) -> None:
    stranger = {"Origin": "https://www.granne.se"}  # the first customer's, not this one's
    problem(service.client.post(interest_path(PLAIN), json=interest(), headers=stranger), 403)


@pytest.mark.parametrize("origin", [None, "null"])
@pytest.mark.parametrize("make", [interest_path, viewing_path])
def test_without_an_origin_the_form_that_we_served_may_post_by_its_token(
    service: RunningService, make: Callable[[], str], origin: str | None
) -> None:
    path = make()
    headers = {"Origin": origin} if origin else {}
    typed = fields(interest()) if make is interest_path else fields(booking())
    assert service.page(path).submit(service.client, typed, **headers).status_code == 303
    assert service.delivered(path)


@pytest.mark.parametrize("origin", [None, "null"])
@pytest.mark.parametrize("page", [f"{ORIGIN}/hem/1?x=y", "https://a.granne.se/", f"{PUBLIC_URL}/x", ORIGIN])
def test_without_an_origin_a_form_on_an_allowed_page_may_post_by_its_referer(
    service: RunningService, page: str, origin: str | None
) -> None:
    headers = {"Referer": page} | ({"Origin": origin} if origin else {})
    assert service.client.post(interest_path(), data=fields(interest()), headers=headers).status_code == 303


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/https://www.maklarhuset.se/",
        "https://www.maklarhuset.se.evil.example/",
        "https://evil.example/?https://www.maklarhuset.se",
        "https://www.maklarhuset.se@evil.example/",
        "https://www.maklarhuset.se:8443/",
        "http://www.maklarhuset.se/",
        "https://[::1",
        "https://www.maklarhuset.se:x/",
        "about:blank",
        "",
    ],
)
def test_a_referer_that_only_looks_like_an_allowed_page_does_not_help(service: RunningService, page: str) -> None:
    path = interest_path()
    assert service.client.post(path, data=fields(interest()), headers={"Referer": page}).status_code == 403
    assert service.nothing_at(path)


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}])
def test_a_form_with_neither_origin_token_nor_referer_may_not(service: RunningService, headers: dict[str, str]) -> None:
    path = interest_path()
    assert service.client.post(path, data=fields(interest()), headers=headers).status_code == 403
    assert service.nothing_at(path)


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: "x" + t, lambda t: "", lambda t: "å", lambda t: t * 50])
def test_a_token_that_is_not_ours_does_not_help(service: RunningService, spoil: Callable[[str], str]) -> None:
    path = interest_path()
    token = spoil(service.page(path).values["token"])
    answer = service.client.post(path, data=fields(interest()) | {"token": token})
    assert answer.status_code == 403


def test_a_token_of_another_form_does_not_help(service: RunningService) -> None:
    token = service.page(interest_path()).values["token"]
    assert service.client.post(interest_path(), data=fields(interest()) | {"token": token}).status_code == 403
    assert service.client.post(viewing_path(), data=fields(booking()) | {"token": token}).status_code == 403
    assert service.client.post(interest_path(PLAIN), data=fields(interest()) | {"token": token}).status_code == 403


@pytest.mark.parametrize("more", [{}, {"Referer": f"{ORIGIN}/hem"}])
def test_neither_token_nor_referer_helps_a_page_that_names_another_origin(
    service: RunningService, more: dict[str, str]
) -> None:
    page = service.page(interest_path())
    answer = page.submit(service.client, fields(interest()), Origin="https://evil.example", **more)
    assert answer.status_code == 403


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Referer": f"{ORIGIN}/hem"}])
def test_json_with_neither_an_origin_nor_a_key_is_403(service: RunningService, headers: dict[str, str]) -> None:
    problem(service.client.post(interest_path(), json=interest(), headers=headers), 403)
    problem(service.client.post(viewing_path(), json=booking(), headers=headers), 403)


def test_a_token_is_for_forms_and_does_not_help_json(service: RunningService) -> None:
    path = interest_path()
    token = service.page(path).values["token"]
    problem(service.client.post(path, json=interest(token=token)), 403)


@pytest.mark.parametrize(
    "authorization",
    [
        key(),
        {"Authorization": f"bearer {KEYS[CUSTOMER]}"},
        basic("partner", KEYS[CUSTOMER]),
        basic("", KEYS[CUSTOMER]),
        {"Authorization": basic("x", KEYS[CUSTOMER])["Authorization"].replace("Basic", "basic")},
    ],
)
@pytest.mark.parametrize("origin", [{}, {"Origin": "null"}, {"Origin": "https://evil.example"}])
def test_the_customers_key_may_from_anywhere_as_bearer_or_as_basic_password(
    service: RunningService, authorization: dict[str, str], origin: dict[str, str]
) -> None:
    headers = authorization | origin
    assert service.client.post(interest_path(), json=interest(), headers=headers).status_code == 200
    assert service.client.post(viewing_path(), json=booking(), headers=headers).status_code == 200
    assert service.client.post(interest_path(), data=fields(interest()), headers=headers).status_code == 303


WRONG = [
    {"Authorization": "Bearer wrong"},
    {"Authorization": f"Bearer {KEYS[PLAIN]}"},
    {"Authorization": f"Bearer {KEYS[CUSTOMER]}x"},
    {"Authorization": f"Bearer {KEYS[CUSTOMER][:-1]}"},
    {"Authorization": f"Bearer {KEYS[CUSTOMER].upper()}"},
    {"Authorization": "Bearer"},
    {"Authorization": "Basic !!!"},
    {"Authorization": "Basic /w=="},
    basic("partner", KEYS[PLAIN]),
    basic("partner", ""),
    basic(KEYS[CUSTOMER], ""),
    basic("partner", "secret"),  # Vitec's own password is no key of ours
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_or_another_customers_key_is_401_even_if_no_key_was_needed(
    service: RunningService, wrong: dict[str, str]
) -> None:
    interest_at, viewing_at = interest_path(), viewing_path()
    for origin in ({}, SITE):
        headers = wrong | origin
        posted = service.client.post(interest_at, json=interest(), headers=headers)
        problem(posted, 401)
        assert "www-authenticate" in posted.headers
        problem(service.client.post(viewing_at, json=booking(), headers=headers), 401)
        assert service.client.post(interest_at, data=fields(interest()), headers=headers).status_code == 401
        assert service.client.post(viewing_at, data=fields(booking()), headers=headers).status_code == 401
        assert service.client.get(interest_at, headers=headers).status_code == 401
        assert service.client.get(viewing_at, headers=headers).status_code == 401
    token = service.page(interest_at).values["token"]
    posted = service.client.post(interest_at, data=fields(interest()) | {"token": token}, headers=wrong)
    assert posted.status_code == 401
    assert service.nothing_at(interest_at)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ORIGIN])
def test_a_get_of_a_form_is_open(service: RunningService, origin: str) -> None:
    for path in (interest_path(), viewing_path()):
        assert service.page(path, Origin=origin, Referer="https://evil.example/").has_form


TYPED = {
    "firstName": 'Anna "<b>',
    "lastName": "Ek & Co",
    "email.emailAddress": "not yet an address",
    "contactMessage": "Hej!\nFår man <script>alert(1)</script> titta?",
    "address.city": "Ö",
}


@pytest.mark.parametrize("make", [interest_path, viewing_path])
@pytest.mark.parametrize("multipart", [False, True])
def test_the_403_page_keeps_what_was_typed_and_says_whom_to_call(
    service: RunningService, make: Callable[[], str], multipart: bool
) -> None:
    phone = "telephone.cell" if make is interest_path else "cellPhone"
    typed = TYPED | {phone: "12 34"}
    path, headers = make(), {"Origin": "https://evil.example", "Accept": "text/html"}
    if multipart:
        parts = {name: (None, value) for name, value in typed.items()}
        answer = service.client.post(path, files=parts, headers=headers)
    else:
        answer = service.client.post(path, data=typed, headers=headers)
    assert answer.status_code == 403
    page = page_of(answer)
    assert {name: page.values.get(name) for name in typed} == typed
    assert PHONE in page.text
    assert "info@maklarhuset.se" in page.text
    assert "<script>alert(1)" not in answer.text


def test_what_was_typed_can_be_sent_from_the_403_page(service: RunningService) -> None:
    path = interest_path()
    refused = page_of(service.client.post(path, data=fields(interest()), headers={"Origin": "https://evil.example"}))
    assert refused.submit(service.client, {}).status_code == 303
    assert service.delivered(path).body["firstName"] == "Anna"


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Origin": "https://evil.example"}])
def test_in_a_demo_any_origin_or_none_may_post(demo: RunningService, headers: dict[str, str]) -> None:
    assert demo.client.post(interest_path(), json=interest(), headers=headers).status_code == 200
    assert demo.client.post(viewing_path(), json=booking(), headers=headers).status_code == 200
    assert demo.client.post(interest_path(), data=fields(interest()), headers=headers).status_code == 303


def test_in_a_demo_too_a_wrong_key_is_401(demo: RunningService) -> None:
    answer = demo.client.post(interest_path(), json=interest(), headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401


def test_a_customer_without_allowed_origins_still_takes_our_own_pages_and_its_key(tmp_path: Path) -> None:
    with run_service(tmp_path, customers=[{"id": PLAIN, "allowed_origins": []}]) as service:

        def status(**headers: str) -> int:
            posted: httpx.Response = service.client.post(interest_path(PLAIN), json=interest(), headers=headers)
            return posted.status_code

        assert status(Origin=ORIGIN) == 403
        assert status(Origin=PUBLIC_URL) == 200
        assert status(**key(PLAIN)) == 200


@pytest.mark.parametrize(("path", "status"), [("/CRM/Contact/{}/C1", 401), ("/CRM/Lead/{}", 405)])
def test_a_browser_at_an_api_address_is_not_shown_a_server_error(
    service: RunningService, path: str, status: int
) -> None:
    answer = service.client.get(path.format(CUSTOMER) + "?lang=en", headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert "our side" not in page_of(answer).text
    assert "error is ours" not in page_of(answer).text


JAVA = {"Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}  # what its HTTP client sends by default


@pytest.mark.parametrize(
    ("status", "path", "body", "headers"),
    [
        (401, interest_path(), interest(), {"Authorization": "Bearer wrong"}),
        (404, interest_path("M99999"), interest(), {}),
        (405, interest_path().replace("interest", "FinalPriceWatched"), None, {"Content-Type": "application/json"}),
        (413, interest_path(), interest(contactMessage="a" * 70_000), {}),
        (415, interest_path(), None, {"Content-Type": "application/xml"}),
    ],
)
def test_a_program_that_accepts_html_is_told_an_error_as_json(
    service: RunningService, status: int, path: str, body: Members | None, headers: dict[str, str]
) -> None:
    method = "PATCH" if status == 405 else "POST"
    problem(service.client.request(method, path, json=body, headers=SITE | JAVA | headers), status)
