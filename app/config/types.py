"""The base class of the configuration's tables, and the types of their values; secrets are in `secrets`."""

import ipaddress
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

import limits
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.domain.submission import PATH_ID

_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MAIL_ADDRESS = re.compile(r"[^@\s<>,]+@[A-Za-z0-9.-]+")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def matching(pattern: re.Pattern[str], wanted: str) -> AfterValidator:
    """`wanted` is what it must be, for the one who reads the fault."""

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
        raise ValueError(f"{value!r} is not an origin as browsers send it, such as https://www.example.se")
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{value!r} is not an http(s) address without query, fragment and user")
    if parts.port == 0 or parts.netloc != parts.netloc.lower():  # .port raises ValueError above 65535
        raise ValueError(f"{value!r} must be in lower case, as browsers send it")
    if parts.port == {"http": 80, "https": 443}[parts.scheme]:
        raise ValueError(f"{value!r}: leave out the default port, as browsers do")
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
        raise ValueError("must be https (plain http is accepted for this machine only)")
    return value


def _rate(value: str) -> str:
    try:
        [rate] = limits.parse_many(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a rate such as 20/minute") from None
    if rate.amount < 1:
        raise ValueError(f"{value!r} would block everyone")
    return value


def _network(value: str) -> str:
    ipaddress.ip_network(value, strict=False)
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
PublicUrl = Annotated[WebAddress, AfterValidator(_without_path)]
UpstreamUrl = Annotated[WebAddress, AfterValidator(_encrypted_upstream)]
PageAddress = Annotated[str, AfterValidator(_page_address)]
MailAddress = Annotated[str, matching(_MAIL_ADDRESS, "an e-mail address")]
Origin = Annotated[str, AfterValidator(_origin)]
Network = Annotated[str, AfterValidator(_network)]
KeyHash = Annotated[str, AfterValidator(_key_hash)]
PathId = Annotated[str, matching(PATH_ID, "1-40 characters of letters, digits, _ - .")]
Text = Annotated[str, Field(min_length=1)]
Language = Literal["sv", "en"]
Rate = Annotated[str, AfterValidator(_rate)]
Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=30 * 86400)]
Minutes = Annotated[int, Field(ge=1, le=30 * 24 * 60)]
Days = Annotated[float, Field(gt=0, le=3660)]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
