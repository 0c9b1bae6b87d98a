"""The part of the configuration that says who hears of what is wrong."""

import base64
import binascii
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

SHORTEST_WEBHOOK_SECRET = 24  # bytes; Standard Webhooks asks for 24-64
_ADDRESS = re.compile(r"[^@\s<>,]+@[A-Za-z0-9.-]+")


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError(f"{value!r} is not an e-mail address")
    return value


def _web_address(value: str) -> str:
    if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
        raise ValueError(f"{value!r} is not an http(s) address")
    return value


def _webhook_secret(value: SecretStr) -> SecretStr:
    try:
        key = base64.b64decode(value.get_secret_value().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < SHORTEST_WEBHOOK_SECRET:
        raise ValueError("must be 24 bytes or more in base64; make one with: openssl rand -base64 32")
    return value


def _smtp(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())  # .port raises ValueError above 65535
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.port == 0 or parts.path.strip("/"):
        raise ValueError("must be smtp:// or smtps:// and a host, with user:password@ before it where it wants them")
    return value


MailAddress = Annotated[str, AfterValidator(_address)]
Minutes = Annotated[int, Field(ge=1, le=30 * 24 * 60)]


class LeadMail(BaseModel):
    """Leads that Vitec did not get in time, to their office."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    to: MailAddress
    after_minutes: Minutes = 30


class Alarms(BaseModel):
    """Nobody hears of anything unless there is a webhook, or an address."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    webhook_url: Annotated[str, AfterValidator(_web_address)] | None = None
    webhook_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] | None = None
    smtp_url: Annotated[SecretStr, AfterValidator(_smtp)] | None = None
    mail_from: MailAddress | None = None
    mail_to: list[MailAddress] = []
    language: Literal["sv", "en"] = "sv"
    oldest_minutes: Minutes = 60

    @model_validator(mode="after")
    def _has_what_it_takes(self) -> "Alarms":
        for one, other in {"webhook_url": "webhook_secret", "smtp_url": "mail_from", "mail_to": "smtp_url"}.items():
            if getattr(self, one) and not getattr(self, other):
                raise ValueError(f"{one} needs {other}")
        return self
