"""uvicorn's HTTP/1.1 protocol with the limits that it lacks.

One parser decides where a request ends, so that nothing in its body can become another request: an `Upgrade` that we
don't honour is ignored, trailers change nothing, `chunked` is the only transfer encoding, and a connection is closed if
a request was answered before its body was read.

Every wait has a limit: for a head, for the first piece of a body (`web.operations.body` limits the rest), between two
requests, for a client that does not read, and for one that keeps sending after the answer.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import httptools
from starlette.types import Message, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_SECONDS = 20.0  # from the connection, or a head's first byte, to its end; and from there to the body's first
KEEP_ALIVE_SECONDS = 5  # from an answer to the next request, as in uvicorn
WRITE_SECONDS = 60.0  # for a client that stopped reading
LINGER_SECONDS = 5.0  # for a client that is still sending when it is answered, so that it can read the answer
MAX_HEAD = 16 * 1024  # bytes, as in nginx and h11
MAX_AFTER_HEAD = 256 * 1024  # bytes of a body with framing and trailers: four times the largest body
MAX_LINGER = 1024 * 1024  # bytes
INVALID = "Invalid HTTP request received."
# In a scope's extensions: a function that takes header lines for the answer that begins with the next message, and
# returns whether it could. uvicorn checks each header of each answer, also those that are always the same.
# Gain: 6 % of a page, 4 % of a post.
HEADER_LINES = "intresse.header_lines"
MAX_PIPELINED = 8  # requests that wait for the one before on a connection; browsers and proxies send none


Headers = Sequence[tuple[bytes, bytes]]


def header_lines(headers: Headers) -> bytes:
    return b"".join([b"%s: %s\r\n" % header for header in headers])


def add_headers(scope: Scope, message: Message, headers: Headers, lines: bytes) -> None:
    """Adds headers to the answer that begins with `message`; `lines` are the same, from `header_lines`. The caller
    makes sure that names and values have no control characters."""
    write_lines = scope.get("extensions", {}).get(HEADER_LINES)
    if write_lines is None or not write_lines(lines):
        message["headers"] = [*message["headers"], *headers]


class RefusedError(Exception):
    """Stop reading. Raised in the parser's callbacks."""


