"""A broker's own website, on another site than the service, with pages that tests write."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import FrameLocator, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.sandbox import Office
from tests.conftest import CUSTOMER
from tests.servers import eventually, listening, serve


@dataclass
class Broker:
    """A website. `url` is its origin, `pages` are HTML bodies by path, and `headers` are sent with each."""

    url: str
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def show(self, path: str, *parts: str, headers: Mapping[str, str] | None = None) -> str:
        """Puts the parts on a Swedish page; returns its address."""
        self.pages[path] = "<!doctype html><html lang=sv><meta charset=utf-8>" + (
            "<meta name=viewport content='width=device-width'><title>Mäklarhuset</title>" + "".join(parts)
        )
        self.headers = dict(headers or {})
        return self.url + path


@contextmanager
def broker() -> Iterator[Broker]:
    """A website on `localhost`. The service is on `127.0.0.1`, so its cookies would be third-party ones."""
    listener, port = listening()
    site = Broker(f"http://localhost:{port}")

    async def answer(request: Request) -> Response:
        page = site.pages.get(request.url.path)
        return HTMLResponse(page or "", 200 if page else 404, headers=site.headers)

    with serve(Starlette(routes=[Route("/{path:path}", answer)]), listener=listener):
        yield site


LISTEN = """<script>
var dispatched = []
for (const name of ["ready", "height", "submitted", "error"])
  addEventListener("intresse:" + name, (e) => dispatched.push([name, e.target.id, e.detail]))
</script>"""


@dataclass
class Embedded:
    """A service and a website that may embed its forms."""

    service: str
    website: Broker
    office: Office

    @property
    def script(self) -> str:
        return f"<script src='{self.service}/embed.js' async></script>"

    def element(self, form: str = "interest", **more: str) -> str:
        ids: dict[str, dict[str, str]] = {
            "interest": {"estate": "OBJ1"},
            "viewing": {"viewing": "VIS1", "slot": "SLOT1"},
            "valuation": {},
            "final-price": {"estate": "OBJ2"},
        }
        attributes = {"intresse": form, "customer": CUSTOMER, **ids[form], **more}
        data = "".join(f' data-{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
        link = f"{self.service}/forms/{CUSTOMER}/interest/OBJ1"
        return f"<div id={form}{data}><a href='{link}'>Anmäl intresse</a></div>"

    def own_element(self, form: str = "interest", content: str = "", **more: str) -> str:
        """The form as `<intresse-form>`."""
        div = self.element(form, **more).replace("data-intresse=", "form=").replace(" data-", " ")
        return div.replace("<div", "<intresse-form").replace("</div>", f"{content}</intresse-form>")

    def page(self, *parts: str, **headers: str) -> str:
        return self.website.show("/storgatan-1", LISTEN, *parts, headers=headers)


def frame(page: Page, form: str = "interest") -> FrameLocator:
    page.locator(f"#{form} iframe").scroll_into_view_if_needed()
    return page.locator(f"#{form} iframe").content_frame


def fill(form: FrameLocator) -> None:
    form.get_by_label("Förnamn").fill("Anna")
    form.get_by_label("Efternamn").fill("Åkesson")
    form.get_by_label("E-post").fill("anna@example.se")
    form.get_by_label("Ja, ni får").check()


def send(form: FrameLocator) -> None:
    form.get_by_role("button", name="Skicka intresseanmälan").click()


def dispatched(page: Page, name: str) -> list[Any]:
    """The details of all events with this name."""
    return eventually(lambda: [event[2] for event in page.evaluate("dispatched") if event[0] == name])


def height(page: Page, form: str = "interest") -> float:
    return float(page.locator(f"#{form} iframe").evaluate("frame => frame.clientHeight"))


def is_as_tall_as_its_content(page: Page, form: str = "interest") -> bool:
    content = frame(page, form).locator("html").evaluate("root => Math.ceil(root.getBoundingClientRect().height)")
    return height(page, form) == float(content)
