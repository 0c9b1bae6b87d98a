"""The OpenAPI document: the operations are plain routes, which the framework can't describe by itself."""

from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app import __version__
from app.web import crm, forms
from app.web.kinds import Kind
from app.web.reading import CONSENT

SUMMARIES = {
    "interest": "Interest in a home",
    "viewing": "Book a place at a viewing",
    "lead": "Lead on a known contact",
    "loan-promise": "Loan promise of a known contact",
}
KEYS: list[dict[str, list[str]]] = [{"bearer": []}, {"basic": []}]
REFERENCE = "#/components/schemas/{model}"
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
            },
        },
        "upstream": {"type": "object", "description": "Vitec's own words"},
    },
}
PENDING = {
    "type": "object",
    "required": ["id", "status", "statusUrl"],
    "properties": {"id": {"type": "string"}, "status": {"type": "string"}, "statusUrl": {"type": "string"}},
}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
STEP = {
    "operation": {"type": "string"},
    "status": {"type": "string"},
    "attempts": {"type": "integer"},
    "result": {"type": ["string", "null"], "description": "Vitec's id, with an API key"},
}
SUBMISSION = {
    "type": "object",
    "required": ["id", "customerId", "status", "steps"],
    "properties": {
        "id": {"type": "string"},
        "customerId": {"type": "string"},
        "receivedAt": MOMENT,
        "deliveredAt": MOMENT,
        **STEP,
        "steps": {"type": "array", "items": {"type": "object", "properties": STEP}},
    },
}
PAGE = {"schema": {"type": "string"}}
REFUSALS = {
    "400": "Faults, all at once, or Vitec refused it",
    "401": "The API key is not this customer's",
    "403": "The origin is not allowed",
    "404": "No such customer, or nothing at this address",
    "408": "Not all of the body came in time",
    "413": "Over 64 KiB",
    "415": "Neither JSON nor a form",
    "422": "The same Idempotency-Key with another body",
    "429": "Too many from one address",
    "500": "A fault of ours",
    "502": "Vitec's answer can't be read",
    "503": "The store, or for contacts Vitec, is away",
}


def routes() -> list[BaseRoute]:
    """`/openapi.json`; the page that shows it is in `docs`."""

    async def document(_: Request) -> Response:
        return JSONResponse(_described())

    return [Route("/openapi.json", document, methods=["GET"])]


@cache
def _described() -> dict[str, Any]:
    return describe()


def describe() -> dict[str, Any]:
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Intresse", "version": __version__},
        "paths": {},
    }
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic", "description": "the key as password, any user"},
    }
    schemas = components.setdefault("schemas", {})
    schemas |= {"Problem": PROBLEM, "Pending": PENDING, "Submission": SUBMISSION}
    for path, kind in (*forms.PATHS, *crm.PATHS):
        schema = kind.model.model_json_schema(by_alias=True, ref_template=REFERENCE)
        schemas |= schema.pop("$defs", {})
        if kind.page:
            schema["properties"][CONSENT] = {"type": "boolean"}
        schemas[kind.model.__name__] = schema
        document["paths"][path] = ({"get": _form(kind, path)} if kind.page else {}) | {"post": _post(kind, path)}
    document["paths"] |= {
        crm.CONTACTS_PATH: {"get": _contacts()},
        "/submissions/{id}": {"get": _submission()},
        "/healthz": {"get": _probe("Is the process up", _200="It is", _503="It stops")},
        "/readyz": {"get": _probe("Can it take leads", _200="It can", _503="It can't")},
    }
    return document


def _parameters(path: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,40}$"}
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _refused(*statuses: str) -> dict[str, Any]:
    """A page where the caller is a browser or the post a form, else a problem."""
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    content = {"application/problem+json": problem, "text/html": PAGE}
    return {status: {"description": REFUSALS[status], "content": content} for status in statuses}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _contacts() -> dict[str, Any]:
    found = {"type": "array", "items": {"type": "object", "description": "Vitec's own members"}}
    ids = {"name": "contact_ids", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "summary": "1-20 contacts, their ids separated by commas",
        "operationId": "contact",
        "security": KEYS,
        "parameters": [*_parameters("/{customer_id}"), ids],
        "responses": {"200": _json("Those that Vitec knows", found), **_refused("400", "401", "404", "502", "503")},
    }


def _form(kind: Kind, path: str) -> dict[str, Any]:
    return {
        "summary": f"{SUMMARIES[kind.operation]}: the form",
        "operationId": f"{kind.operation}-form",
        "parameters": _parameters(path),
        "responses": {"200": {"description": "The form", "content": {"text/html": PAGE}}, **_refused("401", "404")},
    }


def _post(kind: Kind, path: str) -> dict[str, Any]:
    body = {"schema": {"$ref": f"#/components/schemas/{kind.model.__name__}"}}
    headers = [{"name": name, "in": "header", "schema": {"type": "string"}} for name in ("Idempotency-Key", "Prefer")]
    media = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    return {
        "summary": SUMMARIES[kind.operation],
        "operationId": kind.operation.value,
        "security": [{}, *KEYS] if kind.page else KEYS,
        "parameters": [*_parameters(path), *headers],
        "requestBody": {"required": True, "content": dict.fromkeys(media, body)},
        "responses": {
            "200": _json("Delivered while waiting: Vitec's own body with an API key, else null", {}),
            "202": _json("On disk, not yet delivered", {"$ref": "#/components/schemas/Pending"}),
            "303": {"description": "On disk (a form post): the receipt"},
            **_refused("400", "401", "403", "404", "408", "413", "415", "422", "429", "500", "503"),
        },
    }


def _submission() -> dict[str, Any]:
    secret = {"name": "key", "in": "query", "schema": {"type": "string"}, "description": "as in `statusUrl`"}
    return {
        "summary": "What became of it, by the customer's API key or its statusUrl",
        "operationId": "submission",
        "security": [{}, *KEYS],
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}, secret],
        "responses": {
            "200": _json("Without personal data", {"$ref": "#/components/schemas/Submission"}),
            **_refused("401", "404", "503"),
        },
    }


def _probe(summary: str, **answers: str) -> dict[str, Any]:
    status = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}}
    responses = {name.removeprefix("_"): _json(text, status) for name, text in answers.items()}
    return {"summary": summary, "responses": responses}
