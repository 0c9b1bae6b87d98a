"""The services of docker-compose.yml as processes: visitors through the proxy over TLS, an upgrade under load."""

import contextlib
import itertools
import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import URL

from app.sandbox import Customer, Office, create_sandbox
from tests.acceptance.production import REPLICAS, ROOT, Production, production
from tests.conftest import CUSTOMER, new_database
from tests.servers import eventually, serve

FORM = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
VISITORS = 4


@pytest.fixture(scope="module")
def crm() -> Office:
    return Office([Customer(CUSTOMER, "secret")])


@pytest.fixture(scope="module")
def services(postgresql: URL, crm: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with (
        serve(create_sandbox(crm), drops=True) as vitec_url,
        new_database(postgresql, "template1") as database_url,
        production(tmp_path_factory.mktemp("production"), database_url, vitec_url) as made,
    ):
        yield made


@pytest.fixture(scope="module", autouse=True)
def trickling(services: Production) -> Iterator[ssl.SSLSocket]:
    """A request whose head never ends, started early so that the tests in between need not wait for its end."""
    context = ssl.create_default_context(cafile=services.authority)
    with (
        socket.create_connection(("localhost", services.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(f"GET {FORM} HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".encode())
        yield connection


@pytest.fixture
def office(crm: Office) -> Office:
    crm.reset()
    return crm


@pytest.fixture
def running(services: Production) -> Production:
    """All services, including any that the previous test stopped."""
    for replica in REPLICAS:
        if not services.is_running(replica):
            services.start(replica)
    return services


def interest(number: object) -> dict[str, str]:
    return {
        "firstName": "Anna",
        "lastName": f"Nummer {number}",
        "email.emailAddress": f"anna{number}@example.se",
        "consent": "true",
    }


def test_a_visitor_is_served_over_tls_and_reaches_the_crm(running: Production, office: Office) -> None:
    with running.client() as browser:
        assert "<form" in browser.get(FORM).text
        answer = browser.post(FORM, data=interest("alone"), headers={"Origin": running.url})
        assert answer.status_code == 303, answer.text
        assert "Tack" in browser.get(answer.headers["location"]).text
    (received,) = eventually(lambda: office.received)
    assert received.body["lastName"] == "Nummer alone"


def test_no_answer_reveals_the_server_software(running: Production) -> None:
    with running.client() as browser:
        answers = [browser.get(FORM), browser.get("/nothing"), browser.put(FORM)]
        answers.append(httpx.get(f"http://localhost:{running.plain_port}{FORM}"))
        assert answers[-1].headers["location"] == f"https://localhost{FORM}"
    for port in running.replicas.values():
        answers += [httpx.get(f"http://127.0.0.1:{port}{path}") for path in (FORM, "/nothing")]
    assert [answer.headers.get("server") for answer in answers] == [None] * len(answers)
    through = [answer for answer in answers[:3] if "max-age" in answer.headers["strict-transport-security"]]
    assert len(through) == 3


def test_a_service_that_is_not_given_a_secret_lacks_it(running: Production) -> None:
    assert running.run("worker", "leads", "list").returncode == 0
    assert "console_password: can't read" in running.run("worker", "check").stderr
    assert running.run("app-1", "check").returncode == 0


def test_a_rolling_restart_under_load_fails_no_request_and_loses_nothing(running: Production, office: Office) -> None:
    numbers = itertools.count()
    enough = threading.Event()

    def visit() -> list[tuple[int, int]]:
        """What a visitor after the other got."""
        answers = []
        with running.client() as browser:
            while not enough.wait(0.1):  # so that the worker can follow on a slow machine
                number = next(numbers)
                answer = browser.post(FORM, data=interest(number), headers={"Origin": running.url})
                answers.append((number, answer.status_code))
        return answers

    with ThreadPoolExecutor(VISITORS) as visitors:
        visiting = [visitors.submit(visit) for _ in range(VISITORS)]
        for service in (*REPLICAS, "worker"):
            running.restart(service)
        enough.set()
        answers = [answer for visits in visiting for answer in visits.result()]
    assert {status for _, status in answers} == {303}
    assert len(answers) > 100
    expected = sorted(f"Nummer {number}" for number, _ in answers)
    eventually(lambda: len(office.received) >= len(expected), within=180)
    assert sorted(received.body["lastName"] for received in office.received) == expected


def test_a_replica_reports_that_it_is_stopping_before_it_stops(running: Production) -> None:
    replica = running.running["app-1"]
    with httpx.Client(base_url=f"http://127.0.0.1:{running.replicas['app-1']}") as client:
        replica.terminate()
        eventually(lambda: client.get("/healthz").status_code == 503)
        assert client.get("/readyz").json() == {"status": "stopping"}
        assert client.get(FORM).status_code == 200
    assert replica.wait(60) == 0


def test_while_one_replica_is_gone_the_other_serves(running: Production) -> None:
    running.kill("app-1")
    with running.client() as browser:
        assert [browser.get(FORM).status_code for _ in range(10)] == [200] * 10


def test_while_no_replica_is_there_the_proxy_says_so_and_recovers(running: Production) -> None:
    running.kill(*REPLICAS)
    with running.client() as browser:
        answer = browser.post(FORM, data=interest("away"), headers={"Origin": running.url})
        assert answer.status_code in {502, 503}
        assert "gå tillbaka och skicka igen" in answer.text
        assert answer.headers["retry-after"] == "30"
        assert "server" not in answer.headers
        assert "max-age" in answer.headers["strict-transport-security"]
        running.start("app-1")
        eventually(lambda: browser.get(FORM).status_code == 200)


def test_a_connection_that_trickles_is_closed_by_the_proxy(trickling: ssl.SSLSocket) -> None:
    trickling.settimeout(60)
    assert trickling.recv(1000) == b""


@contextlib.contextmanager
def connected(services: Production) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=services.authority)
    with (
        socket.create_connection(("localhost", services.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        yield connection


def asked(connection: ssl.SSLSocket, request: str) -> str:
    """Reads one answer, by its Content-Length."""
    connection.sendall(request.encode())
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        if length and len(body) >= int(length[1]):
            break
    return answer.decode()


def check_of(name: str) -> str:
    return f"GET /embed/check?customer={name} HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    "upgrade", ["Connection: Upgrade\r\nUpgrade: foo\r\n", "Connection: Upgrade\r\nUpgrade: h2c\r\n"]
)
def test_every_client_gets_the_answer_to_its_own_request(running: Production, upgrade: str) -> None:
    """Someone hides a request behind an upgrade. Through the proxy, the next visitor could get its answer."""
    hidden = check_of("hidden") + "X-Forwarded-For: 203.0.113.9\r\n\r\n"
    with connected(running) as stranger, connected(running) as visitor:
        for number in range(200):
            answer = asked(
                stranger,
                f"POST /nothing HTTP/1.1\r\nHost: localhost\r\n{upgrade}Content-Length: {len(hidden)}\r\n\r\n{hidden}",
            )
            assert answer.startswith("HTTP/1.1 404"), answer[:300]
            answer = asked(visitor, check_of(f"visitor{number}") + "\r\n")
            assert f'"customer":"visitor{number}"' in answer, answer[:500]


def test_the_proxy_does_not_reveal_its_software(running: Production) -> None:
    with running.client() as browser:
        assert not {"server", "via"} & set(browser.get(FORM).headers)


def test_a_head_that_is_too_large_ends_at_the_proxy(running: Production) -> None:
    with running.client() as browser:
        assert browser.get("/healthz", headers={"X-Long": "a" * 40_000}).status_code == 431


def test_the_proxys_log_leaves_out_the_request() -> None:
    """Caddy logs it whenever a visitor leaves before the end of an answer."""
    adapt = ["caddy", "adapt", "--adapter", "caddyfile", "--config", str(ROOT / "deploy/Caddyfile")]
    adapted = json.loads(subprocess.run(adapt, check=True, capture_output=True).stdout)
    [log] = adapted["logging"]["logs"].values()
    assert log["encoder"]["fields"]["request"] == {"filter": "delete"}
