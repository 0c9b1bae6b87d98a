"""E-mail addresses: which are valid, and how they are written."""

import unicodedata

from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES, DOT_ATOM_TEXT, LOCAL_PART_MAX_LENGTH

from app.domain.short_cache import cached_when_short

# Typographic apostrophes and hyphens, and full-width letters -> what an e-mail address has.
_STRAIGHTENED = {ord(mark): "'" for mark in "\u2018\u2019\u201b\u02b9\u02bb\u02bc\u00b4\u2032"}
_STRAIGHTENED |= {ord(mark): "-" for mark in "\u2010\u2011\u2012\u2013\u2212"}
_STRAIGHTENED |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}


def normalize_email(value: str) -> str | None:
    """The address as validated and normalized by the library; None if it is not valid. The library's result for a
    domain is cached, because most people share a few domains; a simple local part then only needs to match the
    library's own regular expression."""
    if not value.isascii():
        value = value.translate(_STRAIGHTENED)
        plain = unicodedata.normalize("NFKC", value)  # the letters of a "font" from a chat, and ligatures
        value = plain if plain.isascii() else value
    local, _, domain = value.rpartition("@")
    try:
        is_simple = DOT_ATOM_TEXT.fullmatch(local) and len(local) <= LOCAL_PART_MAX_LENGTH
        if is_simple and local.lower() not in CASE_INSENSITIVE_MAILBOX_NAMES:
            return f"{local}@{_normalized_domain(domain)}"
        return _validated(value)
    except EmailNotValidError:
        return None


@cached_when_short
def _normalized_domain(domain: str) -> str:
    return _validated(f"a@{domain}").removeprefix("a@")


def _validated(value: str) -> str:
    # test_environment allows the reserved domain .test, which no real address has. There is no DNS lookup.
    result = validate_email(value, check_deliverability=False, test_environment=True, strict=True)
    if "." not in result.domain:  # with test_environment the library also allows `test` alone
        raise EmailNotValidError
    return result.normalized
