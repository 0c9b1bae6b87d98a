"""`/docs`: the OpenAPI document in Swagger UI, served from a wheel so that no other host is contacted."""

from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.web.rendering.static_files import MEDIA_TYPES, static_url

WHEEL = "fastapi_offline"
FILES = ("swagger-ui.css", "swagger-ui-bundle.js")
HEADERS = {"Cache-Control": "public, max-age=86400"}  # one day: an upgrade does not change the names
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Intresse API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="{start}" defer></script>
</head>
<body>{note}<main id="docs"></main></body>
</html>
"""

DEMO_NOTE = "<p><strong>Nothing here is real.</strong> What you send goes to a simulated CRM.</p>\n"


async def _file(request: Request) -> Response:
    name = request.url.path.rpartition("/")[2]
    kind = MEDIA_TYPES[name[name.rindex(".") :]]
    return Response(_content(name), media_type=kind, headers=HEADERS)


@cache
def _content(name: str) -> bytes:
    return (files(WHEEL) / "static" / name).read_bytes()


def routes(*, demo: bool) -> list[Route]:
    page = PAGE.format(start=static_url("docs.js"), note=DEMO_NOTE if demo else "")

    async def docs(_: Request) -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

    return [
        Route("/docs", docs, methods=["GET"]),
        *(Route(f"/docs/{name}", _file, methods=["GET"]) for name in FILES),
    ]
