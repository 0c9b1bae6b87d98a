"""Static files: read once at start, with a content hash in their names, cacheable for a year."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.web.rendering.resources import STATIC

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",
}
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "cross-origin",  # brokers' pages load them too
}


@dataclass(frozen=True)
class StaticFile:
    """A static file. `name` contains a hash of its content."""

    name: str
    content: bytes
    media_type: str


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:10]
    return StaticFile(f"{path.stem}.{digest}{path.suffix}", content, MEDIA_TYPES[path.suffix])


_FILES = {path.name: _read(path) for path in sorted(STATIC.iterdir()) if path.suffix in MEDIA_TYPES}
_BY_HASHED_NAME = {file.name: file for file in _FILES.values()}


def static_url(name: str) -> str:
    """The address of a file in `static/`. Raises `KeyError` if there is no such file."""
    return f"/static/{_FILES[name].name}"


async def _serve(request: Request) -> Response:
    file = _BY_HASHED_NAME.get(request.path_params["name"])
    if file is None:
        return Response(status_code=404)
    return Response(file.content, media_type=file.media_type, headers=HEADERS)


routes = [Route("/static/{name}", _serve, methods=["GET"])]
