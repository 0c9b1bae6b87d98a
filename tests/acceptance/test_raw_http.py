"""Requests that no library would make, written to a socket: no 500, no hang, no call to Vitec."""

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.web.http.security_headers import all_headers
from tests.acceptance.running_service import RunningService
from tests.conftest import CUSTOMER, ORIGIN
from tests.servers import eventually

PATH = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
BODY = b"firstName=Anna&lastName=Ek&email.emailAddress=anna%40example.se&consent=true"
HEAD = f"POST {PATH} HTTP/1.1\r\nOrigin: {ORIGIN}\r\nContent-Type: application/x-www-form-urlencoded\r\n".encode()
LENGTH = f"Content-Length: {len(BODY)}\r\n".encode()
HOST = b"Host: leads.example.se\r\n"


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.operations.body.BODY_SECONDS", 0.3)
    monkeypatch.setattr("app.web.http.uvicorn_protocol.HEAD_SECONDS", 0.3)
    monkeypatch.setattr("app.web.http.uvicorn_protocol.KEEP_ALIVE_SECONDS", 0.3)


@contextlib.contextmanager
def connected(service: RunningService) -> Iterator[socket.socket]:
    where = urlsplit(service.url)
    with socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=10) as connection:
        yield connection


def answer_to(service: RunningService, *pieces: bytes) -> bytes:
    """All bytes until the service closes the connection or has nothing more to send."""
    with connected(service) as connection:
        for piece in pieces:
            with contextlib.suppress(OSError):  # it may hang up before it has read all
                connection.sendall(piece)
        return rest_of(connection)


def rest_of(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
            if (
                received.startswith(b"HTTP/1.1 ")
                and b"\r\n\r\n" in received
                and b"connection: close" not in received.lower()
            ):
                break
    return received


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def test_a_plain_request_is_delivered(service: RunningService) -> None:
    assert status(answer_to(service, HEAD + HOST + LENGTH + b"\r\n" + BODY)) == 303
    eventually(lambda: service.received(PATH))


CHUNKED = b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"
REFUSED = {
    "both lengths": HEAD + HOST + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED,
    "two lengths": HEAD + HOST + LENGTH + b"Content-Length: 5\r\n\r\n" + BODY,
    "a negative length": HEAD + HOST + b"Content-Length: -1\r\n\r\n" + BODY,
    "a length that is no number": HEAD + HOST + b"Content-Length: 1e3\r\n\r\n" + BODY,
    "a header line that is folded": HEAD + HOST + b"X-A: b\r\n c\r\n" + b"Content-Length : 5\r\n\r\n" + BODY,
    "a NUL in a header": HEAD + HOST + b"X-A: b\x00c\r\n" + LENGTH + b"\r\n" + BODY,
    "a bare CR in a header": HEAD + HOST + b"X-A: b\rSet-Cookie: c\r\n" + LENGTH + b"\r\n" + BODY,
    "a chunk's length that is none": HEAD + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY,
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
    "a head without end": HEAD + HOST + b"X-Long: " + b"a" * 2_000_000,
    "a head over 16 KB": HEAD + HOST + b"X-Long: " + b"a" * 17_000 + b"\r\n" + LENGTH + b"\r\n" + BODY,
    "two transfer encodings": HEAD + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKED,
    "a transfer encoding twice": HEAD + HOST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n" + CHUNKED,
    "the identity encoding": HEAD + HOST + b"Transfer-Encoding: identity\r\n\r\n" + BODY,
    "a tunnel": b"CONNECT "
    + HOST[6:-2]
    + b":443 HTTP/1.1\r\n"
    + HOST
    + b"\r\n"
    + HEAD
    + HOST
    + LENGTH
    + b"\r\n"
    + BODY,
    "headers without end": HEAD + HOST + b"X-Many: aaaaaaaaaaaaaaaaaaaa\r\n" * 60_000,
    "an unknown transfer encoding": HEAD + HOST + b"Transfer-Encoding: gzip\r\n\r\n" + BODY,
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_ambiguous_framing_is_refused(service: RunningService, request_: bytes) -> None:
    answer = answer_to(service, request_.replace(b"OBJ1", b"OBJ9"))
    assert status(answer) in {0, 400}, answer[:200]
    assert service.received(PATH.replace("OBJ1", "OBJ9")) == []
    assert service.client.get("/healthz").status_code == 200


@pytest.mark.parametrize("hosts", [b"Host: a.example\r\nHost: evil.example\r\n", b"Host: evil.example\r\n", b""])
def test_the_host_header_decides_nothing(service: RunningService, hosts: bytes) -> None:
    json = b'{"firstName":"Anna","lastName":"Ek","email":{"emailAddress":"anna@example.se"},"consent":true}'
    head = HEAD.replace(b"x-www-form-urlencoded", b"json") + hosts + b"Prefer: respond-async\r\n"
    answer = answer_to(service, head + b"Content-Length: %d\r\n\r\n" % len(json) + json)
    assert status(answer) in {202, 400}
    assert b"evil.example" not in answer


def test_bare_line_feeds_are_read_as_lines_or_refused(service: RunningService) -> None:
    answer = answer_to(service, (HEAD + HOST + LENGTH).replace(b"\r\n", b"\n") + b"\n" + BODY)
    assert status(answer) in {303, 400}


def chunked(*chunks: bytes) -> list[bytes]:
    framed = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return [HEAD + HOST + b"Transfer-Encoding: chunked\r\n\r\n", *framed, b"0\r\n\r\n"]


def test_a_chunked_body_is_read(service: RunningService) -> None:
    assert status(answer_to(service, *chunked(BODY[:10], BODY[10:]))) == 303


def test_a_chunked_body_over_the_limit_is_refused_without_being_read_to_its_end(service: RunningService) -> None:
    assert status(answer_to(service, *chunked(*[b"a" * 8192] * 9))) == 413


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + HOST + b"X-Slow: "])
def test_a_head_that_does_not_come_to_its_end_is_not_waited_for(service: RunningService, sent: bytes) -> None:
    with connected(service) as connection:
        connection.sendall(sent)
        assert rest_of(connection) == b""


