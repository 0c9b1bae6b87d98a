"""Builds metrics and alarms from the configuration."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from hashlib import sha256

from starlette.routing import Route

from app.alarms.alerts import Alert, AlertQueue, AlertReceiver
from app.alarms.detection import IncidentDetector, Thresholds
from app.alarms.incidents import IncidentKind
from app.alarms.lead_email import lead_text, recovered_text
from app.alarms.runner import AlarmRunner
from app.alarms.smtp import EmailReceiver, SmtpServer
from app.alarms.store import IncidentStore
from app.alarms.texts import AlertText, alert_text
from app.alarms.webhook import WebhookReceiver
from app.config.settings import Settings
from app.domain.submission import Status
from app.i18n import GetText
from app.metrics import endpoint as metrics
from app.metrics.counters import Counters
from app.metrics.gauges import BacklogGauges
from app.privacy.retention import RetentionPeriods
from app.storage.database import Database
from app.submissions.repository import SubmissionRepository
from app.web.console.session import PATH as CONSOLE
from app.web.rendering.templates import Templates

Languages = Callable[[str], GetText]

OFFICE = "office"  # receives the leads themselves; the other receivers get alarms about them


class Monitoring:
    def __init__(self, settings: Settings, database: Database, submissions: SubmissionRepository) -> None:
        customers = [customer.id for customer in settings.customers]
        token = settings.metrics_token
        self.counts = Counters(customers)
        self._gauges = BacklogGauges(database, customers)
        self._token = token.get_secret_value() if token else None
        self.alarms = _alarm_runner(settings, database, submissions)

    def routes(self) -> list[Route]:
        return metrics.routes(self.counts, self._gauges, self._token)


def retention_periods(settings: Settings) -> RetentionPeriods:
    retention = settings.retention
    return RetentionPeriods(
        *(timedelta(days=days) for days in (retention.delivered_days, retention.held_days, retention.undelivered_days))
    )


def _alarm_runner(settings: Settings, database: Database, submissions: SubmissionRepository) -> AlarmRunner | None:
    """None if no receiver of alarms is configured."""
    receivers = _receivers(settings, submissions, Templates().gettext)
    if not receivers:
        return None
    alarms = [name for name in receivers if name != OFFICE]

    def receivers_of(kind: IncidentKind, _: str) -> Sequence[str]:
        return [OFFICE] if kind is IncidentKind.UNDELIVERED else alarms

    thresholds = Thresholds(
        booking_wait=timedelta(seconds=settings.delivery.wait_seconds),
        oldest=timedelta(minutes=settings.alarms.oldest_minutes),
        kept=retention_periods(settings),
        office={
            customer.id: timedelta(minutes=customer.lead_mail.after_minutes)
            for customer in settings.customers
            if customer.lead_mail
        },
    )
    detector = IncidentDetector(thresholds, [customer.id for customer in settings.customers])
    return AlarmRunner(IncidentStore(database, receivers_of), AlertQueue(database), detector, receivers)


def _receivers(settings: Settings, submissions: SubmissionRepository, gettext: Languages) -> dict[str, AlertReceiver]:
    alarms = settings.alarms
    console = f"{settings.public_url}{CONSOLE}" if settings.console_password else ""
    firms = {customer.id: customer.name for customer in settings.customers}

    def text(alert: Alert) -> AlertText:
        firm = firms.get(alert.customer_id, alert.customer_id)
        return alert_text(alert, firm, gettext(alarms.language), alarms.language, console)

    async def mail(alert: Alert) -> AlertText:
        return text(alert)

    receivers: dict[str, AlertReceiver] = {}
    if alarms.webhook_url and alarms.webhook_secret:
        secret = alarms.webhook_secret.get_secret_value()
        receivers["webhook"] = WebhookReceiver(alarms.webhook_url, secret, text)
    if alarms.smtp_url and alarms.mail_from:
        server = SmtpServer(alarms.smtp_url.get_secret_value(), alarms.mail_from)

        def mailbox(address: str) -> EmailReceiver:
            return EmailReceiver(server, lambda _: address, mail)

        receivers |= {_name_of(address): mailbox(address) for address in alarms.mail_to}
        if any(customer.lead_mail for customer in settings.customers):
            receivers[OFFICE] = _office(settings, server, submissions, gettext)
    return receivers


def _name_of(address: str) -> str:
    """The receiver's name in the database: each address has a queue of its own."""
    return f"mail-{sha256(address.encode()).hexdigest()[:5]}"


def _office(
    settings: Settings, server: SmtpServer, submissions: SubmissionRepository, gettext: Languages
) -> AlertReceiver:
    customers = {customer.id: customer for customer in settings.customers if customer.lead_mail}

    def to(alert: Alert) -> str | None:
        customer = customers.get(alert.customer_id)
        return customer.lead_mail.to if customer and customer.lead_mail else None

    async def write(alert: Alert) -> AlertText | None:
        language = customers[alert.customer_id].language if alert.customer_id in customers else "sv"
        submission = await submissions.get(alert.subjects[0])
        if submission is None:
            return None
        if alert.over:
            return recovered_text(submission, gettext(language))
        if submission.status is Status.DELIVERED:  # while the mail server was away
            return None
        try:
            stored = await submissions.application(submission.id)
        except KeyError:  # erased: there is nothing left to send
            return None
        return lead_text(submission, stored, gettext(language), language)

    return EmailReceiver(server, to, write)
