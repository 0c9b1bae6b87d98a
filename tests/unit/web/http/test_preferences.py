"""What a client prefers, by the weights in its `Accept` headers."""

import pytest

from app.web.http.languages import choose_language
from app.web.http.preferences import preferred_media, weights_of

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "preferred"),
    [
        ("", ""),
        ("*/*", ""),
        ("application/*", ""),
        (CHROME, "html"),
        ("TEXT/HTML", "html"),
        ("application/json", "json"),
        ("Application/JSON", "json"),
        ("application/problem+json", "json"),
        ("application/json; charset=utf-8", "json"),
        ("application/json, text/javascript, */*; q=0.01", "json"),
        ("application/json, text/html;q=0.5", "json"),
        ("text/html;q=0, application/json", "json"),
        ("text/html; level=1; q=0.4, application/json;q=0.5", "json"),
        ("text/html, application/json;q=0.9", "html"),
        ("application/json, text/html", "html"),
        ("application/json;q=0", ""),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "html"),
    ],
)
def test_a_page_or_json_is_preferred_by_weight(accept: str, preferred: str) -> None:
    assert preferred_media(accept) == preferred


@pytest.mark.parametrize("weight", ["0", "0.0", "-1", "nan", "x", ""])
def test_a_weight_that_is_none_or_malformed_leaves_the_name_out(weight: str) -> None:
    assert weights_of(f"a;q={weight}, b;q=0.5") == {"b": 0.5}


def test_languages_of_equal_weight_keep_the_order_of_the_header() -> None:
    assert choose_language(None, "nb;q=0.9, en-GB;q=0.8, sv;q=0.8", "sv", ("sv", "en")) == "en"
    assert choose_language(None, "en;q=0.3, SV-SE", "en", ("sv", "en")) == "sv"


@pytest.mark.parametrize("asked", ["en", "EN", "en-GB", "en_US", "En_us"])
def test_a_language_may_be_asked_for_with_its_region_and_in_any_casing(asked: str) -> None:
    assert choose_language(asked, "sv", "sv", ("sv", "en")) == "en"


def test_a_default_that_has_no_texts_is_the_first_language_that_has() -> None:
    assert choose_language("xx", None, "nb", ("sv", "en")) == "sv"
