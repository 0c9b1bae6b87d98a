"""Access to the console: who gets in, and who does not."""

import csv
import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from io import StringIO
from pathlib import Path
from urllib.parse import quote, unquote

import httpx
import pytest
from sqlalchemy import update

from app.storage.database import Database
from app.storage.migrations import upgrade
from app.storage.schema import console_sessions
from app.web.console import submission_list
from app.web.console.routes import POSTS
from tests.acceptance.html_page import page_of

INTEREST = "/Advertising/Estate/M12345/OBJ1/interest"
PASSWORD = "ett långt lösenord"
ORIGIN = "https://leads.example.se"
OURS = {"Origin": ORIGIN}
LOOKALIKES = (
    "https://evil.example.se",
    "//evil.example.se",
    "/console.evil",
    "/console\\evil",
    "/consolex",
    "/console/../x",
    "/console%2f..%2fx",
    "/console//evil.example.se",
    "/console\r\nx: y",
)
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
def test_every_page_redirects_to_the_sign_in_and_reveals_nothing(client: httpx.Client, path: str) -> None:
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


def test_after_the_sign_in_the_operator_stays_inside_the_console(client: httpx.Client) -> None:
    headers = signed_in(client)
    for then in LOOKALIKES:
        answer = client.post("/console/sign-in", data={"password": PASSWORD, "then": then}, headers=OURS)
        assert answer.headers["location"] == "/console/sign-in?known=1&then=%2Fconsole"
        assert client.get("/console/sign-in", params={"then": then}, headers=headers).headers["location"] == "/console"
        assert 'name="then" value="/console"' in client.get("/console/sign-in", params={"then": then}).text


def test_signing_out_ends_the_session_also_for_whoever_kept_its_cookie(client: httpx.Client) -> None:
    headers, another = signed_in(client), signed_in(client)
    page = client.get("/console", headers=headers)
    answer = client.post("/console/sign-out", data={"token": page_of(page).values["token"]}, headers=headers)
    assert answer.headers["location"] == "/console/sign-in"
    assert "Max-Age=0" in answer.headers["set-cookie"]
    for path in PAGES:
        assert client.get(f"/console{path}", headers=headers).headers["location"].startswith("/console/sign-in")
    acted = client.post("/console/submissions/x/retry", data={"token": page_of(page).values["token"]}, headers=headers)
    assert acted.headers["location"] == "/console/sign-in"
    assert client.get("/console", headers=another).status_code == 200


def test_a_session_is_shared_by_replicas_and_survives_a_restart(start: Start, database_url: str) -> None:
    with closing(Database(database_url)) as database:
        upgrade(database)

    def replica() -> httpx.Client:
        return start(deliver=False, console_password=PASSWORD, database_url=database_url)

    first, second = replica(), replica()
    headers = signed_in(first)
    page = second.get("/console", headers=headers)
    assert page.status_code == 200
    assert replica().get("/console", headers=headers).status_code == 200  # one that started later
    second.post("/console/sign-out", data={"token": page_of(page).values["token"]}, headers=headers)
    assert first.get("/console", headers=headers).status_code == 303
    assert replica().get("/console", headers=headers).status_code == 303


def test_an_idle_session_ends_after_an_hour(client: httpx.Client, tmp_path: Path) -> None:
    headers = signed_in(client)

    def idle(time: timedelta) -> int:
        with closing(Database(f"sqlite:///{tmp_path}/intresse.db")) as database, database.engine.begin() as connection:
            connection.execute(update(console_sessions).values(seen_at=datetime.now(UTC) - time))
        return client.get("/console", headers=headers).status_code

    assert idle(timedelta(minutes=59)) == 200
    assert idle(timedelta(minutes=60)) == 303


ADDRESSES = ("anna@example.se", "Anna.Ek+hem@example.se", "070-123 45 67", "+46701234567", "Anna Ek", "19900101-2385")


