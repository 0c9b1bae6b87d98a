"""The context of a console request: session, language, and the frame around every page."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.domain.submission import PATH_ID
from app.i18n import GetText
from app.storage.database import StoreUnavailableError
from app.web.console.dependencies import ConsoleDependencies
from app.web.console.page_models import ConsolePage, Frame
from app.web.console.return_path import return_path_of
from app.web.console.session import PATH, is_cross_site
from app.web.http.cookies import cookies_of
from app.web.http.languages import choose_language
from app.web.http.urlencoded import pairs_of
from app.web.operations.body import BodyTimeoutError, BodyTooLargeError, read_content
from app.web.operations.form_page import language_links, query_start
from app.web.operations.problems import error_response

SIGN_IN = f"{PATH}/sign-in"
LANGUAGE_COOKIE = "__Secure-intresse-language"
MAX_LENGTH = 200  # characters of a query parameter
MAX_BYTES = 8192  # of a posted form; the console's forms are far smaller
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

log = structlog.get_logger()


@dataclass(frozen=True)
class ConsoleRequest:
    """One request to the console. `session` is None if nobody is signed in."""

    http: Request
    deps: ConsoleDependencies
    session: str | None

    @cached_property
    def language(self) -> str:
        lang = self.query_value("lang") or cookies_of(self.http.headers.get("cookie")).get(LANGUAGE_COOKIE)
        accepted = self.http.headers.get("accept-language")
        return choose_language(lang, accepted, "sv", self.deps.public.templates.languages)

    @cached_property
    def gettext(self) -> GetText:
        return self.deps.public.templates.gettext(self.language)

    def query_value(self, name: str) -> str:
        """The value of a query parameter, as `plain` text; "" if it is missing."""
        return plain(self.http.query_params.get(name, ""))

    def path_id(self, name: str) -> str:
        """An id from the path; "" if it is not a possible id."""
        value: str = self.http.path_params[name]
        return value if PATH_ID.fullmatch(value) else ""

    def frame(self, section: str) -> Frame:
        public, session = self.deps.public, self.session
        start = query_start((name, value) for name, value in self.http.query_params.multi_items() if name != "q")
        token = self.deps.sessions.form_token(session) if session else ""
        return Frame(self.language, language_links(public, self.language, start), public.demo, section, token)

    def show(self, page: ConsolePage, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        text = self.deps.public.templates.fill(page.template, self.language, page)
        response = HTMLResponse(text, status, headers={**HEADERS, **(headers or {})})
        if self.query_value("lang") in self.deps.public.templates.languages:
            response.set_cookie(
                LANGUAGE_COOKIE, self.language, path=PATH, secure=True, httponly=True, samesite="strict"
            )
        return response


def plain(text: str) -> str:
    """The text stripped, truncated, and without NUL, which PostgreSQL does not accept."""
    return text.replace("\0", "").strip()[:MAX_LENGTH]


Page = Callable[[ConsoleRequest], Awaitable[Response]]
Post = Callable[[ConsoleRequest, Mapping[str, str]], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def open_page(deps: ConsoleDependencies, show: Page) -> Endpoint:
    """An endpoint that needs no sign-in. While the database is unavailable, sessions can't be checked, so the answer is
    503."""

    async def endpoint(http: Request) -> Response:
        try:
            return await show(
                ConsoleRequest(http, deps, await deps.sessions.from_cookies(cookies_of(http.headers.get("cookie"))))
            )
        except StoreUnavailableError as error:
            log.error("store unavailable", detail=str(error))
            return error_response(http, deps.public, 503)

    return endpoint


def signed_in(deps: ConsoleDependencies, show: Page) -> Endpoint:
    """An endpoint that needs a sign-in. Others are redirected to the sign-in page, and back afterwards."""

    async def page(request: ConsoleRequest) -> Response:
        if request.session is None:
            return redirect(f"{SIGN_IN}?{urlencode({'then': return_path_of(request.http)})}")
        return await show(request)

    return open_page(deps, page)


def posted(deps: ConsoleDependencies, act: Post) -> Endpoint:
    """An endpoint for posts. It needs a sign-in and the token from our own form."""

    async def page(request: ConsoleRequest) -> Response:
        if request.session is None:
            return redirect(SIGN_IN)
        http = request.http
        form = await read_form(http)
        cross_site = is_cross_site(http.headers, deps.public.public_url)
        if cross_site or form is None or not deps.sessions.is_form_token(form.get("token", ""), request.session):
            log.warning("console: cross-site post refused")
            return error_response(http, deps.public, 403)
        return await act(request, form)

    return open_page(deps, page)


def redirect(url: str) -> Response:
    """303 See Other: after a post, the browser fetches this page."""
    return RedirectResponse(url, status_code=303, headers=HEADERS)


async def read_form(http: Request) -> Mapping[str, str] | None:
    """The form's values (the last one for each name). None if the body is too large or too slow to be from our form."""
    try:
        body = await read_content(http, http.headers, MAX_BYTES)
    except (BodyTooLargeError, BodyTimeoutError, ClientDisconnect):
        return None
    return dict(pairs_of(body.decode("latin-1"), "replace"))
