"""The protocol when the service stops. tests/acceptance/test_raw_http.py covers bytes of all kinds."""

import contextlib
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.web.http.security_headers import DEFAULTS, SecurityHeaders
from app.web.http.uvicorn_protocol import add_headers, header_lines
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
