"""The OpenAPI document: typed routes describe themselves; forms, posts and pages, which are plain routes, are described
here."""

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
Lead capture for Swedish estate brokers. Every operation stands at Vitec Connect's own path, so that a client written
for Vitec works by changing the host: what is posted is validated, committed to disk, and delivered to Vitec.

The examples work as they are in the demo (`intresse serve --demo`), with the API key that it prints at its start.
"""
TAGS = {
    "forms": "What people fill in. A page of the customer's allowed origins may post, and whoever has an API key.",
    "programs": "For programs with the customer's API key: `Authorization: Bearer KEY`, or Basic with it as password.",
    "personal links": "Forms behind a signed link, for one contact.",
    "outcomes": "What became of a submission.",
    "embedding": "The forms on a broker's own pages.",
    "health": "For the proxy, the orchestrator and Prometheus.",
}
PATH_EXAMPLES = {  # of the demo's office
    "customerId": "M00000",
    "estateId": "OBJ1",
    "viewingId": "VIS1",
    "timeSlotId": "SLOT1",
    "contactId": "C1",
}
RESULTS = {Operation.LEAD: "L1", Operation.LOAN_PROMISE: "P1"}  # Vitec's, where it answers no contact's id
TOKEN = {"name": "token", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}}
QUERY = {
    "lang": "Language of the texts: sv or en. Overrides Accept-Language.",
    "title": "Name of the home: plain text, at most 80 characters.",
    "estate": "For a booking: the home's id.",
    "slots": "For a booking: the times to choose from, as timeSlotId@start/end, separated by commas.",
    "referrer": "The page on which the form is shown.",
    "utm_source": "Likewise every other utm_*, and the click ids: gclid, gbraid, wbraid, dclid, fbclid, msclkid, "
    "ttclid, twclid, li_fat_id.",
}
QUERY_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string"}, "description": text} for name, text in QUERY.items()
]
HEADERS = {
    "Idempotency-Key": "the same key again within 24 hours answers the first outcome, and sends nothing twice",
    "Prefer": "`respond-async`: do not wait for Vitec",
}
POST_HEADERS = [
    {"name": name, "in": "header", "schema": {"type": "string"}, "description": text} for name, text in HEADERS.items()
]
POST_REFUSALS = ("400", "401", "403", "404", "408", "413", "415", "422", "429", "500", "503")
POST_DESCRIPTION = (
    "Answered once it is on disk. Waits a few seconds for Vitec's answer, unless `Prefer: respond-async` says not to: "
    "200 with Vitec's own body for an API key, or 202 with `statusUrl`. All faults of a body are reported at once. A "
    "form post (`application/x-www-form-urlencoded`, `multipart/form-data`) has the same members, nested ones dotted."
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
        "basic": {"type": "http", "scheme": "basic", "description": "The API key as password, with any user name."},
    }
    paths: dict[str, Any] = {}
    approval = Approval.model_json_schema(by_alias=True, ref_template=REFERENCE)
    for post in (post for post in POSTS if post.addresses):
        schema = post.model.model_json_schema(by_alias=True, ref_template=REFERENCE)
        schemas |= schema.pop("$defs", {})
        if post.form:
            schema["properties"][CONSENT] = {"type": "boolean"}
        if post.asks_consent:
            schema["properties"] = approval["properties"] | schema["properties"]
        schemas[post.model.__name__] = schema
        for path in dict.fromkeys((*post.addresses, *post.form_addresses)):
            paths[path] = {
                **({"get": _form(post, path)} if path in post.form_addresses else {}),
                **({"post": _post(post, path)} if path in post.addresses else {}),
            }
    schemas["Personal"] = _personal_schema(schemas)
    document["paths"] = paths | PAGES | document["paths"]
    return document


def _drop_framework_errors(document: dict[str, Any]) -> None:
    """FastAPI's own answer to a parameter of the wrong type: ours are all strings, which nothing can be."""
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
        "description": "A page of its own, or in a frame on the customer's pages. Its query's tags follow the lead.",
        "operationId": f"{_operation_id(post, path)}-form",
        "parameters": [*_parameters(path), *QUERY_PARAMETERS],
        "responses": _home() if post.by_home else _form_page("401", "404"),
    }


