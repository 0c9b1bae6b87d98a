"""The language of an answer."""

from app.domain.short_cache import cached_when_short
from app.web.http.preferences import weights_of

MAX_TAG = 35  # characters of a language tag (RFC 5646)


def choose_language(asked: str | None, accepted: str | None, default: str, known: tuple[str, ...]) -> str:
    """`?lang=`, else the best of `Accept-Language`, else the customer's."""
    language = (asked or "")[:MAX_TAG].replace("_", "-").partition("-")[0].lower()  # sv_SE, as WordPress calls it
    if language in known:
        return language
    for language in _accepted(accepted):
        if language in known:
            return language
    return default if default in known else known[0]


@cached_when_short
def _accepted(header: str | None) -> tuple[str, ...]:
    """The languages by weight, highest first; equal ones in the order of the header."""
    weights = weights_of(header or "")
    return tuple([tag.partition("-")[0] for tag in sorted(weights, key=lambda tag: -weights[tag])])
