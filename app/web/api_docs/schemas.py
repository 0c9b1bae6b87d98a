"""JSON Schemas of the answers, for the OpenAPI document."""

from typing import Any

KEYS: list[dict[str, list[str]]] = [{"bearer": []}, {"basic": []}]
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
STATUS = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}}
EMBED_CHECK = {
    "type": "object",
    "required": ["ok", "customer", "origin", "frameAncestors", "reason", "advice"],
    "properties": {
        "ok": {"type": "boolean"},
        "customer": {"type": "string"},
        "origin": {"type": "string"},
        "frameAncestors": {"type": "string"},
        "reason": {"enum": [None, "customer", "no-origin", "origin"]},
        "advice": {"type": "string"},
    },
}
TEXT = {"schema": {"type": "string"}}
REFUSALS = {
    "400": "Faults, all at once, or Vitec refused it",
    "401": "The API key is not this customer's",
    "403": "The origin is not allowed",
    "404": "No such customer, or nothing at this address",
    "410": "The link has expired",
    "408": "Not all of the body came in time",
    "413": "Over 64 KiB",
    "415": "Neither JSON nor a form",
    "422": "The same Idempotency-Key with another body",
    "429": "Too many from one address",
    "500": "A fault of ours",
    "502": "Vitec's answer can't be read",
    "503": "The store, or for contacts Vitec, is away",
}


def refused(*statuses: str) -> dict[str, Any]:
    """A page where the caller is a browser or the post a form, else a problem."""
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    content = {"application/problem+json": problem, "text/html": TEXT}
    return {status: {"description": REFUSALS[status], "content": content} for status in statuses}


def as_json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
