"""Signing in and out."""

from urllib.parse import urlencode

import structlog
from starlette.responses import Response

from app.web.console.context import SIGN_IN, ConsoleRequest, Endpoint, looking, read_form, redirect
from app.web.console.dependencies import ConsoleDependencies
from app.web.console.page_models import SignInPage
from app.web.console.return_path import inside
from app.web.console.session import is_cross_site
from app.web.operations.limits import RateLimitedError
from app.web.operations.problems import error_response

log = structlog.get_logger()


def sign_in_page(desk: ConsoleDependencies) -> Endpoint:
    async def page(look: ConsoleRequest) -> Response:
        then = inside(look.request.query_params.get("then", ""))
        return redirect(then) if look.session is not None else _page(look, then, lost=bool(look.asked("known")))

    return looking(desk, page)


def sign_in(desk: ConsoleDependencies) -> Endpoint:
    async def page(look: ConsoleRequest) -> Response:
        request = look.request
        form = await read_form(request)
        if form is None or is_cross_site(request.headers, desk.site.public_url):
            return error_response(request, desk.site, 403)
        address = request.client.host if request.client else ""
        then = inside(form.get("then", ""))
        try:
            desk.tries.count(address)
        except RateLimitedError as many:
            log.warning("console: too many attempts to sign in")
            return _page(look, then, status=429, retry_after=many.retry_after)
        if not desk.sessions.knows(form.get("password", "")):
            log.warning("console: wrong password")
            return _page(look, then, status=403, wrong=True)
        desk.tries.forget(address)
        log.info("console: signed in")
        # By way of the sign-in, which knows whether the browser has kept the cookie.
        response = redirect(f"{SIGN_IN}?{urlencode({'known': 1, 'then': then})}")
        response.headers.append("set-cookie", await desk.sessions.begin())
        return response

    return looking(desk, page)


async def sign_out(look: ConsoleRequest, _: object) -> Response:
    response = redirect(SIGN_IN)
    response.headers.append("set-cookie", await look.desk.sessions.end(look.session or ""))
    log.info("console: signed out")
    return response


def _page(
    look: ConsoleRequest,
    then: str,
    status: int = 200,
    *,
    wrong: bool = False,
    lost: bool = False,
    retry_after: int | None = None,
) -> Response:
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    page = SignInPage(look.frame("sign-in"), then, wrong, lost, retry_after)
    return look.show(page, status, headers)
