"""The typed configuration: every key of `intresse.toml`, checked at the start.

`load` raises `ConfigurationError`, whose lines each name a key and say what is wrong with it. The keys, their meaning
and their defaults are in the README; a test compares the two.
"""

import ipaddress
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

import limits
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.alarm_settings import Alarms, LeadMail
from app.domain.submission import PATH_ID
from app.secret_types import DatabaseUrl, EncryptionKeys, Secret, SecretKey
from app.web import theme

_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def _matching(pattern: re.Pattern[str], wanted: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"{value!r} is not {wanted}")
        return value

    return AfterValidator(check)


def _key_hash(value: str) -> str:
    if not _SHA256.fullmatch(value):  # not repeated: it may be the key itself
        raise ValueError("is not a hash made by `intresse api-key`")
    return value


def _origin(value: str) -> str:
    if not _ORIGIN.fullmatch(value) or value.endswith(":443" if value.startswith("https") else ":80"):
        raise ValueError(f"{value!r} is not an origin as browsers write it, such as https://www.example.se")
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{value!r} is not an http(s) address without query, fragment and user")
    if parts.port == 0 or parts.netloc != parts.netloc.lower():  # .port raises ValueError above 65535
        raise ValueError(f"{value!r} must be written as browsers do, in lower case")
    if parts.port == {"http": 80, "https": 443}[parts.scheme]:
        raise ValueError(f"{value!r}: leave out the port, as browsers do")
    return value.rstrip("/")


def _without_path(value: str) -> str:
    if urlsplit(value).path:
        raise ValueError("must have no path: the service has a host name of its own")
    return value


def _page_address(value: str) -> str:
    if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
        raise ValueError(f"{value!r} is not an http(s) address")
    return value


def _encrypted_upstream(value: str) -> str:
    if urlsplit(value).scheme != "https" and urlsplit(value).hostname not in _LOOPBACK:
        raise ValueError("must be https (plain http is taken for this machine only)")
    return value


def _rate(value: str) -> str:
    try:
        [rate] = limits.parse_many(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a rate such as 20/minute") from None
    if rate.amount < 1:
        raise ValueError(f"{value!r} would let nobody in")
    return value


def _network(value: str) -> str:
    ipaddress.ip_network(value, strict=False)
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
PageAddress = Annotated[str, AfterValidator(_page_address)]
Origin = Annotated[str, AfterValidator(_origin)]
PathId = Annotated[str, _matching(PATH_ID, "1-40 characters of letters, digits, _ - .")]
Rate = Annotated[str, AfterValidator(_rate)]
Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[int, Field(ge=1, le=30 * 86400)]
Days = Annotated[int, Field(ge=1, le=3660)]
VitecId = Annotated[str, Field(min_length=1, max_length=40)]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Vitec(Table):
    base_url: Annotated[WebAddress, AfterValidator(_encrypted_upstream)]
    username: Annotated[str, Field(min_length=1)]
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30
    concurrency: Positive = 8
    concurrency_per_customer: Positive = 2
    requests_per_second: Annotated[float, Field(gt=0, le=10_000)] = 10
    paused_probe_seconds: Seconds = 300


class Delivery(Table):
    retry_seconds: Annotated[tuple[Seconds, ...], Field(min_length=1, strict=False)] = (10, 30, 120, 600, 1800, 3600)
    give_up_hours: Annotated[float, Field(gt=0, le=24 * 366)] = 96
    lease_seconds: Annotated[int, Field(ge=5, le=3600)] = 60
    wait_seconds: Annotated[float, Field(ge=0, le=60)] = 5


class Retention(Table):
    delivered_days: Days = 30
    held_days: Days = 30
    undelivered_days: Days = 90
    erasure_log: Annotated[str, Field(min_length=1)] | None = None


class InterestSettings(Table):
    lead_source_id: VitecId | None = None
    assignment_source_id: VitecId | None = None
    status: Literal["Interested", "VeryInterested"] = "Interested"
    marketing: Literal["inline", "lead"] = "inline"


class ViewingSettings(Table):
    lead_source_id: VitecId | None = None
    reminder_minutes: Annotated[int, Field(ge=0)] = 60
    sms_reminder: bool = True
    mail_confirmation: bool = True
    sms_confirmation: bool = False
    validate_deadline: bool = True
    validate_booking_limit: bool = True


class LeadSettings(Table):
    when: Literal["marketing", "always"] = "marketing"
    lead_source_id: VitecId
    assigned_to_id: VitecId
    fallback_assigned_to_id: VitecId | None = None
    office_id: VitecId | None = None
    assignment_source_id: VitecId | None = None

    @model_validator(mode="after")
    def _agent_has_fallback(self) -> "LeadSettings":
        if self.assigned_to_id == "contact-agent" and not self.fallback_assigned_to_id:
            raise ValueError("fallback_assigned_to_id is needed when assigned_to_id is contact-agent")
        return self


class Theme(Table):
    accent: Annotated[str, _matching(theme.COLOUR, "a colour such as #0b5d4b")] = theme.ACCENT
    radius: Annotated[str, _matching(theme.LENGTH, "a length such as 6px")] = theme.RADIUS
    font: Annotated[str, _matching(theme.FONTS, "up to six font names")] = theme.FONT


class Customer(Table):
    """One office of Vitec's."""

    id: PathId
    name: Annotated[str, Field(min_length=1)]
    password: Secret
    crm_password: Secret | None = None
    allowed_origins: list[Origin] = []
    api_key_hashes: list[Annotated[str, AfterValidator(_key_hash)]] = []
    privacy_url: PageAddress | None = None
    phone: str | None = None
    email: str | None = None
    language: Literal["sv", "en"] = "sv"
    rate_limit: Rate = "20/minute"
    rate_limit_person: Rate = "30/day"
    collect_personnummer: bool = False
    on_ambiguous: Literal["retry", "park"] = "retry"
    interest: InterestSettings = InterestSettings()
    viewing: ViewingSettings = ViewingSettings()
    lead: LeadSettings | None = None
    lead_mail: LeadMail | None = None
    theme: Theme = Theme()

    @model_validator(mode="after")
    def _marketing_has_a_lead(self) -> "Customer":
        if self.interest.marketing == "lead" and self.lead is None:
            raise ValueError('interest.marketing = "lead" needs the table customers.lead')
        return self


class Settings(Table):
    secret_key: SecretKey
    encryption_keys: EncryptionKeys
    database_url: DatabaseUrl
    public_url: Annotated[WebAddress, AfterValidator(_without_path)]
    trusted_proxies: list[Annotated[str, AfterValidator(_network)]] = []
    console_password: Secret | None = None
    metrics_token: Secret | None = None
    vitec: Vitec
    delivery: Delivery = Delivery()
    retention: Retention = Retention()
    alarms: Alarms = Alarms()
    customers: Annotated[list[Customer], Field(min_length=1)]

    @model_validator(mode="after")
    def _leads_can_be_mailed(self) -> "Settings":
        if any(customer.lead_mail for customer in self.customers) and not self.alarms.smtp_url:
            raise ValueError("customers.lead_mail needs alarms.smtp_url")
        return self

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Settings":
        ids = [customer.id for customer in self.customers]
        if repeated := {i for i in ids if ids.count(i) > 1}:
            raise ValueError(f"customers: the id {', '.join(sorted(repeated))} stands twice")
        return self
