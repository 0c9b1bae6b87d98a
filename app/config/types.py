"""The base class of the configuration's tables, and the types of their values, except for secrets."""

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.domain.rates import parse_rate
from app.domain.submission import PATH_ID
from app.i18n import LANGUAGES

_ORIGIN = re.compile(r"(https?)://(?:\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(?::(\d{1,5}))?", re.ASCII)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
HIGHEST_PORT = 65535
# A host and a port as browsers send them. `urlsplit` alone accepts spaces, and drops line breaks.
_AUTHORITY = re.compile(r"([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[1-9]\d*)?", re.ASCII)
_NOT_IN_ADDRESSES = re.compile(r"[\s\x00-\x1f\x7f\"<>\\]")
_CONTACT_ADDRESS = re.compile(r"[^@\s<>,]+@[^@\s<>,]+")
_MAIL_ADDRESS = re.compile(r"[^@\s<>,]+@[A-Za-z0-9.-]+")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def matching(pattern: re.Pattern[str], expected: str) -> AfterValidator:
    """`expected` says what the value must be, in the error message."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"{value!r} is not {expected}")
        return value

    return AfterValidator(check)


def _key_hash(value: str) -> str:
    if not _SHA256.fullmatch(value):  # the value is not quoted: it may be the key itself
        raise ValueError("is not a hash made by `intresse api-key`")
    return value


def _origin(value: str) -> str:
    fits = _ORIGIN.fullmatch(value)
    port = fits[3] if fits else None
    if not fits or (port and (port == _DEFAULT_PORTS[fits[1]] or port[0] == "0" or int(port) > HIGHEST_PORT)):
        raise ValueError(f"{value!r} is not an origin as browsers send it, such as https://www.example.se")
    return value


def require_host(name: str) -> None:
    """Raises `ValueError` for a host name or IPv4 address that can't exist: `mail..example.se`, `192.0.2.999`."""
    try:
        name.encode("idna")
        if name.replace(".", "").isdecimal():
            ipaddress.IPv4Address(name)
    except ValueError:  # also UnicodeError: a part that is empty or too long
        raise ValueError(f"{name!r} is not a host") from None


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if _NOT_IN_ADDRESSES.search(value):
        raise ValueError(f"{value!r} contains a character that is not allowed in an address")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or {*"?#"} & {*value}:
        raise ValueError(f"{value!r} is not an http(s) address without query, fragment and user")
    if not value.startswith(f"{parts.scheme}://") or not _AUTHORITY.fullmatch(parts.netloc):
        raise ValueError(f"{value!r} must be as browsers send it: in lower case, å, ä and ö as xn--")
    if str(parts.port) == _DEFAULT_PORTS[parts.scheme]:  # .port raises ValueError above 65535
        raise ValueError(f"{value!r}: leave out the default port, as browsers do")
    require_host(parts.hostname)
    return value.rstrip("/")


def _without_path(value: str) -> str:
    if urlsplit(value).path:
        raise ValueError("must have no path: the service has a host name of its own")
    return value


def _page_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or _NOT_IN_ADDRESSES.search(value):
        raise ValueError(f"{value!r} is not an http(s) address")
    if parts.port == 0:  # `.port` raises ValueError above 65535
        raise ValueError(f"{value!r} has a port that does not exist")
    require_host(parts.hostname)
    return value


def _encrypted_upstream(value: str) -> str:
    if urlsplit(value).scheme != "https" and urlsplit(value).hostname not in _LOOPBACK:
        raise ValueError("must be https (plain http is accepted for this machine only)")
    return value


def _rate(value: str) -> str:
    parse_rate(value)
    return value


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"{value!r} is not one of {', '.join(LANGUAGES)}")
    return value


def _one_line(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("must be text in one line")
    return value


def _user(value: str) -> str:
    if ":" in value:
        raise ValueError("must have no colon: HTTP Basic can't send one")
    return value


def _network(value: str) -> str:
    ipaddress.ip_network(value, strict=False)
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
PublicUrl = Annotated[WebAddress, AfterValidator(_without_path)]
UpstreamUrl = Annotated[WebAddress, AfterValidator(_encrypted_upstream)]
PageAddress = Annotated[str, AfterValidator(_page_address)]
MailAddress = Annotated[str, matching(_MAIL_ADDRESS, "an e-mail address")]
ContactAddress = Annotated[str, matching(_CONTACT_ADDRESS, "an e-mail address")]
Origin = Annotated[str, AfterValidator(_origin)]
Network = Annotated[str, AfterValidator(_network)]
KeyHash = Annotated[str, AfterValidator(_key_hash)]
PathId = Annotated[str, matching(PATH_ID, "1-40 characters of letters, digits, _ - .")]
Text = Annotated[str, Field(min_length=1), AfterValidator(_one_line)]
Username = Annotated[Text, AfterValidator(_user)]
Language = Annotated[str, AfterValidator(_language)]
RateText = Annotated[str, AfterValidator(_rate)]
Concurrency = Annotated[int, Field(ge=1, le=1000)]  # each call may have a connection of its own, that is, a file
Seconds = Annotated[float, Field(gt=0, le=30 * 86400)]
Minutes = Annotated[int, Field(ge=1, le=30 * 24 * 60)]
Days = Annotated[float, Field(gt=0, le=3660)]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
