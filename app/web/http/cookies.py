"""The cookies that a browser sends. Python's own reader takes quadratic time for quoted values (CVE-2024-7592); ours
are never quoted."""

from collections.abc import Mapping


def cookies_of(header: str | None) -> Mapping[str, str]:
    """By name, the last of each, as they came."""
    pairs = (part.partition("=") for part in (header or "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}