class HttpProtocol(HttpToolsProtocol):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.timeout_keep_alive = KEEP_ALIVE_SECONDS
        self._received = 0  # bytes of the piece being parsed
        self._size = 0  # bytes of the request so far: first of its head, then of what follows
        self._in_head = True  # the next bytes belong to a head
        self._in_body = False
        self._awaits_body = False  # no byte of it has come yet
        self._keep_alive = False  # as the request's head says
        self._rebuilt = b""  # the head of a request with an Upgrade, without that header
        self._refused = False  # nothing more is read
        self._running: RequestResponseCycle | None = None  # the request that is being answered
        self._clock: asyncio.TimerHandle | None = None
        self._write_clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._lingering = LingeringTransport(transport, self._has_unread)
        self._extensions = {HEADER_LINES: self._add_to_head}
        super().connection_made(self._lingering)  # type: ignore[arg-type]  # has all that uvicorn uses
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._refused = True
        self._stop_clock()
        self._stop_write_clock()
        self._lingering.closed()
        super().connection_lost(exc)

    def _has_unread(self) -> bool:
        return self._refused or self._in_body

    def data_received(self, data: bytes) -> None:
        if self._refused or self._lingering.is_closing():
            self._lingering.discard(len(data))
            return
        self._unset_keepalive_if_required()
        self._received = len(data)
        self._size += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data, upgrade)
        except (httptools.HttpParserError, RefusedError):
            self._refuse()
        if not self._refused:
            if self._size > (MAX_HEAD if self._in_head else MAX_AFTER_HEAD):
                self._refuse()
            elif self._clock is None and self._is_incomplete():
                self._start_clock()

    def _is_incomplete(self) -> bool:
        """Whether an answer needs more bytes. Between two requests uvicorn's own timer runs."""
        if self._in_head:
            return self._running is None or self._running.response_complete
        return self._awaits_body

    def _ignore_upgrade(self, data: bytes, upgrade: httptools.HttpParserUpgrade) -> None:
        """Parses the request again without its Upgrade header, which the parser takes for the end of HTTP."""
        while True:
            data, self._rebuilt = self._rebuilt + data[upgrade.args[0] :], b""
            self.parser = httptools.HttpRequestParser(self)
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as another:
                upgrade = another
            except (httptools.HttpParserError, RefusedError):
                self._refuse()
                return
            else:
                return

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            raise RefusedError
        self._in_head = True
        self._size = self._received
        super().on_message_begin()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]  # ASGI allows any

    def _add_to_head(self, lines: bytes) -> bool:
        if self.flow.write_paused:  # something else may be written first
            return False
        self._lingering.add_to_head(lines)
        return True

    def on_headers_complete(self) -> None:
        if self._size > MAX_HEAD and self._head_length() > MAX_HEAD:
            raise RefusedError
        self._in_head, self._size = False, 0
        if self.parser.should_upgrade():
            self._rebuilt = self._head_without_upgrade()
            return
        self._in_body = self._announces_body()
        super().on_headers_complete()
        self.headers = []  # where trailers go; they are not among the request's headers
        # Keep the connection alive only once the body has been read to its end.
        self._keep_alive = self.cycle.keep_alive
        self.cycle.keep_alive = self._keep_alive and not self._in_body
        self._awaits_body = self._in_body
        self._stop_clock()

    def _announces_body(self) -> bool:
        names = [name for name, _ in self.headers]
        if b"transfer-encoding" in names:
            if [value.lower() for name, value in self.headers if name == b"transfer-encoding"] != [b"chunked"]:
                raise RefusedError
            return True
        return b"content-length" in names

    def _head_length(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _head_without_upgrade(self) -> bytes:
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise RefusedError
        lines = [b"%s %s HTTP/%s" % (method, self.url, self.parser.get_http_version().encode())]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def on_body(self, body: bytes) -> None:
        if self._awaits_body:
            self._body_came()
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._rebuilt:  # the request will be parsed again
            return
        if self._awaits_body:
            self._body_came()
        self._in_body = False
        self._in_head, self._size = True, 0
        if not self.cycle.response_started:
            # The parser reads nothing more if a trailer is `Connection: close`, so the answer must say so too.
            self.cycle.keep_alive = self._keep_alive and self.parser.should_keep_alive()
        super().on_message_complete()

    def _body_came(self) -> None:
        self._awaits_body = False
        self._stop_clock()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def shutdown(self) -> None:
        self._keep_alive = False  # also for a request whose body is still arriving
        super().shutdown()

    def _refuse(self) -> None:
        """Refuses invalid or too large HTTP. A request before it is answered first, so that the refusal is not taken
        for its answer."""
        self._refused = True
        self._stop_clock()
        running = self._running
        if running is None or running.response_complete:
            self.send_400_response(INVALID)
        elif running is not self.cycle or not self._in_body:
            running.keep_alive = False  # so that those that wait are not answered
        else:  # the body of the request that is being answered is invalid
            started = running.response_started
            running.disconnected = True
            running.message_event.set()
            if started:
                self.transport.close()
            else:
                self.send_400_response(INVALID)

    def send_400_response(self, msg: str) -> None:
        """As uvicorn's, with the `server_headers` of the application's state: its layers don't see this request."""
        content = msg.encode()
        headers = [
            *self.server_state.default_headers,
            *getattr(getattr(self.app, "state", None), "server_headers", ()),
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(content)),
            (b"connection", b"close"),
        ]
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + header_lines(headers) + b"\r\n" + content)
        self.transport.close()

    def _start_clock(self) -> None:
        self._stop_clock()
        self._clock = self.loop.call_later(HEAD_SECONDS, self._time_is_up)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _time_is_up(self) -> None:
        self._clock = None
        if self._awaits_body:
            self.cycle.message_event.set()  # an empty piece with more to come: the application answers 408
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_clock = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_write_clock()
        super().resume_writing()

    def _stop_write_clock(self) -> None:
        if self._write_clock is not None:
            self._write_clock.cancel()
            self._write_clock = None


class LingeringTransport:
    """A transport whose `close` first lets a client that is still sending read its answer. Closing with unread data
    would reset the connection, and the client would lose the answer."""

    def __init__(self, transport: asyncio.Transport, has_unread: Callable[[], bool]) -> None:
        self._transport = transport
        self._has_unread = has_unread
        self._discarded = 0
        self._end: asyncio.TimerHandle | None = None
        self._lines = b""
        self.write: Callable[[bytes], None] = transport.write
        self.is_closing: Callable[[], bool] = transport.is_closing
        self.abort = transport.abort
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.get_extra_info = transport.get_extra_info

    def add_to_head(self, lines: bytes) -> None:
        """Adds the lines to the head, which is written next."""
        self._lines += lines
        self.write = self._write_head

    def _write_head(self, head: bytes) -> None:
        lines, self._lines = self._lines, b""
        self.write = self._transport.write
        self._transport.write(head[:-2] + lines + b"\r\n")

    def close(self) -> None:
        if self._end is not None:
            return
        if not self._has_unread() or self._transport.is_closing() or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._end = asyncio.get_running_loop().call_later(LINGER_SECONDS, self.abort)
        self.is_closing = lambda: True
        self._transport.write_eof()
        self.resume_reading()

    def discard(self, length: int) -> None:
        """Counts data that arrived after the end."""
        self._discarded += length
        if self._discarded > MAX_LINGER:
            self.abort()

    def closed(self) -> None:
        if self._end is not None:
            self._end.cancel()
