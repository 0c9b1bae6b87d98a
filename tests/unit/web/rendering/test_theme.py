"""A firm's colours always have enough contrast, and no value of a theme breaks out of the stylesheet."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.branding import ACCENT, FONT, RADIUS
from app.web.rendering.theme import DEFAULT_COLOURS, accent_colours, contrast, stylesheet

PAPER = {"light": "#ffffff", "dark": "#141a18"}
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(colours, st.sampled_from(sorted(PAPER)))
def test_any_accent_gives_readable_text_and_visible_lines(accent: str, scheme: str) -> None:
    accents = accent_colours(accent, scheme)
    assert contrast(accents.on_accent, accents.accent) >= 4.5
    assert contrast(accents.mark, PAPER[scheme]) >= 3


@pytest.mark.parametrize("accent", ["#0b5d4b", "#ffd400", "#e30613"])
def test_on_light_paper_a_button_keeps_the_firms_own_colour(accent: str) -> None:
    assert accent_colours(accent, "light").accent == accent


@pytest.mark.parametrize("scheme", sorted(PAPER))
def test_the_colours_that_stand_for_the_default_accent_are_those_worked_out_for_it(scheme: str) -> None:
    assert accent_colours(ACCENT, scheme) == DEFAULT_COLOURS[scheme]


@pytest.mark.parametrize(("accents", "loaded"), [([ACCENT], False), ([ACCENT, "#00457c"], True)])
def test_the_colour_library_is_loaded_at_the_start_if_a_firm_has_its_own_accent(
    accents: list[str], loaded: bool
) -> None:
    code = f"import sys; from app.web.rendering import theme; theme.prepare_colours({accents})"
    code += "; theme.stylesheet(); print('coloraide' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == str(loaded)


def test_a_pale_accent_gets_dark_text_and_a_darker_outline() -> None:
    accents = accent_colours("#ffd400", "light")
    assert contrast(accents.on_accent, "#000000") < 1.5
    assert accents.mark != "#ffd400"


@pytest.mark.parametrize("radius", ["0", "6px", "1.5rem"])
@pytest.mark.parametrize("font", ['"Open Sans", Arial', "'Lato'", "Inter"])
def test_a_theme_is_written_into_the_style(radius: str, font: str) -> None:
    text = stylesheet("#ABC", radius, font).text
    assert f"--radius:{radius};--font:{font},system-ui,sans-serif;" in text


@pytest.mark.parametrize(
    "theme",
    [
        ("red;}</style><script>", RADIUS, FONT),
        ("#0b5d4b\n", RADIUS, FONT),
        ("url(//evil.example/)", RADIUS, FONT),
        ("#0b5d4b", "6px}body{display:none", FONT),
        ("#0b5d4b", "-1px", FONT),
        ("#0b5d4b", RADIUS, 'x"; background: url(//evil.example/)'),
        ("#0b5d4b", RADIUS, "</style>"),
        ("#0b5d4b", RADIUS, '"Open Sans'),
    ],
)
def test_what_could_break_out_of_the_style_is_refused(theme: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match="is not allowed in a stylesheet"):
        stylesheet(*theme)
