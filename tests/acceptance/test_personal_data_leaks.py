"""A made-up person goes through every part of the service, errors included. Nothing that it writes names the person."""

import base64
import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import pytest

from app.bootstrap.personal_link import make_link
from app.sandbox import Fault, Office, Person
from tests.acceptance.commands import ROOT, command, written
from tests.acceptance.html_page import page_of
from tests.conftest import API_KEY, CUSTOMER, ORIGIN, Configure
from tests.servers import eventually, free_port, wait_until_ready

# Nothing else in the world is called so.
FIRST, LAST, EMAIL, PHONE = "Kanariefågelina", "Zwitscherström", "kvitter.zwitsch@canary-example.se", "+46701740699"
STREET, MESSAGE, NUMBER, CONTACT = "Fjäderpennegränd 77", "Trillerdrillar om natten", "196408233234", "CANARYCONTACT7"
ANNA = {"firstName": FIRST, "lastName": LAST, "email": {"emailAddress": EMAIL}, "contactMessage": MESSAGE}
HOME = {"address": {"streetAddress": STREET}, "telephone": {"cell": PHONE}, "socialSecurityNumber": NUMBER}
FORM = {"firstName": FIRST, "lastName": LAST, "email.emailAddress": EMAIL, "contactMessage": MESSAGE}
FORM |= {"address.streetAddress": STREET, "consent": "true"}
KEY = {"Authorization": f"Bearer {API_KEY}"}
SITE = {"Origin": ORIGIN}
SECRETS = ("canary-vitec-password", "canary-crm-password", API_KEY, "canary secret key of the service")
LEAD = {"lead_source_id": "LS1", "assigned_to_id": "U1"}
INTEREST = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
VIEWING = f"/Viewing/{CUSTOMER}/VIS1/SLOT1/Participant"


def spellings(text: str) -> set[bytes]:
    """The forms in which it may appear in a log, a page, a path or a column."""
    plain = {text, text.lower(), text.upper(), quote(text), quote_plus(text), json.dumps(text)[1:-1]}
    encoded = {base64.b64encode(text.encode()).decode(), text.encode().hex(), repr(text.encode())[2:-1]}
    return {spelling.encode() for spelling in plain | encoded} | {text.encode("utf-16-le")}


TYPED = "070-174 06 99"
PERSON = (FIRST, LAST, EMAIL, EMAIL.partition("@")[0], PHONE, PHONE[3:], TYPED, STREET, MESSAGE, NUMBER, CONTACT)


def found_in(content: bytes, texts: tuple[str, ...] = PERSON) -> list[str]:
    return [text for text in texts if any(spelling in content for spelling in spellings(text))]


@dataclass(frozen=True)
class ServiceProcess:
    """The service in a process of its own, its output so far, and the files that it writes."""

    client: httpx.Client
    office: Office
    folder: Path
    process: subprocess.Popen[bytes]
    personal: dict[str, str]

    @property
    def output(self) -> bytes:
        return (self.folder / "out").read_bytes() + (self.folder / "err").read_bytes()

    def files(self) -> Iterator[tuple[str, bytes]]:
        for path in sorted((self.folder / "data").iterdir()):
            yield path.name, path.read_bytes()


@pytest.fixture
def service(configure: Configure, office: Office, tmp_path: Path) -> Iterator[ServiceProcess]:
    port = free_port()
    vitec, crm, _, secret = SECRETS
    office.customers[CUSTOMER] = type(office.customers[CUSTOMER])(CUSTOMER, vitec, crm)
    office.contacts[CUSTOMER, CONTACT] = Person(id=CONTACT, customer_id=CUSTOMER, first_name=FIRST)
    settings = configure(
        customer={"password": vitec, "crm_password": crm, "lead": LEAD, "collect_personnummer": True}
        | {"rate_limit": "60/minute", "rate_limit_person": "40/day"},
        delivery={"retry_seconds": [1], "wait_seconds": 2},
        vitec={"timeout_seconds": 1, "paused_probe_seconds": 1},
        secret_key=secret,
        database_url=f"sqlite:///{tmp_path}/data/intresse.db",
        public_url=f"http://127.0.0.1:{port}",
    )
    links = {form: make_link(settings, CUSTOMER, CONTACT, form, "1d") for form in ("contact", "loan-promise")}
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        process = subprocess.Popen(
            command("serve", "--port", str(port)), cwd=ROOT, env=written(settings, tmp_path), stdout=out, stderr=err
        )
        try:
            with httpx.Client(base_url=settings.public_url, timeout=30) as client:
                wait_until_ready(client)
                yield ServiceProcess(client, office, tmp_path, process, links)
        finally:
            process.kill()
            process.wait()


