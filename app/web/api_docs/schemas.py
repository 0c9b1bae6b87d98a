"""JSON Schemas of the answers, for the OpenAPI document."""

from typing import Any

PATH_ID_PATTERN = "^[A-Za-z0-9_.-]{1,40}$"
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
DATETIME = {"type": ["string", "null"], "format": "date-time"}
_ID = {"type": "string"}
SLOT = {"id": _ID, "startsAt": DATETIME, "endsAt": DATETIME, "isRegistrationAvailable": {"type": "boolean"}}
VIEWING = {
    "id": _ID,
    "startsAt": DATETIME,
    "endsAt": DATETIME,
    "deadlineAt": DATETIME,
    "comment": {"type": ["string", "null"]},
    "timeSlots": {"type": "array", "items": {"type": "object", "properties": SLOT}},
}
HOME = {
    "type": "object",
    "description": "With an API key Vitec's own body",
    "required": ["id", "address", "viewings"],
    "properties": {
        "id": _ID,
        "address": {"type": "object", "additionalProperties": {}},
        "viewings": {"type": "array", "items": {"type": "object", "properties": VIEWING}},
    },
}
TEXT = {"schema": {"type": "string"}}
REFUSALS = {
    "400": "Field errors, all at once, or Vitec refused it",
    "401": "API key missing or wrong",
    "403": "Origin not allowed",
    "404": "Not found: no such customer or resource",
    "410": "The link has expired",
    "408": "The body did not arrive in time",
    "413": "Body over 64 KiB",
    "415": "Neither JSON nor a form post",
    "422": "Idempotency-Key reused with a different body",
    "429": "Too many requests from one address",
    "500": "Internal error",
    "502": "Unreadable answer from Vitec",
    "503": "Nothing can be saved now; for contacts: Vitec is unavailable",
}


def refused(*statuses: str) -> dict[int | str, dict[str, Any]]:
    """A page if the caller is a browser or the post a form, else a problem."""
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    content = {"application/problem+json": problem, "text/html": TEXT}
    return {status: {"description": REFUSALS[status], "content": content} for status in statuses}


def as_json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
