"""What the contract's tests share: a service before its own sandbox CRM, bodies to post, pages as read."""

import base64
import copy
import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from app.main import create_app
from app.settings import Settings
from app.vitec.sandbox import Customer, Office, Received, serve_sandbox
from tests.serving import eventually, serve

CUSTOMER = "M12345"  # a privacy page, so consent is asked for; no personnummer
PLAIN = "M67890"  # nothing configured that needs not be; English
FULL = "M22222"  # everything configured; personnummer collected
KEYS = {CUSTOMER: "a-key-of-the-first", PLAIN: "a-key-of-the-second", FULL: "a-key-of-the-third"}
ORIGIN = "https://www.maklarhuset.se"
PUBLIC_URL = "https://leads.example.se"
SITE = {"Origin": ORIGIN}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
PHONE = "08-123 456 78"  # whom a visitor turns to

Members = dict[str, Any]
_numbers = count(1)


def key(customer: str = CUSTOMER) -> dict[str, str]:
    return {"Authorization": f"Bearer {KEYS[customer]}"}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def customers() -> list[Members]:
    """Their tables in the configuration."""
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
    },
]


@dataclass(frozen=True)
class Desk:
    """A running service and the CRM behind it."""

    client: httpx.Client
    office: Office

    @property
    def url(self) -> str:
        return str(self.client.base_url)

    def received(self, path: str) -> list[Received]:
        """What the CRM got at this path, which is ours as well as Vitec's."""
        return [received for received in list(self.office.received) if received.path == path]

    def delivered(self, path: str) -> Received:
        """The one call that arrives at this path, carried out, with no member that Vitec doesn't know."""
        call = eventually(lambda: self.received(path))[0]
        assert call.unknown_members == ()
        assert call.status in {200, 204}, call.answer
        return call

    def sent(self, path: str, body: Members, **headers: str) -> Members:
        """Posts JSON with the customer's key; the body that the CRM got."""
        answer = self.client.post(path, json=body, headers=key(customer_of(path)) | headers)
        assert answer.status_code == 200, answer.text
        return dict(self.delivered(path).body)

    def published(self, path: str, body: Members, **headers: str) -> Members:
        """Posts JSON from an allowed page, without a key; the body that the CRM got."""
        answer = self.client.post(path, json=body, headers=SITE | headers)
        assert answer.status_code == 200, answer.text
        return dict(self.delivered(path).body)

    def submitted(self, path: str, fields: Mapping[str, str], **headers: str) -> Members:
        """Posts a form from an allowed page, without a key; the body that the CRM got."""
        answer = self.client.post(path, data=dict(fields), headers=SITE | headers)
        assert answer.status_code == 303, answer.text
        return dict(self.delivered(path).body)

    def faults(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> dict[str, str]:
        """Posts JSON that is refused: each faulty field with its message."""
        answer = self.client.post(path, json=body, headers=key(customer_of(path)) if headers is None else headers)
        return faults_of(answer)

    def nothing_at(self, path: str) -> bool:
        """Whether the CRM got nothing at this path, asked once a later submission has passed."""
        later = interest_path()
        assert self.client.post(later, json=interest(), headers=key()).status_code == 200
        return not self.received(path)

    def page(self, path: str, **headers: str) -> "Page":
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        return page_of(answer)

    def raw(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """With the target exactly as written, dots and all."""
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
    """`wait_seconds` is long, so that an answer tells the outcome; `vitec`, `delivery` and `customers` add to ours."""
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
def open_desk(folder: Path, *, demo: bool = False, deliver: bool = True, **top: Any) -> Iterator[Desk]:
    """The service of `settings`, listening. What is posted to a path that only one test uses meets nobody else's."""
    office = Office([Customer(CUSTOMER, "secret"), Customer(PLAIN, "other"), Customer(FULL, "third")])
    with (
        serve_sandbox(office) as vitec_url,
        serve(create_app(settings(folder, vitec_url, **top), demo=demo, deliver=deliver)) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        yield Desk(client, office)


def interest_path(customer: str = CUSTOMER) -> str:
    """Of an estate that nobody has used."""
    return f"/Advertising/Estate/{customer}/OBJ{next(_numbers)}/interest"


def viewing_path(customer: str = CUSTOMER) -> str:
    """Of a slot that nobody has used."""
    return f"/Viewing/{customer}/VIS1/SLOT{next(_numbers)}/Participant"


def customer_of(path: str) -> str:
    return next(part for part in path.split("/") if part in KEYS)


def interest(**members: Any) -> Members:
    """A small right one, with consent."""
    return {
        "firstName": "Anna",
        "lastName": "Ek",
        "email": {"emailAddress": "anna@example.se"},
        "consent": True,
    } | members


def booking(person: Members | None = None, **members: Any) -> Members:
    """A small right one, with consent."""
    visitor = {"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}}
    return {"updatePerson": visitor | (person or {}), "consent": True} | members


def fields(body: Members, *, prefix: str = "") -> dict[str, str]:
    """A body as a form's fields, nested members dotted, the person's prefix left out."""
    flat: dict[str, str] = {}
    for name, value in body.items():
        dotted = prefix + name
        if isinstance(value, dict):
            flat |= fields(value, prefix="" if dotted == "updatePerson" else f"{dotted}.")
        elif value is not None:
            flat[dotted] = str(value).lower() if isinstance(value, bool) else str(value)
    return flat


def with_member(body: Members, dotted: str, value: Any) -> Members:
    """A copy of the body with one member set."""
    changed = copy.deepcopy(body)
    inner = changed
    *parents, last = dotted.split(".")
    for part in parents:
        inner = inner.setdefault(part, {})
    inner[last] = value
    return changed


def member(body: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        body = body.get(part) if isinstance(body, dict) else None
    return body


def problem(answer: httpx.Response, status: int) -> Members:
    """The RFC 9457 problem that the answer is."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].partition(";")[0] == "application/problem+json"
    content: Members = answer.json()
    assert content.get("status", status) == status
    assert isinstance(content["title"], str)
    assert content["title"]
    return content


def faults_of(answer: httpx.Response) -> dict[str, str]:
    """Each faulty field with its message."""
    errors = problem(answer, 400)["errors"]
    assert errors
    assert all(set(error) == {"field", "code", "message"} for error in errors)
    assert all(isinstance(text, str) for error in errors for text in error.values())
    assert all(error["code"] and error["message"] for error in errors)
    return {error["field"]: error["message"] for error in errors}


@dataclass
class Page:
    """A page as a browser has it: `values` are what its form would send, `faulty` the fields marked as wrong, `links`
    where the alert leads, `messages` the fault at each element that has one (by id)."""

    url: str
    language: str = ""
    title: str = ""
    text: str = ""
    alert: str = ""
    has_form: bool = False
    action: str = ""
    values: dict[str, str] = field(default_factory=dict)
    faulty: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)

    def submit(self, client: httpx.Client, typed: Mapping[str, str], **headers: str) -> httpx.Response:
        """As a browser without JavaScript would, from this page."""
        return client.post(urljoin(self.url, self.action or self.url), data=self.values | dict(typed), headers=headers)


def page_of(answer: httpx.Response) -> Page:
    assert answer.headers["content-type"].partition(";")[0] == "text/html"
    return _read(answer.text, str(answer.url))


def page_text(html: str) -> str:
    """What a person reads."""
    return _read(html, "").text


def _read(html: str, url: str) -> Page:
    reader = _Reader(Page(url))
    reader.feed(html)
    return reader.page


class _Reader(HTMLParser):
    """Reads one of our pages. Void elements are not counted; scripts and styles are not text."""

    VOID = frozenset({"input", "meta", "link", "br", "img", "hr"})

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self._open: list[tuple[str, dict[str, str]]] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        name, page = said.get("name", ""), self.page
        if said.get("aria-invalid") == "true":
            page.faulty.add(name)
        if tag == "html":
            page.language = said.get("lang", "")
        elif tag == "form":
            page.has_form, page.action = True, said.get("action", "")
        elif tag == "a" and self._inside("role", "alert"):
            page.links.append(said.get("href", ""))
        self._control(tag, name, said)
        if tag not in self.VOID:
            self._open.append((tag, said))

    def _control(self, tag: str, name: str, said: Mapping[str, str]) -> None:
        values = self.page.values
        if tag == "input" and name:
            if said.get("type") not in {"checkbox", "radio"} or "checked" in said:
                values[name] = said.get("value", "on")
        elif tag == "select":
            self._select = name
            values[name] = ""
        elif tag == "option" and "selected" in said:
            values[self._select] = said.get("value", "")
        elif tag == "textarea":
            values[name] = ""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self._open:
            return
        tag, said = self._open[-1]
        if tag == "textarea":
            text = self.page.values[said["name"]] + data
            self.page.values[said["name"]] = text.removeprefix("\n")
        if tag == "title":
            self.page.title += data
        if tag in {"script", "style"}:
            return
        self.page.text += data
        if self._inside("role", "alert"):
            self.page.alert += data
        if said.get("id"):
            self.page.messages[said["id"]] = self.page.messages.get(said["id"], "") + data

    def _inside(self, attribute: str, value: str) -> bool:
        return any(said.get(attribute) == value for _, said in self._open)


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))
