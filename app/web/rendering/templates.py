"""Rendering of page models to HTML, in the page's language and the firm's colours."""

import dataclasses
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.i18n import LANGUAGES, GetText, catalogue
from app.operations.member_labels import CHOICES
from app.web.rendering.page_models import CancelPage, ErrorPage, Firm, FormPage, Page, ReceiptPage
from app.web.rendering.resources import LOCALE, TEMPLATES
from app.web.rendering.static_files import static_url
from app.web.rendering.template_cache import TemplateCache
from app.web.rendering.theme import Stylesheet, Theme, stylesheet

_TEMPLATE_OF: dict[type[Page], str] = {
    FormPage: "form.html",
    ReceiptPage: "receipt.html",
    CancelPage: "cancel.html",
    ErrorPage: "error.html",
}
# The countries that visitors usually come from; all 250 would double the page. Sweden is the empty choice.
_OFFERED_COUNTRIES = (
    "AE AT AU BA BE BG CA CH CN CY CZ DE DK EE ES FI FR GB GR HR HU IE IN IS IT LT LU LV MT NL NO PL PT RO RS SG SI SK "
    "TH TR UA US"
)

# Options that change a template's compiled code.
_COMPILED_WITH: dict[str, Any] = {
    "extensions": ["jinja2.ext.i18n"],
    "trim_blocks": True,
    "lstrip_blocks": True,
}


@dataclass(frozen=True)
class Skeleton:
    """A rendered empty form, split at the places where the parts that differ between visitors are inserted."""

    pieces: tuple[bytes, ...]
    places: tuple[str, ...]

    def fill(self, texts: Mapping[str, str]) -> bytes:
        """The page, with the text for each place, already escaped."""
        parts = [self.pieces[0]]
        for place, piece in zip(self.places, self.pieces[1:], strict=True):
            parts += (texts[place].encode(), piece)
        return b"".join(parts)


class Templates:
    """All templates in all languages. They are read once, so changes take effect at the next start."""

    languages = LANGUAGES

    def __init__(self, directory: Path = TEMPLATES, catalogues: Path = LOCALE) -> None:
        self._translations = {language: catalogue(catalogues, language) for language in LANGUAGES}
        self._environments = {language: self._environment(directory, language) for language in LANGUAGES}
        # A random mark that nobody can send, so it occurs in the page only where we put it.
        self._mark = secrets.token_hex(16)
        self._marks = re.compile(rf"{self._mark}(\w+)\.")

    def load_all(self) -> None:
        """Compiles each template that is not compiled yet. The code is the same in all languages."""
        environment = self._environments[LANGUAGES[0]]
        for name in environment.list_templates(extensions=["html"]):
            environment.get_template(name)

    def render(self, page: Page) -> str:
        """Renders the page with the template of its type."""
        template = self._environments[page.language].get_template(_TEMPLATE_OF[type(page)])
        return template.render(page=page, style=self.css(page.firm, page.theme).text)

    def fill(self, template: str, language: str, page: object) -> str:
        """Renders a page with the named template, without a customer's colours."""
        return self._environments[language].get_template(template).render(page=page)

    def skeleton(self, page: FormPage) -> Skeleton:
        """The page split at its `token`, at the `query` of each language link, and at those of `trap`, `referrer`,
        `title`, `name`, `action` and `times` that it has."""
        links = [dataclasses.replace(link, href=f"{self._place('query')}lang={link.code}") for link in page.languages]
        marked = dataclasses.replace(
            page,
            token=self._place("token"),
            trap=page.trap and self._place("trap"),
            referrer=page.referrer and self._place("referrer"),
            title=page.title and self._place("title"),
            name=page.name and self._place("name"),
            action=page.action and self._place("action"),
            times=page.times and Markup(self._place("times")),  # noqa: S704 - letters and digits
            languages=tuple(links),
        )
        cut = self._marks.split(self.render(marked))
        return Skeleton(tuple(piece.encode() for piece in cut[::2]), tuple(cut[1::2]))

    def fragment(self, template: str, page: FormPage) -> Markup:
        """Renders a part of the page."""
        return Markup(self._environments[page.language].get_template(template).render(page=page))  # noqa: S704 - escaped

    def gettext(self, language: str) -> GetText:
        return self._translations[language].gettext

    def css(self, firm: Firm | None, theme: Theme = Theme.AUTO) -> Stylesheet:
        return stylesheet(firm.accent, firm.radius, firm.font, theme) if firm else stylesheet(theme=theme)

    def _environment(self, directory: Path, language: str) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(directory),
            bytecode_cache=TemplateCache(directory, _COMPILED_WITH),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            **_COMPILED_WITH,
        )
        environment.install_gettext_translations(  # type: ignore[attr-defined]
            self._translations[language], newstyle=True
        )
        environment.globals.update(
            static_url=static_url, countries=_countries(language), choices=_choices(self.gettext(language))
        )
        environment.filters["tel"] = lambda phone: re.sub(r"[^0-9+]", "", phone)
        return environment

    def _place(self, name: str) -> str:
        return f"{self._mark}{name}."


def _countries(language: str) -> list[tuple[str, str]]:
    names = Locale(language).territories
    return sorted(
        ((code, str(names[code])) for code in _OFFERED_COUNTRIES.split()), key=lambda pair: pair[1].casefold()
    )


def _choices(gettext: GetText) -> dict[str, list[tuple[str, str]]]:
    """Value and label of all that a form offers for a member, by member."""
    return {member: [(value, gettext(label)) for value, label in labels.items()] for member, labels in CHOICES.items()}
