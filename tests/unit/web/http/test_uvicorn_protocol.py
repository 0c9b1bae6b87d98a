"""The protocol's limits, and what it does when the service stops. tests/acceptance/test_raw_http.py covers bytes of all
kinds."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import httpx
import pytest

from app.web.http import uvicorn_protocol
from app.web.http.security_headers import DEFAULTS, SecurityHeaders
from app.web.http.uvicorn_protocol import INVALID, MAX_LINGER, LingeringTransport, add_headers, header_lines
from tests.servers import eventually, serve

INNER = [(b"vary", b"Origin")]
HEADERS = [(b"content-length", b"0"), (b"referrer-policy", b"same-origin")]


async def silent(scope: Any, _: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b""})


async def echo(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def refuses(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except (ConnectionRefusedError, ConnectionResetError):  # closed, or about to be
        return True
    return False


async def inner_layer(scope: Any, receive: Any, send: Any) -> None:
    async def complete(message: Any) -> None:
        if message["type"] == "http.response.start":
            add_headers(scope, message, INNER, header_lines(INNER))
        await send(message)

    await silent(scope, receive, complete)


def test_preformatted_headers_of_each_layer_appear_once_in_each_response_head() -> None:
    app = SecurityHeaders(inner_layer, secure=True)
    with serve(app) as url, httpx.Client() as client:
        answers = [client.get(url) for _ in range(3)]
    for answer in answers:  # on one connection
        assert answer.content == b""
        for name, value in DEFAULTS.items():
            expected = "same-origin" if name == "referrer-policy" else value
            assert answer.headers.get_list(name) == [expected]
        assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000"]
        assert answer.headers.get_list("vary") == ["Origin"]


def test_a_request_whose_body_is_still_coming_when_the_service_stops_is_the_last_of_its_connection() -> None:
    with contextlib.ExitStack() as stack:
        url = urlsplit(stack.enter_context(serve(echo)))
        address = str(url.hostname), int(url.port or 0)
        with socket.create_connection(address, timeout=5) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")  # it has the head
            stopping = threading.Thread(target=stack.close)
            stopping.start()
            eventually(lambda: refuses(address))
            connection.sendall(b"Anna")
            answer = b""
            while piece := connection.recv(1000):  # times out on a connection that is kept
                answer += piece
        stopping.join(5)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer.lower()
    assert answer.endswith(b"Anna")


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
PIECE = b"a" * 3_000_000
PIECES = 4  # more than the buffers of both sides


@contextlib.contextmanager
def connected(app: Any) -> Iterator[socket.socket]:
    with serve(app, drops=True) as url:
        address = urlsplit(url)
        with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as connection:
            yield connection


def rest_of(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1_000_000):
            received += piece
    return received


async def slow(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await asyncio.sleep(0.5)
        await silent(scope, receive, send)


class Large:
    """Counts its answers that have ended: either a client has read them, or it was cut off."""

    ended = 0

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [(b"content-length", b"%d" % (PIECES * len(PIECE)))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            for number in range(PIECES):
                await send({"type": "http.response.body", "body": PIECE, "more_body": number < PIECES - 1})
            self.ended += 1


class Started:
    """Begins its answer before it reads the body, and ends it after `pieces` of it. Keeps what it received."""

    def __init__(self, pieces: int, *, first: bool = True) -> None:
        self.pieces, self.first = pieces, first
        self.messages: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}
        if self.first:
            await send(start)
        while len(self.messages) < self.pieces:
            self.messages.append(await receive())
        if not self.first:
            await send(start)
        await send({"type": "http.response.body", "body": b"Anna"})


def test_no_limit_for_what_is_received_cuts_off_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn_protocol, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(uvicorn_protocol, "KEEP_ALIVE_SECONDS", 0.2)
    with connected(slow) as connection:
        for sent in (GET, GET, GET + b"GET /"):
            connection.sendall(sent)
            assert connection.recv(1000).startswith(b"HTTP/1.1 404 ")
        assert rest_of(connection) == b""  # the last head does not come to its end


def test_a_client_that_stops_reading_is_cut_off_and_one_that_reads_on_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn_protocol, "WRITE_SECONDS", 1.0)
    size, app = PIECES * len(PIECE), Large()
    with connected(app) as connection:
        connection.sendall(GET)
        received = 0
        while received < size and (piece := connection.recv(1_000_000)):
            received += len(piece)
        time.sleep(1.2)  # longer than the limit, which ends with the answer
        connection.sendall(GET)
        eventually(lambda: app.ended == 2)  # an answer that nobody reads
        assert 0 < len(rest_of(connection)) < size


def test_the_reader_of_a_body_that_turns_out_invalid_learns_that_no_more_will_come() -> None:
    app = Started(2, first=False)
    with connected(app) as connection:
        connection.sendall(POST + b"2\r\nAn\r\n")
        eventually(lambda: app.messages)
        connection.sendall(b"no length\r\n")
        assert rest_of(connection).startswith(b"HTTP/1.1 400 ")
        eventually(lambda: len(app.messages) == 2, within=3)  # long before the connection is closed
    assert [message["type"] for message in app.messages] == ["http.request", "http.disconnect"]


def test_an_answer_that_has_begun_is_not_followed_by_another_one() -> None:
    app = Started(2)
    with connected(app) as connection:
        connection.sendall(POST + b"2\r\nAn\r\n")
        eventually(lambda: app.messages)
        connection.sendall(b"no length\r\n")
        assert rest_of(connection).count(b"HTTP/1.1 ") == 1


def test_a_connection_whose_answer_said_close_is_closed_however_much_of_the_body_came_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uvicorn_protocol, "KEEP_ALIVE_SECONDS", 60)
    app = Started(2)
    with connected(app) as connection:
        connection.sendall(POST + b"2\r\nAn\r\n")
        eventually(lambda: app.messages)
        connection.sendall(b"0\r\n\r\n")
        answer = rest_of(connection)  # times out on a connection that is kept
    assert b"connection: close" in answer.lower()
    assert answer.endswith(b"Anna")


async def large_first(scope: Any, receive: Any, send: Any) -> None:
    if scope.get("method") != "GET":
        await inner_layer(scope, receive, send)
        return
    body = PIECE * PIECES
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def test_a_refusal_has_no_headers_of_an_answer_that_still_waits_to_be_written() -> None:
    with connected(SecurityHeaders(large_first, secure=True)) as connection:
        connection.sendall(GET + POST)
        time.sleep(0.3)  # the second answer waits until the first has been read
        connection.sendall(b"no length\r\n")
        time.sleep(0.1)  # the refusal, too
        answers = rest_of(connection)
    assert answers.endswith(b"\r\n\r\n" + INVALID.encode())


@pytest.mark.parametrize("sent", [POST + b"1\r\na\r\n", b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000], ids=["body", "head"])
def test_who_is_refused_may_go_on_sending_for_a_while(sent: bytes) -> None:
    """Otherwise the connection would be reset, and some clients would lose the answer."""
    with connected(silent) as connection:
        connection.sendall(sent)
        assert connection.recv(1000).startswith(b"HTTP/1.1 40")
        for _ in range(3):
            connection.sendall(b"a" * 1000)
            time.sleep(0.05)


def lingering(*, unread: bool = True, closing: bool = False, half: bool = True) -> tuple[Mock, LingeringTransport]:
    """`half`: only one direction of the transport can be closed, which TLS can't."""
    transport = Mock(is_closing=Mock(return_value=closing), can_write_eof=Mock(return_value=half))
    return transport, LingeringTransport(transport, lambda: unread)


