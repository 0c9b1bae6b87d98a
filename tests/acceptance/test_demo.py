"""A newcomer runs the demo and sees a lead arrive, and none get lost."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from app.demo import demo
from tests.acceptance.axe import findings
from tests.servers import listening, serve

FORM = "/Advertising/Estate/M00000/OBJ1/interest"


@pytest.fixture
def demo_url(tmp_path: Path) -> Iterator[str]:
    listener, port = listening()
    database_url = f"sqlite:///{tmp_path}/demo.db"
    with (
        demo.demo(f"http://127.0.0.1:{port}", "key", database_url) as staged,
        serve(demo.demo_app(staged), listener=listener) as url,
    ):
        yield url


def _form(page: Page, title: str) -> FrameLocator:
    frame = page.locator(f"iframe[title*='{title}']")
    frame.scroll_into_view_if_needed()
    return frame.content_frame


def _fill(form: FrameLocator) -> None:
    form.get_by_label("Förnamn").fill("Anna")
    form.get_by_label("Efternamn").fill("Åkesson")
    form.get_by_label("Mobil").fill("070-174 06 05")
    _tick(form.get_by_label("Ja, ni får"))


def _tick(box: Locator) -> None:
    """Uses the keyboard, because other forms that are still loading would move this one under the mouse."""
    box.press("Space")
    expect(box).to_be_checked()


def test_an_interest_sent_in_the_embedded_form_shows_up_with_its_campaign(demo_url: str, desktop: Page) -> None:
    desktop.goto(demo_url)
    desktop.get_by_role("link", name="Nyhetsbrev").click()
    expect(desktop).to_have_url(re.compile("utm_source=nyhetsbrev"))
    form = _form(desktop, "intresse")
    _fill(form)
    form.get_by_role("button", name="Skicka intresseanmälan").press("Enter")
    expect(form.get_by_role("heading", level=1)).to_contain_text("Tack")
    crm = desktop.locator("#crm")
    expect(crm).to_contain_text("Anna Åkesson")
    expect(crm).to_contain_text("nyhetsbrev")


def test_while_the_crm_is_down_the_visitor_gets_a_receipt_and_the_lead_arrives_later(
    demo_url: str, desktop: Page
) -> None:
    desktop.goto(demo_url)
    expect(_form(desktop, "visning").get_by_role("radio").first).to_be_visible()  # so the times are known
    desktop.get_by_role("button", name="nere").click()
    form = _form(desktop, "visning")
    _tick(form.get_by_role("radio").first)
    _fill(form)
    form.get_by_role("button", name="Boka visning").press("Enter")
    expect(form.get_by_role("heading", level=1)).to_contain_text("Vi har tagit emot")
    expect(desktop.locator("#crm")).to_contain_text("503")
    desktop.get_by_role("button", name="som vanligt").click()
    expect(desktop.locator("#crm")).to_contain_text("200")


def test_a_homes_times_are_shown_and_one_is_taken_while_the_visitor_types(demo_url: str, desktop: Page) -> None:
    desktop.goto(demo_url)
    form = _form(desktop, "visning")
    expect(form.get_by_text("· fullbokad").first).to_be_visible()
    _tick(form.get_by_role("radio").last)
    _fill(form)
    form.get_by_role("button", name="Boka visning").press("Enter")
    expect(form.get_by_role("alert")).to_contain_text("Visningstiden är fullbokad.")
    expect(form.get_by_role("radio").last).to_be_disabled()
    _tick(form.get_by_role("radio").first)
    form.get_by_role("button", name="Boka visning").press("Enter")
    expect(form.get_by_role("heading", level=1)).to_have_text("Din plats är bokad")


def test_nothing_on_the_demos_page_moves_when_the_forms_come(demo_url: str, page: Page) -> None:
    page.add_init_script("""
      window.shift = 0;
      new PerformanceObserver((l) => l.getEntries().forEach((e) => { shift += e.value }))
        .observe({type: "layout-shift", buffered: true});""")
    page.set_viewport_size({"width": 820, "height": 1180})  # a tablet: the forms are in view at once
    page.goto(demo_url)
    expect(_form(page, "Anmäl intresse").get_by_role("button")).to_be_visible()
    assert page.evaluate("shift") < 0.005


def test_the_demos_page_does_not_scroll_sideways_in_letters_of_twice_the_size(demo_url: str, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 740})
    page.goto(demo_url)
    expect(page.locator(".calls li").first).to_be_visible()  # what the CRM received takes part
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_scanner_finds_nothing_on_the_demos_page(demo_url: str, desktop: Page) -> None:
    desktop.goto(demo_url)
    expect(_form(desktop, "visning").get_by_role("button")).to_be_visible()
    assert findings(desktop) == []


def test_every_page_of_the_demo_says_that_nothing_is_real(demo_url: str) -> None:
    for path in ("/", "/Advertising/Estate/M00000/OBJ1/interest", "/Viewing/M00000/VIS1/SLOT1/Participant", "/nowhere"):
        page = httpx.get(demo_url + path, headers={"Accept": "text/html", "Accept-Language": "sv"})
        assert "Inget här är på riktigt" in page.text, path


@pytest.mark.parametrize("path", ["/", FORM, "/docs", "/console/sign-in", "/nothing", "/personal/forged"])
def test_every_page_says_that_nothing_is_real(demo_url: str, path: str) -> None:
    page = httpx.get(demo_url + path, headers={"Accept": "text/html", "Accept-Language": "en"}, follow_redirects=True)
    assert "Nothing here is real" in page.text
