"""Weighted preferences in the `Accept` and `Accept-Language` headers (RFC 9110)."""

from collections.abc import Mapping
from typing import Literal

MAX_HEADER = 500  # characters that are parsed


def weights_of(header: str) -> Mapping[str, float]:
    """The weight of each name, in lower case and in the order of the header; without malformed ones and those of 0."""
    weights: dict[str, float] = {}
    for part in header[:MAX_HEADER].lower().split(","):
        name, *parameters = map(str.strip, part.split(";"))
        weight = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
        try:
            if float(weight) > 0:
                weights.setdefault(name, float(weight))
        except ValueError:
            continue
    return weights


def preferred_media(accept: str) -> Literal["html", "json", ""]:
    """Which of a page and JSON is preferred: HTML if both have the same weight, "" if neither is named."""
    weights = weights_of(accept)
    html = weights.get("text/html", 0)
    json = max((weight for name, weight in weights.items() if "json" in name), default=0)
    return "json" if json > html else "html" if html else ""