def _form_page(*refusals: str) -> dict[Any, Any]:
    return {"200": {"description": "The form", "content": {"text/html": TEXT}}, **refused(*refusals)}


def _home() -> dict[Any, Any]:
    """As a form, or for `Accept: application/json` as data."""
    responses = _form_page("401", "404", "502", "503")
    responses["200"]["content"]["application/json"] = {"schema": HOME}
    return responses


def _operation_id(post: PostSpec, path: str) -> str:
    """Each address has one of its own."""
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


def _body(model: str, example: Any = None) -> dict[str, Any]:
    body: dict[str, Any] = {"schema": {"$ref": REFERENCE.format(model=model)}}
    content = {media.value: body for media in Media}
    if example:
        content[Media.JSON.value] = {**body, "example": example}
    return {"required": True, "content": content}


def _accepted(*posts: PostSpec) -> dict[str, Any]:
    """`posts`: those whose answer from Vitec is passed on to API keys."""
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
        "202": as_json("On disk, not yet delivered", {"$ref": "#/components/schemas/Pending"}),
        "303": {"description": "On disk (a form post): the receipt"},
    }


def _personal_schema(schemas: dict[str, Any]) -> dict[str, Any]:
    """What the holder of a link may say: of a contact's form and of a loan promise's."""
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
        "summary": "The form of a personal link: contact me, or my loan promise",
        "description": "`intresse link` makes one. It greets the contact by name, and opens that form only.",
        "operationId": "personal-form",
        "parameters": [TOKEN],
        "responses": {
            "200": {"description": "The form, or that the link has been used", "content": {"text/html": TEXT}},
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
        "description": "At the address that a form post is sent on to; it lives 30 days.",
        "operationId": name,
        "parameters": [id_parameter, {"name": "key", "in": "query", "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "Without personal data", "content": {media: TEXT}},
            **refused("404", "410", "503"),
        },
    }


def _cancellation() -> dict[str, Any]:
    asks = _receipt("cancellation-form", "Asks whether to cancel the booking, as a page", "text/html")
    sent_on = {"303": {"description": "It is cancelled, or being cancelled: the receipt says so"}}
    post = {
        "tags": ["outcomes"],
        "summary": "Cancels the booking: a submission of its own",
        "description": "Delivered as safely as the booking was.",
        "operationId": "cancellation",
        "parameters": asks["parameters"],
        "responses": sent_on | refused("400", "404", "410", "503"),
    }
    return {"get": asks | {"responses": asks["responses"] | sent_on}, "post": post}


def _embed_script() -> dict[str, Any]:
    return {
        "tags": ["embedding"],
        "summary": "The script that shows the forms on a broker's pages",
        "description": "For `<script src=… async>`; it looks for `data-intresse` and `<intresse-form>`.",
        "operationId": "embed-script",
        "responses": {
            "200": {"description": "The script", "content": {"text/javascript": TEXT}},
            "304": {"description": "You have it (`If-None-Match`)"},
        },
    }


def _embed_types() -> dict[str, Any]:
    return {
        "tags": ["embedding"],
        "summary": "The TypeScript declarations of `<intresse-form>` and of the events",
        "description": "To save among a site's sources; needs no import.",
        "operationId": "embed-types",
        "responses": {
            "200": {"description": "The declarations", "content": {"text/plain": TEXT}},
            "304": {"description": "You have it (`If-None-Match`)"},
        },
    }


def _metrics() -> dict[str, Any]:
    refusal = {"content": {"text/plain": TEXT}}
    return {
        "tags": ["health"],
        "summary": "Figures for Prometheus",
        "description": "By the metrics token; without one, on this machine alone. No personal data.",
        "operationId": "metrics",
        "security": [{}, KEYS[0]],
        "responses": {
            "200": {"description": "The figures", "content": dict.fromkeys(METRICS_TYPES, TEXT)},
            "401": {"description": "The metrics token is missing or wrong", **refusal},
            "403": {"description": "Asked from another machine", **refusal},
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
