"""Receivers of alarms: a webhook that verifies requests as its specification says, and a mail server."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.servers import listening, serve

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"


@dataclass
class Hook:
    """A webhook receiver. It answers 503 `refuses` times first. `received` has only correctly signed requests."""

    url: str = ""
    refuses: int = 0
    ids: list[str] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def take(self, request: Request) -> Response:
        body = await request.body()
        content = Webhook(SECRET).verify(body, dict(request.headers))
        with self.lock:
            self.ids.append(request.headers["webhook-id"])
            if self.refuses:
                self.refuses -= 1
                return Response(status_code=503)
            self.bodies.append(body.decode())
            self.received.append(content)
        return Response(status_code=204)

    def alarms(self, kind: str, *, over: bool = False) -> list[dict[str, Any]]:
        of_type = "alarm.over" if over else "alarm.raised"
        return [
            payload["data"]
            for payload in self.received
            if payload["type"] == of_type and payload["data"]["alarm"] == kind
        ]


@contextmanager
def hook() -> Iterator[Hook]:
    taking = Hook()
    with serve(Starlette(routes=[Route("/hook", taking.take, methods=["POST"])])) as url:
        taking.url = f"{url}/hook"
        yield taking


@dataclass
class PostOffice:
    """A mail server. It answers 451 `refuses` times first, and refuses the recipients in `greylisted` for now."""

    port: int
    refuses: int = 0
    greylisted: set[str] = field(default_factory=set)
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(  # aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.greylisted:
            return "450 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # aiosmtpd's
        if self.refuses:
            self.refuses -= 1
            return "451 try again later"
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]


class _MailListener(Controller):
    """The mail server's listener, on a port that nobody else can take. aiosmtpd leaves connections that are open when
    it stops to the garbage collector; this one closes them."""

    def __init__(self, office: PostOffice, listener: socket.socket) -> None:
        super().__init__(office, *listener.getsockname())
        self._listener = listener
        self._sessions: list[SMTP] = []

    def factory(self) -> SMTP:
        session = SMTP(self.handler, **self.SMTP_kwargs)
        self._sessions.append(session)
        return session

    def stop(self, no_assert: bool = False) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result()
        super().stop(no_assert)

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listener)

    async def _close(self) -> None:
        """Connections that have just been made are tasks; sessions whose client has left may no longer be. Only the
        reader is removed: closing the server would break, and leak, connections that are just arriving."""
        self.loop.remove_reader(self._listener)
        while asyncio.all_tasks() - {asyncio.current_task()} or any(session.transport for session in self._sessions):
            for session in self._sessions:
                if session.transport is not None:
                    session.transport.close()
            await asyncio.sleep(0)


@contextmanager
def post_office() -> Iterator[PostOffice]:
    listener, port = listening()
    office = PostOffice(port)
    mail_listener = _MailListener(office, listener)
    mail_listener.start()
    try:
        yield office
    finally:
        mail_listener.stop()
