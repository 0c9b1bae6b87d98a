"""The HTTP client for Vitec Connect's operations."""

import asyncio
import re
import ssl
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from app import __version__
from app.domain.submission import FunctionGroup, Operation
from app.operations.registry import OPERATIONS
from app.operations.viewing_attend import HOME_PATH
from app.vitec.contacts import Contact
from app.vitec.errors import AmbiguousError, LeaseExpiredError, RejectedError, UnavailableError
from app.vitec.homes import Home
from app.vitec.responses import IS_CUT, VitecResponse, read_contacts_response, read_home_response, read_response

MaySend = Callable[[], bool]
Observe = Callable[[str, Operation, float], None]

# For each group a read that only needs its password and changes nothing; the ids need not exist.
PROBES = {
    FunctionGroup.ADVERTISING: HOME_PATH.replace("{estateId}", "0"),
    FunctionGroup.CRM: "/CRM/Contact/{}/0",
}
_PLACEHOLDER = re.compile(r"{\w*}")
KEEPALIVE_SECONDS = 4  # short, so that a call seldom gets a connection that Vitec is about to close
READS = 4  # concurrent lookups; their connections come on top of those for deliveries
MAX_BODY = 2**20  # bytes read of a response's body
LARGE_BODY = 2**15  # bytes; a larger body is parsed in a thread, because it would delay other requests
HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # so that a small response can't decompress to a huge one
    "User-Agent": f"intresse/{__version__}",
}


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Credential:
    """A customer's passwords, one for each function group."""

    advertising: str
    crm: str


@dataclass
class _Pool:
    transport: httpx.AsyncHTTPTransport
    calls: int = 0  # in progress


class VitecClient:
    """Calls the configured host through its own connection pools. These are httpx's transports, without the client
    around them that would follow redirects, use the environment's proxies and netrc, and keep cookies."""

    def __init__(
        self,
        base_url: str,
        username: str,
        credentials: Mapping[str, Credential],
        timeout_seconds: float,
        concurrency: int,
        observe: Observe = lambda *_: None,
    ) -> None:
        """`concurrency` is the usual number of concurrent calls, not a limit: further calls get a connection too, for
        instance while others hang. `observe` is called with the customer's id, the operation and the duration in
        seconds of each call, however it ends."""
        self._base_url = base_url.rstrip("/")
        self._username = username
        self._credentials = credentials
        self._timeout_seconds = timeout_seconds
        self._observe = observe
        self._calls: set[asyncio.Timeout] = set()
        # Each transport would make one of its own; without TLS it is not used.
        context = (
            ssl.create_default_context() if base_url.startswith("https") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        # One for each usual call: httpx asks all of a pool's connections at each call whether they are still open.
        self._pools = [
            _Pool(
                httpx.AsyncHTTPTransport(
                    verify=context,
                    trust_env=False,
                    limits=httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_SECONDS),
                )
            )
            for _ in range(concurrency)
        ]

    async def post(
        self,
        operation: Operation,
        customer_id: str,
        resource: Sequence[str],
        body: Mapping[str, Any],
        may_send: MaySend = _always,
    ) -> VitecResponse:
        """Carries out one operation; `resource` are the ids in its path. `may_send` is called just before the first
        byte is sent. If it returns False, nothing is sent and `LeaseExpiredError` is raised. Otherwise raises
        `VitecError`s, and nothing else."""
        spec = OPERATIONS[operation]
        url, member = _url(spec.path_of(resource), customer_id, *resource), spec.answers_of(resource)
        sent = dict(body) if spec.has_body else None
        with self._observed(customer_id, operation):
            return read_response(await self._call(spec.method, url, customer_id, spec.group, sent, may_send), member)

    async def contacts(
        self, customer_id: str, contact_ids: Sequence[str], may_send: MaySend = _always
    ) -> list[Contact]:
        """Reads 1-20 contacts; returns those that Vitec knows. Raises as `post`, but never `AmbiguousError`, because
        reading changes nothing."""
        url = _url(OPERATIONS[Operation.CONTACT].path, customer_id, ",".join(contact_ids))
        with _reading(), self._observed(customer_id, Operation.CONTACT):
            response = await self._call("GET", url, customer_id, FunctionGroup.CRM, None, may_send)
            return read_contacts_response(response)

    async def home(self, customer_id: str, estate_id: str) -> Home:
        """Reads a home and its viewings. Raises as `contacts`."""
        url = _url(HOME_PATH, customer_id, estate_id)
        with _reading():
            response = await self._call("GET", url, customer_id, FunctionGroup.ADVERTISING, None, _always)
            if len(response.content) > LARGE_BODY:
                return await asyncio.to_thread(read_home_response, response, estate_id)
            return read_home_response(response, estate_id)

    async def try_login(self, customer_id: str, group: FunctionGroup) -> None:
        """Returns if Vitec accepts the password. Raises `VitecError`s, but neither `RejectedError` nor
        `AmbiguousError`, because reading changes nothing."""
        url = _url(PROBES[group], customer_id)
        with _reading(), suppress(RejectedError):  # Vitec has looked at the ids, so it has accepted the login
            read_response(await self._call("GET", url, customer_id, group, None, _always))

    @contextmanager
    def _observed(self, customer_id: str, operation: Operation) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self._observe(customer_id, operation, time.monotonic() - began)

    async def _call(
        self,
        method: str,
        url: str,
        customer_id: str,
        group: FunctionGroup,
        body: dict[str, Any] | None,
        may_send: MaySend,
    ) -> httpx.Response:
        credential = self._credentials.get(customer_id)
        if credential is None:
            raise UnavailableError("the customer is not in the configuration")
        password = credential.crm if group is FunctionGroup.CRM else credential.advertising
        pool = min(self._pools, key=lambda pool: pool.calls)
        pool.calls += 1
        try:
            return await self._send(pool.transport, method, url, self._authorization(password), body, may_send)
        finally:
            pool.calls -= 1

    async def _send(
        self,
        transport: httpx.AsyncHTTPTransport,
        method: str,
        url: str,
        authorization: str,
        body: dict[str, Any] | None,
        may_send: MaySend,
    ) -> httpx.Response:
        """An exception's class doesn't show whether bytes were sent, so the transport's trace is used. Once the head of
        a response has arrived, the response counts, however its body ends."""
        sent = False
        arrived: httpx.Response | None = None

        async def trace(event: str, _: Any) -> None:
            nonlocal sent
            if not sent and event.endswith("send_request_headers.started"):
                if not may_send():
                    raise LeaseExpiredError
                sent = True

        try:
            async with asyncio.timeout(self._timeout_seconds) as timeout:
                self._calls.add(timeout)
                headers = HEADERS | {"Authorization": authorization}
                request = httpx.Request(
                    method, self._base_url + url, headers=headers, json=body, extensions={"trace": trace}
                )
                response = await transport.handle_async_request(request)
                arrived = response
                await _read_body(response)
                await _drop_surplus(transport)
        except LeaseExpiredError:
            raise
        except Exception as error:  # of any class: all that matters here is whether anything was sent
            if arrived is None:
                name = type(error).__name__
                raise (AmbiguousError if sent else UnavailableError)(
                    f"{name} {'after' if sent else 'before'} sending"
                ) from None
        finally:
            self._calls.discard(timeout)
        assert arrived is not None
        return arrived

    def abandon(self) -> None:
        """Ends the calls in progress, as if they had timed out."""
        for timeout in self._calls:
            if not timeout.expired():  # otherwise it is ending already
                timeout.reschedule(asyncio.get_running_loop().time())

    async def close(self) -> None:
        for pool in self._pools:
            await pool.transport.aclose()

    def _authorization(self, password: str) -> str:
        return "Basic " + b64encode(f"{self._username}:{password}".encode()).decode()


