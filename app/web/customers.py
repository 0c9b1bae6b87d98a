"""A customer as the web side needs it: how it looks, who may post, what it fills in."""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from limits import RateLimitItem

from app.domain.plan import Defaults
from app.domain.short_cache import cached_when_short
from app.web.pages import Firm

MAX_ADDRESS_OF_PAGE = 2000  # characters that are looked at; an origin ends long before
MAX_ADDRESS = 45  # characters of an IP address; what a proxy forwards need not be one


@dataclass(frozen=True)
class Customer:
    """`origins` are exact, or `https://*.domain` for subdomains only; `key_hashes` are SHA-256 in hex."""

    id: str
    firm: Firm
    language: str
    origins: tuple[str, ...]
    key_hashes: tuple[str, ...]
    rate: RateLimitItem
    person_rate: RateLimitItem
    collect_personnummer: bool
    defaults: Defaults

    @property
    def consent_required(self) -> bool:
        return self.firm.privacy_url is not None

    def allows(self, origin: str) -> bool:
        return any(_matches(origin, allowed) for allowed in self.origins)

    def owns(self, key: str) -> bool:
        """Whether the API key is this customer's, in constant time."""
        found = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
        return sum(hmac.compare_digest(found, known) for known in self.key_hashes) > 0


Customers = Mapping[str, Customer]


def _matches(origin: str, allowed: str) -> bool:
    scheme, _, host = allowed.partition("://")
    if not host.startswith("*."):
        return origin == allowed
    if not origin.startswith(f"{scheme}://") or not origin.endswith(host[1:]):
        return False
    subdomain = origin.removeprefix(f"{scheme}://").removesuffix(host[1:])
    return all(label.replace("-", "").isalnum() for label in subdomain.split("."))


@cached_when_short
def origin_of(address: str | None) -> str | None:
    """The origin of an http(s) address, as browsers write it."""
    try:
        parts = urlsplit((address or "")[:MAX_ADDRESS_OF_PAGE])  # which it remembers
        default = {"http": 80, "https": 443}.get(parts.scheme)
        port = f":{parts.port}" if parts.port and parts.port != default else ""
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.scheme in {"http", "https"} and parts.hostname else None


def network_of(address: str) -> str:
    """Whom a limit counts: an IPv4 address, or an IPv6 network of /64, which is one household's."""
    if ":" not in address:
        return address[:MAX_ADDRESS]
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:MAX_ADDRESS]
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return address
