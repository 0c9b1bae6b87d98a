"""Authentication: HTTP Basic with the partner's username and a password for each customer and function group (S, H)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from app.sandbox.answers import RefusedError


@dataclass(frozen=True)
class Customer:
    """An office that the partner may make calls for; without `has_access`, one whose licence has ended.

    `customer_id` has 1-40 characters: a product prefix and a number, such as M30011 (S). `password` is for the function
    group advertising (`Advertising/...`, `Viewing/...`), `crm_password` for all of `CRM/...`; None: the same (H).
    """

    customer_id: str
    password: str
    crm_password: str | None = None
    has_access: bool = True

    def password_for(self, path: str) -> str:
        if path.startswith("/CRM/") and self.crm_password is not None:
            return self.crm_password
        return self.password


def admit(authorization: str, username: str, customers: Mapping[str, Customer], customer_id: str, path: str) -> None:
    """Raises `RefusedError`: 401 for a missing or wrong login; 403 for an unknown customer, or one without access.

    `path` is the operation's, which decides the password. An unknown customer has no password to compare with, so only
    the username decides between the two.
    """
    login = _credentials(authorization)
    customer = customers.get(customer_id)
    if login is None or login[0] != username or (customer and login[1] != customer.password_for(path)):
        raise RefusedError(401, "Authorization has been denied for this request.")
    if customer is None or not customer.has_access:
        raise RefusedError(403, "Åtkomst saknas till de begärda uppgifterna.")


def _credentials(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (username, password) if colon else None
