"""`/metrics` of a running service, on either database: access and content."""

import re
from collections.abc import Callable, Mapping

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.bootstrap.web_app import create_worker_app
from app.metrics import gauges
from app.sandbox import Fault, Office
from tests.conftest import API_KEY, CUSTOMER, Configure
from tests.servers import client_of, eventually, serve

Start = Callable[..., httpx.Client]
PERSON = {"firstName": "Anna", "lastName": "Andersson", "email": {"emailAddress": "anna@example.se"}}
INTEREST = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"


@pytest.fixture(autouse=True)
def _always_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "SHORTEST_SECONDS", 0)
    monkeypatch.setattr(gauges, "SHARE", 1e9)


@pytest.fixture
def service(database_url: str, start: Start) -> httpx.Client:
    return start(database_url=database_url)


def metric(client: httpx.Client, name: str, **labels: str) -> float | None:
    """A sample's value. Labels that are not given may have any value."""
    for family in text_string_to_metric_families(client.get("/metrics").raise_for_status().text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


def post(client: httpx.Client, body: Mapping[str, object] = PERSON) -> None:
    answer = client.post(INTEREST, json=body, headers={"Authorization": f"Bearer {API_KEY}", "Prefer": "respond-async"})
    assert answer.status_code in {200, 202, 400}, answer.text


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic dG9rZW46dG9rZW4=", "Bearer", "Bearer tokén"])
def test_with_a_configured_token_metrics_need_it(start: Start, authorization: str) -> None:
    client = start(metrics_token="token")
    answer = client.get("/metrics", headers={b"Authorization": authorization.encode()})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "intresse_" not in answer.text


def test_the_token_gives_access_to_the_metrics(start: Start) -> None:
    client = start(metrics_token="token")
    assert client.get("/metrics", headers={"Authorization": "Bearer token"}).status_code == 200


def test_without_a_configured_token_only_this_machine_may_read_metrics(start: Start) -> None:
    client = start(trusted_proxies=["127.0.0.1"])
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403


def test_without_a_token_a_proxy_that_is_not_trusted_opens_nothing(start: Start) -> None:
    client = start()
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        assert client.get("/metrics", headers={name: "127.0.0.1"}).status_code == 403


def test_what_was_accepted_and_delivered_is_counted_and_its_call_timed(service: httpx.Client) -> None:
    for name in ("Anna", "Bo"):
        post(service, PERSON | {"firstName": name})
    whose = {"customer": CUSTOMER, "operation": "interest"}
    eventually(lambda: metric(service, "intresse_settled_total", **whose, status="delivered") == 2)
    assert metric(service, "intresse_accepted_total", **whose) == 2
    assert metric(service, "intresse_upstream_seconds_count", **whose) == 2
    assert metric(service, "intresse_waiting", **whose) is None


def test_waiting_submissions_are_reported_with_the_age_of_the_oldest(service: httpx.Client, office: Office) -> None:
    office.inject(Fault(status=503))
    post(service)
    whose = {"customer": CUSTOMER, "operation": "interest"}
    assert metric(service, "intresse_waiting", **whose) == 1
    assert 0 < (metric(service, "intresse_waiting_oldest_seconds", **whose) or 0) < 60


def test_a_refused_login_is_reported_and_the_service_stays_ready(service: httpx.Client, office: Office) -> None:
    office.inject(Fault(status=401))
    post(service)
    eventually(lambda: metric(service, "intresse_login_paused", customer=CUSTOMER, function_group="advertising") == 1)
    assert metric(service, "intresse_login_paused", customer=CUSTOMER, function_group="crm") == 0
    assert service.get("/readyz").status_code == 200


def test_stopped_submissions_are_reported_until_an_operator_deals_with_them(
    service: httpx.Client, office: Office
) -> None:
    office.inject(Fault(status=400))
    post(service)
    eventually(lambda: metric(service, "intresse_need_a_person", customer=CUSTOMER, status="rejected") == 1)
    assert metric(service, "intresse_settled_total", customer=CUSTOMER, operation="interest", status="rejected") == 1


def test_metrics_contain_no_personal_data(service: httpx.Client) -> None:
    post(service)
    page = service.get("/metrics").text
    assert not re.search("anna|andersson|example.se|OBJ1", page, re.IGNORECASE)


def test_openmetrics_is_served_on_request(service: httpx.Client) -> None:
    answer = service.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_the_database_is_queried_only_at_intervals(
    database_url: str, start: Start, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "SHORTEST_SECONDS", 60)
    service = start(database_url=database_url)
    office.inject(Fault(status=503))
    assert metric(service, "intresse_waiting") is None
    post(service)
    assert metric(service, "intresse_accepted_total", customer=CUSTOMER, operation="interest") == 1
    assert metric(service, "intresse_waiting") is None


def test_a_separate_worker_serves_its_own_metrics(database_url: str, start: Start, configure: Configure) -> None:
    client = start(database_url=database_url, deliver=False)
    with serve(create_worker_app(configure(database_url=database_url))) as url, client_of(url) as worker:
        post(client)
        whose = {"customer": CUSTOMER, "operation": "interest"}
        eventually(lambda: metric(worker, "intresse_settled_total", **whose, status="delivered") == 1)
        assert metric(worker, "intresse_upstream_seconds_count", **whose) == 1
        assert metric(client, "intresse_settled_total", **whose, status="delivered") == 0
        assert worker.get("/readyz").status_code == 200
