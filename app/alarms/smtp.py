"""Alerts by e-mail, over SMTP."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.alarms.alerts import ATTEMPT_SECONDS, Alert, AlertDeliveryError
from app.alarms.texts import AlertText

QUIT_SECONDS = 2.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Write = Callable[[Alert], Awaitable[AlertText | None]]


@dataclass(frozen=True)
class SmtpServer:
    """`url`: `smtps://` for TLS from the start, or `smtp://` for STARTTLS (unencrypted only to a server on this
    machine). `sender` is the From address."""

    url: str
    sender: str
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

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
            tls_context=self.tls,
            timeout=None,  # our own timeout is used: the library's `wait_for` can swallow a cancellation on Python 3.11
        )
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await client.connect()
                await client.send_message(message)
            # The mail has been sent, even if closing the connection fails.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                async with asyncio.timeout(QUIT_SECONDS):
                    await client.quit()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise AlertDeliveryError(type(error).__name__) from None
        finally:
            client.close()  # its own `async with` would send QUIT and wait for a silent server


class EmailReceiver:
    """Sends an e-mail for each alert, to the address that `to` returns: a server can refuse one of several addresses
    for now, and then the rest must not get it again. `to` returns None if the address is not in this process's
    configuration, `write` if there is nothing left to send."""

    def __init__(self, server: SmtpServer, to: Callable[[Alert], str | None], write: Write) -> None:
        self._server = server
        self._to = to
        self._write = write

    async def send(self, alert: Alert) -> None:
        text, to = await self._write(alert), self._to(alert)
        if text is None:
            return
        if to is None:  # another process may know it, while a new configuration is introduced
            raise AlertDeliveryError("the recipient is not in the configuration")
        message = EmailMessage()
        message["From"] = self._server.sender
        message["To"] = to
        message["Subject"] = text.title
        message["Date"] = alert.created_at
        # The same id at each attempt, so that a mail server that accepted the first can drop the second.
        message["Message-ID"] = f"<{alert.id}@{self._server.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text.body)
        await self._server.send(message)
