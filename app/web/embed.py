"""The embed script, its types, and the check that tells an agency why an embed doesn't work."""

import gzip
import hashlib
import json
import re
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.domain.marketing import CLICK_IDS
from app.i18n import N_
from app.operations.registry import POSTS, PUBLIC_POSTS
from app.web.http.typed_route import TypedRoute
from app.web.operations.dependencies import Dependencies, Injected
from app.web.operations.problems import language_of
from app.web.rendering.resources import STATIC
from app.web.rendering.templates import Templates

router = APIRouter(route_class=TypedRoute, tags=["embedding"])
MAX_LENGTH = 300  # characters of a query parameter
# Indentation, comments, and the spaces around operators, which are kept as \2. Our strings contain none of these.
_NOT_CODE = re.compile(r"^\s*(//.*\n)?| // .*$| ([=?:|&<>]+) ", re.MULTILINE)
TITLES = {name: post.form.heading for name, post in PUBLIC_POSTS.items() if post.form}
# The element's attribute for each id in a form's path.
ATTRIBUTES = {"estateId": "estate", "viewingId": "viewing", "timeSlotId": "slot"}
# Any page may load these: they are meant for other origins and contain no personal data.
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
# The address never changes, so one hour: a fixed script should reach every site the same day.
SCRIPT_HEADERS = {
    **OPEN,
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Vary": "Accept-Encoding",
}
ADVICE = {
    "customer": N_("No such customer. Check data-customer."),
    "no-origin": N_(
        "Not an origin, such as https://www.example.se. Open the page through a web server, not as a file."
    ),
    "origin": N_("The customer’s allowed_origins do not include this origin. Add it to the configuration."),
}
ALLOWED = N_("The forms can be shown on this origin.")


def routes(deps: Dependencies) -> list[Route]:
    script = _File(embed_script(deps.templates), "text/javascript")
    types = _File((STATIC / "embed.d.ts").read_bytes(), "text/plain")
    return [
        Route("/embed.js", script.answer, methods=["GET"]),
        Route("/embed.d.ts", types.answer, methods=["GET"]),
    ]


def embed_script(templates: Templates) -> bytes:
    """`static/embed.js` with the frames' titles in every language, the forms' paths and the click ids inserted."""
    titles = {
        language: {form: templates.gettext(language)(text) for form, text in TITLES.items()}
        for language in templates.languages
    }
    source = _NOT_CODE.sub(r"\2", (STATIC / "embed.js").read_text("utf-8"))
    contents = (("TITLES={}", titles), ("PATHS={}", _paths()), ("CLICK_IDS=[]", sorted(CLICK_IDS)))
    for placeholder, content in contents:
        name, _, _ = placeholder.partition("=")
        source = source.replace(placeholder, f"{name}={json.dumps(content, ensure_ascii=False)}")
    return source.encode()


def _paths() -> dict[str, list[str]]:
    """The paths of each form, below the customer's, with attributes instead of ids: `viewing/{viewing}/{slot}`."""
    paths: dict[str, list[str]] = {}
    for post in POSTS:
        if post.form and post.form_path:
            below = post.form_path.removeprefix("/forms/{customerId}/")
            path = re.sub(r"{(\w+)}", lambda match: f"{{{ATTRIBUTES[match[1]]}}}", below)
            paths.setdefault(post.form.name, []).append(path)
    return paths


class _File:
    def __init__(self, content: bytes, media_type: str) -> None:
        self._content = content
        self._media_type = f"{media_type}; charset=utf-8"
        self._compressed = gzip.compress(content, 9, mtime=0)
        self._tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'

    async def answer(self, request: Request) -> Response:
        headers = {**SCRIPT_HEADERS, "ETag": self._tag}
        if self._tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        content = self._content
        if "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["Content-Encoding"] = self._compressed, "gzip"
        return Response(content, media_type=self._media_type, headers=headers)


class EmbedCheck(BaseModel):
    ok: bool
    customer: str
    origin: str
    frameAncestors: str
    reason: Literal["customer", "no-origin", "origin"] | None
    advice: str


@router.get(
    "/embed/check",
    operation_id="embed-check",
    summary="Whether pages of the origin may show the customer's forms",
    response_model=EmbedCheck,
    response_description="Whether it works, and why not",
    responses={404: {"model": EmbedCheck, "description": "No such customer"}},
)
async def check_embedding(
    request: Request,
    deps: Injected,
    customer: Annotated[str, Query(description="as in `data-customer`", examples=["M00000"])] = "",
    origin: Annotated[str, Query(description="as browsers send it", examples=["https://www.example.se"])] = "",
) -> Response:
    """Checks the configuration only. `advice` is in the language of `lang` or `Accept-Language`."""
    customer, origin = customer[:MAX_LENGTH], origin[:MAX_LENGTH]
    origin = origin.rstrip("/")  # as it is copied from a browser's address line
    configured = deps.customers.get(customer)
    reason: Literal["customer", "no-origin", "origin"] | None = None
    if configured is None:
        reason = "customer"
    elif not origin.startswith(("https://", "http://")):
        reason = "no-origin"
    elif not deps.origins.allows(origin, configured):
        reason = "origin"
    gettext = deps.templates.gettext(language_of(request, deps))
    answer = EmbedCheck(
        ok=reason is None,
        customer=customer,
        origin=origin,
        frameAncestors=deps.frame_ancestors(configured) or "*",
        reason=reason,
        advice=gettext(ADVICE[reason] if reason else ALLOWED),
    )
    headers = {**OPEN, "Cache-Control": "no-store"}
    return JSONResponse(answer.model_dump(), 404 if configured is None else 200, headers=headers)
