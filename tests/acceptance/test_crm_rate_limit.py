"""However many lookups there are, calls to Vitec stay within the rate limit, and no lead waits for them."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from app.bootstrap.personal_link import make_link
from app.sandbox import Fault, Person
from tests.acceptance.bodies import CUSTOMER, PUBLIC_URL, SITE, interest, interest_path, key
from tests.acceptance.running_service import RunningService, run_service, settings
from tests.servers import eventually

SETTINGS = settings(Path("nowhere"), "http://127.0.0.1:1")
PER_SECOND = 10
LOOK_UPS = 400


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.web.personal.contact_names.UNKNOWN_SECONDS", 60)  # a busy machine may take five for a test
        with run_service(tmp_path_factory.mktemp("pace"), vitec={"requests_per_second": PER_SECOND}) as service:
            yield service


@pytest.fixture(autouse=True)
def _nothing_received(service: RunningService) -> Iterator[None]:
    service.office.reset()
    service.office.contacts[CUSTOMER, "C1"] = Person(id="C1", customer_id=CUSTOMER, first_name="Anna", last_name="Ek")
    yield
    service.office.clear_faults()


def lookups(service: RunningService) -> int:
    return sum(received.operation == "contact" for received in list(service.office.received))


def test_many_lookups_stay_within_the_rate_limit_and_delay_no_lead(service: RunningService) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(60) as pool:

        def ask(number: int) -> int:
            return service.client.get(f"/CRM/Contact/{CUSTOMER}/C{number}", headers=key()).status_code

        asked = [pool.submit(ask, number) for number in range(LOOK_UPS)]
        eventually(lambda: lookups(service) >= 3)
        path = interest_path()
        accepted = service.client.post(path, json=interest(), headers=SITE | {"Prefer": "respond-async"})
        assert accepted.status_code == 202
        [lead] = eventually(lambda: service.received(path))
        statuses = {future.result() for future in asked}
    seconds = time.monotonic() - began
    assert statuses <= {200, 404, 503}
    assert 503 in statuses
    submission = service.client.get(f"/submissions/{accepted.json()['id']}", headers=key()).json()
    accepted_at = datetime.fromisoformat(submission["receivedAt"])
    # Not in seconds, of which a busy machine takes many.
    between = [call for call in service.office.received if accepted_at < call.at < lead.at]
    assert len(between) <= 2 * PER_SECOND
    assert lookups(service) <= seconds * PER_SECOND + 2


def test_the_same_question_at_once_is_asked_once(service: RunningService) -> None:
    service.office.inject(Fault(delay_seconds=0.5))
    start = threading.Barrier(10)
    with ThreadPoolExecutor(10) as pool:

        def ask(_: int) -> int:
            start.wait()
            return service.client.get(f"/CRM/Contact/{CUSTOMER}/C1", headers=key()).status_code

        assert set(pool.map(ask, range(10))) == {200}
    assert lookups(service) == 1


def test_a_link_opened_repeatedly_while_vitec_fails_causes_one_call(service: RunningService) -> None:
    service.office.inject(Fault(status=503))
    path = make_link(SETTINGS, CUSTOMER, "C1", "loan-promise", "1d").removeprefix(PUBLIC_URL)
    assert {service.client.get(path).status_code for _ in range(100)} == {200}
    assert lookups(service) == 1
