"""The client over HTTP: each failure of Vitec or the network becomes exactly one error of the taxonomy."""

import asyncio
import contextlib
import gzip
import re
import ssl
import sys
import tracemalloc
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from socket import create_server
from typing import Any

import anyio
import httpcore
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from app.domain.submission import FunctionGroup, Operation
from app.sandbox import Fault, Office
from app.vitec.client import MAX_BODY, Credential, VitecClient
from app.vitec.errors import (
    AccessDeniedError,
    AmbiguousError,
    LeaseExpiredError,
    LoginRefusedError,
    NotFoundError,
    RejectedError,
    UnavailableError,
    UnreadableAnswerError,
    VitecError,
)
from app.vitec.responses import VitecResponse
from tests.conftest import CUSTOMER
from tests.integration.delivery_helpers import has_head, received
from tests.integration.storage_helpers import ADVERTISING, CRM, VISITOR, soon
from tests.servers import serve

ANNA = {"firstName": "Anna", "lastName": "Å", "email": {"emailAddress": "anna@example.se"}}
CREDENTIALS = {CUSTOMER: Credential("secret", "crm-secret")}

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def client(
    url: str,
    *,
    username: str = "partner",
    credentials: dict[str, Credential] = CREDENTIALS,
    timeout_seconds: float = 10,
) -> AsyncIterator[VitecClient]:
    vitec = VitecClient(url, username, credentials, timeout_seconds, concurrency=4)
    try:
        yield vitec
    finally:
        await vitec.close()


async def interest(vitec: VitecClient, estate: str = "OBJ1", customer_id: str = CUSTOMER) -> VitecResponse:
    return await vitec.post(Operation.INTEREST, customer_id, (estate,), ANNA)


async def failure(vitec: VitecClient, **more: str) -> VitecError:
    with pytest.raises(VitecError) as failed:
        await interest(vitec, **more)
    return failed.value


async def timed_out(vitec: VitecClient, office: Office, *, has_begun: bool = False) -> VitecError:
    """The error of a call that Vitec received but never answers, or whose answer begins and never ends."""
    call = asyncio.create_task(failure(vitec))
    await soon(received(office, len(office.received) + 1))
    if has_begun:
        await has_head(vitec)
    vitec.abandon()
    return await asyncio.wait_for(call, 5)