@pytest.mark.parametrize("text", ADDRESSES)
@pytest.mark.parametrize("page", ["", "/submissions"])
def test_search_terms_never_appear_in_an_address(start: Start, text: str, page: str) -> None:
    client = start(deliver=False, console_password=PASSWORD)
    for number in range(2):  # of one the page is shown at once
        typed = {"firstName": "Anna", "lastName": f"Ek {number}", "consent": "true"}
        reach = {"email.emailAddress": "anna@example.se", "telephone.cell": "0701234567"}
        assert client.post(INTEREST, data=typed | reach, headers=OURS).status_code == 303
    headers = signed_in(client)
    shown = client.get(f"/console{page}", headers=headers)
    assert '<form method="post" action="/console/submissions"' in shown.text
    token = page_of(shown).values["token"]
    answer = client.post("/console/submissions", data={"token": token, "q": text}, headers=headers)
    assert answer.status_code == 303
    where = answer.headers["location"]
    found = client.get(where, headers=headers)
    assert found.status_code == 200
    links = re.findall(r'(?:href|action)="([^"]*)"', found.text)
    assert any("search=" in link for link in links)
    exported = [link.replace("&amp;", "&") for link in links if ".csv" in link]
    rows = [client.get(link, headers=headers).text.count("\r\n") - 1 for link in exported]
    expected = 2 if text in {"anna@example.se", "070-123 45 67", "+46701234567"} else 0
    assert found.text.count('<th scope="row">') == expected
    assert rows == ([expected] if expected else [])
    later = client.get(where).headers["location"]  # when the session has ended
    for url in (where, later, *links):
        assert not any(hides in unquote(unquote(url)) for hides in (text, text.partition("@")[0], quote(text)))
    assert escape(text) in found.text  # the field keeps it


def test_search_terms_are_removed_from_an_old_bookmark(client: httpx.Client) -> None:
    old = "/console/submissions?q=anna%40example.se&status=held"
    assert "anna" not in client.get(old).headers["location"]
    headers = signed_in(client)
    for where in (old, old.replace("?", ".csv?")):
        moved = client.get(where, headers=headers)
        assert moved.status_code == 303
        assert "anna" not in moved.headers["location"]
        assert "status=held" in moved.headers["location"]
        assert client.get(moved.headers["location"], headers=headers).status_code == 200


@pytest.mark.parametrize("token", ["x", "YWJj", "a" * 3000, "å"])
def test_a_search_that_is_not_ours_finds_nothing_rather_than_everything(client: httpx.Client, token: str) -> None:
    typed = {"firstName": "Anna", "lastName": "Ek", "email.emailAddress": "anna@example.se", "consent": "true"}
    assert client.post(INTEREST, data=typed, headers=OURS).status_code == 303
    headers = signed_in(client)
    page = client.get("/console/submissions", params={"search": token}, headers=headers)
    assert page.status_code == 200
    assert '<th scope="row">' not in page.text
    assert client.get("/console/submissions.csv", params={"search": token}, headers=headers).text.count("\r\n") == 1


