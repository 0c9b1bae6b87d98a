"""Cookies of a request. Python's own parser takes quadratic time for quoted values (CVE-2024-7592); ours are never
quoted."""

from collections.abc import Mapping


def cookies_of(header: str | None) -> Mapping[str, str]:
    """Values by name, as sent; of several with one name the last."""
    pairs = (part.partition("=") for part in (header or "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}
