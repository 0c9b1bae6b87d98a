"""From a typed page to HTML, in the page's language and the firm's colours."""

import dataclasses
import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from app.web.pages import FIELDS, DemoPage, ErrorPage, Firm, FormPage, Page, ReceiptPage
from app.web.static_files import STATIC, static_url

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("sv", "en")
TEMPLATES: dict[type[Page], str] = {
    FormPage: "form.html",
    ReceiptPage: "receipt.html",
    ErrorPage: "error.html",
    DemoPage: "demo.html",
}
# Where most people come from who look at a Swedish home; all 250 would double the page. Sweden is the empty choice.
COUNTRIES = "AE AT AU BA BE BG CA CH CN CY CZ DE DK EE ES FI FR GB GR HR HU IE IN IS IT LT LU LV MT NL NO PL PT RO RS"
COUNTRIES += " SG SI SK TH TR UA US"

DEFAULT_ACCENT = "#0b5d4b"
# What a theme may say. It is written into a style element, so nothing that could end a declaration passes.
_FONT_NAME = r"(?:[A-Za-z][A-Za-z0-9 -]{0,39}|\"[A-Za-z0-9 -]{1,40}\"|'[A-Za-z0-9 -]{1,40}')"
_THEME = {
    "accent": (re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"), DEFAULT_ACCENT),
    "radius": (re.compile(r"0|[0-9]{1,3}(?:\.[0-9]{1,3})?(?:px|rem|em)"), "6px"),
    "font": (re.compile(rf"{_FONT_NAME}(?:, ?{_FONT_NAME}){{0,5}}"), "system-ui"),
}
_PAGE_STYLE = "form.css"


@dataclass(frozen=True)
class Stylesheet:
    """The text of the page's one style element, and its source for `style-src` ("'sha256-...'")."""

    text: Markup
    csp_hash: str


@dataclass(frozen=True)
class _Skeleton:
    """A rendered form, cut where what differs from visitor to visitor goes in."""

    pieces: tuple[str, ...]
    places: tuple[str, ...]

    def fill(self, texts: dict[str, str]) -> str:
        parts = [self.pieces[0]]
        for place, piece in zip(self.places, self.pieces[1:], strict=True):
            parts += (texts[place], piece)
        return "".join(parts)


class Templates:
    """All pages in all languages. Changed files are read at the next start."""

    languages = LANGUAGES

    def __init__(self, directory: Path = ROOT / "templates", catalogues: Path = ROOT / "locale") -> None:
        self._translations = {language: _catalogue(catalogues, language) for language in LANGUAGES}
        self._environments = {language: self._environment(directory, language) for language in LANGUAGES}
        self._skeletons: dict[tuple[object, ...], _Skeleton] = {}
        # What nobody can send, so that it is found in the page only where we put it.
        self._mark = secrets.token_hex(16)
        self._marks = re.compile(rf"{self._mark}(\w+)\.")

    def render(self, page: Page) -> str:
        """The whole page, by the template of its type."""
        template = self._environments[page.language].get_template(TEMPLATES[type(page)])
        return template.render(page=page, style=css(page.firm).text)

    def form_page(self, page: FormPage) -> str:
        """As `render`, for the page that most people meet: a form that nobody has typed in yet."""
        if page.values or page.faults or page.notice or page.slots:
            return self.render(page)
        key = _skeleton_key(page)
        skeleton = self._skeletons.get(key)
        if skeleton is None:
            # Everything in the key comes from the configuration, so there are only so many.
            skeleton = self._skeletons[key] = self._cut(page)
        texts = {"token": page.token, "referrer": page.referrer, "title": page.title, "name": page.name}
        texts |= {f"href{i}": link.href for i, link in enumerate(page.languages)}
        return skeleton.fill({place: str(escape(text)) for place, text in texts.items()})

    def gettext(self, language: str) -> Callable[[str], str]:
        return self._translations[language].gettext

    def css(self, firm: Firm | None) -> Stylesheet:
        return css(firm)

    def _environment(self, directory: Path, language: str) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(directory),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.install_gettext_translations(  # type: ignore[attr-defined]
            self._translations[language], newstyle=True
        )
        environment.globals.update(static_url=static_url, countries=_countries(language), FIELDS=FIELDS)
        environment.filters["tel"] = lambda phone: re.sub(r"[^0-9+]", "", phone)
        return environment

    def _cut(self, page: FormPage) -> _Skeleton:
        links = [dataclasses.replace(x, href=self._place(f"href{i}")) for i, x in enumerate(page.languages)]
        marked = dataclasses.replace(
            page,
            token=self._place("token"),
            referrer=page.referrer and self._place("referrer"),
            title=page.title and self._place("title"),
            name=page.name and self._place("name"),
            languages=tuple(links),
        )
        cut = self._marks.split(self.render(marked))
        return _Skeleton(tuple(cut[::2]), tuple(cut[1::2]))

    def _place(self, name: str) -> str:
        return f"{self._mark}{name}."


def _skeleton_key(page: FormPage) -> tuple[object, ...]:
    ticks = (page.consent, page.personnummer, page.sms_reminder, page.mail_confirmation, page.sms_confirmation)
    links = tuple((link.code, link.label, link.current) for link in page.languages)
    return (
        page.form,
        page.language,
        page.firm,
        page.demo,
        page.frame_origins,
        ticks,
        links,
        bool(page.title),
        bool(page.referrer),
        bool(page.name),
    )


def _catalogue(directory: Path, language: str) -> NullTranslations:
    """From the .po as people edit it: no compiled catalogue to forget. English is the texts themselves."""
    path = directory / language / "LC_MESSAGES" / "intresse.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _countries(language: str) -> list[tuple[str, str]]:
    names = Locale(language).territories
    return sorted(((code, str(names[code])) for code in COUNTRIES.split()), key=lambda pair: pair[1])


def css(firm: Firm | None) -> Stylesheet:
    """The page's style in the firm's colours; what is not plainly a colour, a length or fonts is the default."""
    return _stylesheet(firm.accent, firm.radius, firm.font) if firm else _stylesheet("", "", "")


@cache
def _stylesheet(accent: str, radius: str, font: str) -> Stylesheet:
    said = {"accent": accent, "radius": radius, "font": font}
    theme = {name: said[name] if rule.fullmatch(said[name]) else default for name, (rule, default) in _THEME.items()}
    light, dark = accent_colours(theme["accent"])
    variables = f"--radius:{theme['radius']};--font:{theme['font']},system-ui,sans-serif"
    text = (
        _smaller((STATIC / _PAGE_STYLE).read_text("utf-8"))
        + f":root{{{variables};{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
    )
    digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Stylesheet(Markup(text), f"'sha256-{digest}'")  # noqa: S704 our own file and checked values


def accent_colours(accent: str) -> tuple[str, str]:
    """The accent's declarations in light and in dark: `--accent` (a surface, a line) and `--on-accent` (text on it).

    The default's pairs are measured. Another accent is taken as it is; making it safe for contrast belongs here.
    """
    if accent.lower() == DEFAULT_ACCENT:
        return "--accent:#0b5d4b;--on-accent:#fff", "--accent:#7fd6bf;--on-accent:#06251e"
    return (f"--accent:{accent};--on-accent:#fff",) * 2


def _smaller(text: str) -> str:
    """Our own style without comments and layout; it has no strings in which either could matter."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r" ?([{};,>]) ?|(?<=:) ", r"\1", text).replace(";}", "}").strip()
