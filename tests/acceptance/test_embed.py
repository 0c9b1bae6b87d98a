"""A firm's own page on another site with the form in it, and the events that the page gets."""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.acceptance.broker import Embedded, dispatched, fill, frame, height, is_as_tall_as_its_content, send
from tests.acceptance.conftest import ARGUMENTS, chromium
from tests.conftest import CUSTOMER
from tests.servers import eventually


def test_a_campaigns_visitor_corrects_errors_and_the_firm_can_count_the_conversion(
    embedded: Embedded, page: Page, context: BrowserContext
) -> None:
    tags = "utm_source=google&UTM_Campaign=h%C3%B6st&gclid=a1&email=anna@example.se"
    page.goto(
        embedded.page("<p style='height:500px'>", embedded.element(title="Storgatan 1"), embedded.script) + f"?{tags}#x"
    )
    form = frame(page)
    assert dispatched(page, "ready") == [{"form": "interest"}]
    expect(page.locator("iframe")).to_have_attribute("title", "Anmäl intresse – Storgatan 1")
    expect(form.get_by_text("Storgatan 1")).to_be_visible()
    eventually(lambda: is_as_tall_as_its_content(page))
    empty = height(page)

    fill(form)
    form.get_by_label("E-post").fill("anna@")
    send(form)
    expect(form.get_by_role("alert")).to_be_focused()
    assert dispatched(page, "error") == [{"form": "interest", "reason": "form"}]
    eventually(lambda: height(page) > empty and is_as_tall_as_its_content(page))
    eventually(lambda: 0 <= page.locator("#interest").evaluate("e => e.getBoundingClientRect().top") < 370)

    form.get_by_label("E-post").fill("anna@example.se")
    send(form)
    expect(form.get_by_role("heading", level=1)).to_contain_text("Tack")
    [detail] = dispatched(page, "submitted")
    assert detail == {"form": "interest", "reference": detail["reference"], "status": detail["status"]}
    assert re.fullmatch("[2-9A-Z]{8}", detail["reference"])
    eventually(lambda: height(page) < empty and is_as_tall_as_its_content(page))

    [received] = eventually(lambda: embedded.office.received)
    assert received.body["marketing"] == {
        "referrer": f"{embedded.website.url}/storgatan-1",
        "utmTags": [
            {"name": name, "value": value}
            for name, value in {"utm_source": "google", "utm_campaign": "höst", "gclid": "a1"}.items()
        ],
    }
    assert context.cookies() == []


def test_with_third_party_cookies_and_storage_blocked_the_form_works_all_the_same(
    embedded: Embedded, browser: Browser
) -> None:
    blocked = ("--test-third-party-cookie-phaseout", "--disable-features=ThirdPartyStoragePartitioning")
    with browser.browser_type.launch(executable_path=chromium(), args=(*ARGUMENTS, *blocked)) as strict:
        page = strict.new_page(locale="sv-SE")
        page.goto(embedded.page(embedded.element(), embedded.script))
        fill(frame(page))
        send(frame(page))
        assert dispatched(page, "submitted")


def test_without_javascript_the_elements_own_link_leads_to_the_form(embedded: Embedded, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, locale="sv-SE")
    page = context.new_page()
    page.goto(embedded.page(embedded.element(), embedded.script))
    page.get_by_role("link", name="Anmäl intresse").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Anmäl intresse")
    context.close()


def test_without_a_network_nothing_typed_is_lost_and_the_form_can_be_sent_later(
    embedded: Embedded, page: Page, context: BrowserContext
) -> None:
    page.goto(embedded.page(embedded.element(), embedded.script))
    form = frame(page)
    fill(form)
    context.set_offline(True)
    for _ in range(2):
        form.get_by_label("Förnamn").press("Enter")
        expect(form.get_by_role("alert")).to_contain_text("Du verkar sakna uppkoppling")
        expect(form.get_by_role("button", name="Skicka intresseanmälan")).to_be_focused()
    expect(form.get_by_role("alert")).to_have_count(1)
    eventually(lambda: is_as_tall_as_its_content(page))
    context.set_offline(False)
    send(form)
    assert dispatched(page, "submitted")
    assert len(eventually(lambda: embedded.office.received)) == 1


