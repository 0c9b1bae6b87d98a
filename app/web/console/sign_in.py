"""Signing in and out."""

from urllib.parse import urlencode

import structlog
from starlette.responses import Response

from app.web.console import labels
from app.web.console.context import SIGN_IN, ConsoleRequest, Endpoint, open_page, read_form, redirect
from app.web.console.dependencies import ConsoleDependencies
from app.web.console.page_models import SignInPage
from app.web.console.return_path import return_path
from app.web.console.session import is_cross_site
from app.web.operations.problems import error_response
from app.web.operations.rate_limits import RateLimitedError

log = structlog.get_logger()


def sign_in_page(deps: ConsoleDependencies) -> Endpoint:
    async def page(request: ConsoleRequest) -> Response:
        then = return_path(request.http.query_params.get("then", ""))
        if request.session is not None:
            return redirect(then)
        return _page(request, then, lost=bool(request.query_value("known")))

    return open_page(deps, page)


def sign_in(deps: ConsoleDependencies) -> Endpoint:
    async def page(request: ConsoleRequest) -> Response:
        http = request.http
        form = await read_form(http)
        if form is None or is_cross_site(http.headers, deps.public.public_url):
            return error_response(http, deps.public, 403)
        address = http.client.host if http.client else ""
        then = return_path(form.get("then", ""))
        try:
            deps.sign_in_attempts.count(address)
        except RateLimitedError as limited:
            log.warning("console: too many attempts to sign in")
            return _page(request, then, status=429, retry_after=limited.retry_after)
        if not deps.sessions.is_password(form.get("password", "")):
            log.warning("console: wrong password")
            return _page(request, then, status=403, wrong=True)
        deps.sign_in_attempts.forget(address)
        log.info("console: signed in")
        # Via the sign-in page, which checks whether the browser has kept the cookie.
        response = redirect(f"{SIGN_IN}?{urlencode({'known': 1, 'then': then})}")
        response.headers.append("set-cookie", await deps.sessions.begin())
        return response

    return open_page(deps, page)


async def sign_out(request: ConsoleRequest, _: object) -> Response:
    response = redirect(SIGN_IN)
    response.headers.append("set-cookie", await request.deps.sessions.end(request.session or ""))
    log.info("console: signed out")
    return response


def _page(
    request: ConsoleRequest,
    then: str,
    status: int = 200,
    *,
    wrong: bool = False,
    lost: bool = False,
    retry_after: int | None = None,
) -> Response:
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    wait = labels.seconds(retry_after, request.language) if retry_after else ""
    page = SignInPage(request.frame("sign-in"), then, wrong, lost, wait)
    return request.show(page, status, headers)
