"""Vitec Connect's operations over HTTP."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from app.domain.submission import GROUPS, FunctionGroup, Operation
from app.vitec.answers import Answer, read, read_list
from app.vitec.contacts import Contact
from app.vitec.errors import Ambiguous, RefusedLogin, Rejected, Unavailable
from app.vitec.pauses import Pauses

T = TypeVar("T")

# Each operation's path after the host; the first id is the customer's.
PATHS: Mapping[Operation, str] = {
    Operation.INTEREST: "Advertising/Estate/{}/{}/interest",
    Operation.VIEWING: "Viewing/{}/{}/{}/Participant",
    Operation.LEAD: "CRM/Lead/{}",
    Operation.LOAN_PROMISE: "CRM/Buyer/{}/{}/LoanPromise",
    Operation.CONTACT: "CRM/Contact/{}/{}",
}
# What can be read with each group's password and changes nothing; the ids need not exist.
PROBES = {
    FunctionGroup.ADVERTISING: "v2/Advertising/Form/{}/Estate/0",
    FunctionGroup.CRM: "CRM/Contact/{}/0",
}
KEEPALIVE_SECONDS = 4  # short: a connection that the other side is about to close is a rare guess


@dataclass(frozen=True)
class Credential:
    """A customer's passwords, one for each function group."""

    advertising: str
    crm: str


class VitecClient:
    """One pool of connections to the one host of the configuration; redirects are never followed, the environment's
    proxies and netrc never read."""

    def __init__(
        self,
        base_url: str,
        username: str,
        credentials: Mapping[str, Credential],
        timeout_seconds: float,
        concurrency: int,
        pauses: Pauses,
    ) -> None:
        self._username = username
        self._credentials = credentials
        self._pauses = pauses
        self._timeout_seconds = timeout_seconds
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=timeout_seconds,
            follow_redirects=False,
            trust_env=False,
            verify=ssl.create_default_context() if base_url.startswith("https") else False,
            limits=httpx.Limits(max_connections=concurrency, keepalive_expiry=KEEPALIVE_SECONDS),
        )

    async def post(
        self, operation: Operation, customer_id: str, resource: Sequence[str], body: Mapping[str, Any]
    ) -> Answer:
        """Carries out one operation. Raises the taxonomy of `app.vitec.errors`, and nothing else."""
        url = _url(PATHS[operation], customer_id, *resource)
        return await self._call(read, "POST", url, customer_id, GROUPS[operation], dict(body))

    async def contacts(self, customer_id: str, contact_ids: Sequence[str]) -> list[Contact]:
        """1-20 contacts, those that Vitec knows. Raises the taxonomy but for `Ambiguous`: reading changes nothing."""
        url = _url(PATHS[Operation.CONTACT], customer_id, ",".join(contact_ids))
        try:
            return await self._call(read_list, "GET", url, customer_id, FunctionGroup.CRM, None)
        except Ambiguous as error:
            raise Unavailable(str(error), status=error.status) from None

    async def contacts_unless_paused(self, customer_id: str, contact_ids: Sequence[str]) -> list[Contact]:
        """As `contacts`, for who has no places to keep to: while the login rests Vitec is not asked."""
        if self._pauses.rests((customer_id, FunctionGroup.CRM)):
            raise RefusedLogin("the login is paused")
        self._pauses.tried((customer_id, FunctionGroup.CRM))
        return await self.contacts(customer_id, contact_ids)

    async def try_login(self, customer_id: str, group: FunctionGroup) -> None:
        """Returns when Vitec accepts the password. Raises the taxonomy of `app.vitec.errors` but for `Rejected`."""
        with contextlib.suppress(Rejected):  # it has looked at the ids, so it has let us in
            await self._call(read, "GET", _url(PROBES[group], customer_id), customer_id, group, None)

    async def _call(
        self,
        reader: Callable[[httpx.Response], T],
        method: str,
        url: str,
        customer_id: str,
        group: FunctionGroup,
        body: dict[str, Any] | None,
    ) -> T:
        credential = self._credentials.get(customer_id)
        if credential is None:
            raise Unavailable("the customer is not in the configuration")
        password = credential.crm if group is FunctionGroup.CRM else credential.advertising
        response = await self._send(method, url, httpx.BasicAuth(self._username, password), body)
        if response.status_code == 401:
            self._pauses.refused((customer_id, group))
        elif response.is_success or response.status_code in {400, 403, 404}:  # it has looked beyond the login
            self._pauses.accepted((customer_id, group))
        return reader(response)

    async def _send(self, method: str, url: str, auth: httpx.Auth, body: dict[str, Any] | None) -> httpx.Response:
        """The exception's class can't tell whether bytes have left us; the transport's trace can."""
        sent = False

        async def trace(event: str, _: Any) -> None:
            nonlocal sent
            sent = sent or event.endswith("send_request_headers.started")

        try:
            async with asyncio.timeout(self._timeout_seconds):
                request = self._http.build_request(method, url, json=body, extensions={"trace": trace})
                response = await self._http.send(request, auth=auth, stream=True)
                await _read_body(response)
                return response
        except (httpx.HTTPError, TimeoutError) as error:
            name = type(error).__name__
            raise (Ambiguous if sent else Unavailable)(f"{name} {'after' if sent else 'before'} sending") from None

    async def close(self) -> None:
        await self._http.aclose()


async def _read_body(response: httpx.Response) -> None:
    """Of a success the status says all that must be known: one whose body breaks off is done, without the id."""
    try:
        await response.aread()
    except httpx.HTTPError:
        if not response.is_success:
            raise
        response._content = b""  # what httpx itself sets when it has read
    finally:
        await response.aclose()


def _url(path: str, *ids: str) -> str:
    """Ids are quoted, so that none can be another path; the comma between contacts is Vitec's."""
    return path.format(*(quote(part, safe=",") for part in ids))