def test_the_export_has_every_submission_however_many_there_are(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission_list, "EXPORTED_AT_ONCE", 2)
    for number in range(5):
        typed = {"firstName": "Anna", "lastName": "Ek", "email.emailAddress": f"anna{number}@example.se"}
        assert client.post(INTEREST, data=typed | {"consent": "true"}, headers=OURS).status_code == 303
    text = client.get("/console/submissions.csv", headers=signed_in(client)).text
    rows = list(csv.reader(StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 1 + 5
    assert len({row[-1] for row in rows}) == 1 + 5


ODD = ("%00", "a%00b", "%0A", "%2F", "%5C", "..%2F..", "%27%3B--", "%F0%9F%8F%A0", "%ED%A0%80", "%FF", "a" * 300)


def test_a_malformed_id_is_404_on_either_database(start: Start, database_url: str) -> None:
    with closing(Database(database_url)) as database:
        upgrade(database)
    client = start(deliver=False, console_password=PASSWORD, database_url=database_url)
    headers = signed_in(client)
    paths = ("submissions/{}", "submissions/{}/retry", "submissions/x/{}", "customers/{}", "homes/{}/{}")
    for path in [path.replace("{}", odd) for odd in ODD for path in paths]:
        assert client.get(f"/console/{path}", headers=headers).status_code == 404, path
    names = ("older", "q", "search", "status", "customer", "days", "done", "lang")
    for query in [f"{name}={odd}" for odd in ODD for name in names]:
        answer = client.get(f"/console/submissions?{query}", headers=headers)
        assert answer.status_code in {200, 303}, query
        if answer.status_code == 303:
            assert client.get(answer.headers["location"], headers=headers).status_code == 200, query


def test_a_hundred_wrong_passwords_are_stopped_and_the_right_one_with_them(client: httpx.Client) -> None:
    statuses = [sign_in(client, f"fel {number}").status_code for number in range(100)]
    assert statuses == [403] * 5 + [429] * 95
    answer = sign_in(client)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "set-cookie" not in answer.headers


CROSS_SITE: list[dict[str, str]] = [
    {"Origin": "https://evil.example.se"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": f"{ORIGIN}.evil.example"},
    {"Origin": f"{ORIGIN}:8443"},
    {"Origin": f"{ORIGIN}/"},
    {"Origin": ORIGIN.replace("https", "http")},
    {"Origin": ORIGIN.upper()},
    {"Origin": "https://www.maklarhuset.se"},  # a customer's pages may post to the public side, not here
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "same-origin, cross-site"},
]
POSTS_TO = [path.replace("{customer}", "M12345").replace("{group}", "crm") for path, _ in POSTS]


def token_of(client: httpx.Client, headers: dict[str, str]) -> str:
    return page_of(client.get("/console", headers=headers)).values["token"]


@pytest.mark.parametrize("headers", CROSS_SITE)
def test_another_site_can_neither_sign_in_nor_act(client: httpx.Client, headers: dict[str, str]) -> None:
    signing = client.post("/console/sign-in", data={"password": PASSWORD}, headers=OURS | headers)
    assert signing.status_code == 403
    assert "set-cookie" not in signing.headers
    mine = signed_in(client)
    token = token_of(client, mine)
    for path in POSTS_TO:
        assert client.post(path, data={"token": token}, headers=mine | headers).status_code == 403
    assert client.get("/console", headers=mine).status_code == 200  # nobody was signed out


def test_a_post_without_origin_and_fetch_site_is_refused(client: httpx.Client) -> None:
    mine = signed_in(client)
    token = token_of(client, mine)
    without = {name: value for name, value in mine.items() if name != "Origin"}
    for path in POSTS_TO:
        assert client.post(path, data={"token": token}, headers=without).status_code == 403
    assert client.post("/console/sign-in", data={"password": PASSWORD}).status_code == 403


def test_a_post_without_its_sessions_token_is_refused(client: httpx.Client) -> None:
    headers, another = signed_in(client), signed_in(client)
    theirs = token_of(client, another)
    bad: list[dict[str, str]] = [{}, {"token": ""}, {"token": "x"}, {"token": "x" * 9000}, {"token": theirs}]
    for path in POSTS_TO:
        for data in bad:
            assert client.post(path, data=data, headers=headers).status_code == 403
        assert client.post(f"{path}?token={token_of(client, headers)}", headers=headers).status_code == 403
        as_json = client.post(path, json={"token": token_of(client, headers)}, headers=headers)
        assert as_json.status_code == 403
    assert client.get("/console", headers=headers).status_code == 200


def test_a_get_changes_nothing(client: httpx.Client) -> None:
    headers = signed_in(client)
    assert client.get("/console/sign-out", headers=headers).status_code == 405
    assert client.get("/console/customers/M12345/logins/crm", headers=headers).status_code == 405
    typed = {"firstName": "Anna", "lastName": "Ek", "email.emailAddress": "anna@example.se", "consent": "true"}
    assert client.post(INTEREST, data=typed, headers=OURS).status_code == 303
    row = re.search(r'href="(/console/submissions/[^"]+)"', client.get("/console/submissions", headers=headers).text)
    assert row
    for action in ("retry", "release", "discard", "erase"):
        answer = client.get(f"{row[1]}/{action}", headers=headers)
        assert answer.status_code == (200 if action in {"retry", "erase"} else 303)  # what applies while it waits
    shown = client.get(row[1], headers=headers).text
    assert "anna@example.se" in shown
    assert "V\u00e4ntar" in shown


def test_no_page_of_the_public_gets_a_cookie(client: httpx.Client) -> None:
    for path in ("/Advertising/Estate/M12345/OBJ1/interest", "/healthz", "/console/sign-in"):
        assert "set-cookie" not in client.get(path).headers


def test_the_embed_of_a_booking_by_home_is_shown_with_times(client: httpx.Client) -> None:
    cookie = signed_in(client)
    built = client.get("/console/customers/M12345/embed?form=open-times&estate=OBJ7", headers=cookie)
    text = unescape(built.text)
    assert '<div data-intresse="viewing" data-customer="M12345" data-estate="OBJ7">' in text
    assert f'<a href="{ORIGIN}/forms/M12345/viewing/OBJ7">' in text
    [shown] = re.findall(r'<iframe class="preview" src="([^"]*)"', built.text)
    page = page_of(client.get(unescape(shown), headers=cookie))
    assert "kl. 13.15–13.30" in page.text
    assert "fullbokad" in page.text
