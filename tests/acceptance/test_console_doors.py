"""Who gets into the console, and who doesn't."""

from collections.abc import Callable

import httpx
import pytest

PASSWORD = "ett långt lösenord"
ORIGIN = "https://leads.example.se"
OURS = {"Origin": ORIGIN}
PAGES = (
    "",
    "/submissions",
    "/submissions.csv",
    "/submissions/x",
    "/submissions/x/retry",
    "/customers",
    "/customers/M12345",
)
Start = Callable[..., httpx.Client]


@pytest.fixture
def client(start: Start) -> httpx.Client:
    return start(deliver=False, console_password=PASSWORD)


def sign_in(client: httpx.Client, password: str = PASSWORD, **headers: str) -> httpx.Response:
    return client.post("/console/sign-in", data={"password": password}, headers=OURS | headers)


def cookie_of(answer: httpx.Response) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


def signed_in(client: httpx.Client) -> dict[str, str]:
    """The headers of a browser that has signed in."""
    return OURS | {"Cookie": cookie_of(sign_in(client))}


def test_without_a_password_there_is_no_console(start: Start) -> None:
    client = start(deliver=False)
    assert {client.get(f"/console{path}").status_code for path in (*PAGES, "/sign-in")} == {404}
    assert sign_in(client).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_every_page_leads_to_the_sign_in_and_tells_nothing(client: httpx.Client, path: str) -> None:
    for cookie in ("", "__Secure-intresse=x", "__Secure-intresse=YWJj.ZGVm.Z2hp"):
        answer = client.get(f"/console{path}", headers={"Cookie": cookie})
        assert (answer.status_code, answer.text) == (303, "")
        assert answer.headers["location"].startswith("/console/sign-in?then=%2Fconsole")


def test_the_right_password_opens_every_page(client: httpx.Client) -> None:
    headers = signed_in(client)
    for path in (
        "",
        "?days=90&customer=M12345",
        "/submissions",
        "/customers",
        "/customers/M12345",
        "/customers/M12345/embed",
    ):
        answer = client.get(f"/console{path}", headers=headers)
        assert answer.status_code == 200
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert len(answer.content) < 60_000


def test_after_the_sign_in_one_stays_inside(client: httpx.Client) -> None:
    for then in ("https://evil.example.se", "//evil.example.se", "/console.evil", "/console\\evil", "/consolex"):
        answer = client.post("/console/sign-in", data={"password": PASSWORD, "then": then}, headers=OURS)
        assert answer.headers["location"] == "/console/sign-in?known=1&then=%2Fconsole"


def test_a_hundred_wrong_passwords_are_stopped_and_the_right_one_with_them(client: httpx.Client) -> None:
    statuses = [sign_in(client, f"fel {number}").status_code for number in range(100)]
    assert statuses == [403] * 5 + [429] * 95
    answer = sign_in(client)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.se"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_can_neither_sign_in_nor_act(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.post("/console/sign-in", data={"password": PASSWORD}, headers=headers).status_code == 403
    mine = signed_in(client)
    token = client.get("/console", headers=mine).text.partition('name="token" value="')[2].partition('"')[0]
    for path in ("/sign-out", "/submissions/x/retry", "/customers/M12345/logins/crm"):
        assert client.post(f"/console{path}", data={"token": token}, headers=mine | headers).status_code == 403


def test_a_post_without_its_sessions_token_is_refused(client: httpx.Client) -> None:
    headers = signed_in(client)
    for data in ({}, {"token": ""}, {"token": "x"}, {"token": "x" * 9000}):
        assert client.post("/console/sign-out", data=data, headers=headers).status_code == 403


def test_no_page_of_the_public_gets_a_cookie(client: httpx.Client) -> None:
    for path in ("/Advertising/Estate/M12345/OBJ1/interest", "/healthz", "/console/sign-in"):
        assert "set-cookie" not in client.get(path).headers
