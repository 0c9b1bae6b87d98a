"""The OpenAPI document: the operations are plain routes, which the framework can't describe by itself."""

from functools import cache
from typing import Any

from app import __version__
from app.operations import contact_lookup
from app.operations.registry import OPERATIONS, PERSONAL_POSTS, POSTS
from app.operations.specification import PostSpec
from app.web.api_docs.schemas import (
    EMBED_CHECK,
    HOME,
    KEYS,
    PENDING,
    PROBLEM,
    STATUS,
    SUBMISSION,
    TEXT,
    as_json,
    refused,
)
from app.web.operations.body import Media
from app.web.operations.validation import CONSENT

REFERENCE = "#/components/schemas/{model}"
MEDIA = [media.value for media in Media]
TOKEN = {"name": "token", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}}
QUERY = {
    "lang": "Language of the texts: sv or en. Overrides Accept-Language.",
    "title": "Name of the home: plain text, at most 80 characters.",
    "estate": "For a booking: the home's id.",
    "slots": "For a booking: the times to choose from, as timeSlotId@start/end, separated by commas.",
    "referrer": "The page on which the form is shown.",
    "utm_source": "Likewise every other utm_*, gclid, fbclid and msclkid.",
}
QUERY_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string"}, "description": text} for name, text in QUERY.items()
]
POST_HEADERS = [{"name": name, "in": "header", "schema": {"type": "string"}} for name in ("Idempotency-Key", "Prefer")]
POST_REFUSALS = ("400", "401", "403", "404", "408", "413", "415", "422", "429", "500", "503")


_OPERATIONS = [(spec, path) for spec in POSTS for path in dict.fromkeys((*spec.addresses, *spec.form_addresses))]


@cache
def describe() -> dict[str, Any]:
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Intresse", "version": __version__},
        "paths": {},
    }
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic", "description": "The API key as password, with any user name."},
    }
    schemas = components.setdefault("schemas", {})
    schemas |= {"Problem": PROBLEM, "Pending": PENDING, "Submission": SUBMISSION}
    for spec, path in _OPERATIONS:
        schema = spec.model.model_json_schema(by_alias=True, ref_template=REFERENCE)
        schemas |= schema.pop("$defs", {})
        if spec.form:
            schema["properties"][CONSENT] = {"type": "boolean"}
        schemas[spec.model.__name__] = schema
        document["paths"][path] = {
            **({"get": _form(spec, path)} if path in spec.form_addresses else {}),
            **({"post": _post(spec, path)} if path in spec.addresses else {}),
        }
    schemas["Personal"] = _personal_schema(schemas)
    document["paths"] |= {
        contact_lookup.PATH: {"get": _contacts()},
        "/personal/{token}": {"get": _personal_form(), "post": _personal_post()},
        **{path: {"get": resource} for path, resource in RESOURCES.items()},
        "/receipts/{id}/cancellation": _cancellation(),
    }
    return document


def _parameters(path: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,40}$"}
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _contacts() -> dict[str, Any]:
    found = {"type": "array", "items": {"type": "object", "description": "Contacts in Vitec's own members"}}
    ids = {"name": "contactIds", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "summary": "Look up 1–20 contacts; separate their ids by commas",
        "operationId": "contact",
        "security": KEYS,
        "parameters": [*_parameters("/{customerId}"), ids],
        "responses": {
            "200": as_json("The contacts that Vitec knows", found),
            **refused("400", "401", "404", "502", "503"),
        },
    }


def _form(spec: PostSpec, path: str) -> dict[str, Any]:
    return {
        "summary": f"{_summary(spec, path)}: the form",
        "operationId": f"{_operation_id(spec, path)}-form",
        "parameters": [*_parameters(path), *QUERY_PARAMETERS],
        "responses": _home() if spec.by_home else _form_page("401", "404"),
    }


def _form_page(*refusals: str) -> dict[str, Any]:
    return {"200": {"description": "The form", "content": {"text/html": TEXT}}, **refused(*refusals)}


def _home() -> dict[str, Any]:
    """As a form, or for `Accept: application/json` as data."""
    responses = _form_page("401", "404", "502", "503")
    responses["200"]["content"]["application/json"] = {"schema": HOME}
    return responses


def _operation_id(spec: PostSpec, path: str) -> str:
    """Each address has one of its own."""
    name = f"{spec.operation}-by-home" if spec.by_home else spec.operation.value
    return f"{name}-at-form" if path == spec.form_path else name


def _summary(spec: PostSpec, path: str) -> str:
    neutral = ", at its neutral address" if path == spec.form_path else ""
    return f"{OPERATIONS[spec.operation].summary}{neutral}"


def _post(spec: PostSpec, path: str) -> dict[str, Any]:
    return {
        "summary": _summary(spec, path),
        "operationId": _operation_id(spec, path),
        "security": [{}, *KEYS] if spec.form else KEYS,
        "parameters": [*_parameters(path), *QUERY_PARAMETERS, *POST_HEADERS],
        "requestBody": _body(spec.model.__name__),
        "responses": _accepted() | refused(*POST_REFUSALS),
    }


