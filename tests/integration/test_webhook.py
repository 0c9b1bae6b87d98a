"""Webhook receivers whose answers break off: the status alone decides."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from app.alarms import webhook
from app.alarms.alerts import Alert, AlertDeliveryError
from app.alarms.incidents import IncidentKind
from app.alarms.texts import AlertText
from app.alarms.webhook import WebhookReceiver
from tests.conftest import CUSTOMER
from tests.integration.alarm_receivers import SECRET

pytestmark = pytest.mark.anyio
NOW = datetime.now(UTC)
ALERT = Alert("n1", IncidentKind.OVERDUE, CUSTOMER, False, ("",), NOW, NOW, 0)


@asynccontextmanager
async def answering(status: bytes) -> AsyncIterator[WebhookReceiver]:
    """A receiver that answers with a head, and with a body that never comes."""

    left = asyncio.Event()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 10\r\n\r\n")
        await reader.read()  # until the client leaves
        writer.close()
        await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(visit, "127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
        yield WebhookReceiver(url, SECRET, lambda _: AlertText("Title", "Body"))
        await asyncio.wait_for(left.wait(), 10)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "ATTEMPT_SECONDS", 3.0)


async def test_an_accepted_alert_is_delivered_although_the_answers_body_never_ends() -> None:
    async with answering(b"200 OK") as receiver:
        await receiver.send(ALERT)  # otherwise it would be sent again and again


async def test_a_refusal_is_recognized_although_its_body_never_ends() -> None:
    async with answering(b"503 Later") as receiver:
        with pytest.raises(AlertDeliveryError, match="HTTP 503"):
            await receiver.send(ALERT)
