"""Light and dark: the form follows the page's own colour scheme, whatever the visitor's setting."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.broker import Embedded, dispatched, fill, frame, send

Scheme = Literal["light", "dark"]
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 26, 24)"}
DARK_META = "<meta name=color-scheme content=dark>"


def paper(page: Page) -> str:
    colour = frame(page).locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    return next(name for name, value in PAPER.items() if value == colour)


@pytest.mark.parametrize(
    ("head", "theme", "on_light", "on_dark"),
    [
        ("", "", "light", "light"),  # white, as most pages are that say nothing
        ("<style>:root{color-scheme:light}</style>", "", "light", "light"),
        ("<style>:root{color-scheme:only light}</style>", "", "light", "light"),
        ("<style>:root{color-scheme:light dark}</style>", "", "light", "dark"),
        ("<style>:root{color-scheme:dark light}</style>", "", "light", "dark"),
        ("<style>:root{color-scheme:dark}</style>", "", "dark", "dark"),
        ("<meta name=color-scheme content='light dark'>", "", "light", "dark"),
        (DARK_META, "", "dark", "dark"),
        (f"{DARK_META}<style>body{{color-scheme:light}}</style>", "", "light", "light"),  # of the part it stands in
        ("<style>@media(prefers-color-scheme:dark){:root{color-scheme:dark}}</style>", "", "light", "dark"),
        ("", "auto", "light", "dark"),
        ("", "dark", "dark", "dark"),
        (DARK_META, "light", "light", "light"),
        (DARK_META, "nonsense", "dark", "dark"),
    ],
)
def test_a_form_is_as_light_or_dark_as_its_page(
    embedded: Embedded, browser: Browser, head: str, theme: str, on_light: Scheme, on_dark: Scheme
) -> None:
    attributes = {"theme": theme} if theme else {}
    for scheme, expected in (("light", on_light), ("dark", on_dark)):
        context = browser.new_context(color_scheme=scheme, locale="sv-SE")  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(embedded.page(head, embedded.element(**attributes), embedded.script))
        assert dispatched(page, "ready")
        assert paper(page) == expected
        context.close()


def test_the_colour_scheme_stays_through_an_error_a_change_of_language_and_the_receipt(
    embedded: Embedded, browser: Browser
) -> None:
    context = browser.new_context(color_scheme="dark", locale="sv-SE")
    page = context.new_page()
    page.goto(embedded.page(embedded.element(), embedded.script))
    form = frame(page)
    form.get_by_role("link", name="English").click()
    form.get_by_role("link", name="Svenska").click()
    send(form)
    expect(form.get_by_role("alert")).to_be_visible()
    assert paper(page) == "light"
    fill(form)
    send(form)
    expect(form.get_by_role("heading", level=1)).to_contain_text("Tack")
    assert paper(page) == "light"
    context.close()


def test_a_site_that_turns_dark_takes_the_form_along(embedded: Embedded, page: Page) -> None:
    toggled = "<style>.dark{color-scheme:dark}</style>"
    page.goto(embedded.page(toggled, embedded.element(), embedded.script))
    assert dispatched(page, "ready")
    page.evaluate("document.documentElement.classList.add('dark')")
    expect(frame(page).locator("body")).to_have_css("background-color", PAPER["dark"])


@pytest.mark.parametrize("replaced", [False, True])
def test_the_form_follows_a_body_that_came_after_the_script(embedded: Embedded, page: Page, replaced: bool) -> None:
    """A script in the head runs before there is a body, and Turbo or Astro put another in its place."""
    in_head = embedded.script.replace(" async", "")
    page.goto(embedded.page(in_head, "<style>.dark{color-scheme:dark}</style><body>", embedded.element()))
    if replaced:
        page.evaluate("document.body.replaceWith(document.body.cloneNode(true))")
    assert dispatched(page, "ready")
    expect(page.locator("iframe")).to_have_attribute("src", re.compile("theme=light"))
    page.evaluate("document.body.classList.add('dark')")
    expect(frame(page).locator("body")).to_have_css("background-color", PAPER["dark"])


def test_the_colours_are_in_the_first_html_and_need_no_script(embedded: Embedded, browser: Browser) -> None:
    context = browser.new_context(color_scheme="dark", java_script_enabled=False)
    page = context.new_page()
    for theme, expected in (("light", "light"), ("dark", "dark"), ("", "dark"), ("auto", "dark"), ("x", "dark")):
        page.goto(f"{embedded.service}/forms/M12345/interest/OBJ1?theme={theme}")
        expect(page.locator("body")).to_have_css("background-color", PAPER[expected])
    context.close()
