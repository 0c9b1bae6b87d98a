"""The firm's theme as a stylesheet, with its accent colour adjusted for contrast."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from app.domain.branding import ACCENT, COLOUR, FONT, FONTS, LENGTH, RADIUS
from app.web.rendering.resources import STATIC

if TYPE_CHECKING:
    from coloraide import Color

MAX_STYLESHEETS = 3 * 512  # cached, for customers and the console's embed builder; each in three themes

_PAGE_STYLE = "form.css"
_BACKGROUND = {"light": "#ffffff", "dark": "#141a18"}  # --paper in form.css
_TEXT_COLOURS = ("#ffffff", "#10150f", "#000000")  # on the accent; one of them always has enough contrast
TEXT_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
MARK_CONTRAST = 3.0  # of a line or a focus ring against the background: WCAG 2.2, 1.4.11
_DARK_MARK_CONTRAST = 7.0  # on a dark background, a deep colour with a contrast of only 3 looks dull
_LIGHTNESS_STEPS = 200


@dataclass(frozen=True)
class Stylesheet:
    """The text of a page's only style element, and its hash for `style-src` ("'sha256-...'")."""

    text: Markup
    csp_hash: str


class Theme(StrEnum):
    """The value of `?theme=`: light or dark, as the page around the frame, or the visitor's own setting."""

    AUTO = ""
    LIGHT = "light"
    DARK = "dark"

    @classmethod
    def of(cls, name: str | None) -> "Theme":
        return cls(name) if name in _THEMES else cls.AUTO


_THEMES = frozenset(theme.value for theme in Theme)

# The parts of the stylesheet that depend on the visitor's setting, and what replaces them in a light or dark theme. So
# the page has its colours from the first byte, without a script.
_DARK_WHEN = "(prefers-color-scheme:dark)"
_SCHEMES = "color-scheme:light dark"
_FIXED_SCHEME = {
    Theme.LIGHT: {_DARK_WHEN: "not all", _SCHEMES: "color-scheme:light"},
    Theme.DARK: {_DARK_WHEN: "all", _SCHEMES: "color-scheme:dark"},
}


@lru_cache(maxsize=MAX_STYLESHEETS)
def stylesheet(accent: str = ACCENT, radius: str = RADIUS, font: str = FONT, theme: Theme = Theme.AUTO) -> Stylesheet:
    """The page's CSS in the firm's colours. Raises `ValueError` for values that the configuration would refuse."""
    for value, rule in ((accent, COLOUR), (radius, LENGTH), (font, FONTS)):
        if not rule.fullmatch(value):
            raise ValueError(f"{value!r} is not allowed in a stylesheet")
    variables = f"--radius:{radius};--font:{font},system-ui,sans-serif"
    text = (
        _minified((STATIC / _PAGE_STYLE).read_text("utf-8"))
        + f":root{{{variables};{_variables(accent, 'light')}}}"
        + f"@media {_DARK_WHEN}{{:root{{{_variables(accent, 'dark')}}}}}"
    )
    for by_setting, fixed in _FIXED_SCHEME.get(theme, {}).items():
        text = text.replace(by_setting, fixed)
    digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Stylesheet(Markup(text), f"'sha256-{digest}'")  # noqa: S704 our own file and checked values


@dataclass(frozen=True)
class Colours:
    """`accent` is for surfaces, `on_accent` for text on them, `mark` for lines and focus rings on the background."""

    accent: str
    on_accent: str
    mark: str


# What `accent_colours` makes of the default accent, so that coloraide is loaded only for a firm's own.
DEFAULT_COLOURS = {
    "light": Colours(accent=ACCENT, on_accent="#ffffff", mark=ACCENT),
    "dark": Colours(accent="#6ab19c", on_accent="#10150f", mark="#6ab19c"),
}


def accent_colours(accent: str, scheme: str) -> Colours:
    """The colours for the scheme "light" or "dark". In the light scheme, buttons keep the firm's colour and get a text
    colour with enough contrast; lines are made darker if necessary. In the dark scheme, a deep colour is made lighter
    everywhere."""
    background = _BACKGROUND[scheme]
    if scheme == "dark":
        accent = mark = _with_contrast(accent, background, _DARK_MARK_CONTRAST)
    else:
        mark = _with_contrast(accent, background, MARK_CONTRAST)
    on_accent = next(text for text in _TEXT_COLOURS if contrast(text, accent) >= TEXT_CONTRAST)
    return Colours(accent, on_accent, mark)


def contrast(colour: str, other: str) -> float:
    """Contrast ratio as defined by WCAG, from 1 to 21."""
    return float(_color(colour).contrast(other, method="wcag21"))


def prepare_colours(accents: Iterable[str]) -> None:
    """Loads coloraide if one of these accents needs it: at the start, so that no visitor waits for it."""
    if any(accent != ACCENT for accent in accents):
        _color(ACCENT)


def _color(text: str) -> "Color":
    from coloraide import Color  # takes a tenth of a second

    return Color(text)


def _with_contrast(colour: str, background: str, enough: float) -> str:
    """The colour, made just dark enough (or light enough, on a dark background) for the contrast. The hue stays."""
    adjusted = _color(colour).convert("oklch")
    end = 0.0 if contrast(background, "#000000") > contrast(background, "#ffffff") else 1.0
    start = float(adjusted["lightness"])
    for step in range(_LIGHTNESS_STEPS + 1):
        adjusted["lightness"] = start + (end - start) * step / _LIGHTNESS_STEPS
        text = str(adjusted.convert("srgb").to_string(hex=True, fit=True))
        if contrast(text, background) >= enough:
            return text
    return "#000000" if end == 0 else "#ffffff"


def _variables(accent: str, scheme: str) -> str:
    colours = DEFAULT_COLOURS[scheme] if accent == ACCENT else accent_colours(accent, scheme)
    return f"--accent:{colours.accent};--on-accent:{colours.on_accent};--mark:{colours.mark}"


def _minified(text: str) -> str:
    """Our own stylesheet without comments and white space. It has no strings in which these could matter."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r" ?([{};,>]) ?|(?<=:) ", r"\1", text).replace(";}", "}").strip()