def _body(model: str) -> dict[str, Any]:
    body = {"schema": {"$ref": REFERENCE.format(model=model)}}
    return {"required": True, "content": dict.fromkeys(MEDIA, body)}


def _accepted() -> dict[str, Any]:
    return {
        "200": as_json("Delivered while waiting: with an API key Vitec's own body, otherwise null", {}),
        "202": as_json("On disk, not yet delivered", {"$ref": "#/components/schemas/Pending"}),
        "303": {"description": "On disk (a form post): redirects to the receipt"},
    }


def _personal_schema(schemas: dict[str, Any]) -> dict[str, Any]:
    """What the holder of a link may say: of a contact's form and of a loan promise's."""
    properties = {
        name: schemas[spec.model.__name__]["properties"][name]
        for spec in PERSONAL_POSTS.values()
        for name in sorted(spec.public - {"contactId"})
    }
    return {"type": "object", "properties": properties}


def _personal_form() -> dict[str, Any]:
    return {
        "summary": "The form of a personal link: contact request or loan promise",
        "operationId": "personal-form",
        "parameters": [TOKEN],
        "responses": {
            "200": {
                "description": "The form, or a page saying that the link has been used",
                "content": {"text/html": TEXT},
            },
            **refused("401", "404", "410"),
        },
    }


def _personal_post() -> dict[str, Any]:
    accepted = _accepted()
    accepted["200"]["content"]["text/html"] = TEXT  # the link has been used
    return {
        "summary": "Post the form of a personal link",
        "operationId": "personal",
        "security": [{}],
        "parameters": [TOKEN, *POST_HEADERS],
        "requestBody": _body("Personal"),
        "responses": accepted | refused("410", *POST_REFUSALS),
    }


METRICS_TYPES = ("text/plain", "application/openmetrics-text")


def _receipt(summary: str, media: str) -> dict[str, Any]:
    identity = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "summary": summary,
        "description": "A form post is redirected here. The address works for 30 days.",
        "parameters": [identity, {"name": "key", "in": "query", "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "Without personal data", "content": {media: TEXT}},
            **refused("404", "410", "503"),
        },
    }


def _cancellation() -> dict[str, Any]:
    asks = _receipt("Asks whether to cancel the booking, as a page", "text/html")
    sent_on = {"303": {"description": "It is cancelled, or being cancelled: the receipt says so"}}
    post = {
        "summary": "Cancels the booking: a submission of its own",
        "operationId": "cancellation",
        "parameters": asks["parameters"],
        "responses": sent_on | refused("400", "404", "410", "503"),
    }
    return {"get": asks | {"responses": asks["responses"] | sent_on}, "post": post}


def _embed_script() -> dict[str, Any]:
    return {
        "summary": "The script that embeds the forms in a broker's website",
        "responses": {
            "200": {"description": "The script", "content": {"text/javascript": TEXT}},
            "304": {"description": "Not modified (`If-None-Match`)"},
        },
    }


def _embed_check() -> dict[str, Any]:
    query = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("customer", "origin")]
    return {
        "summary": "Check whether an origin may embed the customer's forms",
        "parameters": query,
        "responses": {
            "200": as_json("The result, with the reason", EMBED_CHECK),
            "404": as_json("No such customer", EMBED_CHECK),
        },
    }


def _submission() -> dict[str, Any]:
    secret = {"name": "key", "in": "query", "schema": {"type": "string"}, "description": "As in `statusUrl`"}
    return {
        "summary": "Status of a submission, by the customer's API key or its statusUrl",
        "operationId": "submission",
        "security": [{}, *KEYS],
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}, secret],
        "responses": {
            "200": as_json("Without personal data", {"$ref": "#/components/schemas/Submission"}),
            **refused("401", "404", "503"),
        },
    }


def _probe(summary: str, **answers: str) -> dict[str, Any]:
    responses = {name.removeprefix("_"): as_json(text, STATUS) for name, text in answers.items()}
    return {"summary": summary, "responses": responses}


def _metrics() -> dict[str, Any]:
    refusal = {"content": {"text/plain": TEXT}}
    return {
        "summary": "Prometheus metrics, by the metrics token; if none is configured, from this machine only",
        "security": [{}, KEYS[0]],
        "responses": {
            "200": {"description": "The metrics", "content": dict.fromkeys(METRICS_TYPES, TEXT)},
            "401": {"description": "Metrics token missing or wrong", **refusal},
            "403": {"description": "Requested from another machine", **refusal},
        },
    }


RESOURCES = {
    "/submissions/{id}": _submission(),
    "/receipts/{id}": _receipt("The receipt", "text/html"),
    "/receipts/{id}/viewing.ics": _receipt("The booked viewing as a calendar file", "text/calendar"),
    "/embed.js": _embed_script(),
    "/embed/check": _embed_check(),
    "/healthz": _probe("Liveness: the process answers", _200="It is up", _503="It is stopping"),
    "/readyz": _probe("Readiness: leads can be accepted", _200="They can", _503="They can't"),
    "/metrics": _metrics(),
}
