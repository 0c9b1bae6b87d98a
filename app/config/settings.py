"""The typed configuration: every table and key of `intresse.toml`. `loader` reads it.

The keys, their meaning and their defaults are in docs/operator.md; a test compares the two.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.config.secrets import DatabaseUrl, EncryptionKeys, Password, SecretKey, SmtpUrl, WebhookSecret
from app.config.types import (
    Concurrency,
    ContactAddress,
    Days,
    KeyHash,
    Language,
    MailAddress,
    Minutes,
    Network,
    Origin,
    PageAddress,
    PathId,
    PublicUrl,
    RateText,
    Seconds,
    Table,
    Text,
    UpstreamUrl,
    Username,
    matching,
)
from app.domain import branding
from app.operations.final_price import FinalPriceDefaults
from app.operations.interest import InterestDefaults
from app.operations.lead import LeadDefaults
from app.operations.valuation import ValuationDefaults
from app.operations.viewing import ViewingDefaults


class LeadMailSettings(Table):
    """For leads that did not reach Vitec in time: they are e-mailed to the office."""

    to: MailAddress
    after_minutes: Minutes = 30


class AlarmsSettings(Table):
    """No alarm is sent unless a webhook or an e-mail address is configured."""

    webhook_url: PageAddress | None = None
    webhook_secret: WebhookSecret | None = None
    smtp_url: SmtpUrl | None = None
    mail_from: MailAddress | None = None
    mail_to: list[MailAddress] = Field(default_factory=list)
    language: Language = "sv"
    oldest_minutes: Minutes = 60

    @model_validator(mode="after")
    def _needed_keys_are_there(self) -> "AlarmsSettings":
        for key, other in {"webhook_url": "webhook_secret", "smtp_url": "mail_from", "mail_to": "smtp_url"}.items():
            if getattr(self, key) and not getattr(self, other):
                raise ValueError(f"{key} needs {other}")
        return self


class VitecSettings(Table):
    base_url: UpstreamUrl
    username: Username
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30
    concurrency: Concurrency = 8
    concurrency_per_customer: Concurrency = 2
    requests_per_second: Annotated[float, Field(gt=0, le=10_000)] = 10
    paused_probe_seconds: Seconds = 300


class DeliverySettings(Table):
    retry_seconds: list[Seconds] = Field([10, 30, 120, 600, 1800, 3600], min_length=1)
    give_up_hours: Annotated[float, Field(gt=0, le=24 * 366)] = 96
    lease_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    wait_seconds: Annotated[float, Field(ge=0, le=60)] = 5


class RetentionSettings(Table):
    delivered_days: Days = 30
    held_days: Days = 30
    undelivered_days: Days = 90
    erasure_log: Text | None = None


class ThemeSettings(Table):
    accent: Annotated[str, matching(branding.COLOUR, "a colour such as #0b5d4b")] = branding.ACCENT
    radius: Annotated[str, matching(branding.LENGTH, "a length such as 6px")] = branding.RADIUS
    font: Annotated[str, matching(branding.FONTS, "up to six font names")] = branding.FONT


class CustomerSettings(Table):
    """One office at Vitec."""

    id: PathId
    name: Text
    password: Password
    crm_password: Password | None = None
    allowed_origins: list[Origin] = Field(default_factory=list)
    api_key_hashes: list[KeyHash] = Field(default_factory=list)
    privacy_url: PageAddress | None = None
    phone: Text | None = None
    email: ContactAddress | None = None
    language: Language = "sv"
    rate_limit: RateText = "20/minute"
    rate_limit_person: RateText = "30/day"
    collect_personnummer: bool = False
    on_ambiguous: Literal["retry", "park"] = "retry"
    interest: InterestDefaults = InterestDefaults()
    viewing: ViewingDefaults = ViewingDefaults()
    lead: LeadDefaults | None = None
    valuation: ValuationDefaults | None = None
    final_price: FinalPriceDefaults | None = None
    lead_mail: LeadMailSettings | None = None
    theme: ThemeSettings = ThemeSettings()

    @model_validator(mode="after")
    def _marketing_has_a_lead(self) -> "CustomerSettings":
        if self.interest.marketing == "lead" and self.lead is None:
            raise ValueError('interest.marketing = "lead" needs the table customers.lead')
        return self


class Settings(Table):
    secret_key: SecretKey
    encryption_keys: EncryptionKeys
    database_url: DatabaseUrl
    public_url: PublicUrl
    trusted_proxies: list[Network] = Field(default_factory=list)
    console_password: Password | None = None
    metrics_token: Password | None = None
    vitec: VitecSettings
    delivery: DeliverySettings = DeliverySettings()
    retention: RetentionSettings = RetentionSettings()
    alarms: AlarmsSettings = AlarmsSettings()
    customers: Annotated[list[CustomerSettings], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _vitec_keys_are_reported(cls, document: object) -> object:
        """If the whole table is missing, each of its keys is reported as missing."""
        return {"vitec": {}} | document if isinstance(document, dict) else document

    @model_validator(mode="after")
    def _leads_can_be_mailed(self) -> "Settings":
        if any(customer.lead_mail for customer in self.customers) and not self.alarms.smtp_url:
            raise ValueError("customers.lead_mail needs alarms.smtp_url")
        return self

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Settings":
        ids = [customer.id for customer in self.customers]
        if repeated := {i for i in ids if ids.count(i) > 1}:
            raise ValueError(f"customers: the id {', '.join(sorted(repeated))} appears twice")
        return self
