"""One look at the console: who is signed in, in which language, and what every page has around it."""

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
from app.web.console.return_path import then_of
from app.web.console.session import PATH, is_cross_site
from app.web.http.cookies import cookies_of
from app.web.http.languages import choose_language
from app.web.http.urlencoded import pairs_of
from app.web.operations.body import BodyTimeoutError, BodyTooLargeError, read_content
from app.web.operations.form_page import language_links, query_start
from app.web.operations.problems import error_response

SIGN_IN = f"{PATH}/sign-in"
LANGUAGE_COOKIE = "__Secure-intresse-language"
LONGEST = 200  # characters of what a page is asked for
MOST_BYTES = 8192  # of a form; the console's own are far shorter
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
    """`session` is None where nobody is signed in."""

    request: Request
    desk: ConsoleDependencies
    session: str | None

    @cached_property
    def language(self) -> str:
        asked = self.asked("lang") or cookies_of(self.request.headers.get("cookie")).get(LANGUAGE_COOKIE)
        accepted = self.request.headers.get("accept-language")
        return choose_language(asked, accepted, "sv", self.desk.site.templates.languages)

    @cached_property
    def gettext(self) -> GetText:
        return self.desk.site.templates.gettext(self.language)

    def asked(self, name: str) -> str:
        return plain(self.request.query_params.get(name, ""))

    def path_id(self, name: str) -> str:
        """An id in the path; "" where no id can be what stands there."""
        said: str = self.request.path_params[name]
        return said if PATH_ID.fullmatch(said) else ""

    def frame(self, section: str) -> Frame:
        site, session = self.desk.site, self.session
        start = query_start((name, value) for name, value in self.request.query_params.multi_items() if name != "q")
        token = self.desk.sessions.form_token(session) if session else ""
        return Frame(self.language, language_links(site, self.language, start), site.demo, section, token)

    def show(self, page: ConsolePage, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        text = self.desk.site.templates.fill(page.template, self.language, page)
        response = HTMLResponse(text, status, headers={**HEADERS, **(headers or {})})
        if self.asked("lang") in self.desk.site.templates.languages:
            response.set_cookie(
                LANGUAGE_COOKIE, self.language, path=PATH, secure=True, httponly=True, samesite="strict"
            )
        return response


def plain(text: str) -> str:
    """Without NUL, which PostgreSQL takes in no text."""
    return text.replace("\0", "").strip()[:LONGEST]


Page = Callable[[ConsoleRequest], Awaitable[Response]]
Post = Callable[[ConsoleRequest, Mapping[str, str]], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def looking(desk: ConsoleDependencies, show: Page) -> Endpoint:
    """A page for anybody, signed in or not. While the store is away nobody can be known, and nothing shown."""

    async def endpoint(request: Request) -> Response:
        try:
            return await show(
                ConsoleRequest(request, desk, await desk.sessions.of(cookies_of(request.headers.get("cookie"))))
            )
        except StoreUnavailableError as error:
            log.error("store unavailable", detail=str(error))
            return error_response(request, desk.site, 503)

    return endpoint


def signed_in(desk: ConsoleDependencies, show: Page) -> Endpoint:
    """A page for who is signed in; others are led to the sign-in, and back."""

    async def page(look: ConsoleRequest) -> Response:
        if look.session is None:
            return redirect(f"{SIGN_IN}?{urlencode({'then': then_of(look.request)})}")
        return await show(look)

    return looking(desk, page)


def posted(desk: ConsoleDependencies, act: Post) -> Endpoint:
    """A post by who is signed in, from a page of ours."""

    async def page(look: ConsoleRequest) -> Response:
        if look.session is None:
            return redirect(SIGN_IN)
        request = look.request
        form = await read_form(request)
        cross = is_cross_site(request.headers, desk.site.public_url)
        if cross or form is None or not desk.sessions.is_ours(form.get("token", ""), look.session):
            log.warning("console: a post that is not from its own pages was refused")
            return error_response(request, desk.site, 403)
        return await act(look, form)

    return looking(desk, page)


def redirect(where: str) -> Response:
    """After a post: the browser asks for the page."""
    return RedirectResponse(where, status_code=303, headers=HEADERS)


async def read_form(request: Request) -> Mapping[str, str] | None:
    """The last value of each name; None when it is too large, or comes too slowly, to be ours."""
    try:
        body = await read_content(request, request.headers, MOST_BYTES)
    except (BodyTooLargeError, BodyTimeoutError, ClientDisconnect):
        return None
    return dict(pairs_of(body.decode("latin-1"), "replace"))
