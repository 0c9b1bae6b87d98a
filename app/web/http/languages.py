"""The language of an answer."""

from app.domain.short_cache import cached_when_short

MAX_ACCEPT_LANGUAGE = 500  # characters that are parsed
MAX_TAG = 35  # characters of a language tag (RFC 5646)


def choose_language(asked: str | None, accepted: str | None, default: str, known: tuple[str, ...]) -> str:
    """`?lang=`, else the best of `Accept-Language`, else the customer's."""
    language = (asked or "")[:MAX_TAG].partition("-")[0].lower()
    if language in known:
        return language
    for language in _accepted(accepted):
        if language in known:
            return language
    return default if default in known else known[0]


@cached_when_short
def _accepted(header: str | None) -> tuple[str, ...]:
    """The languages by weight, highest first; equal ones in the order of the header."""
    weights: list[tuple[float, str]] = []
    for part in (header or "")[:MAX_ACCEPT_LANGUAGE].split(","):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if weight > 0:
            weights.append((weight, tag.strip().partition("-")[0].lower()))
    weights.sort(key=lambda pair: -pair[0])
    return tuple([language for _, language in weights])
