"""Customers, keys and request bodies of the contract tests, and helpers that read the answers."""

import base64
import copy
from itertools import count
from typing import Any

import httpx

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


WHOLE_INTEREST: Members = {
    "firstName": "Anna",
    "lastName": "Ek",
    "email": {"emailAddress": "anna@example.se", "emailAddress2": "ek@example.se"},
    "telephone": {"home": "08-123 456 78", "cell": "070-174 06 05"},
    "address": {"streetAddress": "Storgatan 1", "zipCode": "12345", "city": "Ort"},
    "presentAccommodation": {
        "estateType": "House",
        "livingSpace": 75,
        "numberOfRooms": 3,
        "price": 2500000,
        "other": "Trädgård",
        "coordinate": {"longitud": 18, "latitud": 59},
    },
    "contactMessage": "Hej",
    "status": "VeryInterested",
    "consent": True,
}
WHOLE_BOOKING: Members = {
    "updatePerson": {
        "firstName": "Anna",
        "lastName": "Ek",
        "email": {"emailAddress": "anna@example.se"},
        "telePhone": "08-123 456 78",
        "cellPhone": "070-174 06 05",
        "address": {"streetAddress": "Storgata 1", "zipCode": "0150", "city": "Oslo", "countryCode": "NO"},
    },
    "contactMessage": "Hej",
    "smsReminder": False,
    "consent": True,
}


def interest_path(customer: str = CUSTOMER) -> str:
    """The path for an interest in an unused estate."""
    return f"/Advertising/Estate/{customer}/OBJ{next(_numbers)}/interest"


def viewing_path(customer: str = CUSTOMER) -> str:
    """The path for a booking of an unused slot."""
    return f"/Viewing/{customer}/VIS1/SLOT{next(_numbers)}/Participant"


def final_price_path(customer: str = CUSTOMER) -> str:
    """The path for the final price of an unused estate."""
    return f"/Advertising/Estate/{customer}/OBJ{next(_numbers)}/FinalPriceWatched"


def valuation_path(customer: str = CUSTOMER) -> str:
    """The path for all valuations of a customer."""
    return f"/v2/Advertising/Form/{customer}/Valuation"


def customer_of(path: str) -> str:
    return next(part for part in path.split("/") if part in KEYS)


def interest(**members: Any) -> Members:
    """A small valid interest, with consent."""
    return {
        "firstName": "Anna",
        "lastName": "Ek",
        "email": {"emailAddress": "anna@example.se"},
        "consent": True,
    } | members


def booking(person: Members | None = None, **members: Any) -> Members:
    """A small valid booking, with consent."""
    visitor = {"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}}
    return {"updatePerson": visitor | (person or {}), "consent": True} | members


def final_price(person: Members | None = None, **members: Any) -> Members:
    """A small valid final price request, with consent."""
    watcher = {"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}}
    return {"person": watcher | (person or {}), "consent": True} | members


def valuation(**members: Any) -> Members:
    """A small valid valuation, with consent, by a person that no other test uses."""
    email = f"anna{next(_numbers)}@example.se"
    return {"firstName": "Anna", "lastName": "Ek", "email": email, "consent": True} | members


def fields(body: Members, *, prefix: str = "") -> dict[str, str]:
    """A body as form fields: nested members with dots, without the person's prefix."""
    flat: dict[str, str] = {}
    for name, value in body.items():
        dotted = prefix + name
        if isinstance(value, dict):
            flat |= fields(value, prefix="" if dotted in {"updatePerson", "person"} else f"{dotted}.")
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
    """Asserts that the answer is an RFC 9457 problem; returns it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].partition(";")[0] == "application/problem+json"
    content: Members = answer.json()
    assert content.get("status", status) == status
    assert isinstance(content["title"], str)
    assert content["title"]
    return content


def faults_of(answer: httpx.Response) -> dict[str, str]:
    """The message of each field with an error."""
    errors = problem(answer, 400)["errors"]
    assert errors
    assert all(set(error) == {"field", "code", "message"} for error in errors)
    assert all(isinstance(text, str) for error in errors for text in error.values())
    assert all(error["code"] and error["message"] for error in errors)
    return {error["field"]: error["message"] for error in errors}
