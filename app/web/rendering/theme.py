"""The firm's look: which values a theme may have, and its accent made safe for contrast."""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from coloraide import Color
from markupsafe import Markup

from app.domain.branding import ACCENT, COLOUR, FONT, FONTS, LENGTH, RADIUS
from app.web.rendering.resources import STATIC

LOOKS = 3 * 512  # in each theme, that are remembered, of customers and of the console's embed builder

_PAGE_STYLE = "form.css"
_PAPER = {"light": "#ffffff", "dark": "#141a18"}  # --paper in form.css
_INKS = ("#ffffff", "#10150f", "#000000")  # text colours on the accent; one of them always has enough contrast
TEXT_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
MARK_CONTRAST = 3.0  # of a line or a focus ring against the paper: WCAG 2.2, 1.4.11
_DARK_MARK_CONTRAST = 7.0  # a deep colour lifted only to 3 is dull on black
_LIGHTNESS_STEPS = 200


@dataclass(frozen=True)
class Stylesheet:
    """The text of a page's one style element, and its source for `style-src` ("'sha256-...'")."""

    text: Markup
    csp_hash: str


class Theme(StrEnum):
    """The value of `?theme=`: light or dark like the page around the frame, or by the visitor's own setting."""

    AUTO = ""
    LIGHT = "light"
    DARK = "dark"

    @classmethod
    def of(cls, name: str | None) -> "Theme":
        return cls(name) if name in _THEMES else cls.AUTO


_THEMES = frozenset(theme.value for theme in Theme)

# What stands in a style where the visitor's setting decides, and in its place where that is decided already: so a page
# is in its colours from its first byte, without a script.
_DARK_WHEN = "(prefers-color-scheme:dark)"
_SCHEMES = "color-scheme:light dark"
_DECIDED = {
    Theme.LIGHT: {_DARK_WHEN: "not all", _SCHEMES: "color-scheme:light"},
    Theme.DARK: {_DARK_WHEN: "all", _SCHEMES: "color-scheme:dark"},
}


@lru_cache(maxsize=LOOKS)
def stylesheet(accent: str = ACCENT, radius: str = RADIUS, font: str = FONT, theme: Theme = Theme.AUTO) -> Stylesheet:
    """The page's CSS in the firm's colours. Raises `ValueError` for values that the configuration would refuse."""
    for value, rule in ((accent, COLOUR), (radius, LENGTH), (font, FONTS)):
        if not rule.fullmatch(value):
            raise ValueError(f"{value!r} can't stand in a style")
    variables = f"--radius:{radius};--font:{font},system-ui,sans-serif"
    text = (
        _smaller((STATIC / _PAGE_STYLE).read_text("utf-8"))
        + f":root{{{variables};{_declared(accent, 'light')}}}"
        + f"@media {_DARK_WHEN}{{:root{{{_declared(accent, 'dark')}}}}}"
    )
    for undecided, decided in _DECIDED.get(theme, {}).items():
        text = text.replace(undecided, decided)
    digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Stylesheet(Markup(text), f"'sha256-{digest}'")  # noqa: S704 our own file and checked values


@dataclass(frozen=True)
class Colours:
    """`accent` is a surface, `on_accent` text on it, `mark` a line, an underline or a focus ring on the paper."""

    accent: str
    on_accent: str
    mark: str


def accent_colours(accent: str, scheme: str) -> Colours:
    """In the scheme "light" or "dark". The firm's colour stays what it is where it can: a button keeps it and gets
    the text that has contrast, an outline is made darker or lighter until it shows. On dark paper a deep colour is
    lifted as a whole."""
    paper = _PAPER[scheme]
    if scheme == "dark":
        accent = mark = _moved(accent, paper, _DARK_MARK_CONTRAST)
    else:
        mark = _moved(accent, paper, MARK_CONTRAST)
    on_accent = next(ink for ink in _INKS if contrast(ink, accent) >= TEXT_CONTRAST)
    return Colours(accent, on_accent, mark)


def contrast(colour: str, other: str) -> float:
    """By WCAG's formula, 1 to 21."""
    return float(Color(colour).contrast(other, method="wcag21"))


def _moved(colour: str, paper: str, enough: float) -> str:
    """The colour, darker on light paper and lighter on dark, just until it has enough contrast; its hue stays."""
    moved = Color(colour).convert("oklch")
    end = 0.0 if contrast(paper, "#000000") > contrast(paper, "#ffffff") else 1.0
    start = float(moved["lightness"])
    for step in range(_LIGHTNESS_STEPS + 1):
        moved["lightness"] = start + (end - start) * step / _LIGHTNESS_STEPS
        text = str(moved.convert("srgb").to_string(hex=True, fit=True))
        if contrast(text, paper) >= enough:
            return text
    return "#000000" if end == 0 else "#ffffff"


def _declared(accent: str, scheme: str) -> str:
    colours = accent_colours(accent, scheme)
    return f"--accent:{colours.accent};--on-accent:{colours.on_accent};--mark:{colours.mark}"


def _smaller(text: str) -> str:
    """Our own style without comments and layout; it has no strings in which either could matter."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r" ?([{};,>]) ?|(?<=:) ", r"\1", text).replace(";}", "}").strip()
