"""Repeated posts get the first outcome as their answer, and nothing is sent twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest

from app.sandbox import Fault
from tests.acceptance.answers import EACH
from tests.acceptance.bodies import (
    CUSTOMER,
    FULL,
    KEYS,
    ORIGIN,
    PLAIN,
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
from tests.servers import eventually

Make = Callable[..., str]
OTHER: Members = {"marketing": {"referrer": "https://www.maklarhuset.se/"}}  # content that every operation takes


def submission_id(answer: httpx.Response) -> str:
    """The id of the submission that a post was answered with, from the body or the receipt's address."""
    assert answer.status_code in {200, 202, 303}, answer.text
    if answer.status_code == 200:
        return answer.headers["submission-id"]
    if answer.status_code == 202:
        return str(answer.json()["id"])
    return answer.headers["location"].partition("?")[0]


def calls(service: RunningService, path: str, number: int) -> bool:
    """Whether the CRM was called that often, and no more."""
    eventually(lambda: len(service.received(path)) >= number)
    service.nothing_at(path)
    return len(service.received(path)) == number


def at_once(post: Callable[[], httpx.Response], number: int = 8) -> list[httpx.Response]:
    barrier = Barrier(number)

    def run() -> httpx.Response:
        barrier.wait(10)
        return post()

    with ThreadPoolExecutor(number) as threads:
        return [future.result() for future in [threads.submit(run) for _ in range(number)]]


@EACH
def test_a_form_sent_twice_with_its_token_is_one_submission(service: RunningService, make: Make, body: Members) -> None:
    path = make()
    page = service.page(path)
    first, second = (page.submit(service.client, fields(body), **SITE) for _ in range(2))
    assert submission_id(first) == submission_id(second)
    assert calls(service, path, 1)


@EACH
def test_a_form_and_a_scripts_copy_of_it_at_once_are_one_submission(
    service: RunningService, make: Make, body: Members
) -> None:
    path = make()
    typed = fields(body) | {
        "token": service.page(path).values["token"],
        "contactMessage": "å\r\n+%&=",
        "telePhone": "",
    }
    sent: list[dict[str, Any]] = [
        {"data": typed},
        {"files": {name: (None, value) for name, value in typed.items()}},
    ] * 4
    answers = at_once(lambda: httpx.post(f"{service.url}{path}", headers=SITE, timeout=30, **sent.pop()))
    assert len({submission_id(answer) for answer in answers}) == 1
    assert calls(service, path, 1)


@EACH
def test_a_token_with_other_content_is_a_new_submission(service: RunningService, make: Make, body: Members) -> None:
    path = make()
    page = service.page(path)
    first = page.submit(service.client, fields(body), **SITE)
    second = page.submit(service.client, fields(body) | {"contactMessage": "Något mer"}, **SITE)
    assert submission_id(first) != submission_id(second)
    assert calls(service, path, 2)


@EACH
def test_two_tokens_are_two_submissions(service: RunningService, make: Make, body: Members) -> None:
    path = make()
    first, second = (service.page(path).submit(service.client, fields(body), **SITE) for _ in range(2))
    assert submission_id(first) != submission_id(second)
    assert calls(service, path, 2)


@EACH
def test_a_form_that_is_shown_again_has_a_new_token(service: RunningService, make: Make, body: Members) -> None:
    path = make()
    page = service.page(path)
    again = page_of(page.submit(service.client, {"firstName": ""}, **SITE))
    assert again.values["token"] != page.values["token"]
    assert again.submit(service.client, fields(body)).status_code == 303
    assert page.submit(service.client, fields(body)).status_code == 303
    assert calls(service, path, 2)


@EACH
@pytest.mark.parametrize("by", ["token", "header", "content of a form", "content of json"])
def test_simultaneous_identical_posts_are_one_submission(
    service: RunningService, make: Make, body: Members, by: str
) -> None:
    path = make()
    typed = fields(body)
    if by == "token":
        typed |= {"token": service.page(path).values["token"]}
    posts: dict[str, Callable[[], httpx.Response]] = {
        "token": lambda: service.client.post(path, data=typed, headers=SITE),
        "header": lambda: service.client.post(path, json=body, headers=key() | {"Idempotency-Key": "1"}),
        "content of a form": lambda: service.client.post(path, data=typed, headers=SITE),
        "content of json": lambda: service.client.post(path, json=body, headers=SITE),
    }
    answers = at_once(posts[by])
    assert len({submission_id(answer) for answer in answers}) == 1
    assert calls(service, path, 1)


