"""A response with encoded headers."""

from collections.abc import Iterable

from starlette.responses import Response


class ReadyResponse(Response):
    """Sends `headers` as they are, names in lower case, and adds the length. A page has the same headers for many
    visitors, and Starlette would encode them each time."""

    def __init__(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> None:
        self.status_code = status
        self.background = None
        self.body = body
        self.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]
