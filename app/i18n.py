"""Gettext catalogues, and the available languages."""

from collections.abc import Callable
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

GetText = Callable[[str], str]


def N_(text: str) -> str:
    """gettext's usual mark for a text that is translated later."""
    return text


LANGUAGE_NAMES = {"sv": "Svenska", "en": "English"}  # each in its own language; the first is the default

LANGUAGES = tuple(LANGUAGE_NAMES)


@cache
def catalogue(directory: Path, language: str) -> NullTranslations:
    """A language's texts, compiled from the .po file when first used: no compiled file must be kept up to date. Changes
    show after a restart. English has no catalogue: its texts are the message ids."""
    path = directory / language / "LC_MESSAGES" / "intresse.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
