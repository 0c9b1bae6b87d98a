"""Who may post: API key, origin."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.web.customers import Customer, origin_of


class WrongKey(Exception):
    """A key that is not this customer's, or no key where one is needed."""

    def __init__(self, customer: Customer | None = None) -> None:
        super().__init__()
        self.customer = customer


class Forbidden(Exception):
    """No origin, token or key that allows this post."""


def caller_key(headers: Mapping[str, str], customer: Customer) -> str | None:
    """The API key that the request carries, None when it carries none. Raises `WrongKey`.
    `Bearer KEY`, or Basic with the key as password, as Vitec's own samples send it."""
    said = headers.get("authorization")
    if said is None:
        return None
    scheme, _, value = said.partition(" ")
    key = {"bearer": _plain, "basic": _basic_password}.get(scheme.lower(), lambda _: "")(value.strip())
    if not key or not customer.owns(key):
        raise WrongKey(customer)
    return key


def _plain(value: str) -> str:
    return value


def _basic_password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


@dataclass(frozen=True)
class OriginRule:
    """Whose pages may post without a key. In a demo any may."""

    public_origin: str
    demo: bool

    def allows(self, origin: str, customer: Customer) -> bool:
        return self.demo or origin == self.public_origin or customer.allows(origin)

    def may_post(
        self, headers: Mapping[str, str], customer: Customer, *, form: bool, token_is_ours: Callable[[], bool]
    ) -> bool:
        """A browser's `Origin` decides; where there is none, or `null`, a form post may show its token or its page."""
        origin = headers.get("origin")
        if self.demo:
            return True
        if origin is not None and origin != "null":
            return self.allows(origin, customer)
        page = origin_of(headers.get("referer"))
        return form and (token_is_ours() or (page is not None and self.allows(page, customer)))
