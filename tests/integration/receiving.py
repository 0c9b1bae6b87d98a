"""Who gets the alarms in the tests: a webhook that checks what it gets as its specification says, and a mail server."""

import threading
from collections.abc import Iterator
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

from tests.serving import free_port, serve

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"


@dataclass
class Hook:
    """`refuses`: answers 503 so many times first. Only what is signed right is `heard`."""

    url: str = ""
    refuses: int = 0
    ids: list[str] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
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
            self.heard.append(content)
        return Response(status_code=204)

    def told(self, kind: str, *, over: bool = False) -> list[dict[str, Any]]:
        of_type = "alarm.over" if over else "alarm.raised"
        return [one["data"] for one in self.heard if one["type"] == of_type and one["data"]["alarm"] == kind]


@contextmanager
def hook() -> Iterator[Hook]:
    taking = Hook()
    with serve(Starlette(routes=[Route("/hook", taking.take, methods=["POST"])])) as url:
        taking.url = f"{url}/hook"
        yield taking


@dataclass
class PostOffice:
    """`refuses`: answers 451 so many times first."""

    port: int
    refuses: int = 0
    mails: list[EmailMessage] = field(default_factory=list)

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


@contextmanager
def post_office() -> Iterator[PostOffice]:
    office = PostOffice(free_port())
    controller = Controller(office, hostname="127.0.0.1", port=office.port)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
