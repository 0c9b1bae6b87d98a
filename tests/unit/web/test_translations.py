"""Every text exists in every language, with the same placeholders."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from babel.messages import frontend
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from app.i18n import LANGUAGES

ROOT = Path(__file__).resolve().parents[3]
SOURCE_LANGUAGE = "en"  # its texts are the message ids
TRANSLATED = [language for language in LANGUAGES if language != SOURCE_LANGUAGE]
PLACEHOLDER = re.compile(r"%\(\w+\)s")


@cache
def texts_in_use() -> frozenset[str]:
    with (ROOT / "babel.cfg").open() as file:
        methods, options = frontend.parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    keywords = {**DEFAULT_KEYWORDS, "N_": None}
    found: set[str] = set()
    for folder in ("app", "templates"):
        inside = [(pattern.removeprefix(f"{folder}/"), method) for pattern, method in methods]
        settings = {pattern.removeprefix(f"{folder}/"): value for pattern, value in options.items()}
        for _, _, text, *_ in extract_from_dir(ROOT / folder, inside, settings, keywords):
            assert isinstance(text, str), f"{text} is a plural: nothing here checks those yet"
            found.add(text)
    return frozenset(found)


def catalogue(language: str) -> Catalog:
    with (ROOT / "locale" / language / "LC_MESSAGES" / "intresse.po").open("rb") as file:
        return read_po(file, locale=language)


def entries(language: str) -> list[Message]:
    return [entry for entry in catalogue(language) if entry.id]


def test_texts_are_extracted_from_templates_and_code() -> None:
    assert {"First name", "Enter your first name", "Behind the scenes", "Viewing booking"} <= texts_in_use()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_in_use_is_translated(language: str) -> None:
    translated = {entry.id for entry in entries(language) if entry.string}
    assert sorted(texts_in_use() - translated) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_translated_that_is_no_longer_in_use(language: str) -> None:
    assert sorted({str(entry.id) for entry in entries(language)} - texts_in_use()) == []
    assert not catalogue(language).obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_translated_twice(language: str) -> None:
    """The reader would take the last one, and the others would look as if they counted."""
    file = (ROOT / "locale" / language / "LC_MESSAGES" / "intresse.po").read_text()
    texts = re.findall(r'^msgid ((?:".*"\n)+)', file, re.MULTILINE)
    assert len(texts) > 100
    assert [text for text, times in Counter(texts).items() if times > 1] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_only_a_guess(language: str) -> None:
    assert [entry.id for entry in entries(language) if entry.fuzzy] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_name_the_same_values(language: str) -> None:
    for entry in entries(language):
        assert sorted(PLACEHOLDER.findall(str(entry.string))) == sorted(PLACEHOLDER.findall(str(entry.id)))


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_end_as_the_text_does(language: str) -> None:
    for entry in entries(language):
        assert str(entry.string)[-1:] in (str(entry.id)[-1:], *"abcdefghijklmnopqrstuvwxyzåäö0123456789XO)e”"), entry.id
