"""Mail servers that fall silent: none delays us longer than one attempt may take, and its connection is closed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from app.alarms import smtp
from app.alarms.alerts import Alert, AlertDeliveryError
from app.alarms.incidents import IncidentKind
from app.alarms.smtp import EmailReceiver, SmtpServer
from app.alarms.texts import AlertText
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import soon

pytestmark = pytest.mark.anyio
SENDER = "intresse@example.se"
# What a mail server answers, one after the other, from the connection on.
ANSWERS = ("220 hello", "250 hello", "250 from", "250 to", "354 go on", "250 taken", "221 goodbye")
TAKEN = ANSWERS.index("250 taken") + 1


@dataclass
class Silent:
    """A mail server that sends the first `answers` and then nothing more, until the client leaves. `open`: its open
    connections."""

    answers: int
    open: int = 0
    fell_silent: asyncio.Event = field(default_factory=asyncio.Event)

    async def visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            for number, answer in enumerate(ANSWERS[: self.answers]):
                if number:
                    await reader.readuntil(b".\r\n" if answer == "250 taken" else b"\r\n")
                writer.write(f"{answer}\r\n".encode())
            self.fell_silent.set()
            await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self.open -= 1

    async def is_left(self) -> bool:
        return not self.open


@asynccontextmanager
async def listening(server: Silent) -> AsyncIterator[SmtpServer]:
    async with await asyncio.start_server(server.visit, "127.0.0.1", 0) as listener:
        yield SmtpServer(f"smtp://127.0.0.1:{listener.sockets[0].getsockname()[1]}", SENDER)


@pytest.fixture
def message() -> EmailMessage:
    message = EmailMessage()
    message["From"] = message["To"] = SENDER
    message.set_content("Vitec svarar inte")
    return message


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "ATTEMPT_SECONDS", 0.2)
    monkeypatch.setattr(smtp, "QUIT_SECONDS", 0.1)


@pytest.mark.parametrize("answers", range(TAKEN))
async def test_a_mail_server_that_falls_silent_is_abandoned_and_counts_as_not_sent(
    message: EmailMessage, answers: int
) -> None:
    silent = Silent(answers)
    async with listening(silent) as server, asyncio.timeout(10):
        with pytest.raises(AlertDeliveryError):
            await server.send(message)
        await soon(silent.is_left)


@pytest.mark.parametrize("answers", [TAKEN, len(ANSWERS)])
async def test_a_mail_that_the_server_accepted_counts_as_sent_however_the_connection_ends(
    monkeypatch: pytest.MonkeyPatch, message: EmailMessage, answers: int
) -> None:
    monkeypatch.setattr(smtp, "ATTEMPT_SECONDS", 10)
    silent = Silent(answers)
    async with listening(silent) as server, asyncio.timeout(10):
        await server.send(message)
        await soon(silent.is_left)


async def test_a_stopping_service_does_not_wait_for_a_silent_mail_server(
    monkeypatch: pytest.MonkeyPatch, message: EmailMessage
) -> None:
    monkeypatch.setattr(smtp, "ATTEMPT_SECONDS", 60)
    silent = Silent(2)
    async with listening(silent) as server, asyncio.timeout(10):
        sending = asyncio.create_task(server.send(message))
        await silent.fell_silent.wait()
        sending.cancel()
        await asyncio.wait({sending})
        await soon(silent.is_left)


async def test_an_alert_whose_recipient_this_process_does_not_know_is_left_to_another() -> None:
    """As while `lead_mail` is introduced, one replica after the other."""

    async def write(_: Alert) -> AlertText:
        return AlertText("Title", "Body")

    now = datetime.now(UTC)
    alert = Alert("n1", IncidentKind.UNDELIVERED, CUSTOMER, False, ("s1",), now, now, 0)
    receiver = EmailReceiver(SmtpServer("smtp://127.0.0.1:1", SENDER), lambda _: None, write)
    with pytest.raises(AlertDeliveryError, match="not in the configuration"):
        await receiver.send(alert)