@EACH
def test_a_header_key_with_the_same_body_answers_the_first_outcome(
    service: RunningService, make: Make, body: Members
) -> None:
    path = make()
    headers = key() | {"Idempotency-Key": "7d2c"}
    first, second = (service.client.post(path, json=body, headers=headers) for _ in range(2))
    assert submission_id(first) == submission_id(second)
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert calls(service, path, 1)


@EACH
@pytest.mark.parametrize("caller", [SITE, key()])
def test_a_header_key_with_another_body_is_422(
    service: RunningService, make: Make, body: Members, caller: dict[str, str]
) -> None:
    path = make()
    headers = caller | {"Idempotency-Key": "7d2c"}
    assert service.client.post(path, json=body, headers=headers).status_code == 200
    problem(service.client.post(path, json=body | OTHER, headers=headers), 422)
    assert service.client.post(path, json=body, headers=headers).status_code == 200
    assert calls(service, path, 1)


def test_other_spelling_of_the_same_json_is_the_same_body(service: RunningService) -> None:
    path = interest_path()
    headers = key() | {"Idempotency-Key": "1", "Content-Type": "application/json"}
    contents = (
        b'{"firstName":"Anna","lastName":"Ek","email":{"emailAddress":"anna@example.se"},"consent":true}',
        b'{ "email": {"emailAddress": "anna@example.se"},\n"lastName":"\\u0045k", "firstName":"Anna", "consent":true}',
        b'{"FirstName":"Anna","LastName":"Ek","Email":{"EmailAddress":"anna@example.se"},"Consent":true}',
    )
    answers = [service.client.post(path, content=content, headers=headers) for content in contents]
    assert len(set(map(submission_id, answers))) == 1


def test_another_header_key_is_another_submission(service: RunningService) -> None:
    path = interest_path()
    answers = [
        service.client.post(path, json=interest(), headers=key() | {"Idempotency-Key": name})
        for name in ("a", "b", "A")
    ]
    assert len({submission_id(answer) for answer in answers}) == 3
    assert calls(service, path, 3)


def test_the_same_header_key_means_nothing_on_another_path_or_with_another_customer(service: RunningService) -> None:
    made = {
        submission_id(service.client.post(path, json=body, headers=key(who) | {"Idempotency-Key": "same"}))
        for who, path, body in (
            (CUSTOMER, interest_path(), interest()),
            (CUSTOMER, interest_path(), interest()),
            (CUSTOMER, viewing_path(), booking()),
            (PLAIN, interest_path(PLAIN), interest()),
            (FULL, interest_path(FULL), interest()),
        )
    }
    assert len(made) == 5


def test_the_same_header_key_of_another_caller_is_another_submission(tmp_path: Path) -> None:
    two_keys = [sha256(name.encode()).hexdigest() for name in (KEYS[CUSTOMER], "another")]
    customer = {"id": CUSTOMER, "api_key_hashes": two_keys}
    with run_service(tmp_path, customers=[customer], trusted_proxies=["127.0.0.1"]) as service:
        path = interest_path()
        callers: list[dict[str, str]] = [
            key(),
            {"Authorization": "Bearer another"},
            SITE | {"X-Forwarded-For": "192.0.2.1"},
            SITE | {"X-Forwarded-For": "192.0.2.2"},
        ]
        made = {
            submission_id(service.client.post(path, json=interest(), headers=caller | {"Idempotency-Key": "same"}))
            for caller in callers
        }
        assert len(made) == 4
        assert calls(service, path, 4)
        other = interest(contactMessage="x")
        stranger = SITE | {"X-Forwarded-For": "192.0.2.3", "Idempotency-Key": "same"}
        assert service.client.post(path, json=other, headers=stranger).status_code == 200


def test_a_key_is_the_same_caller_as_bearer_and_as_basic(service: RunningService) -> None:
    path = interest_path()
    answers = [
        service.client.post(path, json=interest(), headers=caller | {"Idempotency-Key": "1"})
        for caller in (key(), basic("partner", KEYS[CUSTOMER]))
    ]
    assert submission_id(answers[0]) == submission_id(answers[1])


@pytest.mark.parametrize("name", ["x" * 255, "å".encode(), b"\xff", '"quoted"'])
def test_an_idempotency_key_may_contain_any_characters(service: RunningService, name: Any) -> None:
    raw: Any = [(b"idempotency-key", name if isinstance(name, bytes) else name.encode())]
    headers = [*((n.encode(), v.encode()) for n, v in key().items()), *raw]
    answer = service.client.post(interest_path(), json=interest(), headers=headers)
    assert answer.status_code == 200


def test_an_overlong_idempotency_key_causes_no_500(service: RunningService) -> None:
    answer = service.client.post(interest_path(), json=interest(), headers=key() | {"Idempotency-Key": "x" * 5000})
    assert answer.status_code in {200, 400}


