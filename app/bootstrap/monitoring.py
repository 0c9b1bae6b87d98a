"""What watches the service, put together from the configuration: its metrics and its alarms."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from starlette.routing import Route

from app.alarms.detection import Limits, Looking
from app.alarms.incidents import Kind
from app.alarms.lead_email import lead_text, over_text
from app.alarms.notifications import Notice, Notices
from app.alarms.runner import Watch
from app.alarms.smtp import MailReceiver, SmtpServer
from app.alarms.store import Alarms
from app.alarms.texts import GetText, Text, text_of
from app.alarms.webhook import Receiver, WebhookReceiver
from app.config.settings import Settings
from app.delivery.claims import Claim
from app.domain.submission import StepStatus
from app.metrics import endpoint as metrics
from app.metrics.counters import Counts
from app.metrics.gauges import Standing
from app.privacy.retention import last_word
from app.storage.database import Database
from app.submissions.repository import Leads
from app.web.console.session import PATH as CONSOLE
from app.web.rendering.templates import Templates

Languages = Callable[[str], GetText]

STOP_SECONDS = 2.0
OFFICE = "office"  # the receiver of leads themselves; the others get alarms about them


class Watching:
    def __init__(self, settings: Settings, database: Database, leads: Leads) -> None:
        customers = [customer.id for customer in settings.customers]
        token = settings.metrics_token
        self.counts = Counts(customers)
        self._standing = Standing(database, customers)
        self._token = token.get_secret_value() if token else None
        self._watch = _watch(settings, database, leads)

    def routes(self) -> list[Route]:
        return metrics.routes(self.counts, self._standing, self._token)

    def accepted(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.counts.accepted(rows)

    def settled(self, claim: Claim, status: StepStatus) -> None:
        self.counts.settled(claim.customer_id, claim.operation, status)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        if self._watch is None:
            yield
            return
        task = asyncio.create_task(self._watch.run())
        try:
            yield
        finally:
            self._watch.stop()
            await asyncio.wait([task], timeout=STOP_SECONDS)
            task.cancel()
            await asyncio.wait([task])


def _watch(settings: Settings, database: Database, leads: Leads) -> Watch | None:
    """None where nobody wishes to be told."""
    receivers = _receivers(settings, leads, Templates().gettext)
    if not receivers:
        return None
    alarms = [name for name in receivers if name != OFFICE]

    def receivers_of(kind: Kind, _: str) -> Sequence[str]:
        return [OFFICE] if kind is Kind.UNDELIVERED else alarms

    limits = Limits(
        wait=timedelta(seconds=settings.delivery.wait_seconds),
        oldest=timedelta(minutes=settings.alarms.oldest_minutes),
        held=last_word(timedelta(days=settings.retention.held_days)),
        office={
            customer.id: timedelta(minutes=customer.lead_mail.after_minutes)
            for customer in settings.customers
            if customer.lead_mail
        },
    )
    looking = Looking(limits, [customer.id for customer in settings.customers])
    return Watch(Alarms(database, receivers_of), Notices(database), looking, receivers)


def _receivers(settings: Settings, leads: Leads, gettext: Languages) -> dict[str, Receiver]:
    alarms = settings.alarms
    console = f"{settings.public_url}{CONSOLE}" if settings.console_password else ""
    firms = {customer.id: customer.name for customer in settings.customers}

    def text(notice: Notice) -> Text:
        firm = firms.get(notice.customer_id, notice.customer_id)
        return text_of(notice, firm, gettext(alarms.language), alarms.language, console)

    async def mail(notice: Notice) -> Text:
        return text(notice)

    receivers: dict[str, Receiver] = {}
    if alarms.webhook_url and alarms.webhook_secret:
        secret = alarms.webhook_secret.get_secret_value()
        receivers["webhook"] = WebhookReceiver(alarms.webhook_url, secret, text)
    if alarms.smtp_url and alarms.mail_from:
        server = SmtpServer(alarms.smtp_url.get_secret_value(), alarms.mail_from)
        if alarms.mail_to:
            receivers["mail"] = MailReceiver(server, lambda _: alarms.mail_to, mail)
        if any(customer.lead_mail for customer in settings.customers):
            receivers[OFFICE] = _office(settings, server, leads, gettext)
    return receivers


def _office(settings: Settings, server: SmtpServer, leads: Leads, gettext: Languages) -> Receiver:
    customers = {customer.id: customer for customer in settings.customers if customer.lead_mail}

    def to(notice: Notice) -> Sequence[str]:
        customer = customers.get(notice.customer_id)
        return [customer.lead_mail.to] if customer and customer.lead_mail else []

    async def write(notice: Notice) -> Text | None:
        language = customers[notice.customer_id].language if notice.customer_id in customers else "sv"
        if notice.over:
            return over_text(notice, gettext(language))
        submission = await leads.get(notice.subjects[0])
        if submission is None:  # erased
            return None
        payload = await leads.payload(submission.id)
        return lead_text(submission, payload["application"], gettext(language), language)

    return MailReceiver(server, to, write)