def test_a_second_head_on_the_same_connection_is_not_waited_for_either(service: RunningService) -> None:
    with connected(service) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status(connection.recv(65536)) == 200
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        assert rest_of(connection) == b""


def test_an_incomplete_head_after_a_complete_request_is_not_waited_for_either(service: RunningService) -> None:
    with connected(service) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\nGET /healthz HTTP/1.1\r\nX-Slow: ")
        assert status(connection.recv(65536)) == 200
        assert rest_of(connection) == b""


@pytest.mark.parametrize("sent", [b"", BODY[:20]])
def test_a_body_that_does_not_come_is_answered_and_not_waited_for(service: RunningService, sent: bytes) -> None:
    with connected(service) as connection:
        connection.sendall(HEAD + HOST + LENGTH + b"\r\n" + sent)
        answer = rest_of(connection)
    assert status(answer) == 408
    assert b"connection: close" in answer.lower()


def test_a_chunk_that_is_announced_and_does_not_come_is_not_waited_for_either(service: RunningService) -> None:
    with connected(service) as connection:
        connection.sendall(HEAD + HOST + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert status(connection.recv(65536)) == 100  # so its body is read now
        connection.sendall(b"5\r\n")
        assert status(rest_of(connection)) == 408


def test_slow_senders_keep_nobody_else_waiting(service: RunningService) -> None:
    with contextlib.ExitStack() as slow:
        for _ in range(200):
            slow.enter_context(connected(service)).sendall(HEAD + HOST + LENGTH + b"\r\n" + BODY[:5])
        assert service.client.post(PATH, content=BODY + b"&contactMessage=snabb", headers=FORM).status_code == 303


FORM = {"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
PATHS = [
    "/Advertising/Estate/M12345/../../CRM/Contact/M12345/C1",
    "/Advertising/Estate/M12345/%2e%2e%2fCRM/interest",
    "/Advertising/Estate/M12345/OBJ1%2Finterest%3Fx/interest",
    "/Advertising/Estate/M12345/OBJ1%00/interest",
    "/Advertising/Estate/M12345/OBJ1%0d%0aX-Evil:1/interest",
    "/Advertising/Estate/M12345/OBJ1;a=b/interest",
    "/Advertising/Estate/M12345/%C3%A5/interest",
    "/Advertising/Estate/M12345/" + "a" * 41 + "/interest",
    "/Advertising/Estate/M12345/./interest",
    "/Advertising/Estate/M12345/../interest",
    "/Advertising/Estate/M12345//interest",
    "/Advertising/Estate/M99999/OBJ1/interest",
    "//evil.example/Advertising/Estate/M12345/OBJ1/interest",
    "http://evil.example/Advertising/Estate/M12345/%2e%2e/interest",
    "/Advertising/Estate/M12345/${jndi:ldap:%2f%2fevil}/interest",
    "/personal/..%2f..%2fetc%2fpasswd",
    "/static/..%2f..%2fapp%2fsettings.py",
    "/static/../app/settings.py",
    "/receipts/..%2f..?key=x",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_that_is_none_of_ours_is_not_found_and_never_sent_on(
    service: RunningService, method: str, path: str
) -> None:
    head = HEAD.replace(PATH.encode(), path.encode()).replace(b"POST ", f"{method} ".encode())
    answer = answer_to(service, head + HOST + (LENGTH + b"\r\n" + BODY if method == "POST" else b"\r\n"))
    assert status(answer) in {400, 404, 405}, answer[:100]
    assert b"x-evil" not in answer.lower()
    assert {call.path for call in list(service.office.received)} <= {PATH}


INJECTED = "x\r\nSet-Cookie: evil=1\r\n\r\n<script>"


@pytest.mark.parametrize("name", ["title", "referrer", "lang", "utm_source", "slots", "return_url"])
def test_a_query_never_becomes_a_header_or_a_tag(service: RunningService, name: str) -> None:
    answer = service.client.get(PATH, params={name: INJECTED})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "<script>" not in answer.text.replace('<script src="', "")


@pytest.mark.parametrize("header", ["Origin", "Referer", "Accept-Language", "Prefer", "Idempotency-Key", "User-Agent"])
def test_strange_bytes_in_a_header_cause_no_500(service: RunningService, header: str) -> None:
    answer = answer_to(service, HEAD + HOST + LENGTH + header.encode() + b": \xff\xfe\x80<script>\r\n\r\n" + BODY)
    assert status(answer) in {303, 400, 403}
    assert b"<script>" not in answer.replace(b'<script src="', b"")


SMUGGLED = HEAD.replace(b"OBJ1", b"SMUGGLED") + HOST + LENGTH + b"X-Forwarded-For: 203.0.113.9\r\n\r\n" + BODY
UPGRADES = {
    "foo": b"Connection: Upgrade\r\nUpgrade: foo\r\n",
    "websocket": b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n",
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    "twice": b"Connection: upgrade\r\nConnection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n",
}


def pieces_of(request: bytes, size: int) -> list[bytes]:
    return [request[start : start + size] for start in range(0, len(request), size)]


@pytest.mark.parametrize("path", [PATH, "/nothing", "/healthz", "/console/sign-in"])
@pytest.mark.parametrize("size", [1_000_000, 97])
@pytest.mark.parametrize("upgrade", UPGRADES.values(), ids=UPGRADES)
def test_a_body_behind_an_upgrade_is_a_body_and_never_a_request(
    service: RunningService, upgrade: bytes, size: int, path: str
) -> None:
    head = HEAD.replace(PATH.encode(), path.encode()) + HOST + upgrade
    request = head + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    answers = answer_to(
        service, *pieces_of(request + b"GET /healthz HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n", size)
    )
    assert answers.count(b"HTTP/1.1 ") in {1, 2}
    assert service.received(PATH.replace("OBJ1", "SMUGGLED")) == []


@pytest.mark.parametrize("upgrade", UPGRADES.values(), ids=UPGRADES)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_honest_client_that_offers_an_upgrade_is_served_as_any_other(
    service: RunningService, upgrade: bytes, framing: str
) -> None:
    length = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    if framing == "length":
        length = LENGTH + b"\r\n" + BODY
    answer = answer_to(service, HEAD + upgrade + HOST + length)
    assert status(answer) == 303, answer[:200]


def test_requests_behind_one_with_an_upgrade_are_answered_in_their_order(service: RunningService) -> None:
    first = HEAD + UPGRADES["h2c"] + HOST + LENGTH + b"\r\n" + BODY
    second = b"GET /healthz HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"
    answers = answer_to_all(service, first + second)
    assert [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]] == [303, 200]


def answer_to_all(service: RunningService, sent: bytes) -> bytes:
    """All bytes until the service closes the connection."""
    with connected(service) as connection:
        connection.sendall(sent)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
        return received


def test_trailers_change_nothing(service: RunningService) -> None:
    body = b"%x\r\n%s\r\n0\r\n" % (len(BODY), BODY)
    head = HEAD.replace(b"Origin", b"X-Nothing") + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    trailers = f"Origin: {ORIGIN}\r\nAuthorization: Bearer x\r\nReferer: {ORIGIN}/\r\n\r\n".encode()
    assert status(answer_to(service, head + body + trailers)) == 403
    assert status(answer_to(service, HEAD + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + body + trailers)) == 303


@pytest.mark.parametrize(
    "trailer",
    [
        *(b"Connection: close", b"Proxy-Connection: close", b"Connection: x, close", b"Connection: keep-alive"),
        *(b"Connection: upgrade\r\nUpgrade: foo", b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Expect: 100"),
    ],
)
def test_a_request_behind_trailers_is_answered_unless_the_answer_before_it_says_close(
    service: RunningService, trailer: bytes
) -> None:
    """Otherwise a proxy that passes trailers on would send the next visitor's request into nothing."""
    body = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n" % (len(BODY), BODY)
    with connected(service) as connection:
        connection.sendall(HEAD + HOST + body + trailer + b"\r\n\r\n")
        answer = rest_of(connection)
        assert status(answer) in {303, 400}
        if b"connection: close" not in answer.lower():
            connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
            assert status(rest_of(connection)) == 200


@pytest.mark.parametrize("line", [b"X-A: b\r\n", b"X-A: " + b"a" * 8_000 + b"\r\n", b"a" * 1_000])
def test_trailers_without_end_are_not_read_without_end(service: RunningService, line: bytes) -> None:
    head = HEAD + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    assert status(answer_to(service, head, *[line * (65_536 // len(line))] * 100)) in {0, 400}


def test_chunk_extensions_without_end_are_not_read_without_end(service: RunningService) -> None:
    head = HEAD + HOST + b"Transfer-Encoding: chunked\r\n\r\n1;"
    assert status(answer_to(service, head, *[b"a" * 65_536] * 100)) in {0, 400}


@pytest.mark.parametrize("stray", [b"\r", b"\n", b"\r\n", b"G", b" "])
def test_a_stray_byte_behind_an_answer_keeps_no_connection_open(service: RunningService, stray: bytes) -> None:
    with connected(service) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status(connection.recv(65536)) == 200
        connection.sendall(stray)
        assert rest_of(connection) in {b""} or connection.recv(65536) == b""


@pytest.mark.parametrize("method", [b"GET", b"POST", b"OPTIONS", b"DELETE"])
@pytest.mark.parametrize("path", [b"/nothing", b"/healthz", b"/embed.js", b"/console/sign-in", PATH.encode()])
def test_what_was_answered_before_its_body_was_read_closes_the_connection(
    service: RunningService, method: bytes, path: bytes
) -> None:
    """Otherwise the rest of the body would be taken for the next request."""
    unread = method + b" " + path + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n"
    answers = answer_to_all(service, unread + SMUGGLED)
    assert answers.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answers.lower()
    assert service.received(PATH.replace("OBJ1", "SMUGGLED")) == []


def test_no_request_is_carried_out_behind_an_answer_that_closes_the_connection(service: RunningService) -> None:
    with connected(service) as connection:
        connection.sendall(b"POST /nothing HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\n")
        assert b"connection: close" in rest_of(connection).lower()
        connection.sendall(b"Anna" + SMUGGLED)
    service.submitted(PATH.replace("OBJ1", "LATER"), dict(parse_qsl(BODY.decode())))
    assert service.received(PATH.replace("OBJ1", "SMUGGLED")) == []


def test_who_sends_too_much_can_still_read_why(service: RunningService) -> None:
    """Closing with unread data would reset the connection and lose the answer."""
    with connected(service) as connection:
        connection.sendall(HEAD + HOST + b"Content-Length: 1000000\r\n\r\n" + b"a" * 900_000)
        assert status(rest_of(connection)) == 413


@pytest.mark.parametrize("number", [200, 5_000])  # fewer bytes than a head may have, and more
def test_many_requests_at_once_on_one_connection_are_not_all_kept(service: RunningService, number: int) -> None:
    request = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    assert 1 <= answer_to_all(service, request * number).count(b"HTTP/1.1 200") < 100


def test_rubbish_behind_a_request_is_not_taken_for_its_answer(service: RunningService) -> None:
    answers = answer_to_all(service, HEAD + HOST + LENGTH + b"\r\n" + BODY + b"\x00\x01 no HTTP \r\n\r\n")
    assert [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]] in ([303], [303, 400])


PLAIN = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/embed.js",
    "/embed.d.ts",
    "/embed/check",
    "/openapi.json",
    "/docs",
    "/console/sign-in",
    PATH,
]


@pytest.mark.parametrize("ending", ["%0A", "%0D%0A", "%00", "%0a%00", "%7F", "%E2%80%A8", "%85", "%C2%85"])
@pytest.mark.parametrize("path", [*PLAIN, "/submissions/x", "/receipts/x", "/personal/x", "/static/x", "/"])
def test_no_address_has_a_control_character(service: RunningService, path: str, ending: str) -> None:
    assert service.client.get(f"{path}{ending}").status_code in {401, 404}
    assert service.client.get(f"{path.rstrip('/')}/{ending}").status_code in {401, 404}


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text; version=",
        "application/openmetrics-text; version=x.y",
        "application/openmetrics-text; version=1.0.0;escaping=\xff",
        "text/plain; version=1.0.0; escaping=nonsense",
        "text/plain; version=99999999999999999999.0",
        "," * 5000,
        ";=;" * 2000,
        "\xff\xfe",
    ],
    ids=ascii,
)
def test_metrics_are_answered_whatever_the_accept_header(service: RunningService, accept: str) -> None:
    answer = service.client.get("/metrics", headers={b"Accept": accept.encode("latin-1")})
    assert answer.status_code == 200
    assert b"intresse_accepted" in answer.content


def test_a_refusal_by_the_server_itself_has_the_headers_of_every_answer(service: RunningService) -> None:
    lines = answer_to(service, b"NONSENSE\r\n\r\n").lower().partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert lines[0] == b"http/1.1 400 bad request"
    for name, value in all_headers(secure=True):
        assert lines.count(name + b": " + value.lower()) == 1
