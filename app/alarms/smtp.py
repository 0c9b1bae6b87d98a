"""Alarms by e-mail, over SMTP."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.alarms.notifications import Notification
from app.alarms.texts import AlertText
from app.alarms.webhook import SECONDS, AlertDeliveryError

QUIT_SECONDS = 2.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Write = Callable[[Notification], Awaitable[AlertText | None]]


@dataclass(frozen=True)
class SmtpServer:
    """`url` is `smtps://` for TLS from the start, or `smtp://`, which turns to TLS before anything is said, but for
    this machine's own server. `sender` is the address that mails come from."""

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
            timeout=None,  # ours holds; under its own, Python 3.11's `wait_for` can swallow a cancellation
        )
        try:
            async with asyncio.timeout(SECONDS):
                await client.connect()
                await client.send_message(message)
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):  # it has the mail, however it parts from us
                async with asyncio.timeout(QUIT_SECONDS):
                    await client.quit()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise AlertDeliveryError(type(error).__name__) from None
        finally:
            client.close()  # its own `async with` would say goodbye, and wait for a silent server's answer


class EmailReceiver:
    """One mail for each notice, to the addresses that `to` tells. `write` says None when there is no more to tell."""

    def __init__(self, server: SmtpServer, to: Callable[[Notification], Sequence[str]], write: Write) -> None:
        self._server = server
        self._to = to
        self._write = write

    async def tell(self, notice: Notification) -> None:
        text, to = await self._write(notice), self._to(notice)
        if text is None or not to:
            return
        message = EmailMessage()
        message["From"] = self._server.sender
        message["To"] = ", ".join(to)
        message["Subject"] = text.title
        message["Date"] = notice.created_at
        # The same at each attempt: a mail server that took it without our hearing so can drop the second.
        message["Message-ID"] = f"<{notice.id}@{self._server.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text.body)
        await self._server.send(message)
