"""The OpenAPI document. Typed routes describe themselves; the plain routes of forms, posts and pages are described
here."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi.openapi.utils import get_openapi

from app import __version__
from app.domain.submission import Operation
from app.operations.members import Approval
from app.operations.registry import OPERATIONS, PERSONAL_POSTS, POSTS
from app.operations.specification import PostSpec
from app.web import embed, health
from app.web.api_docs.schemas import HOME, KEYS, PATH_ID_PATTERN, PENDING, PROBLEM, TEXT, as_json, refused
from app.web.operations import contacts_api, status
from app.web.operations.body import CONSENT, Media

TYPED = (contacts_api.router, status.router, embed.router, health.router)
REFERENCE = "#/components/schemas/{model}"
DESCRIPTION = """
Lead capture for Swedish estate agents. Every operation has the path that it has in Vitec Connect, so a client written
for Vitec only needs another host. What is posted is validated, committed to disk, and delivered to Vitec.

The examples work unchanged in the demo (`intresse serve --demo`), with the API key that it prints when it starts.
"""
TAGS = {
    "forms": "Forms for people. Pages of the customer's allowed origins may post, and callers with its API key.",
    "programs": "Needs the customer's API key: `Authorization: Bearer KEY`, or Basic with the key as password.",
    "personal links": "Forms for one contact, opened by a signed link.",
    "outcomes": "The status of a submission, its receipt, and the cancellation of a booking.",
    "embedding": "The forms on a broker's own pages.",
    "health": "For the proxy, the orchestrator and Prometheus.",
}
PATH_EXAMPLES = {  # they exist in the demo
    "customerId": "M00000",
    "estateId": "OBJ1",
    "viewingId": "VIS1",
    "timeSlotId": "SLOT1",
    "contactId": "C1",
}
RESULTS = {Operation.LEAD: "L1", Operation.LOAN_PROMISE: "P1"}  # Vitec's answer, if it is not a contact id
TOKEN = {"name": "token", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}}
QUERY = {
    "lang": "Language of the texts: sv or en. Overrides Accept-Language.",
    "title": "Name of the home: plain text, at most 80 characters.",
    "estate": "For a booking: the home's id.",
    "slots": "For a booking: the times to choose from, as timeSlotId@start/end, separated by commas.",
    "referrer": "The page on which the form is shown.",
    "utm_source": "A campaign tag, like every other utm_* and the click ids: gclid, gbraid, wbraid, dclid, fbclid, "
    "msclkid, ttclid, twclid, li_fat_id.",
}
QUERY_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string"}, "description": text} for name, text in QUERY.items()
]
HEADERS = {
    "Idempotency-Key": "the same key again within 24 hours gets the first outcome, and nothing is sent twice",
    "Prefer": "`respond-async`: do not wait for Vitec",
}
POST_HEADERS = [
    {"name": name, "in": "header", "schema": {"type": "string"}, "description": text} for name, text in HEADERS.items()
]
POST_REFUSALS = ("400", "401", "403", "404", "408", "413", "415", "422", "429", "500", "503")
POST_DESCRIPTION = (
    "Answered once it is on disk. Waits a few seconds for Vitec's answer, unless `Prefer: respond-async` is sent: 200 "
    "with Vitec's own body for an API key, or 202 with `statusUrl`. All errors of a body are reported at once. A form "
    "post (`application/x-www-form-urlencoded`, `multipart/form-data`) has the same members, nested ones with dots."
)


@cache
def describe() -> dict[str, Any]:
    document = get_openapi(
        title="Intresse",
        version=__version__,
        description=DESCRIPTION,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        routes=[route for router in TYPED for route in router.routes],
    )
    _drop_framework_errors(document)
    schemas = document["components"]["schemas"]
    schemas |= {"Problem": PROBLEM, "Pending": PENDING}
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic", "description": "The API key as the password, with any user name."},
    }
    paths: dict[str, Any] = {}
    approval = Approval.model_json_schema(by_alias=True, ref_template=REFERENCE)
    for post in (post for post in POSTS if post.post_paths):
        schema = post.model.model_json_schema(by_alias=True, ref_template=REFERENCE)
        schemas |= schema.pop("$defs", {})
        if post.form:
            schema["properties"][CONSENT] = {"type": "boolean"}
        if post.asks_consent:
            schema["properties"] = approval["properties"] | schema["properties"]
        schemas[post.model.__name__] = schema
        for path in dict.fromkeys((*post.post_paths, *post.form_paths)):
            paths[path] = {
                **({"get": _form(post, path)} if path in post.form_paths else {}),
                **({"post": _post(post, path)} if path in post.post_paths else {}),
            }
    schemas["Personal"] = _personal_schema(schemas)
    document["paths"] = paths | PAGES | document["paths"]
    return document


def _drop_framework_errors(document: dict[str, Any]) -> None:
    """FastAPI documents a 422 for parameters of the wrong type. All of ours are strings, so it can't happen."""
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def _parameters(path: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "pattern": PATH_ID_PATTERN}
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "schema": schema, "example": PATH_EXAMPLES[name]}
        for name in names
    ]