async def test_a_call_looks_for_no_module(vitec_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library's import of an optional package that is missing searches the whole path, each time: httpx's five
    or more for `sniffio` took 0.1 ms each."""
    searched = []

    class Recorder:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            searched.append(name)

    async with client(vitec_url) as vitec:
        await interest(vitec)  # what is imported once
        monkeypatch.setattr(sys, "meta_path", [Recorder, *sys.meta_path])
        await interest(vitec)
    assert searched == []


@pytest.fixture
def closed_port() -> str:
    """The address of a port on which nothing listens."""
    with create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


Requests = list[Request]


@pytest.fixture(scope="module")
def taking() -> Iterator[tuple[str, Requests]]:
    got: Requests = []

    async def take(request: Request) -> Response:
        got.append(request)
        return Response(b'"C1"', media_type="application/json")

    with serve(Starlette(routes=[Route("/{path:path}", take, methods=["GET", "POST"])])) as url:
        yield url, got


@pytest.fixture
def echo(taking: tuple[str, Requests]) -> tuple[str, Requests]:
    """A server that accepts anything, and what it received."""
    taking[1].clear()
    return taking


async def test_an_interest_is_posted_where_vitec_has_it(vitec_url: str, office: Office) -> None:
    async with client(vitec_url) as vitec:
        assert await interest(vitec) == VitecResponse(204, None)
    (request,) = office.received
    assert request.path == f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
    assert (request.body, request.status) == (ANNA, 204)


async def test_a_booking_is_posted_where_vitec_has_it_and_its_answer_kept(vitec_url: str, office: Office) -> None:
    async with client(vitec_url) as vitec:
        answer = await vitec.post(Operation.VIEWING, CUSTOMER, ("VIS1", "SLOT1"), VISITOR)
    assert office.received[0].path == f"/Viewing/{CUSTOMER}/VIS1/SLOT1/Participant"
    assert answer == VitecResponse(200, office.bookings[0].contact_id)


async def test_every_id_is_quoted_so_that_it_stays_one_segment(echo: tuple[str, Requests]) -> None:
    url, got = echo
    credentials = {"M/1?": Credential("secret", "crm")}
    async with client(url, credentials=credentials) as vitec:
        await vitec.post(Operation.VIEWING, "M/1?", ("../V 1", "å#%2F"), VISITOR)
    assert got[0].scope["raw_path"] == b"/Viewing/M%2F1%3F/..%2FV%201/%C3%A5%23%252F/Participant"
    assert got[0].scope["query_string"] == b""


async def test_the_body_is_json_in_utf_8_and_the_login_basic(echo: tuple[str, Requests]) -> None:
    url, got = echo
    async with client(url) as vitec:
        await interest(vitec)
    assert got[0].headers["content-type"] == "application/json"
    assert got[0].headers["authorization"] == f"Basic {b64encode(b'partner:secret').decode()}"


async def test_the_environments_proxy_is_never_asked(
    echo: tuple[str, Requests], closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", closed_port)
    monkeypatch.setenv("ALL_PROXY", closed_port)
    async with client(echo[0]) as vitec:
        assert (await interest(vitec)).status == 200


HTML = {"Content-Type": "text/html"}
FAULTS: list[tuple[Fault, type[VitecError], int | None]] = [
    (Fault(status=400), RejectedError, 400),
    (Fault(status=401), LoginRefusedError, 401),
    (Fault(status=403), AccessDeniedError, 403),
    (Fault(status=404), NotFoundError, 404),
    (Fault(status=408), UnavailableError, 408),
    (Fault(status=425), UnavailableError, 425),
    (Fault(status=429), UnavailableError, 429),
    (Fault(status=500), AmbiguousError, 500),
    (Fault(status=502), AmbiguousError, 502),
    (Fault(status=503), UnavailableError, 503),
    (Fault(status=504), AmbiguousError, 504),
    (Fault(status=302, headers={"Location": "/elsewhere"}), UnavailableError, 302),
    (Fault(status=307, headers={"Location": "https://example.se/"}), UnavailableError, 307),
    (Fault(status=302, headers={"Location": "http://[torn"}), UnavailableError, 302),
    (Fault(cut=True), AmbiguousError, None),
    (Fault(cut=True, carried_out=True), AmbiguousError, None),
    (Fault(status=503, truncated=True), UnavailableError, 503),
    (Fault(status=400, truncated=True), RejectedError, 400),
    (Fault(status=401, truncated=True), LoginRefusedError, 401),
    (Fault(status=403, truncated=True), AccessDeniedError, 403),
    (Fault(status=500, truncated=True), AmbiguousError, 500),
    (Fault(status=401, stalled=True), LoginRefusedError, 401),
    (Fault(status=403, stalled=True), AccessDeniedError, 403),
    (Fault(status=503, stalled=True), UnavailableError, 503),
    (Fault(status=200, page=True), AmbiguousError, 200),
    (Fault(status=200, page=True, carried_out=True), AmbiguousError, 200),
    (Fault(status=200, page=True, truncated=True), AmbiguousError, 200),
    (Fault(status=200, body="<", headers=HTML, truncated=True), AmbiguousError, 200),  # nothing comes but the head
    (Fault(status=404, body="<", headers=HTML, truncated=True), UnavailableError, 404),
    (Fault(status=400, body="<", headers=HTML, stalled=True), UnavailableError, 400),
    (Fault(status=200, body='{"message": "An error has occurred."}', truncated=True), AmbiguousError, 200),
    (Fault(status=200, body='{"error": {"code": 17}}', stalled=True), AmbiguousError, 200),
    (Fault(status=200, body='{"Message": "An error has occurred."}'), AmbiguousError, 200),
    (Fault(status=400, page=True), UnavailableError, 400),
    (Fault(status=401, page=True), LoginRefusedError, 401),
    (Fault(status=404, page=True), UnavailableError, 404),
    (Fault(status=405, page=True), UnavailableError, 405),
    (Fault(status=405), UnavailableError, 405),
    (Fault(status=407, body=""), UnavailableError, 407),
    (Fault(status=413, body=""), UnavailableError, 413),
    (Fault(status=409), RejectedError, 409),
    (Fault(status=422), RejectedError, 422),
    (Fault(delay_seconds=30), AmbiguousError, None),
]


@pytest.mark.parametrize(
    ("fault", "error", "status"), FAULTS, ids=lambda v: repr(v)[:60] if isinstance(v, Fault) else ""
)
async def test_each_failure_has_its_place_in_the_taxonomy(
    vitec_url: str, office: Office, fault: Fault, error: type[VitecError], status: int | None
) -> None:
    office.inject(fault)
    async with client(vitec_url) as vitec:
        if fault.delay_seconds or fault.stalled:
            found = await timed_out(vitec, office, has_begun=fault.stalled)
        else:
            found = await failure(vitec)
    assert type(found) is error
    assert found.status == status
    assert len(office.received) == 1  # a redirect is not followed, and nothing is repeated here


async def test_a_done_request_with_a_broken_answer_is_done_without_the_id(vitec_url: str, office: Office) -> None:
    office.inject(Fault(status=200, body='{"id": ', carried_out=True))
    async with client(vitec_url) as vitec:
        assert await interest(vitec) == VitecResponse(200, None)


async def test_a_done_request_whose_answer_breaks_off_is_done_without_the_id(vitec_url: str, office: Office) -> None:
    office.inject(Fault(truncated=True))
    async with client(vitec_url) as vitec:
        answer = await vitec.post(Operation.VIEWING, CUSTOMER, ("VIS1", "SLOT1"), VISITOR)
    assert answer == VitecResponse(200, None)  # Vitec has said 200; sending again would make a second booking


async def test_a_done_request_whose_answer_never_ends_is_done_when_its_time_is_up(
    vitec_url: str, office: Office
) -> None:
    office.inject(Fault(stalled=True))
    async with client(vitec_url, timeout_seconds=2) as vitec:
        answer = await vitec.post(Operation.VIEWING, CUSTOMER, ("VIS1", "SLOT1"), VISITOR)
    assert answer == VitecResponse(200, None)


async def test_a_done_request_whose_answer_is_stalled_is_done_when_it_is_abandoned(
    vitec_url: str, office: Office
) -> None:
    office.inject(Fault(stalled=True))
    async with client(vitec_url) as vitec:
        call = asyncio.create_task(interest(vitec))
        await soon(received(office, 1))
        await has_head(vitec)
        vitec.abandon()
        vitec.abandon()  # the call is ending just now: that breaks nothing
        assert (await asyncio.wait_for(call, 5)).status == 200


@pytest.mark.parametrize("status", [200, 400, 503])
async def test_no_more_of_an_answer_is_read_than_a_bound(vitec_url: str, office: Office, status: int) -> None:
    office.inject(Fault(status=status, body='"' + "x" * 3 * MAX_BODY + '"', carried_out=True))
    async with client(vitec_url) as vitec:
        if status == 200:
            assert await interest(vitec) == VitecResponse(200, None)
        else:
            assert (await failure(vitec)).status == status


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("120", 120, 120),
        (lambda: format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True), 590, 600),
        ("soon", None, None),
        ("9" * 30, 864_000, 864_000),
        (f"{'9' * 30} Jan 2026 00:00:00 GMT", None, None),
    ],
    ids=["seconds", "date", "unreadable", "absurd", "absurd date"],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_vitec_may_say_when_to_come_back(
    vitec_url: str,
    office: Office,
    retry_after: str | Callable[[], str],
    least: int | None,
    most: int | None,
    status: int,
) -> None:
    office.inject(
        Fault(status=status, headers={"Retry-After": retry_after() if callable(retry_after) else retry_after})
    )
    async with client(vitec_url) as vitec:
        error = await failure(vitec)
    assert isinstance(error, UnavailableError)
    if least is None or most is None:
        assert error.retry_after is None
    else:
        assert error.retry_after is not None
        assert least <= error.retry_after.total_seconds() <= most


async def test_the_client_keeps_working_after_any_failure(vitec_url: str, office: Office) -> None:
    async with client(vitec_url) as vitec:
        for fault in (Fault(cut=True, times=1), Fault(delay_seconds=30, times=1), Fault(status=500, times=1)):
            office.inject(fault)
            found = await (timed_out(vitec, office) if fault.delay_seconds else failure(vitec))
            assert isinstance(found, AmbiguousError)
        assert (await interest(vitec)).status == 204


async def test_a_refused_connection_means_that_nothing_was_carried_out(closed_port: str) -> None:
    async with client(closed_port) as vitec:
        error = await failure(vitec)
    assert type(error) is UnavailableError
    assert str(error) == "ConnectError before sending"


async def test_an_unknown_host_counts_as_unavailable() -> None:
    async with client("http://vitec.invalid") as vitec:
        assert type(await failure(vitec)) is UnavailableError


async def test_where_tls_is_not_spoken_nothing_is_sent(vitec_url: str, office: Office) -> None:
    async with client(vitec_url.replace("http://", "https://")) as vitec:
        assert type(await failure(vitec)) is UnavailableError
    assert office.received == []


async def test_an_untrusted_certificate_is_refused(echo: tuple[str, Requests], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ssl.SSLCertVerificationError("self-signed certificate")

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", refuse)
    async with client(echo[0].replace("http://", "https://")) as vitec:
        assert type(await failure(vitec)) is UnavailableError
    assert echo[1] == []


async def test_a_wrong_password_is_a_refused_login(vitec_url: str) -> None:
    async with client(vitec_url, credentials={CUSTOMER: Credential("wrong", "crm-secret")}) as vitec:
        assert type(await failure(vitec)) is LoginRefusedError


async def test_a_customer_that_is_no_longer_configured_waits(vitec_url: str, office: Office) -> None:
    async with client(vitec_url) as vitec:
        assert type(await failure(vitec, customer_id="M99999")) is UnavailableError
    assert office.received == []


async def test_an_error_says_nothing_of_what_was_sent(vitec_url: str, office: Office) -> None:
    office.inject(Fault(status=400, body='{"message": "anna@example.se"}'))
    async with client(vitec_url) as vitec:
        error = await failure(vitec)
    assert "anna" not in str(error)
    assert "secret" not in str(error)


def errors_of(library: Any) -> list[type[Exception]]:
    """Every exception class that the library exports."""
    named = (getattr(library, name) for name in dir(library))
    return [value for value in named if isinstance(value, type) and issubclass(value, Exception)]


def raised(error: type[Exception]) -> Exception:
    for arguments in ((), ("anna@example.se",)):  # some take no message, some must have one
        with contextlib.suppress(TypeError):
            return error(*arguments)
    return error("anna@example.se", request=None, response=None)  # type: ignore[call-arg]


OTHERS = [TimeoutError, OSError, ssl.SSLError, UnicodeError, RuntimeError, anyio.ClosedResourceError]


@pytest.mark.parametrize(
    "error", [*errors_of(httpx), *errors_of(httpcore), *OTHERS], ids=lambda e: f"{e.__module__}.{e.__name__}"
)
@pytest.mark.parametrize("sent", [False, True])
async def test_no_exception_of_httpx_or_httpcore_comes_through(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception], sent: bool
) -> None:
    async def fail(_: Any, request: httpx.Request) -> httpx.Response:
        if sent:
            await request.extensions["trace"]("http11.send_request_headers.started", {})
        raise raised(error)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", fail)
    async with client("http://vitec.invalid") as vitec:
        found = await failure(vitec)
    assert type(found) is (AmbiguousError if sent else UnavailableError)
    assert str(found) == f"{error.__name__} {'after' if sent else 'before'} sending"


async def test_all_of_a_slow_answer_must_come_within_the_time(vitec_url: str) -> None:
    async def trickle(request: Request) -> Response:
        async def content() -> AsyncIterator[bytes]:
            while not await request.is_disconnected():
                yield b" "
                await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.05)

        return StreamingResponse(content(), 500)

    app = Starlette(routes=[Route("/{path:path}", trickle, methods=["POST"])])
    with serve(app) as url:
        async with client(url, timeout_seconds=1) as vitec:
            assert type(await failure(vitec)) is AmbiguousError


@pytest.mark.parametrize("group", FunctionGroup)
async def test_a_login_can_be_tried_without_changing_anything(
    vitec_url: str, office: Office, group: FunctionGroup
) -> None:
    async with client(vitec_url) as vitec:
        await vitec.try_login(CUSTOMER, group)
    assert (office.leads, office.bookings, office.contacts) == ([], [], {})
    assert len(office.received) == 1


@pytest.mark.parametrize(
    ("credential", "group"),
    [
        (Credential("wrong", "crm-secret"), FunctionGroup.ADVERTISING),
        (Credential("secret", "wrong"), FunctionGroup.CRM),
    ],
)
async def test_trying_a_refused_login_reports_the_refusal(
    vitec_url: str, credential: Credential, group: FunctionGroup
) -> None:
    async with client(vitec_url, credentials={CUSTOMER: credential}) as vitec:
        with pytest.raises(LoginRefusedError):
            await vitec.try_login(CUSTOMER, group)


async def test_a_login_that_cannot_be_tried_is_reported(closed_port: str) -> None:
    async with client(closed_port) as vitec:
        with pytest.raises(UnavailableError):
            await vitec.try_login(CUSTOMER, FunctionGroup.ADVERTISING)


POSTS = {
    Operation.INTEREST: (("OBJ1",), f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest", ADVERTISING),
    Operation.VIEWING: (("VIS1", "SLOT1"), f"/Viewing/{CUSTOMER}/VIS1/SLOT1/Participant", ADVERTISING),
    Operation.LEAD: ((), f"/CRM/Lead/{CUSTOMER}", CRM),
    Operation.LOAN_PROMISE: (("C1",), f"/CRM/Buyer/{CUSTOMER}/C1/LoanPromise", CRM),
}


@pytest.mark.parametrize("operation", POSTS)
async def test_each_operation_has_its_path_and_the_password_of_its_group(
    echo: tuple[str, Requests], operation: Operation
) -> None:
    url, got = echo
    resource, path, (_, group) = POSTS[operation]
    async with client(url) as vitec:
        assert await vitec.post(operation, CUSTOMER, resource, {}) == VitecResponse(200, "C1")
    password = {FunctionGroup.ADVERTISING: b"secret", FunctionGroup.CRM: b"crm-secret"}[group]
    assert got[0].url.path == path
    assert got[0].headers["authorization"] == f"Basic {b64encode(b'partner:' + password).decode()}"


async def test_contacts_are_read_those_that_vitec_knows(vitec_url: str, office: Office) -> None:
    async with client(vitec_url) as vitec:
        booked = await vitec.post(Operation.VIEWING, CUSTOMER, ("VIS1", "SLOT1"), VISITOR)
        assert booked.result is not None
        (contact,) = await vitec.contacts(CUSTOMER, [booked.result, "C9"])
    assert (contact.id, contact.greeting) == (booked.result, "Anna")
    assert office.received[-1].path == f"/CRM/Contact/{CUSTOMER}/{booked.result},C9"


async def test_contacts_that_vitec_does_not_know_are_not_found(vitec_url: str) -> None:
    async with client(vitec_url) as vitec:
        with pytest.raises(NotFoundError):
            await vitec.contacts(CUSTOMER, ["C9"])


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=500), UnavailableError),
        (Fault(cut=True), UnavailableError),
        (Fault(status=200, body="[{"), UnreadableAnswerError),
        (Fault(status=200, body='"C1"'), UnreadableAnswerError),
        (Fault(status=401), LoginRefusedError),
        (Fault(status=403), AccessDeniedError),
    ],
    ids=lambda value: repr(value)[:24],
)
async def test_reading_changes_nothing_and_is_never_ambiguous(
    vitec_url: str, office: Office, fault: Fault, error: type[VitecError]
) -> None:
    office.inject(fault)
    async with client(vitec_url) as vitec:
        with pytest.raises(VitecError) as failed:
            await vitec.contacts(CUSTOMER, ["C1"])
    assert type(failed.value) is error


@pytest.mark.parametrize("may", [True, False])
async def test_whether_it_may_still_send_is_asked_at_the_last_moment(vitec_url: str, office: Office, may: bool) -> None:
    async with client(vitec_url) as vitec:
        call = vitec.post(Operation.INTEREST, CUSTOMER, ("OBJ1",), ANNA, lambda: may)
        if may:
            assert (await call).status == 204
        else:
            with pytest.raises(LeaseExpiredError):
                await call
        assert len(office.received) == int(may)
        await interest(vitec)  # the connection is as good as before
    assert len(office.received) == 1 + int(may)


async def test_calls_that_are_abandoned_end_as_if_their_time_had_run_out(vitec_url: str, office: Office) -> None:
    office.inject(Fault(delay_seconds=30))
    async with client(vitec_url) as vitec:
        assert type(await timed_out(vitec, office)) is AmbiguousError


async def test_a_cookie_that_vitec_sets_for_one_customer_is_never_sent_for_another() -> None:
    cookies: list[str | None] = []

    async def take(request: Request) -> Response:
        cookies.append(request.headers.get("cookie"))
        return Response(b"null", media_type="application/json", headers={"Set-Cookie": "session=1; Path=/"})

    with serve(Starlette(routes=[Route("/{path:path}", take, methods=["POST"])])) as url:
        async with client(url) as vitec:
            await interest(vitec)
            await interest(vitec)
    assert cookies == [None, None]


async def test_many_calls_at_once_are_spread_over_several_pools(vitec_url: str, office: Office) -> None:
    vitec = VitecClient(vitec_url, "partner", CREDENTIALS, 10, concurrency=20)
    answers = await asyncio.gather(*(interest(vitec, f"E{number}") for number in range(20)))
    await vitec.close()
    assert len(answers) == len(office.received) == 20


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[str]:
    """A server that answers its requests with exactly these bytes, one after the other; yields its URL."""
    left, ended = list(answers), asyncio.Semaphore(0)
    connections = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while left:
                head = await reader.readuntil(b"\r\n\r\n")
                [length] = re.findall(rb"(?i)content-length: (\d+)", head)
                await reader.readexactly(int(length))
                writer.write(left.pop(0))
                await writer.drain()
        with contextlib.suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()
        ended.release()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for _ in range(connections):
            await ended.acquire()


@pytest.mark.parametrize(
    "surplus",
    [b"null", b'{"message": "x"}', b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ids=["a body", "an object", "an answer"],
)
async def test_what_vitec_sends_after_its_answer_is_not_taken_for_the_next_ones(surplus: bytes) -> None:
    refusal = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    async with answering(b"HTTP/1.1 204 No Content\r\n\r\n" + surplus, refusal) as url, client(url) as vitec:
        assert (await interest(vitec)).status == 204
        assert type(await failure(vitec)) is UnavailableError


async def test_an_answer_that_is_compressed_all_the_same_is_read() -> None:
    body = gzip.compress(b'"C1"')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    async with answering(head.encode() + body) as url, client(url) as vitec:
        assert await interest(vitec) == VitecResponse(200, "C1")


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip"])
async def test_no_small_answer_becomes_a_huge_one(encoding: str) -> None:
    """httpx itself would keep the service busy for seconds, and take gigabytes."""
    body = gzip.compress(bytes(50 * MAX_BODY))
    body = body if encoding == "gzip" else gzip.compress(body)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    async with answering(head.encode() + body) as url, client(url) as vitec:
        tracemalloc.start()
        try:
            assert await interest(vitec) == VitecResponse(200, None)
            assert tracemalloc.get_traced_memory()[1] < 10 * MAX_BODY
        finally:
            tracemalloc.stop()


async def test_a_wrongly_labelled_answer_is_read_as_it_is() -> None:
    head = b'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"C1"'
    async with answering(head) as url, client(url) as vitec:
        assert await interest(vitec) == VitecResponse(200, "C1")
