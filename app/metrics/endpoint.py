"""`GET /metrics`: with the token if one is configured, otherwise from this machine only."""

import asyncio
import hmac
import ipaddress
from collections.abc import Callable

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.metrics.counters import Counters
from app.metrics.gauges import BacklogGauges

OPENMETRICS = "application/openmetrics-text"
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")  # headers that reveal a proxy


def routes(counters: Counters, gauges: BacklogGauges, token: str | None) -> list[Route]:
    counters.registry.register(gauges)

    async def metrics(request: Request) -> Response:
        if token is not None and not _carries(request, token):
            return PlainTextResponse("the metrics token is missing or wrong\n", 401, {"WWW-Authenticate": "Bearer"})
        if token is None and not _is_local(request):
            return PlainTextResponse("without a metrics_token, only this machine may read the metrics\n", 403)
        await gauges.refresh()
        encode, media_type = _encoder(request.headers.get("accept", ""))
        # In a thread, so that the lines of many customers do not delay posts.
        body = await asyncio.to_thread(encode, counters.registry)
        return Response(body, media_type=media_type, headers={"Cache-Control": "no-store"})

    return [Route("/metrics", metrics, methods=["GET"])]


def _encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """One of the two formats; versions and escaping in the header are ignored."""
    return choose_encoder(OPENMETRICS if OPENMETRICS in accept.lower() else "")


def _carries(request: Request, token: str) -> bool:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(value.strip().encode(), token.encode())


def _is_local(request: Request) -> bool:
    """Whether the client is on this machine. An untrusted proxy on it connects locally for remote clients too, but its
    headers reveal it."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