def _form(post: PostSpec, path: str) -> dict[str, Any]:
    return {
        "tags": ["forms"],
        "summary": f"{_summary(post, path)}: the form",
        "description": "A page, also for a frame on the customer's pages. Its query's campaign tags go to the lead.",
        "operationId": f"{_operation_id(post, path)}-form",
        "parameters": [*_parameters(path), *QUERY_PARAMETERS],
        "responses": _home() if post.by_home else _form_page("401", "404"),
    }


def _form_page(*refusals: str) -> dict[Any, Any]:
    return {"200": {"description": "The form", "content": {"text/html": TEXT}}, **refused(*refusals)}


def _home() -> dict[Any, Any]:
    """A form, or data for `Accept: application/json`."""
    responses = _form_page("401", "404", "502", "503")
    responses["200"]["content"]["application/json"] = {"schema": HOME}
    return responses


def _operation_id(post: PostSpec, path: str) -> str:
    """Unique for each address."""
    name = f"{post.operation}-by-home" if post.by_home else post.operation.value
    return f"{name}-at-form" if path == post.form_path else name


def _summary(post: PostSpec, path: str) -> str:
    neutral = ", at its neutral address" if path == post.form_path else ""
    return f"{OPERATIONS[post.operation].summary}{neutral}"


def _post(post: PostSpec, path: str) -> dict[str, Any]:
    return {
        "tags": ["forms" if post.form else "programs"],
        "summary": _summary(post, path),
        "description": POST_DESCRIPTION,
        "operationId": _operation_id(post, path),
        "security": [{}, *KEYS] if post.form else KEYS,
        "parameters": [*_parameters(path), *QUERY_PARAMETERS, *POST_HEADERS],
        "requestBody": _body(post.model.__name__, post.example),
        "responses": _accepted(post) | refused(*POST_REFUSALS),
    }


def _body(model: str, example: Mapping[str, Any]) -> dict[str, Any]:
    schema = {"schema": {"$ref": REFERENCE.format(model=model)}}
    content = {media.value: schema for media in Media}
    return {"required": True, "content": content | {Media.JSON.value: {**schema, "example": example}}}


def _accepted(*posts: PostSpec) -> dict[str, Any]:
    """The answers to an accepted post. `posts`: those whose answer from Vitec is passed on to callers with a key."""
    result: dict[str, Any] = {"type": ["string", "object", "null"]}
    only_by_key = any(post.form is None for post in posts)
    examples: dict[str, Any] = {} if only_by_key else {"without a key": {"value": None}}
    for post in posts:
        if not OPERATIONS[post.operation].may_answer_none:
            answered = post.answer_of(RESULTS.get(post.operation, PATH_EXAMPLES["contactId"]))
            examples = {"with an API key": {"value": answered}} | examples
    answer = as_json("Delivered while waiting: Vitec's own body with an API key, else null", result)
    answer["content"]["application/json"]["examples"] = examples
    return {
        "200": answer,
        "202": as_json("On disk, not delivered yet", {"$ref": "#/components/schemas/Pending"}),
        "303": {"description": "On disk (a form post): redirects to the receipt"},
    }


def _personal_schema(schemas: dict[str, Any]) -> dict[str, Any]:
    """The members that the holder of a link may set, of the contact form and the loan promise together."""
    properties = {
        name: schemas[post.model.__name__]["properties"][name]
        for post in PERSONAL_POSTS.values()
        for name in sorted(post.public - {"contactId"})
    }
    return {"type": "object", "properties": properties}


