"""Vitec Connect's operations over HTTP."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from app.domain.submission import Operation
from app.vitec.answers import Answer, read
from app.vitec.errors import Ambiguous, Rejected, Unavailable

# Path after the host, and which of a customer's two function groups (S) it belongs to.
PATHS: Mapping[Operation, tuple[str, str]] = {
    Operation.INTEREST: ("Advertising/Estate/{}/{}/interest", "advertising"),
    Operation.VIEWING: ("Viewing/{}/{}/{}/Participant", "advertising"),
}
# What can be read with each group's password and changes nothing; the ids need not exist.
PROBES = {"advertising": "v2/Advertising/Form/{}/Estate/0", "crm": "CRM/Contact/{}/0"}
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
    ) -> None:
        self._username = username
        self._credentials = credentials
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
        path, group = PATHS[operation]
        credential = self._credentials.get(customer_id)
        if credential is None:
            raise Unavailable("the customer is not in the configuration")
        url = path.format(*(quote(part, safe="") for part in (customer_id, *resource)))
        auth = httpx.BasicAuth(self._username, getattr(credential, group))
        return read(await self._send("POST", url, auth, dict(body)))

    async def try_login(self, customer_id: str, group: str) -> None:
        """Returns when Vitec accepts the password. Raises the taxonomy of `app.vitec.errors` but for `Rejected`."""
        password = getattr(self._credentials[customer_id], group)
        url = PROBES[group].format(quote(customer_id, safe=""))
        with contextlib.suppress(Rejected):  # it has looked at the ids, so it has let us in
            read(await self._send("GET", url, httpx.BasicAuth(self._username, password), None))

    async def _send(self, method: str, url: str, auth: httpx.Auth, body: dict[str, Any] | None) -> httpx.Response:
        """The exception's class can't tell whether bytes have left us; the transport's trace can."""
        sent = False

        async def trace(event: str, _: Any) -> None:
            nonlocal sent
            sent = sent or event.endswith("send_request_headers.started")

        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._http.request(method, url, auth=auth, json=body, extensions={"trace": trace})
        except (httpx.HTTPError, TimeoutError) as error:
            name = type(error).__name__
            raise (Ambiguous if sent else Unavailable)(f"{name} {'after' if sent else 'before'} sending") from None

    async def close(self) -> None:
        await self._http.aclose()
