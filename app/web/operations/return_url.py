"""`return_url`: the broker's page that a visitor is sent back to after posting the broker's own form."""

import re
from urllib.parse import quote, urlencode, urlsplit

import structlog

from app.web.http.origins import origin_of
from app.web.operations.customer import Customer, OriginRule

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# An origin that a header, such as the page's Content-Security-Policy, can name. A demo allows any host.
_ORIGIN = re.compile(r"https?://[a-z0-9._-]+(?::\d+)?", re.ASCII)
MAX_HOST = 253  # characters of a host name
_KEPT = "%/?#[]@!$&'()*+,;=:~"  # of an address that may be encoded already

log = structlog.get_logger()


def return_origin(return_url: str | None, origins: OriginRule, customer: Customer) -> str | None:
    """The origin of `return_url`; None if there is none, or (logged) if it is not one of the customer's."""
    if not return_url:
        return None
    address = _as_browsers_write_it(return_url)
    origin = origin_of(address)
    # It must begin with the very origin: browsers and urlsplit read "\\" and "@" before a host differently.
    begins = origin and (address == origin or address.startswith((f"{origin}/", f"{origin}?", f"{origin}#")))
    is_plain = origin and _ORIGIN.fullmatch(origin) and not _CONTROLS.search(address)
    if origin and begins and is_plain and origins.allows(origin, customer):
        return origin
    log.warning("return_url ignored", customer=customer.id)
    return None


def return_address(return_url: str, reference: str) -> str:
    """The page with `intresse=ok` and the reference added to its query, percent-encoded as UTF-8."""
    parts = urlsplit(_as_browsers_write_it(return_url))
    answer = urlencode({"intresse": "ok", "reference": reference})
    address = parts._replace(query=f"{parts.query}&{answer}" if parts.query else answer).geturl()
    return quote(address, safe=_KEPT)


def _as_browsers_write_it(address: str) -> str:
    """The address without spaces around it, with scheme and host name in lower case, a non-ASCII host name in its xn--
    form."""
    address = address.strip()
    scheme, separator, rest = address.partition("://")
    host = re.match(r"[^/?#:@\\]*", rest)
    assert host is not None
    if len(host[0]) > MAX_HOST:
        return address
    try:
        labels = [label if label.isascii() else label.encode("idna").decode() for label in host[0].split(".")]
    except UnicodeError:
        return address
    if any("." in label for label in labels):  # a full stop of another script
        return address
    return f"{scheme}{separator}{'.'.join(labels)}".lower() + rest[host.end() :]
