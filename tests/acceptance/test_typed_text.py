"""What a visitor typed is still there after going back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import FrameLocator, Page, expect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.bootstrap.web_app import create_app
from tests.acceptance.broker import Embedded, frame
from tests.conftest import CUSTOMER, Configure
from tests.servers import listening, serve

FORM = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
LONG = "Hej! " * 15_000  # more than a post may hold


def fill(page: Page | FrameLocator, message: str) -> None:
    page.get_by_label("Förnamn").fill("Åsa")
    page.get_by_label("Efternamn").fill("Öberg")
    page.get_by_label("E-post", exact=True).fill("asa@example.se")
    page.get_by_label("Meddelande").fill(message)
    page.get_by_role("checkbox", name="mycket intresserad").check()


def expect_filled(page: Page | FrameLocator, message: str) -> None:
    expect(page.get_by_label("Förnamn")).to_have_value("Åsa")
    expect(page.get_by_label("E-post", exact=True)).to_have_value("asa@example.se")
    expect(page.get_by_label("Meddelande")).to_have_value(message)
    expect(page.get_by_role("checkbox", name="mycket intresserad")).to_be_checked()


def test_after_a_413_the_back_button_shows_what_was_typed(public: Callable[..., str], page: Page) -> None:
    url = public()
    page.goto(f"{url}{FORM}")
    fill(page, LONG)
    page.get_by_role("button", name="Skicka").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("för mycket text")
    page.go_back()
    expect_filled(page, LONG)


def behind_a_proxy(app: ASGIApp, status: int) -> ASGIApp:
    """The app behind a proxy that can't reach it when the form is sent, and answers with its own page."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            await PlainTextResponse("Vänta en stund.", status)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return proxy


@pytest.mark.parametrize("status", [408, 502, 503])
def test_after_an_error_of_the_proxy_the_back_button_shows_what_was_typed(
    configure: Configure, page: Page, status: int
) -> None:
    listener, port = listening()
    app = create_app(configure(public_url=f"http://127.0.0.1:{port}"))
    with serve(behind_a_proxy(app, status), listener=listener) as url:
        page.goto(f"{url}{FORM}")
        fill(page, "Hej!")
        page.get_by_role("button", name="Skicka").click()
        expect(page.get_by_text("Vänta en stund.")).to_be_visible()
        page.go_back()
        expect_filled(page, "Hej!")


def test_in_a_frame_the_back_button_shows_what_was_typed_too(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.script, embedded.element()))
    form = frame(page)
    fill(form, LONG)
    form.get_by_role("button", name="Skicka").click()
    expect(form.get_by_role("heading", level=1)).to_contain_text("för mycket text")
    page.evaluate("history.back()")
    expect_filled(form, LONG)
