"""The part of the configuration that says who hears of what is wrong."""

from pydantic import Field, model_validator

from app.secret_types import SmtpUrl, WebhookSecret
from app.setting_types import Language, MailAddress, Minutes, PageAddress, Table


class LeadMail(Table):
    """Leads that Vitec did not get in time, to their office."""

    to: MailAddress
    after_minutes: Minutes = 30


class Alarms(Table):
    """Nobody hears of anything unless there is a webhook, or an address."""

    webhook_url: PageAddress | None = None
    webhook_secret: WebhookSecret | None = None
    smtp_url: SmtpUrl | None = None
    mail_from: MailAddress | None = None
    mail_to: list[MailAddress] = Field(default_factory=list)
    language: Language = "sv"
    oldest_minutes: Minutes = 60

    @model_validator(mode="after")
    def _has_what_it_takes(self) -> "Alarms":
        for one, other in {"webhook_url": "webhook_secret", "smtp_url": "mail_from", "mail_to": "smtp_url"}.items():
            if getattr(self, one) and not getattr(self, other):
                raise ValueError(f"{one} needs {other}")
        return self
