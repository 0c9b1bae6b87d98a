"""Alerts by e-mail, over SMTP."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from app.alarms.alerts import ATTEMPT_SECONDS, Alert, AlertDeliveryError
from app.alarms.texts import AlertText

QUIT_SECONDS = 2.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

log = structlog.get_logger()

Write = Callable[[Alert], Awaitable[AlertText | None]]


@dataclass(frozen=True)
class SmtpServer:
    """`url`: `smtps://` for TLS from the start, or `smtp://` for STARTTLS (unencrypted only to a server on this
    machine). `sender` is the From address."""

    url: str
    sender: str

    async def send(self, message: EmailMessage) -> None:
        """Raises `AlertDeliveryError`."""
        url = urlsplit(self.url)
        client = aiosmtplib.SMTP(
            hostname=url.hostname,
            port=url.port,
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            use_tls=url.scheme == "smtps",
            start_tls=url.scheme == "smtp" and url.hostname not in LOOPBACK,
            timeout=None,  # our own timeout is used: the library's `wait_for` can swallow a cancellation on Python 3.11
        )
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await client.connect()
                refused, _ = await client.send_message(message)
            if refused:  # some of them only; it is not sent again to the others
                log.error("mail refused for some of its recipients", count=len(refused))
            # The mail has been sent, even if closing the connection fails.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                async with asyncio.timeout(QUIT_SECONDS):
                    await client.quit()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise AlertDeliveryError(type(error).__name__) from None
        finally:
            client.close()  # its own `async with` would send QUIT and wait for a silent server


class EmailReceiver:
    """Sends an e-mail for each alert, to the addresses that `to` returns. `write` returns None if there is
    nothing left to send."""

    def __init__(self, server: SmtpServer, to: Callable[[Alert], Sequence[str]], write: Write) -> None:
        self._server = server
        self._to = to
        self._write = write

    async def send(self, alert: Alert) -> None:
        text, to = await self._write(alert), self._to(alert)
        if text is None or not to:
            return
        message = EmailMessage()
        message["From"] = self._server.sender
        message["To"] = ", ".join(to)
        message["Subject"] = text.title
        message["Date"] = alert.created_at
        # The same id at each attempt, so that a mail server that accepted the first can drop the second.
        message["Message-ID"] = f"<{alert.id}@{self._server.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text.body)
        await self._server.send(message)
