"""A broker's own website, on another site than the service: pages as a test writes them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.serving import free_port, serve


@dataclass
class Broker:
    """`url` is the website's origin; `pages` are bodies of HTML by path, `headers` go with each."""

    url: str
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def show(self, path: str, *parts: str, headers: Mapping[str, str] | None = None) -> str:
        """Puts the parts on a Swedish page, and gives its address."""
        self.pages[path] = "<!doctype html><html lang=sv><meta charset=utf-8>" + (
            "<meta name=viewport content='width=device-width'><title>Mäklarhuset</title>" + "".join(parts)
        )
        self.headers = dict(headers or {})
        return self.url + path


@contextmanager
def broker() -> Iterator[Broker]:
    """`localhost`, where the service is `127.0.0.1`: another site, so that cookies would be a third party's."""
    port = free_port()
    site = Broker(f"http://localhost:{port}")

    async def answer(request: Request) -> Response:
        page = site.pages.get(request.url.path)
        return HTMLResponse(page or "", 200 if page else 404, headers=site.headers)

    with serve(Starlette(routes=[Route("/{path:path}", answer)]), port=port):
        yield site
