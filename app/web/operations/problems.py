"""Error responses: RFC 9457 problems for programs, pages for people."""

from collections.abc import Iterable, Mapping
from typing import Any

import pydantic_core
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.domain.field_errors import FieldError
from app.i18n import GetText
from app.vitec.errors import AccessDeniedError, RejectedError, UnreadableAnswerError, VitecError
from app.web.http.languages import choose_language
from app.web.http.preferences import preferred_media
from app.web.http.security_headers import page_headers
from app.web.operations.cross_origin import CUSTOMER
from app.web.operations.customer import Customer
from app.web.operations.dependencies import Dependencies
from app.web.rendering.messages import message, problem_text
from app.web.rendering.page_models import ErrorPage
from app.web.rendering.theme import Theme

VARY = {"Vary": "Accept-Language"}
CHALLENGE = {"WWW-Authenticate": 'Bearer, Basic realm="Intresse"'}

log = structlog.get_logger()

# Kinds of problem and error page, by status, for what a route or the framework answers itself.
KINDS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    410: "gone",
    413: "too-large",
    415: "unsupported-media",
    503: "unavailable",
}
VITEC_RETRY_SECONDS = 30  # after which Vitec may be back
DATABASE_RETRY_SECONDS = 15  # after which an unavailable database may be back
# The kinds that have an error page, and which; the others show the page for a fault of ours.
PAGES = {kind: kind for kind in ("not-found", "gone", "too-large", "unsupported-media", "forbidden")}
PAGES |= {"unauthorized": "forbidden", "method-not-allowed": "not-found"}
# The content types of browsers' forms, and that of a request without a body.
_SENT_BY_FORMS = {"", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}


class Problem(JSONResponse):
    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        """Vitec's answer may hold NaN or infinities, which become null."""
        return pydantic_core.to_json(content, inf_nan_mode="null")

    def __init__(
        self,
        status: int,
        kind: str,
        gettext: GetText,
        *,
        faults: Iterable[FieldError] = (),
        upstream: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        title, detail = problem_text(kind, gettext)
        content: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        errors = [{"field": f.field, "code": f.code, "message": message(f, gettext)} for f in faults]
        if errors:
            content["errors"] = errors
        if upstream is not None:
            content["upstream"] = upstream
        super().__init__(content, status, headers={**VARY, **(headers or {})})


def unanswered(error: VitecError, gettext: GetText) -> Problem:
    """The answer to a program when Vitec has not answered its lookup."""
    if isinstance(error, RejectedError):
        return Problem(400, "upstream-rejected", gettext, upstream=error.upstream)
    if isinstance(error, UnreadableAnswerError | AccessDeniedError):
        return Problem(502, "upstream-unreadable", gettext)
    return Problem(503, "upstream-away", gettext, headers={"Retry-After": str(VITEC_RETRY_SECONDS)})


def wants_page(request: Request, *, for_people: bool) -> bool:
    """Whether to answer with a page. At an address for people (`for_people`) only who prefers JSON gets none; elsewhere
    only who accepts HTML by name gets one. So do programs in Java: they are known by a body that no browser's form
    sends."""
    sent, _, _ = request.headers.get("content-type", "").lower().partition(";")
    preferred = preferred_media(request.headers.get("accept", ""))
    if sent.strip() not in _SENT_BY_FORMS:
        return False
    return preferred != "json" if for_people else preferred == "html"


def language_of(request: Request, deps: Dependencies, default: str = "sv") -> str:
    lang = request.query_params.get("lang") if request.url.query else None
    return choose_language(lang, request.headers.get("accept-language"), default, deps.templates.languages)


def error_response(
    request: Request,
    deps: Dependencies,
    status: int,
    *,
    headers: Mapping[str, str] | None = None,
    for_people: bool = False,
) -> Response:
    """A page or a problem, as the caller prefers, in the look and language of the customer whom the scope or the
    address names. `for_people`: the address is meant for people."""
    kind = KINDS.get(status, "fault")
    named = deps.customers.get(request.path_params.get("customerId", ""))
    customer: Customer | None = request.scope.get(CUSTOMER, named)
    firm = customer.firm if customer else None
    language = language_of(request, deps, customer.language) if customer else language_of(request, deps)
    if not wants_page(request, for_people=for_people):
        return Problem(status, kind, deps.templates.gettext(language), headers=headers)
    shown = PAGES.get(kind, "fault")
    frame_origins = deps.frame_origins(customer)
    theme = Theme.of(request.query_params.get("theme"))
    page = ErrorPage(language, firm, deps.demo, status, shown, frame_origins=frame_origins, theme=theme)
    fixed = page_headers(deps.templates.css(firm, theme).csp_hash, deps.frame_ancestors(customer))
    return HTMLResponse(deps.templates.render(page), status, headers={**fixed, **(headers or {})})


def exception_handlers(deps: Dependencies) -> dict[Any, Any]:
    """Handlers that answer the framework's exceptions as `error_response` does."""

    async def http_error(request: Request, error: HTTPException) -> Response:
        return error_response(request, deps, error.status_code, headers=error.headers)

    async def fault(request: Request, error: Exception) -> Response:
        log.exception(
            "unhandled error", path_template=getattr(request.scope.get("route"), "path", None), exc_info=error
        )
        return error_response(request, deps, 500)

    return {HTTPException: http_error, Exception: fault}
