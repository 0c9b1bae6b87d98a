"""Suspected robots are held without their noticing; people get through, however many robots there are."""

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Page as Browser

from app.sandbox import Office
from app.storage.database import Database, StoreUnavailableError
from tests.acceptance.commands import Intresse
from tests.acceptance.html_page import Page, page_of
from tests.conftest import API_KEY, CUSTOMER, ORIGIN
from tests.servers import eventually

Start = Callable[..., httpx.Client]
POSTS = int(os.environ.get("INTRESSE_TEST_ROBOT_POSTS", "1000"))  # `make robots` sends 10,000
CROWD = 8  # robots that send them at once
KEY = {"Authorization": f"Bearer {API_KEY}"}
SITE = {"Origin": ORIGIN}
PATH = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
ANNA = {"firstName": "Anna", "lastName": "Ek", "email.emailAddress": "anna@example.se", "consent": "true"}
JSON = {"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}, "consent": True}


def trap_of(page: Page) -> str:
    [name] = [name for name in page.values if re.fullmatch(r"n[0-9a-f]{9}", name)]
    return name


def fetched(client: httpx.Client) -> Page:
    return page_of(client.get(PATH))


def receipt(client: httpx.Client, answer: httpx.Response) -> str:
    """The receipt's text without the reference and the address."""
    assert answer.status_code == 303
    text = page_of(client.get(answer.headers["location"])).text
    return re.sub(r"\b[2-9A-HJ-NP-Z]{4} [2-9A-HJ-NP-Z]{4}\b", "", text)


def status_of(client: httpx.Client, answer: httpx.Response) -> str:
    submission_id = answer.headers["location"].partition("?")[0].rpartition("/")[2]
    return str(client.get(f"/submissions/{submission_id}", headers=KEY).json()["status"])


def is_delivered(client: httpx.Client, answer: httpx.Response) -> bool:
    return status_of(client, answer) == "delivered"


ROBOTS: Mapping[str, Callable[[Page], dict[str, str]]] = {
    "fills in everything": lambda page: ANNA | {trap_of(page): "http://pills.example"},
    "is quick and sends links": lambda page: ANNA | {"contactMessage": "Buy at https://pills.example"},
    "is called like a link": lambda page: ANNA | {"lastName": "www.pills.example"},
}


@pytest.mark.parametrize("robot", ROBOTS)
def test_a_robot_is_held_and_gets_the_same_receipt_as_anyone(client: httpx.Client, office: Office, robot: str) -> None:
    page = fetched(client)
    robots = page.submit(client, ROBOTS[robot](page))
    persons = fetched(client).submit(client, ANNA)
    eventually(lambda: is_delivered(client, persons))
    assert status_of(client, robots) == "held"
    assert receipt(client, robots) == receipt(client, persons)
    assert len(office.received) == 1


def test_the_status_of_a_held_submission_does_not_reveal_that_it_is_held(client: httpx.Client) -> None:
    page = fetched(client)
    typed = page.values | ROBOTS["is called like a link"](page)
    answer = client.post(PATH, data=typed, headers={"Accept": "application/json"})
    body = answer.json()
    assert client.get(f"/submissions/{body['id']}", headers=KEY).json()["status"] == "held"
    assert body["status"] == "pending"
    assert "held" not in client.get(httpx.URL(body["statusUrl"]).raw_path.decode()).text


def test_a_person_with_a_browser_that_fills_in_at_once_is_no_robot(client: httpx.Client) -> None:
    answer = fetched(client).submit(client, ANNA)
    eventually(lambda: is_delivered(client, answer))


def test_a_person_who_corrects_a_field_and_sends_at_once_is_no_robot(client: httpx.Client) -> None:
    """The form that comes back is new, but not to its visitor."""
    linked = ANNA | {"contactMessage": "Vi bor på https://hem.se/1"}
    corrected = page_of(client.post(PATH, data=linked | {"lastName": ""}, headers=SITE)).submit(client, linked)
    eventually(lambda: is_delivered(client, corrected))


def test_a_robot_that_corrects_its_form_at_once_is_held(client: httpx.Client) -> None:
    page = fetched(client)
    linked = ANNA | {"contactMessage": "Buy at https://pills.example"}
    again = page_of(page.submit(client, linked | {"lastName": ""}))
    assert status_of(client, again.submit(client, linked)) == "held"


def test_json_and_the_brokers_own_form_have_no_token_and_are_not_held_for_that(client: httpx.Client) -> None:
    form = client.post(PATH, data=ANNA, headers=SITE)
    eventually(lambda: is_delivered(client, form))
    assert client.post(PATH, json=JSON | {"contactMessage": "https://hem.se/1"}, headers=SITE).status_code == 200


def test_a_person_who_writes_too_much_is_held_above_the_limit_and_a_program_with_a_key_is_not(
    start: Start, intresse: Intresse
) -> None:
    client = start(customer={"rate_limit_person": "3/day"}, delivery={"wait_seconds": 5})
    answers = [client.post(PATH, json=JSON | {"contactMessage": f"nr {n}"}, headers=SITE) for n in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 202]
    assert answers[3].json()["status"] == "pending"
    assert (
        client.get(answers[3].json()["statusUrl"].replace("https://leads.example.se", "")).json()["status"] == "pending"
    )
    assert client.post(PATH, json=JSON | {"contactMessage": "nyckel"}, headers=KEY).status_code == 200
    [line] = intresse("leads", "list", "--status", "held").stdout.splitlines()
    assert line.endswith(answers[3].json()["id"])


def test_a_person_whose_posts_were_repeated_or_could_not_be_stored_is_not_held_for_them(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start(customer={"rate_limit_person": "2/day"}, delivery={"wait_seconds": 5})
    for _ in range(3):
        assert client.post(PATH, json=JSON, headers=SITE | {"Idempotency-Key": "1"}).status_code == 200
        other = JSON | {"contactMessage": "en annan"}
        assert client.post(PATH, json=other, headers=SITE | {"Idempotency-Key": "1"}).status_code == 422
    for failing, status in ((unavailable, 503), (faulty, 500)):
        with monkeypatch.context() as away:
            away.setattr(Database, "write", failing)
            for _ in range(3):
                assert client.post(PATH, json=JSON | {"contactMessage": "igen"}, headers=SITE).status_code == status
    answers = [client.post(PATH, json=JSON | {"contactMessage": f"nr {n}"}, headers=SITE) for n in range(2)]
    assert [answer.status_code for answer in answers] == [200, 202]


async def unavailable(*_: object, **__: object) -> None:
    raise StoreUnavailableError("away")


async def faulty(*_: object, **__: object) -> None:
    raise RuntimeError


def test_a_keen_buyers_tenth_enquiry_of_the_week_gets_through(client: httpx.Client) -> None:
    for number in range(10):
        estate = f"/Advertising/Estate/{CUSTOMER}/OBJ{number}/interest"
        assert client.post(estate, json=JSON, headers=SITE).status_code == 200


def test_the_trap_is_out_of_a_persons_way(page: Browser, public: Callable[..., str], office: Office) -> None:
    page.goto(public() + PATH)
    trap = page.locator(".trap input")
    box = trap.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] < 0
    assert page.get_by_role("textbox", name="tomt").count() == 0  # nor to a screen reader
    page.keyboard.press("Tab")
    reached = []
    for _ in range(25):
        reached.append(page.evaluate("document.activeElement.closest('.trap') !== null"))
        page.keyboard.press("Tab")
    assert not any(reached)
    for name, text in {"firstName": "Anna", "lastName": "Ek", "email.emailAddress": "anna@example.se"}.items():
        page.locator(f"[name='{name}']").fill(text)
    page.locator("[name=consent]").check()
    page.get_by_role("button").click()
    page.wait_for_url("**/receipts/**")
    eventually(lambda: office.received)


def flood(url: str, typed: Mapping[str, str], numbers: range) -> Counter[int]:
    """Posts as fast as one robot can, each from another address behind the proxy; counts the answers by status."""
    answers: Counter[int] = Counter()
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    for number in numbers:
        place = number % (POSTS // 20)  # each posts 20 times, and so goes over its limit
        body = urlencode({**typed, "email.emailAddress": f"robot{number}@pills.example"})
        headers = {
            **SITE,
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Forwarded-For": f"203.0.{place // 250}.{place % 250}",
        }
        connection.request("POST", PATH, body, headers)
        answer = connection.getresponse()
        answer.read()
        answers[answer.status] += 1
    connection.close()
    return answers


def test_genuine_visitors_get_through_while_robots_post(start: Start, office: Office) -> None:
    client = start(
        customer={"rate_limit": "15/minute", "rate_limit_person": "1000000/day"}, trusted_proxies=["127.0.0.1"]
    )
    page = fetched(client)
    typed = page.values | ANNA | {trap_of(page): "x", "contactMessage": "https://pills.example"}
    with ThreadPoolExecutor(CROWD) as crowd:
        share = POSTS // CROWD
        floods = [
            crowd.submit(flood, str(client.base_url), typed, range(n * share, (n + 1) * share)) for n in range(CROWD)
        ]
        took: list[float] = []
        while not all(task.done() for task in floods):
            began = time.monotonic()
            visitor = {"X-Forwarded-For": f"198.51.100.{len(took) % 250}"}
            answer = fetched(client).submit(client, ANNA | {"contactMessage": f"nr {len(took)}"}, **SITE, **visitor)
            took.append(time.monotonic() - began)
            assert answer.status_code == 303
        answers = sum((task.result() for task in floods), Counter())
    assert answers.keys() == {303, 429}
    assert answers.total() == POSTS
    assert len(took) >= 10
    assert max(took) < 5
    eventually(lambda: len(office.received) == len(took))
