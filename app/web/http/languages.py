"""The language of an answer."""

from app.domain.short_cache import cached_when_short

MAX_ACCEPT_LANGUAGE = 500  # characters that are looked at
MAX_TAG = 35  # characters of a language's tag (RFC 5646)


def choose_language(asked: str | None, accepted: str | None, default: str, known: tuple[str, ...]) -> str:
    """`?lang=`, else the best of `Accept-Language`, else the customer's."""
    language = (asked or "")[:MAX_TAG].partition("-")[0].lower()
    if language in known:
        return language
    return _accepted(accepted, known) or (default if default in known else known[0])


@cached_when_short
def _accepted(header: str | None, known: tuple[str, ...]) -> str | None:
    """The known language with the highest weight; of equal ones the first named."""
    best: tuple[float, str] | None = None
    for part in (header or "")[:MAX_ACCEPT_LANGUAGE].split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().partition("-")[0].lower()
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if language in known and weight > 0 and (best is None or weight > best[0]):
            best = (weight, language)
    return best and best[1]