async def _read_body(response: httpx.Response) -> None:
    """Sets `response.content` to what arrives of the body, `MAX_BODY` bytes at most, and notes if it broke off."""
    content = bytearray()
    try:
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) >= MAX_BODY:
                break
    except BaseException:
        response.extensions[IS_CUT] = True
        raise
    finally:
        # As httpx itself does after reading.
        response._content = _decompressed(response, bytes(content[:MAX_BODY]))
        await response.aclose()


@contextmanager
def _reading() -> Iterator[None]:
    """For calls that change nothing: one without a usable answer has carried out nothing."""
    try:
        yield
    except AmbiguousError as error:
        raise UnavailableError(str(error), status=error.status) from None


def _decompressed(response: httpx.Response, content: bytes) -> bytes:
    """The content, `MAX_BODY` bytes at most: a gateway may have compressed it although we don't ask for that. Not by
    httpx, which would decompress 2 KB to 1 GB."""
    if response.headers.get("Content-Encoding", "").strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return content
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(content, MAX_BODY)
    except zlib.error:
        return content


async def _drop_surplus(transport: httpx.AsyncHTTPTransport) -> None:
    """Closes the idle connection on which more has arrived than an answer, such as a 204 with a body: httpcore would
    read the rest as the answer to the next call."""
    pool: Any = transport._pool
    for connection in pool.connections:
        http11 = connection._connection
        if http11 is not None and http11.is_idle() and http11._h11_state.trailing_data[0]:
            await connection.aclose()


def _url(path: str, *ids: str) -> str:
    """The path with its placeholders filled in. Ids are quoted, so that none can change the path; the comma separates
    contacts' ids."""
    quoted = iter([quote(part, safe=",") for part in ids])
    return _PLACEHOLDER.sub(lambda _: next(quoted), path)