@EACH
def test_without_key_token_or_header_the_same_content_is_the_same_submission(
    service: RunningService, make: Make, body: Members
) -> None:
    path = make()
    first, second = (service.client.post(path, json=body, headers=SITE) for _ in range(2))
    assert submission_id(first) == submission_id(second)
    assert calls(service, path, 1)
    path = make()
    first, second = (service.client.post(path, data=fields(body), headers=SITE) for _ in range(2))
    assert submission_id(first) == submission_id(second)
    assert calls(service, path, 1)


@EACH
def test_other_content_is_another_submission(service: RunningService, make: Make, body: Members) -> None:
    path = make()
    first = service.client.post(path, json=body, headers=SITE)
    second = service.client.post(path, json=body | OTHER, headers=SITE)
    assert submission_id(first) != submission_id(second)
    elsewhere = service.client.post(make(), json=body, headers=SITE)
    assert submission_id(elsewhere) != submission_id(first)
    assert calls(service, path, 2)


@EACH
def test_content_is_not_matched_for_a_caller_with_an_api_key(
    service: RunningService, make: Make, body: Members
) -> None:
    path = make()
    answers = [service.client.post(path, json=body, headers=key()) for _ in range(2)]
    assert submission_id(answers[0]) != submission_id(answers[1])
    assert calls(service, path, 2)


REFUSAL = Fault(status=400, body='{"message": "Visningstiden är fullbokad."}', times=1)


def ways(service: RunningService, path: str) -> dict[str, Callable[[Members], httpx.Response]]:
    token = {"token": service.page(path).values["token"]}
    client = service.client
    return {
        "token": lambda body: client.post(path, data=fields(body) | token, headers=SITE),
        "header": lambda body: client.post(path, json=body, headers=key() | {"Idempotency-Key": "1"}),
        "content of a form": lambda body: client.post(path, data=fields(body), headers=SITE),
        "content of json": lambda body: client.post(path, json=body, headers=SITE),
    }


@pytest.mark.parametrize("by", ["token", "header", "content of a form", "content of json"])
def test_a_rejected_booking_is_never_replayed_as_an_answer(service: RunningService, by: str) -> None:
    path = viewing_path()
    post = ways(service, path)[by]
    service.office.inject(REFUSAL)
    assert post(booking()).status_code == 400
    assert post(booking()).status_code in {200, 303}
    assert calls(service, path, 2)
    assert post(booking()).status_code in {200, 303}
    assert calls(service, path, 2)


def test_a_refused_post_does_not_use_up_its_idempotency_key(service: RunningService) -> None:
    path = interest_path()
    headers = key() | {"Idempotency-Key": "1"}
    assert service.client.post(path, json=interest(firstName=""), headers=headers).status_code == 400
    assert service.client.post(path, json=interest(), headers=headers).status_code == 200
    assert calls(service, path, 1)


def test_a_repeat_while_vitec_is_down_is_the_same_submission_and_delivered_once(tmp_path: Path) -> None:
    with run_service(tmp_path, delivery={"wait_seconds": 0.2}) as service:
        service.office.inject(Fault(status=503))
        headers = key() | {"Idempotency-Key": "1"}
        posts = {interest_path(): interest(), viewing_path(): booking()}
        for path, body in posts.items():
            first, second = (service.client.post(path, json=body, headers=headers) for _ in range(2))
            assert first.status_code == second.status_code == 202
            assert first.json() == second.json()
        service.office.clear_faults()
        for path, body in posts.items():
            eventually(lambda path=path: any(call.carried_out for call in service.received(path)))  # type: ignore[misc]
            assert service.client.post(path, json=body, headers=headers).status_code in {200, 202}
            assert sum(call.carried_out for call in service.received(path)) == 1


def test_a_repeat_after_a_restart_is_still_the_same_submission(tmp_path: Path) -> None:
    path = interest_path()
    token: dict[str, str] = {}
    first: list[str] = []
    for _ in range(2):
        with run_service(tmp_path) as service:
            token = token or {"token": service.page(path).values["token"]}
            first.append(submission_id(service.client.post(path, data=fields(interest()) | token, headers=SITE)))
            service.nothing_at(path)
    assert first[0] == first[1]


def test_the_same_token_with_other_content_is_another_submission_for_each_visitor(service: RunningService) -> None:
    """A page from a shared cache has the same token for everyone who sees it."""
    path = interest_path()
    page = service.page(path)
    made = {
        submission_id(page.submit(service.client, fields(interest(firstName=name)), Origin=ORIGIN))
        for name in ("Anna", "Bea", "Cia")
    }
    assert len(made) == 3
    assert calls(service, path, 3)
