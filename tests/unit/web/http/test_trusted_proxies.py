"""Whose X-Forwarded-For is trusted."""

import asyncio
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from app.web.http.trusted_proxies import TrustedProxies

VISITOR = "203.0.113.9"


def seen(proxies: list[str], peer: str | None, *forwarded: str, app: TrustedProxies | None = None) -> Any:
    """Whom the service takes a request to come from."""
    scopes: list[Scope] = []

    async def inner(scope: Scope, _: Receive, __: Send) -> None:
        scopes.append(scope)

    headers = [(b"host", b"h"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]
    scope = {"type": "http", "headers": headers, "client": (peer, 1234) if peer else None, "scheme": "http"}
    asyncio.run((app or TrustedProxies(inner, proxies))(scope, None, None))  # type: ignore[arg-type]
    return scope["client"] and scope["client"][0]


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "who"),
    [
        (["127.0.0.1"], "127.0.0.1", [VISITOR], VISITOR),
        (["10.0.0.0/8"], "10.1.2.3", [VISITOR], VISITOR),
        (["10.0.0.7/8"], "10.1.2.3", [VISITOR], VISITOR),  # host bits are no matter
        (["fd00::/8"], "fd00::7", [VISITOR], VISITOR),
        (["10.0.0.0/8"], "192.0.2.1", [VISITOR], "192.0.2.1"),  # not a proxy of ours
        ([], "127.0.0.1", [VISITOR], "127.0.0.1"),
        (["10.0.0.0/8"], "10.1.2.3", [f"6.6.6.6, {VISITOR}"], VISITOR),  # what the visitor claims comes first
        (["10.0.0.0/8"], "10.1.2.3", ["6.6.6.6", VISITOR], VISITOR),  # also in a header of its own
        (["10.0.0.0/8"], "10.1.2.3", [f"6.6.6.6, {VISITOR}, 10.9.9.9"], VISITOR),  # two proxies of ours
        (["10.0.0.0/8"], "10.1.2.3", [], "10.1.2.3"),
        (["10.0.0.0/8"], "10.1.2.3", ["2001:db8::1"], "2001:db8::1"),
        (["10.0.0.0/8"], None, [VISITOR], None),
    ],
)
def test_the_client_address_is_the_last_one_that_is_not_a_trusted_proxy(
    proxies: list[str], peer: str | None, forwarded: list[str], who: str | None
) -> None:
    assert seen(proxies, peer, *forwarded) == who


def test_an_untrusted_header_is_warned_of_once_and_without_its_content() -> None:
    async def inner(_: Scope, __: Receive, ___: Send) -> None: ...

    app = TrustedProxies(inner, ["10.0.0.0/8"])
    with capture_logs() as lines:
        seen([], "192.0.2.1", app=app)
        for _ in range(3):
            seen([], "192.0.2.1", VISITOR, app=app)
    [line] = lines
    assert line["log_level"] == "warning"
    assert "trusted_proxies" in line["event"]
    assert VISITOR not in str(line)