def test_a_browser_that_wrongly_believes_to_be_offline_sends_the_form(embedded: Embedded, page: Page) -> None:
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'onLine', {get: () => false})")
    page.goto(embedded.page(embedded.element(), embedded.script))
    fill(frame(page))
    frame(page).get_by_role("button", name="Skicka intresseanmälan").dblclick()
    assert dispatched(page, "submitted")
    assert len(eventually(lambda: embedded.office.received)) == 1


def test_a_visitor_sends_the_form_by_keyboard_alone(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.element("viewing"), embedded.script))
    form = frame(page, "viewing")
    form.get_by_role("link", name="English").focus()
    for text in ("Anna", "Åkesson", "070-174 06 05"):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    consent = form.get_by_label("Ja, ni får")
    for _ in range(10):
        if consent.evaluate("box => box === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(form.get_by_role("heading", level=1)).to_contain_text("bokad")
    [booking] = embedded.office.received
    assert booking.body["updatePerson"]["cellPhone"] == "+46701740605"


@pytest.mark.parametrize(("width", "tall"), [(320, 640), (320, 256)], ids=["320 px", "1280 px at 400 %"])
def test_on_a_narrow_or_magnified_screen_nothing_is_cut_off(
    embedded: Embedded, page: Page, width: int, tall: int
) -> None:
    page.set_viewport_size({"width": width, "height": tall})
    page.goto(embedded.page(embedded.element(), embedded.script))
    form = frame(page)
    form.get_by_text("Lägg till mer").click()
    eventually(lambda: is_as_tall_as_its_content(page))
    for root in (page.locator("html"), form.locator("html")):
        assert root.evaluate("root => root.scrollWidth <= root.clientWidth")
    fill(form)
    send(form)
    expect(form.get_by_role("heading", level=1)).to_contain_text("Tack")


def test_an_english_reader_in_the_dark_is_met_in_english_and_in_dark(embedded: Embedded, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB", color_scheme="dark")
    page = context.new_page()
    page.goto(embedded.page(embedded.element(theme="auto"), embedded.script))
    form = frame(page)
    expect(form.get_by_role("heading", level=1)).to_have_text("Register your interest")
    assert form.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(20, 26, 24)"
    expect(page.locator("iframe")).to_have_attribute("title", "Anmäl intresse")  # in the page's language
    context.close()


@pytest.mark.parametrize("attributes", ["", "defer", "type=module", "type=module crossorigin", "async type=module"])
def test_the_script_may_be_loaded_in_any_way(embedded: Embedded, page: Page, attributes: str) -> None:
    before = "<script src='/other/embed.js'></script>"  # a usual name
    script = embedded.script.replace("async", f"{attributes} data-theme=dark")
    page.goto(embedded.page(before, script, embedded.element()))
    assert dispatched(page, "ready") == [{"form": "interest"}]
    expect(page.locator("iframe")).to_have_attribute("src", re.compile("theme=dark"))


def test_several_forms_a_second_script_and_late_content_each_get_one_frame(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.element(), embedded.script, embedded.script, "<main></main>"))
    expect(page.locator("iframe")).to_have_count(1)
    page.locator("main").evaluate("(main, html) => { main.innerHTML = html }", embedded.element("viewing"))
    expect(page.locator("iframe")).to_have_count(2)
    expect(frame(page, "viewing").get_by_role("button", name="Boka visning")).to_be_visible()
    page.locator("main").evaluate(
        "(main, html) => { main.innerHTML = html }", embedded.element("viewing", slot="SLOT2")
    )
    expect(page.locator("iframe")).to_have_count(2)
    expect(page.locator("#viewing iframe")).to_have_attribute("src", re.compile("/SLOT2[?]"))
    fill(frame(page, "interest"))
    page.locator("#viewing").evaluate("element => { element.dataset.slot = 'SLOT3' }")
    expect(page.locator("#viewing iframe")).to_have_attribute("src", re.compile("/SLOT3[?]"))
    expect(frame(page, "interest").get_by_label("Förnamn")).to_have_value("Anna")
    pages = "['dispatched', 'interest', 'viewing'].includes(name)"
    names = f"Object.keys(window).filter(name => !(name in frames[0]) && !{pages})"
    assert page.evaluate("Object.keys(window).filter(name => /intresse/i.test(name))") == ["intresse"], names


def test_a_frame_is_lazy_titled_and_allowed_nothing(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.element("viewing", slot="S", slots=""), embedded.script))
    attributes = {name: page.locator("iframe").get_attribute(name) for name in ("loading", "allow", "title")}
    assert attributes == {"loading": "lazy", "allow": "", "title": "Boka visning"}


