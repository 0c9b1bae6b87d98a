"""The path to return to after signing in. Only pages of the console are allowed."""

import re
from urllib.parse import urlencode

from starlette.requests import Request

from app.web.console.session import PATH
from app.web.http.urlencoded import pairs_of

MAX_LENGTH = 2000  # characters
# What the console's URLs look like. This excludes everything that a browser could take for another host, another
# folder or the end of a header: "//", "..", "\\", "%2f" and control characters.
_SEGMENT = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_INSIDE = re.compile(rf"({PATH}(?:/{_SEGMENT})*)(?:\?([A-Za-z0-9._~%+&=:,@/*-]*))?", re.ASCII)


def return_path(address: str) -> str:
    """The address if it is a page of the console, else the console's start page."""
    match = _INSIDE.fullmatch(address) if len(address) <= MAX_LENGTH else None
    return _without_text(match[1], match[2] or "") if match else PATH


def return_path_of(request: Request) -> str:
    """The requested page's path and query, to return to."""
    query = request.scope["query_string"].decode("latin-1")
    return return_path(f"{request.scope['path']}?{query}" if query else request.scope["path"])


def _without_text(path: str, query: str) -> str:
    """The path and query without the search text, which may be personal data and must not appear in a URL."""
    pairs = [(name, value) for name, value in pairs_of(query, "replace") if name != "q"]
    return f"{path}?{urlencode(pairs)}" if pairs else path
