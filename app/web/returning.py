"""The page of the broker's own that a plain form's visitor goes back to (contract.md, section 5)."""

from urllib.parse import urlencode, urlsplit

import structlog

from app.web.customers import Customer, origin_of
from app.web.guard import OriginRule

log = structlog.get_logger()


def return_address(asked: str | None, reference: str, origins: OriginRule, customer: Customer) -> str | None:
    """The address with `intresse=ok` and the reference added to its query; None when none was asked for, or one on
    another origin than the customer's, which could be anybody's."""
    if not asked:
        return None
    address = asked.strip()
    origin = origin_of(address)
    # It must begin with the very origin: browsers and urlsplit read "\" and "@" before a host differently.
    begins = origin and (address == origin or address.startswith((f"{origin}/", f"{origin}?", f"{origin}#")))
    if not origin or not begins or not address.isprintable() or not origins.allows(origin, customer):
        log.warning("return_url ignored", customer=customer.id, origin=origin)
        return None
    parts = urlsplit(address)
    answer = urlencode({"intresse": "ok", "reference": reference})
    return parts._replace(query=f"{parts.query}&{answer}" if parts.query else answer).geturl()
