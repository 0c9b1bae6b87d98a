"""Origins of web addresses, as browsers write them."""

from urllib.parse import urlsplit

from app.domain.short_cache import cached_when_short

MAX_ADDRESS_OF_PAGE = 2000  # characters that are parsed; an origin ends long before


@cached_when_short
def origin_of(address: str | None) -> str | None:
    """The origin of an http(s) address, as browsers write it."""
    try:
        parts = urlsplit((address or "")[:MAX_ADDRESS_OF_PAGE])  # it caches what it parses
        default = {"http": 80, "https": 443}.get(parts.scheme)
        port = f":{parts.port}" if parts.port and parts.port != default else ""
    except ValueError:
        return None
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{port}" if parts.scheme in {"http", "https"} and host else None