def _personal() -> dict[str, Any]:
    accepted = _accepted()
    accepted["200"]["content"]["text/html"] = TEXT  # the link has been used
    form = {
        "tags": ["personal links"],
        "summary": "The form of a personal link: contact me, or loan promise",
        "description": "`intresse link` creates the link. The page greets the contact by name.",
        "operationId": "personal-form",
        "parameters": [TOKEN],
        "responses": {
            "200": {
                "description": "The form, or a notice that the link has been used",
                "content": {"text/html": TEXT},
            },
            **refused("401", "404", "410"),
        },
    }
    post = {
        "tags": ["personal links"],
        "summary": "The post of a personal link's form",
        "description": POST_DESCRIPTION,
        "operationId": "personal",
        "security": [{}],
        "parameters": [TOKEN, *POST_HEADERS],
        "requestBody": _body("Personal", {"message": "Please call me about a viewing."}),
        "responses": accepted | refused("410", *POST_REFUSALS),
    }
    return {"get": form, "post": post}


METRICS_TYPES = ("text/plain", "application/openmetrics-text")


def _receipt(name: str, summary: str, media: str) -> dict[str, Any]:
    id_parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "tags": ["outcomes"],
        "summary": summary,
        "description": "A form post is redirected here. Available for 30 days.",
        "operationId": name,
        "parameters": [id_parameter, {"name": "key", "in": "query", "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "Without personal data", "content": {media: TEXT}},
            **refused("404", "410", "503"),
        },
    }


def _cancellation() -> dict[str, Any]:
    asks = _receipt("cancellation-form", "Asks whether to cancel the booking, as a page", "text/html")
    redirect = {"303": {"description": "It is cancelled, or being cancelled: the receipt says so"}}
    post = {
        "tags": ["outcomes"],
        "summary": "Cancels the booking, as a submission of its own",
        "description": "Stored and delivered like the booking itself.",
        "operationId": "cancellation",
        "parameters": asks["parameters"],
        "responses": redirect | refused("400", "404", "410", "503"),
    }
    return {"get": asks | {"responses": asks["responses"] | redirect}, "post": post}


def _embed_script() -> dict[str, Any]:
    return {
        "tags": ["embedding"],
        "summary": "The script that shows the forms on a broker's pages",
        "description": "For `<script src=… async>`. It finds the elements with `data-intresse`, and `<intresse-form>`.",
        "operationId": "embed-script",
        "responses": {
            "200": {"description": "The script", "content": {"text/javascript": TEXT}},
            "304": {"description": "Not modified (`If-None-Match`)"},
        },
    }


def _embed_types() -> dict[str, Any]:
    return {
        "tags": ["embedding"],
        "summary": "TypeScript declarations of `<intresse-form>` and of the events",
        "description": "To be saved among a site's sources. Needs no import.",
        "operationId": "embed-types",
        "responses": {
            "200": {"description": "The declarations", "content": {"text/plain": TEXT}},
            "304": {"description": "Not modified (`If-None-Match`)"},
        },
    }


def _metrics() -> dict[str, Any]:
    refusal = {"content": {"text/plain": TEXT}}
    return {
        "tags": ["health"],
        "summary": "Metrics for Prometheus",
        "description": "Needs the metrics token; without one, only this machine may ask. No personal data.",
        "operationId": "metrics",
        "security": [{}, KEYS[0]],
        "responses": {
            "200": {"description": "The metrics", "content": dict.fromkeys(METRICS_TYPES, TEXT)},
            "401": {"description": "The metrics token is missing or wrong", **refusal},
            "403": {"description": "Requested from another machine", **refusal},
        },
    }


PAGES = {
    "/personal/{token}": _personal(),
    "/receipts/{id}": {"get": _receipt("receipt", "The receipt, as a page", "text/html")},
    "/receipts/{id}/viewing.ics": {"get": _receipt("calendar", "The booked viewing for a calendar", "text/calendar")},
    "/receipts/{id}/cancellation": _cancellation(),
    "/embed.js": {"get": _embed_script()},
    "/embed.d.ts": {"get": _embed_types()},
    "/metrics": {"get": _metrics()},
}
