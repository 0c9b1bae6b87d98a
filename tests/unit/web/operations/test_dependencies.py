"""The choice of a page's language."""

import pytest

from app.web.http.languages import choose_language

KNOWN = ("sv", "en")


@pytest.mark.parametrize(
    ("asked", "accepted", "default", "chosen"),
    [
        ("en", "sv", "sv", "en"),
        ("sv", "en", "en", "sv"),
        ("EN", "sv", "sv", "en"),
        ("sv-SE", "en", "en", "sv"),
        ("de", "en", "sv", "en"),
        ("", "en", "sv", "en"),
        (None, "en", "sv", "en"),
        (None, None, "sv", "sv"),
        (None, None, "en", "en"),
        (None, "", "en", "en"),
        (None, None, "de", "sv"),
        (None, "en-GB,en;q=0.9", "sv", "en"),
        (None, "EN", "sv", "en"),
        (None, "de,fr;q=0.9", "sv", "sv"),
        (None, "de,en;q=0.5", "sv", "en"),
        (None, "en;q=0.5, sv;q=0.8", "en", "sv"),
        (None, "en;q=0.8,sv;q=0.8", "sv", "en"),
        (None, "en; q=0.1 , sv ;q=0.2", "en", "sv"),
        ("sv_SE", "en", "en", "sv"),
        ("en_GB", "sv", "sv", "en"),
        (None, "en;q=0", "sv", "sv"),
        (None, "en;q=x,sv;q=0.1", "en", "sv"),
        (None, "*", "sv", "sv"),
        (None, ",;,;q=", "en", "en"),
        (None, "en;q=nan", "sv", "sv"),
        (None, "x" * 10_000, "sv", "sv"),
    ],
)
def test_the_address_decides_then_the_browser_then_the_customer(
    asked: str | None, accepted: str | None, default: str, chosen: str
) -> None:
    assert choose_language(asked, accepted, default, KNOWN) == chosen