def send_successful_requests(service: ServiceProcess) -> None:
    client = service.client
    page = page_of(client.get(f"{INTEREST}?utm_source=google"))
    client.get(page.submit(client, FORM).headers["location"])
    assert client.post(VIEWING, data={**FORM, "cellPhone": TYPED}, headers=SITE).status_code == 303
    answer = client.post(INTEREST, json=ANNA | HOME | {"consent": True}, headers=SITE)
    assert answer.status_code == 200
    client.get(answer.headers["location"], headers=KEY)
    client.post(f"/CRM/Lead/{CUSTOMER}", json={"contactId": CONTACT, "message": MESSAGE}, headers=KEY)
    client.post(f"/CRM/Buyer/{CUSTOMER}/{CONTACT}/LoanPromise", json={"bank": "SBAB"}, headers=KEY)
    client.get(f"/CRM/Contact/{CUSTOMER}/{CONTACT}", headers=KEY)
    for link in service.personal.values():
        page = page_of(client.get(link))
        page.submit(client, {"message": MESSAGE, "bank": "SBAB", "validUntil": "2027-03-31"})


def send_refused_requests(service: ServiceProcess) -> None:
    client = service.client
    long = FORM | {"firstName": FIRST * 9, "email.emailAddress": f"{EMAIL} {EMAIL}"}
    client.post(INTEREST, data=long, headers=SITE)
    client.post(INTEREST, json=ANNA | {"consent": True, FIRST: LAST, "status": MESSAGE}, headers=SITE)
    client.post(INTEREST, data=FORM, headers={"Origin": "https://evil.example"})
    client.post(INTEREST, content=f'{{"firstName": "{FIRST}", {LAST}'.encode(), headers=SITE | JSON)
    client.post(INTEREST, content=FIRST.encode(), headers=SITE | {"Content-Type": "text/plain"})
    client.post(INTEREST, files={"firstName": (FIRST, LAST.encode())}, headers=SITE)
    client.post(INTEREST, json=ANNA, headers={"Authorization": f"Bearer {EMAIL}"})
    client.post(INTEREST, json=ANNA, headers=KEY | {"Idempotency-Key": EMAIL})
    client.post(INTEREST, json=ANNA | {"lastName": "Ek"}, headers=KEY | {"Idempotency-Key": EMAIL})
    for path in (f"/{FIRST}", f"{INTEREST}?referrer=https://x.se/{EMAIL}&title={FIRST}", f"/personal/{EMAIL}"):
        client.get(path, headers={"User-Agent": EMAIL, "Referer": f"https://x.se/{quote(LAST)}"})
    client.post(INTEREST, data=FORM | {"lastName": "www.canary.example"}, headers=SITE)  # held


JSON = {"Content-Type": "application/json"}
ECHO = json.dumps({"message": f"{FIRST} {LAST} ({EMAIL}) finns redan", "modelState": {"person.email": [EMAIL]}})
FAULTS = [
    Fault(status=400, body=ECHO, times=1),
    Fault(status=500, body=ECHO, times=1),
    Fault(status=503, times=1),
    Fault(status=401, times=1),
    Fault(delay_seconds=2, times=1),
]


def send_while_vitec_fails(service: ServiceProcess) -> None:
    for number, fault in enumerate(FAULTS):
        service.office.inject(fault)
        service.client.post(INTEREST, json=ANNA | {"contactMessage": f"{MESSAGE} {number}"}, headers=KEY)


def settled(service: ServiceProcess) -> bool:
    """Whether every attempt has been made and none is due."""
    return service.output.count(b'"status": "delivered"') >= 10


def test_personal_data_is_written_nowhere_in_the_clear(service: ServiceProcess) -> None:
    send_successful_requests(service)
    send_refused_requests(service)
    send_while_vitec_fails(service)
    eventually(lambda: settled(service))
    assert service.output.count(b'"level": "error"') >= 2  # it went wrong where it should
    others = b"".join(
        service.client.get(path, headers={"Accept": accept}).content
        for path in ("/metrics", "/healthz", "/readyz", "/openapi.json", INTEREST, "/nothing", "/console")
        for accept in ("text/html", "application/json")
    )
    assert found_in(others, PERSON + SECRETS) == []
    files = list(service.files())
    assert {"intresse.db", "intresse.db-wal"} <= {name for name, _ in files}
    for name, content in files:
        assert found_in(content, PERSON + SECRETS) == [], name
    errors = service.output.count(b'"level": "error"')
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(30)
    assert service.output.count(b'"level": "error"') == errors  # a stop is none
    assert found_in(service.output, PERSON + SECRETS) == []
    assert b"Traceback" not in service.output


def test_the_search_finds_planted_personal_data() -> None:
    for text in PERSON:
        assert found_in(f'{{"detail": {json.dumps(text)}}}'.encode()) != []
    assert found_in(b"Anna Andersson, 070-123 45 67") == []
