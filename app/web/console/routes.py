"""The console's addresses."""

from starlette.routing import Route

from app.web.console.desk import Desk
from app.web.console.look import SIGN_IN, posted, signed_in
from app.web.console.overview import show_overview
from app.web.console.session import PATH
from app.web.console.sign_in import sign_in, sign_in_page, sign_out


def routes(desk: Desk) -> list[Route]:
    return [
        Route(PATH, signed_in(desk, show_overview), methods=["GET"]),
        Route(SIGN_IN, sign_in_page(desk), methods=["GET"]),
        Route(SIGN_IN, sign_in(desk), methods=["POST"]),
        Route(f"{PATH}/sign-out", posted(desk, sign_out), methods=["POST"]),
    ]
