"""`<intresse-form>`: the embed as a custom element, and what frameworks and pages do with elements."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.broker import Embedded, dispatched, fill, frame, is_as_tall_as_its_content, send
from tests.conftest import CUSTOMER
from tests.servers import eventually

FRAME = "#interest iframe"


def change(page: Page, **attributes: str) -> None:
    page.locator("#interest").evaluate(
        "(element, said) => Object.entries(said).forEach(([name, value]) => element.setAttribute(name, value))",
        attributes,
    )


def events(page: Page) -> list[Any]:
    return [[name, where] for name, where, _ in page.evaluate("dispatched") if name != "height"]


@pytest.mark.parametrize("loading", ["async", "", "first"])
def test_the_element_shows_the_form_and_dispatches_the_same_events_as_the_div(
    embedded: Embedded, page: Page, loading: str
) -> None:
    script = embedded.script.replace(" async", "") if loading != "async" else embedded.script
    element = embedded.own_element(title="Storgatan 1", utm_medium="portal")
    parts = (script, element) if loading == "first" else (element, script)
    page.goto(embedded.page(*parts) + "?utm_source=a")
    expect(page.locator("iframe")).to_have_attribute("title", "Anmäl intresse – Storgatan 1")
    form = frame(page)
    expect(form.get_by_text("Storgatan 1")).to_be_visible()
    assert dispatched(page, "ready") == [{"form": "interest"}]
    eventually(lambda: is_as_tall_as_its_content(page))
    assert page.locator("#interest").evaluate("element => element.innerText.trim()") == ""  # the link has given way
    assert page.locator("#interest").evaluate("element => getComputedStyle(element).display") == "block"

    send(form)
    assert dispatched(page, "error") == [{"form": "interest", "reason": "form"}]
    fill(form)
    send(form)
    [detail] = dispatched(page, "submitted")
    assert detail == {"form": "interest", "reference": detail["reference"], "status": detail["status"]}
    assert events(page) == [["ready", "interest"], ["error", "interest"], ["submitted", "interest"]]
    [received] = eventually(lambda: embedded.office.received)
    assert received.body["marketing"]["utmTags"] == [
        {"name": "utm_medium", "value": "portal"},
        {"name": "utm_source", "value": "a"},
    ]


@pytest.mark.parametrize(
    ("attributes", "shows"),
    [
        ({"lang": "en"}, "Register your interest"),
        ({"estate": "OBJ2", "title": "Storgatan 2"}, "Storgatan 2"),
        ({"theme": "dark"}, "Anmäl intresse"),
        ({"form": "valuation"}, "Boka en värdering"),
    ],
)
def test_the_form_follows_the_elements_attributes(
    embedded: Embedded, page: Page, attributes: dict[str, str], shows: str
) -> None:
    page.goto(embedded.page(embedded.own_element(), embedded.script))
    assert dispatched(page, "ready")
    change(page, **attributes)
    expect(frame(page).get_by_text(shows, exact=True).first).to_be_visible()
    expect(page.locator("iframe")).to_have_count(1)


@pytest.mark.parametrize("languages", [(), ("English", "Svenska")])
def test_what_was_typed_stays_and_the_visitor_is_asked(
    embedded: Embedded, page: Page, languages: tuple[str, ...]
) -> None:
    page.goto(embedded.page(embedded.own_element(), embedded.script))
    form = frame(page)
    form.get_by_label("Förnamn").fill("Anna")
    for language in languages:
        form.get_by_role("link", name=language).click()
    expect(form.get_by_label("Förnamn")).to_have_value("Anna")
    change(page, estate="OBJ2")
    form.get_by_role("button", name="Visa det nya formuläret").click()
    expect(page.locator(FRAME)).to_have_attribute("src", re.compile("/OBJ2[?]"))


def test_attributes_may_come_one_by_one_after_the_element(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page("<main></main>", embedded.script))
    eventually(lambda: page.evaluate("!!customElements.get('intresse-form')"))
    page.evaluate(
        """customer => {
          const element = document.createElement("intresse-form")
          element.id = "interest"
          document.querySelector("main").append(element)
          for (const [name, value] of Object.entries({form: "interest", customer, estate: "OBJ1"}))
            element.setAttribute(name, value)
        }""",
        CUSTOMER,
    )
    expect(frame(page).get_by_role("button", name="Skicka intresseanmälan")).to_be_visible()
    assert dispatched(page, "ready")
    assert events(page) == [["ready", "interest"]]  # no complaint about what was not said yet


def test_an_element_that_is_moved_or_removed_and_put_back_shows_its_form(embedded: Embedded, page: Page) -> None:
    page.clock.install()
    page.goto(embedded.page(embedded.own_element(), "<main></main>", embedded.script))
    assert dispatched(page, "ready")
    page.evaluate("document.querySelector('main').append(document.getElementById('interest'))")
    fill(frame(page))
    # Away for longer than the frame has to answer in: nobody is told that something is wrong.
    page.evaluate(
        """var kept = document.getElementById("interest")
        new Promise((loaded) => {
          document.body.append(kept)
          kept.querySelector("iframe").addEventListener("load", () => loaded(kept.remove()), {once: true})
        })"""
    )
    page.clock.run_for(20_000)
    page.evaluate("document.body.append(kept)")
    fill(frame(page))
    send(frame(page))
    assert dispatched(page, "submitted")
    assert events(page) == [["ready", "interest"], ["submitted", "interest"]]


def test_two_elements_and_a_div_each_have_their_form(embedded: Embedded, page: Page) -> None:
    page.goto(
        embedded.page(
            embedded.own_element(),
            embedded.own_element("viewing"),
            embedded.element("valuation"),
            embedded.script,
            embedded.script,
        )
    )
    for form, button in (("interest", "Skicka"), ("viewing", "Boka visning"), ("valuation", "Boka en värdering")):
        expect(frame(page, form).get_by_role("button", name=button)).to_be_visible()
    expect(page.locator("iframe")).to_have_count(3)
    eventually(lambda: len(dispatched(page, "ready")) == 3)
    fill(frame(page))
    send(frame(page))
    assert dispatched(page, "submitted")
    assert ["submitted", "interest"] in events(page)


def test_within_a_shadow_tree_it_works_and_its_events_reach_the_page(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page("<main id=host></main>", embedded.script))
    page.evaluate(
        "html => { document.getElementById('host').attachShadow({mode: 'open'}).innerHTML = html }",
        embedded.own_element(),
    )
    expect(frame(page).get_by_role("button", name="Skicka intresseanmälan")).to_be_visible()
    assert dispatched(page, "ready") == [{"form": "interest"}]
    change(page, lang="en")
    expect(frame(page).get_by_text("Register your interest", exact=True)).to_be_visible()


@pytest.mark.parametrize("own", [True, False], ids=["intresse-form", "div"])
def test_a_link_that_is_read_after_the_element_gives_way_too(embedded: Embedded, page: Page, own: bool) -> None:
    """A script inside it stops the parser half-way, as a slow network does."""
    element = embedded.own_element() if own else embedded.element()
    script = embedded.script.replace(" async", "")
    page.goto(embedded.page(script, element.replace("<a", "<script></script><a")))
    assert dispatched(page, "ready")
    expect(page.get_by_role("link", name="Anmäl intresse")).to_have_count(0)


def test_where_the_frame_is_blocked_the_elements_own_link_stays(embedded: Embedded, page: Page) -> None:
    page.route("**/forms/**", lambda route: route.abort("blockedbyclient"))
    page.goto(embedded.page(embedded.own_element(content="<p>Ring 08-1</p>"), embedded.script) + "?utm_source=a")
    assert dispatched(page, "error") == [{"form": "interest", "reason": "blocked"}]
    expect(page.get_by_text("Ring 08-1")).to_be_visible()
    link = page.get_by_role("link", name="Anmäl intresse").get_attribute("href") or ""
    assert link.startswith(f"{embedded.service}/forms/{CUSTOMER}/interest/OBJ1?utm_source=a")


@pytest.mark.parametrize("wrong", [{"estate": ""}, {"form": "constructor"}, {"customer": "NOBODY"}])
def test_an_element_with_missing_attributes_says_why_it_shows_nothing(
    embedded: Embedded, page: Page, wrong: dict[str, str]
) -> None:
    element = embedded.own_element()
    for name, value in wrong.items():
        element = re.sub(f' {name}="[^"]*"', f' {name}="{value}"', element)
    page.goto(embedded.page(element, embedded.script))
    [detail] = dispatched(page, "error")
    assert detail["reason"] == ("customer" if "customer" in wrong else "attributes")
    expect(page.get_by_role("link", name="Anmäl intresse")).to_be_visible()


@pytest.mark.parametrize(
    "theirs",
    [
        "<script>customElements.define('intresse-form', class extends HTMLElement {})</script>",
        "<script>delete window.customElements; Object.defineProperty(window, 'customElements', {})</script>",
        "<script>window.HTMLElement = {}</script>",
    ],
    ids=["name taken", "no custom elements", "no HTMLElement"],
)
def test_where_there_can_be_no_such_element_its_link_stays_and_the_div_works(
    embedded: Embedded, page: Page, theirs: str
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(embedded.page(theirs, embedded.own_element(), embedded.element("viewing"), embedded.script))
    expect(frame(page, "viewing").get_by_role("button", name="Boka visning")).to_be_visible()
    assert dispatched(page, "ready") == [{"form": "viewing"}]
    expect(page.locator("#interest").get_by_role("link", name="Anmäl intresse")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(1)
    assert errors == []
