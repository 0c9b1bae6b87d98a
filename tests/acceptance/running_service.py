"""A running service with three customers and its own sandbox CRM, and requests to both."""

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.config.settings import Settings
from app.sandbox import Customer, Office, Received, create_sandbox
from tests.acceptance.bodies import (
    CUSTOMER,
    FULL,
    KEYS,
    ORIGIN,
    PHONE,
    PLAIN,
    PUBLIC_URL,
    SITE,
    Members,
    customer_of,
    faults_of,
    interest,
    interest_path,
    key,
)
from tests.acceptance.html_page import Page, page_of
from tests.databases import migrated_app
from tests.servers import client_of, eventually, serve


def customers() -> list[Members]:
    """The customers' tables of the configuration."""
    unlimited = {"rate_limit": "100000/minute", "rate_limit_person": "100000/day"}
    return [
        table | unlimited | {"api_key_hashes": [sha256(KEYS[table["id"]].encode()).hexdigest()]} for table in _TABLES
    ]


_TABLES: list[Members] = [
    {
        "id": CUSTOMER,
        "name": "Mäklarhuset",
        "password": "secret",
        "allowed_origins": [ORIGIN, "https://*.granne.se"],
        "privacy_url": f"{ORIGIN}/integritet",
        "phone": PHONE,
        "email": "info@maklarhuset.se",
        "valuation": {},
        "final_price": {},
    },
    {"id": PLAIN, "name": "Granngården", "password": "other", "allowed_origins": [ORIGIN], "language": "en"},
    {
        "id": FULL,
        "name": "Allt ifyllt",
        "password": "third",
        "allowed_origins": [ORIGIN],
        "collect_personnummer": True,
        "interest": {"lead_source_id": "LS1", "assignment_source_id": "AS1", "status": "VeryInterested"},
        "viewing": {
            "lead_source_id": "LS2",
            "reminder_minutes": 90,
            "sms_reminder": False,
            "mail_confirmation": False,
            "sms_confirmation": True,
            "validate_deadline": False,
            "validate_booking_limit": False,
        },
        "valuation": {"lead_source_id": "LS3", "assignment_source_id": "AS3", "receiver_user_id": "U3"},
        "final_price": {"lead_source_id": "LS4", "status": "Assigned"},
    },
]


@dataclass(frozen=True)
class RunningService:
    """A running service and the CRM behind it."""

    client: httpx.Client
    office: Office

    @property
    def url(self) -> str:
        return str(self.client.base_url)

    def received(self, path: str) -> list[Received]:
        """The calls that the CRM received at this path, which is Vitec's as well as ours."""
        return [received for received in list(self.office.received) if received.path == path]

    def delivered(self, path: str) -> Received:
        """Waits for the one call at this path; asserts that it was carried out and had no unknown members."""
        call = eventually(lambda: self.received(path))[0]
        assert call.unknown_members == ()
        assert call.status in {200, 204}, call.answer
        return call

    def sent(self, path: str, body: Members, **headers: str) -> Members:
        """Posts JSON with the customer's key; returns the body that the CRM received."""
        answer = self.client.post(path, json=body, headers=key(customer_of(path)) | headers)
        assert answer.status_code == 200, answer.text
        return dict(self.delivered(path).body)

    def published(self, path: str, body: Members, **headers: str) -> Members:
        """Posts JSON from an allowed page, without a key; returns the body that the CRM received."""
        answer = self.client.post(path, json=body, headers=SITE | headers)
        assert answer.status_code == 200, answer.text
        return dict(self.delivered(path).body)

    def submitted(self, path: str, fields: Mapping[str, str], **headers: str) -> Members:
        """Posts a form from an allowed page, without a key; returns the body that the CRM received."""
        answer = self.client.post(path, data=dict(fields), headers=SITE | headers)
        assert answer.status_code == 303, answer.text
        return dict(self.delivered(path).body)

    def faults(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> dict[str, str]:
        """Posts JSON that must be refused; returns the message of each field with an error."""
        answer = self.client.post(path, json=body, headers=key(customer_of(path)) if headers is None else headers)
        return faults_of(answer)

    def nothing_at(self, path: str) -> bool:
        """Whether the CRM received nothing at this path by the time that a later submission has arrived."""
        later = interest_path()
        assert self.client.post(later, json=interest(), headers=key()).status_code == 200
        return not self.received(path)

    def page(self, path: str, **headers: str) -> Page:
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        return page_of(answer)

    def raw(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """A request with the target exactly as written, including dots."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def settings(folder: Path, vitec_url: str, **top: Any) -> Settings:
    """Settings with a long `wait_seconds`, so that answers contain the outcome; the keywords `vitec`, `delivery` and
    `customers` add to ours."""
    mine = {table["id"]: table for table in customers()}
    for table in top.pop("customers", []):
        mine[table["id"]] = mine[table["id"]] | table
    fast = {"requests_per_second": 10_000.0, "concurrency": 16, "concurrency_per_customer": 8}
    return Settings.model_validate(
        {
            "secret_key": "a secret key for the tests alone",
            "encryption_keys": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "database_url": f"sqlite:///{folder}/intresse.db",
            "public_url": PUBLIC_URL,
            "vitec": {"base_url": vitec_url, "username": "partner"} | fast | top.pop("vitec", {}),
            "delivery": {"wait_seconds": 20, "retry_seconds": [1]} | top.pop("delivery", {}),
            "customers": list(mine.values()),
            **top,
        }
    )


@contextmanager
def run_service(folder: Path, *, demo: bool = False, deliver: bool = True, **top: Any) -> Iterator[RunningService]:
    """Runs the service of `settings`. Tests that use their own paths don't affect each other."""
    office = Office([Customer(CUSTOMER, "secret"), Customer(PLAIN, "other"), Customer(FULL, "third")])
    with (
        serve(create_sandbox(office), drops=True) as vitec_url,
        serve(migrated_app(settings(folder, vitec_url, **top), demo=demo, deliver=deliver)) as url,
        client_of(url) as client,
    ):
        yield RunningService(client, office)
