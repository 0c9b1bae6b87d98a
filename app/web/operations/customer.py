"""A customer as the web needs it: its branding, who may post for it, and its defaults."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from app.domain.rates import Rate
from app.operations.planning import Defaults
from app.web.http.origins import origin_of
from app.web.rendering.page_models import Firm


@dataclass(frozen=True)
class Customer:
    """`origins` are exact, or `https://*.domain` for subdomains only; `key_hashes` are SHA-256 in hex."""

    id: str
    firm: Firm
    language: str
    origins: tuple[str, ...]
    key_hashes: tuple[str, ...]
    rate: Rate
    person_rate: Rate
    collect_personnummer: bool
    defaults: Defaults

    @property
    def consent_required(self) -> bool:
        return self.firm.privacy_url is not None

    def allows(self, origin: str) -> bool:
        return origin in self._exact or any(_is_below(origin, allowed) for allowed in self._any_subdomain)

    @cached_property
    def _exact(self) -> frozenset[str]:
        return frozenset(self.origins) - set(self._any_subdomain)

    @cached_property
    def _any_subdomain(self) -> tuple[str, ...]:
        return tuple(origin for origin in self.origins if "*" in origin)

    def owns(self, key: str) -> bool:
        """Whether the API key is this customer's, in constant time."""
        key_hash = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
        return sum(hmac.compare_digest(key_hash, own_hash) for own_hash in self.key_hashes) > 0


Customers = Mapping[str, Customer]


def _is_below(origin: str, allowed: str) -> bool:
    scheme, _, host = allowed.partition("://")
    if not origin.startswith(f"{scheme}://") or not origin.endswith(host[1:]):
        return False
    subdomain = origin.removeprefix(f"{scheme}://").removesuffix(host[1:])
    return all(label.replace("-", "").replace("_", "").isalnum() for label in subdomain.split("."))


class InvalidApiKeyError(Exception):
    """The key is not this customer's, or is missing where one is required."""


def caller_key(headers: Mapping[str, str], customer: Customer) -> str | None:
    """The request's API key; None if it has none. It is sent as `Bearer KEY`, or in Basic as the password, as in
    Vitec's samples. Raises `InvalidApiKeyError`."""
    authorization = headers.get("authorization")
    if authorization is None:
        return None
    scheme, _, value = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            key = value.strip()
        case "basic":
            key = _basic_password(value.strip())
        case _:
            key = ""
    if not key or not customer.owns(key):
        raise InvalidApiKeyError
    return key


def _basic_password(value: str) -> str:
    """The user's name does not matter, and may be in any charset."""
    try:
        return base64.b64decode(value, validate=True).decode(errors="replace").partition(":")[2]
    except ValueError:  # not Base64, or not even ASCII
        return ""


@dataclass(frozen=True)
class OriginRule:
    """Which origins may post without a key; in a demo, any."""

    public_origin: str
    demo: bool

    def allows(self, origin: str, customer: Customer) -> bool:
        return self.demo or origin == self.public_origin or customer.allows(origin)

    def may_post(
        self, headers: Mapping[str, str], customer: Customer, *, form: bool, token_is_ours: Callable[[], bool]
    ) -> bool:
        """The `Origin` header decides. If it is missing or `null`, a form post needs our token or an allowed
        `Referer`."""
        origin = headers.get("origin")
        if self.demo:
            return True
        if origin is not None and origin != "null":
            return self.allows(origin, customer)
        page = origin_of(headers.get("referer"))
        return form and (token_is_ours() or (page is not None and self.allows(page, customer)))
