"""A response whose headers are ready to be sent."""

from collections.abc import Iterable

from starlette.responses import Response


class ReadyResponse(Response):
    """`headers` by name in lower case; the length is added. Gain over Starlette's, which encodes each header of each
    answer: 1 % of a post."""

    def __init__(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> None:
        self.status_code = status
        self.background = None
        self.body = body
        self.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]
