"""The page of the broker's own that a plain form's visitor goes back to (contract.md, section 5)."""

from urllib.parse import urlencode, urlsplit

import structlog

from app.web.customers import Customer, origin_of
from app.web.guard import OriginRule

log = structlog.get_logger()


def return_origin(asked: str | None, origins: OriginRule, customer: Customer) -> str | None:
    """The origin of the page asked for; None when none was, or one that is not the customer's, which is logged."""
    if not asked:
        return None
    origin = origin_of(asked)
    # It must begin with the very origin: browsers and urlsplit read "\\" and "@" before a host differently.
    begins = origin and (asked == origin or asked.startswith((f"{origin}/", f"{origin}?", f"{origin}#")))
    if origin and begins and asked.isprintable() and origins.allows(origin, customer):
        return origin
    log.warning("return_url ignored", customer=customer.id, origin=origin)
    return None


def return_address(asked: str, reference: str) -> str:
    """The page with `intresse=ok` and the reference added to its query."""
    parts = urlsplit(asked)
    answer = urlencode({"intresse": "ok", "reference": reference})
    return parts._replace(query=f"{parts.query}&{answer}" if parts.query else answer).geturl()