@pytest.mark.anyio
async def test_a_client_that_is_still_sending_is_read_for_a_while_and_for_some_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uvicorn_protocol, "LINGER_SECONDS", 0.05)
    transport, closing = lingering()
    closing.close()
    closing.close()
    transport.write_eof.assert_called_once_with()
    transport.resume_reading.assert_called_once_with()
    transport.close.assert_not_called()
    assert closing.is_closing()
    closing.discard(MAX_LINGER)
    transport.abort.assert_not_called()
    closing.discard(1)
    transport.abort.assert_called_once_with()
    transport.abort.reset_mock()
    await asyncio.sleep(0.1)
    transport.abort.assert_called_once_with()


@pytest.mark.parametrize("more", [{"unread": False}, {"closing": True}, {"half": False}])
def test_a_connection_with_nothing_to_wait_for_is_closed_at_once(more: dict[str, bool]) -> None:
    transport, closing = lingering(**more)
    closing.close()
    transport.close.assert_called_once_with()
    transport.write_eof.assert_not_called()


@pytest.mark.anyio
async def test_a_connection_that_the_client_has_closed_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn_protocol, "LINGER_SECONDS", 0.05)
    transport, closing = lingering()
    closing.close()
    closing.closed()
    await asyncio.sleep(0.1)
    transport.abort.assert_not_called()
