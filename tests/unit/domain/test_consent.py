"""Consent texts are kept word for word."""

from typing import Any

import pytest

from app.domain.consent import CURRENT_VERSION, TEXTS, ConsentRecord
from app.i18n import LANGUAGES
from app.operations.registry import FORMS
from app.web.rendering.page_models import Firm, FormPage
from app.web.rendering.templates import Templates
from tests.acceptance.html_page import page_text

FIRM = Firm("Mäklarhuset", None, None, "https://www.maklarhuset.se/integritet", "#0b5d4b", "6px", "system-ui")


def shown_to_a_visitor(language: str, form: Any) -> str:
    page = FormPage(
        form=FORMS[form],
        language=language,
        languages=(),
        firm=FIRM,
        demo=False,
        frame_origins="",
        token="t",
        referrer="",
        consent=True,
    )
    return page_text(Templates().render(page))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", ["interest", "viewing"])
def test_the_form_shows_the_current_version_word_for_word(language: str, form: str) -> None:
    text = shown_to_a_visitor(language, form)
    for sentence in TEXTS[CURRENT_VERSION][language]:
        assert sentence.format(firm=FIRM.name) in text


@pytest.mark.parametrize("version", TEXTS)
def test_every_version_exists_in_every_language(version: int) -> None:
    assert set(TEXTS[version]) == set(LANGUAGES)
    for language in LANGUAGES:
        shown = ConsentRecord(version, language, "Ek & Å", FIRM.privacy_url).wording()
        assert shown is not None
        assert shown[0].startswith("Ek & Å ")
        assert shown[1].endswith(f": {FIRM.privacy_url}")


def test_without_a_privacy_page_no_link_to_it_was_shown() -> None:
    shown = ConsentRecord(CURRENT_VERSION, "sv", "Ek", None).wording()
    assert shown is not None
    assert len(shown) == 2


def test_the_text_of_a_consent_on_another_page_is_unknown() -> None:
    assert ConsentRecord(None, "sv", "Ek", None).wording() is None
