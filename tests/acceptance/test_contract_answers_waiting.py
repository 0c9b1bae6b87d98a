"""Which posts wait for Vitec, and how long."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox import Fault
from tests.acceptance.answers import EACH, Make, is_delivered, is_pending, receipt_of
from tests.acceptance.bodies import (
    PUBLIC_URL,
    SITE,
    Members,
    booking,
    fields,
    interest,
    interest_path,
    key,
    viewing_path,
)
from tests.acceptance.running_service import RunningService, run_service
from tests.servers import eventually

SLOW = Fault(delay_seconds=5, times=1)  # who was answered sooner has not waited for Vitec, however busy the machine


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service that waits half a second for Vitec."""
    with run_service(tmp_path_factory.mktemp("hasty"), delivery={"wait_seconds": 0.5}) as service:
        yield service
        service.office.clear_faults()


@EACH
def test_json_that_prefers_not_to_wait_is_answered_202_at_once(
    service: RunningService, make: Make, body: Members
) -> None:
    for preference in ("respond-async", "Respond-Async", "wait=10, respond-async", "respond-async,return=minimal"):
        path = make()
        answer = service.client.post(path, json=body, headers=key() | {"Prefer": preference})
        assert set(answer.json()) == {"id", "status", "statusUrl"}, preference
        assert answer.status_code == 202
        assert service.delivered(path)


def test_a_preference_may_have_parameters(service: RunningService) -> None:
    """RFC 7240, section 2."""
    headers = key() | {"Prefer": 'respond-async; foo="bar, baz"'}
    assert service.client.post(interest_path(), json=interest(), headers=headers).status_code == 202


def test_another_preference_changes_nothing(service: RunningService) -> None:
    for preference in ("return=minimal", "wait=0", "handling=lenient", "respond-asynchronously", ""):
        is_delivered(service.client.post(interest_path(), json=interest(), headers=key() | {"Prefer": preference}))


def test_respond_async_is_always_202_with_the_status_as_it_is(service: RunningService) -> None:
    path = viewing_path()
    headers = key() | {"Idempotency-Key": "once"}
    submission_id = is_delivered(service.client.post(path, json=booking(), headers=headers))
    again = service.client.post(path, json=booking(), headers=headers | {"Prefer": "respond-async"})
    assert again.status_code == 202
    assert (again.json()["id"], again.json()["status"]) == (submission_id, "delivered")


def test_preferences_may_come_in_several_lines(service: RunningService) -> None:
    headers = [*key().items(), ("Prefer", "return=minimal"), ("Prefer", "respond-async")]
    answer = service.client.post(interest_path(), json=interest(), headers=headers)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "respond-async")


@EACH
def test_a_json_post_waits_for_wait_seconds_and_no_longer(hasty: RunningService, make: Make, body: Members) -> None:
    hasty.office.inject(SLOW)
    path, began = make(), time.monotonic()
    pending = is_pending(hasty.client.post(path, json=body, headers=key()))
    assert 0.4 < time.monotonic() - began < SLOW.delay_seconds
    assert hasty.client.get(pending["statusUrl"].removeprefix(PUBLIC_URL)).status_code == 200
    assert hasty.delivered(path)


def test_a_booking_form_waits_for_wait_seconds_and_then_gets_its_receipt(hasty: RunningService) -> None:
    hasty.office.inject(SLOW)
    path, began = viewing_path(), time.monotonic()
    answer = hasty.client.post(path, data=fields(booking()), headers=SITE)
    assert 0.4 < time.monotonic() - began < SLOW.delay_seconds
    assert receipt_of(hasty, answer)
    assert hasty.delivered(path)


def test_an_interest_form_does_not_wait_for_vitec(service: RunningService) -> None:
    service.office.inject(SLOW)
    path, began = interest_path(), time.monotonic()
    answer = service.client.post(path, data=fields(interest()), headers=SITE)
    assert time.monotonic() - began < SLOW.delay_seconds
    assert receipt_of(service, answer)
    assert service.delivered(path)


def test_a_slow_answer_within_the_wait_is_the_answer(service: RunningService) -> None:
    service.office.inject(Fault(delay_seconds=0.7, times=1))
    is_delivered(service.client.post(viewing_path(), json=booking(), headers=key()))


def at_a_later_try(service: RunningService, path: str) -> bool:
    """Whether the CRM failed at first and then carried it out, once."""
    tries = [call.carried_out for call in service.received(path)]
    return tries[:1] == [False] and tries.count(True) == 1


def test_when_vitec_fails_for_a_while_a_post_is_accepted_and_delivered_later(hasty: RunningService) -> None:
    retry_after = {"Retry-After": "1"}
    faults: list[dict[str, Any]] = [{"status": 503, "headers": retry_after}, {"status": 429}, {"status": 500}]
    faults.append({"cut": True})
    programs, visitors = (
        {interest_path(): interest() for _ in range(4)} | {viewing_path(): booking() for _ in range(4)}
        for _ in range(2)
    )
    for path, fault in zip([*programs, *visitors], cycle(faults)):
        place = path.split("/")[-2]  # each meets its own: on a busy machine some are tried again before others come
        hasty.office.inject(Fault.model_validate(fault | {"names": place, "times": 1}))

    def post(path: str) -> httpx.Response:
        content: Any = {"json": programs[path]} if path in programs else {"data": fields(visitors[path])}
        return hasty.client.post(path, headers=SITE, **content)

    with ThreadPoolExecutor(16) as threads:
        answers = dict(zip([*programs, *visitors], threads.map(post, [*programs, *visitors]), strict=True))
    for path in programs:
        is_pending(answers[path])
    for path in visitors:
        assert receipt_of(hasty, answers[path])
    assert eventually(lambda: all(at_a_later_try(hasty, path) for path in answers))


def test_when_vitec_refuses_our_login_nothing_is_lost_and_the_visitor_does_not_notice(tmp_path: Path) -> None:
    with run_service(tmp_path, delivery={"wait_seconds": 0.5}, vitec={"paused_probe_seconds": 1}) as service:
        service.office.inject(Fault(status=401))
        posts = {interest_path(): interest(), viewing_path(): booking()}
        for path, body in posts.items():
            is_pending(service.client.post(path, json=body, headers=SITE))
        service.office.clear_faults()
        assert eventually(lambda: all(any(call.carried_out for call in service.received(path)) for path in posts))
