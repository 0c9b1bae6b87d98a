"""What the OpenAPI document tells of the addresses that are no operation of Vitec's; all of them are fetched."""

from typing import Any

from app.web.answer_schemas import EMBED_CHECK, KEYS, STATUS, TEXT, as_json, refused

METRICS_TYPES = ("text/plain", "application/openmetrics-text")


def _receipt(summary: str, media: str) -> dict[str, Any]:
    identity = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "summary": summary,
        "description": "At the address that a form post is sent on to; it lives 30 days.",
        "parameters": [identity, {"name": "key", "in": "query", "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "Without personal data", "content": {media: TEXT}},
            **refused("404", "410", "503"),
        },
    }


def _embed_script() -> dict[str, Any]:
    return {
        "summary": "The script that shows the forms on a broker's pages",
        "responses": {
            "200": {"description": "The script", "content": {"text/javascript": TEXT}},
            "304": {"description": "You have it (`If-None-Match`)"},
        },
    }


def _embed_check() -> dict[str, Any]:
    query = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("customer", "origin")]
    return {
        "summary": "Whether pages of the origin may show the customer's forms",
        "parameters": query,
        "responses": {
            "200": as_json("Yes or no, and why", EMBED_CHECK),
            "404": as_json("No such customer", EMBED_CHECK),
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
        "summary": "Prometheus's figures, by the metrics token; without one, on this machine alone",
        "security": [{}, KEYS[0]],
        "responses": {
            "200": {"description": "The figures", "content": dict.fromkeys(METRICS_TYPES, TEXT)},
            "401": {"description": "The metrics token is missing or wrong", **refusal},
            "403": {"description": "Asked from another machine", **refusal},
        },
    }


RESOURCES = {
    "/submissions/{id}": _submission(),
    "/receipts/{id}": _receipt("The receipt, as a page", "text/html"),
    "/receipts/{id}/viewing.ics": _receipt("The booked viewing for a calendar", "text/calendar"),
    "/embed.js": _embed_script(),
    "/embed/check": _embed_check(),
    "/healthz": _probe("Is the process up", _200="It is", _503="It stops"),
    "/readyz": _probe("Can it take leads", _200="It can", _503="It can't"),
    "/metrics": _metrics(),
}
