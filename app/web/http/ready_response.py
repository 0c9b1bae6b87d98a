"""A response whose headers are ready to be sent."""

from collections.abc import Iterable

from starlette.responses import Response


class ReadyResponse(Response):
    """`headers` are sent as they are, names in lower case; the length is added. A page's are the same for many
    visitors, and Starlette would encode them for each."""

    def __init__(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> None:
        self.status_code = status
        self.background = None
        self.body = body
        self.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]