@pytest.mark.parametrize("remembers", [True, False])
def test_the_first_tags_of_a_visit_are_remembered_only_where_the_site_asks_for_it(
    embedded: Embedded, page: Page, remembers: bool
) -> None:
    asked = " data-remember=session" if remembers else ""
    script = f"<script src='{embedded.service}/embed.js'{asked}></script>"
    page.goto(embedded.website.show("/", script) + "?utm_source=first")
    page.goto(embedded.page(embedded.element(), script))
    src = page.locator("iframe").get_attribute("src") or ""
    assert ("utm_source=first" in src) is remembers
    assert (page.evaluate("sessionStorage.length") == 1) is remembers


def test_a_tag_on_the_element_wins_and_a_long_one_is_cut(embedded: Embedded, page: Page) -> None:
    element = embedded.element(utm_source="portal", utm_content='"><b>')
    page.goto(
        embedded.page(element.replace('""><b>"', "'\"><b>'"), embedded.script) + f"?utm_source=x&utm_term={'y' * 600}"
    )
    src = page.locator("iframe").get_attribute("src") or ""
    assert "utm_source=portal" in src
    assert re.search("utm_term=y{500}(&|$)", src)
    assert "utm_content=%22%3E%3Cb%3E" in src


PAINTED = """() => new Promise((found) => new PerformanceObserver((list) => {
  const paint = list.getEntriesByName("first-contentful-paint")[0]
  if (paint) found(paint.startTime + performance.timeOrigin)
}).observe({type: "paint", buffered: true}))"""


@pytest.mark.parametrize(("width", "tall"), [(360, 740), (1280, 900)])
def test_nothing_jumps_and_the_form_is_soon_there(embedded: Embedded, page: Page, width: int, tall: int) -> None:
    page.set_viewport_size({"width": width, "height": tall})
    shifts = """<script>var shift = 0; var scripted = 0
      new PerformanceObserver((l) => l.getEntries().forEach((e) => { shift += e.value }))
        .observe({type: "layout-shift", buffered: true})</script>"""
    loaded = "scripted = performance.now() + performance.timeOrigin"
    script = f"<script src='{embedded.service}/embed.js' onload='{loaded}'></script>"
    url = embedded.page(shifts, "<h1>Storgatan 1</h1>", embedded.element(), script, "<p>Kontakta oss</p>")
    bare = f"""<div id=interest></div><script>var {loaded}
      document.getElementById("interest").append(Object.assign(document.createElement("iframe"), {{ src:
        "{embedded.service}/Advertising/Estate/{CUSTOMER}/OBJ1/interest" }}))</script>"""
    bare_url = embedded.website.show("/bare", bare)

    def milliseconds_to_paint() -> float:
        return float(frame(page).locator("html").evaluate(PAINTED)) - float(page.evaluate("scripted"))

    def is_soon_there() -> bool:
        """Whether it is there within twice the time that a bare frame takes on this machine, which may be busy."""
        page.goto(bare_url)
        expect(frame(page).get_by_role("button")).to_be_visible()
        allowed = max(200, 2 * milliseconds_to_paint())
        page.goto(url)
        assert dispatched(page, "ready")
        eventually(lambda: is_as_tall_as_its_content(page))
        assert page.evaluate("shift") == 0
        return milliseconds_to_paint() <= allowed

    eventually(is_soon_there)


@pytest.mark.parametrize(
    ("form", "button", "heading"),
    [
        ("valuation", "Boka en värdering", "tagit emot din förfrågan"),
        ("final-price", "Meddela mig slutpriset", "tagit emot"),
    ],
)
def test_a_valuation_and_a_final_price_need_no_more_than_their_attributes(
    embedded: Embedded, page: Page, form: str, button: str, heading: str
) -> None:
    page.goto(embedded.page(embedded.element(form), embedded.script) + "?utm_source=brev")
    content = frame(page, form)
    fill(content)
    eventually(lambda: is_as_tall_as_its_content(page, form))
    content.get_by_role("button", name=button).click()
    expect(content.get_by_role("heading", level=1)).to_contain_text(heading)
    [detail] = dispatched(page, "submitted")
    assert detail["form"] == form
    received = eventually(lambda: embedded.office.received)[0]
    assert (received.operation, received.status) == (form, 200)
    assert received.body["marketing"]["utmTags"] == [{"name": "utm_source", "value": "brev"}]
