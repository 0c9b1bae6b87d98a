"""Any bytes on a connection: at most one answer for each request, none above 499, and the connection ends in time."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.running_service import RunningService, run_service
from tests.conftest import CUSTOMER, ORIGIN

SECONDS = 0.05  # that the service waits for a head, in these tests
PATH = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
HIDDEN = f"/Advertising/Estate/{CUSTOMER}/HIDDEN/interest"
BODY = b"firstName=Anna&lastName=Ek&email.emailAddress=anna%40example.se&consent=true"
INSIDE = f"POST {HIDDEN} HTTP/1.1\r\nOrigin: {ORIGIN}\r\nContent-Type: application/x-www-form-urlencoded\r\n".encode()
INSIDE += b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
RUNS = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
ANSWER = re.compile(rb"HTTP/1\.1 (?!100)(\d{3}) ")

methods = st.sampled_from([b"GET", b"POST", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"])
paths = st.sampled_from([PATH, "/healthz", "/nothing", "/embed.js", "/console/sign-in", "*", "//", "/%00"])
extras = st.lists(
    st.sampled_from(
        [
            b"Connection: Upgrade\r\nUpgrade: foo\r\n",
            b"Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n",
            b"Upgrade: websocket\r\n",
            b"Connection: close\r\n",
            b"Expect: 100-continue\r\n",
            b"Content-Type: application/x-www-form-urlencoded\r\n",
            b"Content-Type: multipart/form-data; boundary=B; charset=idna\r\n",
            b"Content-Type: application/json\r\n",
            b"Trailer: Origin\r\n",
            b"X-A: \xff\xfe\r\n",
            f"Origin: {ORIGIN}\r\n".encode(),
        ]
    ),
    max_size=4,
)
bodies = st.sampled_from([b"", BODY, INSIDE, INSIDE * 3, b"a" * 70_000, b"\r\n\r\n" + INSIDE])


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Well-formed requests. Some have a body that looks like another request."""
    head = draw(methods) + b" " + draw(paths).encode() + b" HTTP/1.1\r\nHost: a.se\r\n" + b"".join(draw(extras))
    body = draw(bodies)
    if draw(st.booleans()):
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    trailer = draw(st.sampled_from([b"", b"Origin: x\r\n", b"Content-Length: 5\r\n"]))
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n" + trailer + b"\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.web.operations.body.BODY_SECONDS", SECONDS)
        patch.setattr("app.web.http.uvicorn_protocol.HEAD_SECONDS", SECONDS)
        patch.setattr("app.web.http.uvicorn_protocol.KEEP_ALIVE_SECONDS", SECONDS)
        with run_service(tmp_path_factory.mktemp("http"), delivery={"wait_seconds": 0.1}) as service:
            yield service


def answers(service: RunningService, sent: bytes) -> list[int]:
    """All bytes until the service closes the connection, which it must."""
    where = urlsplit(service.url)
    received, began = b"", time.monotonic()
    with socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=30) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    assert time.monotonic() - began < 20
    return [int(status) for status in ANSWER.findall(received)]


@RUNS
@given(sent=st.lists(requests(), min_size=1, max_size=3))
def test_each_request_has_at_most_one_answer_and_none_hides_in_another(
    service: RunningService, sent: list[bytes]
) -> None:
    statuses = answers(service, b"".join(sent))
    assert len(statuses) <= len(sent)
    assert all(status < 500 for status in statuses), statuses
    assert service.received(HIDDEN) == []


@RUNS
@given(
    sent=requests(),
    place=st.floats(0, 1),
    noise=st.binary(min_size=1, max_size=20)
    | st.sampled_from([b"\r\n", b"\n", b"\r", b" ", b"\t", b"0\r\n\r\n", b"\x00"]),
    cut=st.booleans(),
)
def test_damaged_requests_are_refused_or_read_and_never_a_500(
    service: RunningService, sent: bytes, place: float, noise: bytes, cut: bool
) -> None:
    at = int(len(sent) * place)
    damaged = sent[:at] + noise + (b"" if cut else sent[at:])
    assert all(status < 500 for status in answers(service, damaged))


@RUNS
@given(sent=st.binary(max_size=300))
def test_bytes_that_are_not_http_have_at_most_one_answer(service: RunningService, sent: bytes) -> None:
    assert answers(service, sent) in ([], [400])
