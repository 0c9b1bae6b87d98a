"""A worker is killed in the middle of chains: the next one resumes, and a finished step is never sent again."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.bootstrap.web_app import create_app
from app.config.settings import Settings
from app.sandbox import Customer, Fault, Office, Received
from app.storage.database import Database
from app.storage.migrations import upgrade
from tests.acceptance.bodies import CUSTOMER, FULL, key
from tests.acceptance.commands import ROOT, command, written
from tests.acceptance.running_service import settings
from tests.servers import client_of, eventually, serve

LEAD = {"lead_source_id": "WEB", "assigned_to_id": "GROUP1"}
CUSTOMERS: list[dict[str, Any]] = [
    {"id": CUSTOMER, "lead": LEAD},
    {"id": FULL, "lead": LEAD, "on_ambiguous": "park"},
]


@pytest.fixture
def office() -> Office:
    return Office([Customer(CUSTOMER, "secret"), Customer(FULL, "third")])


@pytest.fixture
def configuration(tmp_path: Path, vitec_url: str, database_url: str) -> Settings:
    if database_url.startswith("postgresql"):
        database = Database(database_url)
        assert upgrade(database)
        database.close()
    delivery = {"retry_seconds": [1], "lease_seconds": 5, "wait_seconds": 0}
    return settings(tmp_path, vitec_url, customers=CUSTOMERS, delivery=delivery, database_url=database_url)


@contextmanager
def worker(configuration: Settings, folder: Path) -> Iterator[None]:
    """`intresse deliver` in a process of its own, killed at the end."""
    environment = written(configuration, folder)
    with (folder / "deliver.log").open("a") as log:
        process = subprocess.Popen(command("deliver"), cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def book(client: httpx.Client, customer: str, slot: str) -> str:
    """Posts a booking; returns its id. The visitor's name is the slot's, to distinguish the contacts."""
    answer = client.post(
        f"/Viewing/{customer}/VIS1/{slot}/Participant?utm_source={slot}",
        json={"updatePerson": {"firstName": slot, "lastName": "Å", "email": {"emailAddress": f"{slot}@example.se"}}},
        headers=key(customer),
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def calls(office: Office, slot: str) -> list[str]:
    """The operations that the CRM received for the booking of this slot."""
    booked = [call for call in list(office.received) if f"/{slot}/" in call.path]
    after = [call for call in list(office.received) if booked and _is_on(call, booked[0].contact_id or "")]
    return [str(one.operation) for one in sorted(booked + after, key=lambda one: one.number)]


def _is_on(call: Received, contact: str) -> bool:
    on_lead = isinstance(call.body, dict) and call.body.get("contactId") == contact
    return on_lead or call.path.endswith(f"/{contact}")


def test_after_a_crash_each_chain_resumes_at_the_next_step(
    configuration: Settings, office: Office, tmp_path: Path
) -> None:
    with (
        serve(create_app(configuration, deliver=False)) as url,
        client_of(url) as client,
    ):

        def caught(customer: str, slot: str, operation: str) -> str:
            """A booking whose chain hangs in this operation."""
            office.inject(Fault(delay_seconds=60, operation=operation, customer_id=customer, times=1))
            submission_id = book(client, customer, slot)
            eventually(lambda: calls(office, slot)[-1:] == [operation])
            return submission_id

        def steps(submission_id: str, customer: str) -> tuple[str, list[str]]:
            body = client.get(f"/submissions/{submission_id}", headers=key(customer)).json()
            return body["status"], [step["status"] for step in body["steps"]]

        with worker(configuration, tmp_path):
            contact = caught(CUSTOMER, "contact", "contact")
            lead = caught(CUSTOMER, "lead", "lead")
            parked = caught(FULL, "parked", "lead")
            viewing = caught(CUSTOMER, "viewing", "viewing")
        assert steps(contact, CUSTOMER) == ("delivered", ["delivered", "sending", "waiting"])
        assert steps(viewing, CUSTOMER)[0] == "pending"
        with worker(configuration, tmp_path):
            done = ("delivered", ["delivered"] * 3)
            eventually(lambda: steps(contact, CUSTOMER) == done)
            eventually(lambda: steps(lead, CUSTOMER) == done)
            eventually(lambda: steps(viewing, CUSTOMER) == done)
            eventually(lambda: steps(parked, FULL) == ("delivered", ["delivered", "delivered", "uncertain"]))
        assert calls(office, "contact") == ["viewing", "contact", "contact", "lead"]
        assert calls(office, "lead") == ["viewing", "contact", "lead", "lead"]
        assert calls(office, "parked") == ["viewing", "contact", "lead"]
        assert calls(office, "viewing") == ["viewing", "viewing", "contact", "lead"]


def test_a_worker_that_stops_in_order_leaves_the_rest_to_the_next(
    tmp_path: Path, vitec_url: str, office: Office
) -> None:
    configuration = settings(tmp_path, vitec_url, customers=CUSTOMERS, delivery={"retry_seconds": [1]})
    office.inject(Fault(delay_seconds=1, operation="contact", times=1))
    with serve(create_app(configuration)) as url, client_of(url) as client:
        answer = client.post(
            f"/Viewing/{CUSTOMER}/VIS1/S1/Participant?utm_source=x",
            json={"updatePerson": {"firstName": "A", "lastName": "B", "email": {"emailAddress": "a@example.se"}}},
            headers=key(),
        )
        assert answer.status_code == 200
        eventually(lambda: len(office.received) == 2)
    with serve(create_app(configuration)):
        eventually(lambda: len(office.leads) == 2)
    assert calls(office, "S1") == ["viewing", "contact", "lead"]
