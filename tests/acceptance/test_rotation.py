"""Encryption keys are rotated while visitors post: nothing is lost, and the old key can be removed."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from app.bootstrap.web_app import create_app
from app.sandbox import Office
from tests.acceptance.commands import Intresse
from tests.conftest import API_KEY, CUSTOMER, Configure
from tests.servers import client_of, eventually, serve

OLD = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
NEW = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
KEPT = 150  # before the keys are changed: more than are sealed in one transaction
VISITORS = 2
ARRIVED = ("delivered", True)
KEY = {"Authorization": f"Bearer {API_KEY}"}


def post(client: httpx.Client, name: str) -> str:
    """Posts a booking, whose answer from Vitec is stored too; returns its id."""
    person = {"firstName": "Anna", "lastName": name, "email": {"emailAddress": "anna@example.se"}}
    path = f"/Viewing/{CUSTOMER}/VIS1/SLOT1/Participant"
    answer = client.post(path, json={"updatePerson": person}, headers={**KEY, "Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def posting(url: str, visitor: int, enough: threading.Event) -> dict[str, str]:
    """Posts until `enough` is set; returns the name in each submission, by id."""
    with client_of(url) as client:
        sent: dict[str, str] = {}
        while not enough.wait(0.05):
            name = f"Ek {visitor}:{len(sent)}"
            sent[post(client, name)] = name
    return sent


def outcome_of(client: httpx.Client, submission_id: str) -> tuple[str, bool]:
    """The submission's status, and whether Vitec's answer can be read."""
    status = client.get(f"/submissions/{submission_id}", headers=KEY).json()
    return status["status"], bool(status["result"])


def test_keys_are_changed_while_visitors_post(
    configure: Configure, shell: Intresse, intresse: Intresse, office: Office, database_url: str
) -> None:
    @contextmanager
    def served(keys: str, *, deliver: bool = True) -> Iterator[httpx.Client]:
        app = create_app(configure(encryption_keys=keys, database_url=database_url), deliver=deliver)
        with serve(app) as url, client_of(url) as client:
            yield client

    shell("migrate", database_url=database_url)
    with served(OLD) as client:
        sent = {post(client, f"delivered:{number}"): f"delivered:{number}" for number in range(3)}
        eventually(lambda: {outcome_of(client, submission_id) for submission_id in sent} == {ARRIVED})
    with served(OLD, deliver=False) as client:
        sent |= {post(client, f"before:{number}"): f"before:{number}" for number in range(KEPT)}
    enough = threading.Event()
    with served(f"{NEW},{OLD}") as client, ThreadPoolExecutor(VISITORS) as visitors:
        visiting = [visitors.submit(posting, str(client.base_url), number, enough) for number in range(VISITORS)]
        rotated = shell("rotate-keys", encryption_keys=f"{NEW},{OLD}", database_url=database_url)
        enough.set()
        for visit in visiting:
            assert visit.result()
            sent |= visit.result()
    assert rotated.returncode == 0, rotated.stderr
    assert "Re-encrypted: 0" not in rotated.stdout
    with served(NEW) as client:
        eventually(lambda: len(office.received) >= len(sent), within=60)
        again = intresse("rotate-keys", encryption_keys=NEW, database_url=database_url)
        assert "Re-encrypted: 0" in again.stdout  # nothing is left that needs another key
        eventually(lambda: {outcome_of(client, submission_id) for submission_id in sent} == {ARRIVED})
    names = [received.body["updatePerson"]["lastName"] for received in office.received]
    assert sorted(names) == sorted(sent.values())
