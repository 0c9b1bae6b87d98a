"""Difficult host pages: names in use, cleaned addresses, changing attributes, narrow columns, old libraries."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from app.domain.marketing import CLICK_IDS
from app.sandbox import Office
from tests.acceptance.broker import Broker, Embedded, dispatched, fill, frame, height, is_as_tall_as_its_content, send
from tests.servers import eventually

FRAME = "#interest iframe"


def src(page: Page) -> str:
    return page.locator(FRAME).get_attribute("src") or ""


def width(page: Page, form: str = "interest") -> float:
    return float(page.locator(f"#{form} iframe").evaluate("frame => frame.getBoundingClientRect().width"))


def sends_an_interest(embedded: Embedded, page: Page) -> dict[str, Any]:
    """Fills in and sends the form on the page; returns what the CRM received."""
    fill(frame(page))
    send(frame(page))
    assert dispatched(page, "submitted")
    [received] = eventually(lambda: embedded.office.received)
    return dict(received.body)


def rewritten(url: str) -> str:
    return f"<script>history.replaceState(null, '', '{url}')</script>"


@pytest.mark.parametrize(
    "theirs",
    [
        "<div id=intresse>",
        "<form name=intresse><input name=scan></form>",
        "<iframe name=intresse src='data:text/html,theirs'></iframe>",
        "<a id=intresse></a><a id=intresse name=scan></a>",
        "<script>var intresse = 'theirs'</script>",
        "<script>function intresse() {}</script>",
        "<script>const intresse = 'theirs'</script>",
        "<script>Object.defineProperty(window, 'intresse', {get() { throw Error() }})</script>",
    ],
)
def test_the_form_is_shown_though_the_page_already_uses_our_names(embedded: Embedded, page: Page, theirs: str) -> None:
    page.goto(embedded.page(theirs, embedded.element(), embedded.script, embedded.script))
    assert dispatched(page, "ready") == [{"form": "interest"}]
    expect(page.locator(FRAME)).to_have_count(1)
    if theirs.startswith("<script>var"):
        assert page.evaluate("intresse") == "theirs"


@pytest.mark.parametrize("own", [False, True])
def test_spaces_that_a_template_left_around_values_do_not_matter(embedded: Embedded, page: Page, own: bool) -> None:
    make = embedded.own_element if own else embedded.element
    element = make(**{"data_utm_source" if own else "utm_source": "a"})
    spaced = re.sub('="(M12345|OBJ1|interest|a)"', r'=" \1 "', element)
    page.goto(embedded.page(spaced, embedded.script))
    assert dispatched(page, "ready") == [{"form": "interest"}]
    assert "/interest/OBJ1?utm_source=a&" in src(page).replace("theme=light&", "")


@pytest.mark.parametrize(
    ("came_by", "rewrites", "passed_on"),
    [
        ("?utm_source=a&gclid=g", rewritten("/storgatan-1"), ["utm_source=a", "gclid=g"]),
        ("?utm_source=a&gclid=g&x=1", rewritten("?gclid=g"), ["utm_source=a", "gclid=g"]),
        ("?utm_source=a&utm_term=t", rewritten("?utm_source=b"), ["utm_source=b"]),  # another campaign, not a mixture
        ("#utm_source=a&utm_medium=m", "", ["utm_source=a", "utm_medium=m"]),
        ("#/hem/1?utm_source=a", "", ["utm_source=a"]),
        ("#kontakt&utm_source=a", "", ["utm_source=a"]),
        ("?utm_source=a&amp;utm_medium=m", "", ["utm_source=a", "utm_medium=m"]),
        ("?utm_source[]=a&UTM_MEDIUM[0]=m", "", ["utm_source=a", "utm_medium=m"]),
        ("?utm_campaign=h%F6st+100%", "", ["utm_campaign=h%C3%B6st+100%25"]),
        ("?utm_content=a=b?c", "", ["utm_content=a%3Db%3Fc"]),
        ("?p=1?utm_source=a&utm_medium=m", "", ["utm_source=a", "utm_medium=m"]),  # put behind a query by hand
        ("?%20utm_source=a&utm_medium%20=m", "", ["utm_source=a", "utm_medium=m"]),
    ],
)
def test_the_tags_are_those_that_the_visitor_came_by_wherever_they_stood(
    embedded: Embedded, page: Page, came_by: str, rewrites: str, passed_on: list[str]
) -> None:
    page.goto(embedded.page(rewrites, embedded.element(), embedded.script) + came_by)
    tags = [part for part in src(page).partition("?")[2].split("&") if not part.startswith(("referrer", "theme"))]
    assert tags == passed_on


def test_every_click_id_that_the_crm_gets_is_passed_on(embedded: Embedded, page: Page) -> None:
    query = "&".join(f"{name}=1" for name in sorted(CLICK_IDS))
    page.goto(embedded.page(embedded.element(), embedded.script) + f"?{query}&fbid=2")
    assert query in src(page)
    assert "fbid" not in src(page)


def test_a_single_page_site_that_loads_the_script_late_keeps_the_campaign(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page("<main></main>") + "?utm_source=a")
    page.evaluate("history.pushState(null, '', '/objekt/2')")
    page.evaluate(
        "([html, url]) => { document.querySelector('main').innerHTML = html;"
        " document.head.append(Object.assign(document.createElement('script'), {src: url})) }",
        [embedded.element(), f"{embedded.service}/embed.js"],
    )
    assert sends_an_interest(embedded, page)["marketing"] == {
        "referrer": f"{embedded.website.url}/objekt/2",
        "utmTags": [{"name": "utm_source", "value": "a"}],
    }


def change(page: Page, **attributes: str) -> None:
    page.locator("#interest").evaluate("(element, said) => Object.assign(element.dataset, said)", attributes)


@pytest.mark.parametrize(
    ("attributes", "shows"),
    [
        ({"lang": "en"}, "Register your interest"),
        ({"estate": "OBJ2", "title": "Storgatan 2"}, "Storgatan 2"),
        ({"theme": "dark"}, "Anmäl intresse"),
    ],
)
def test_a_form_follows_its_attributes_at_once(
    embedded: Embedded, page: Page, attributes: dict[str, str], shows: str
) -> None:
    page.goto(embedded.page(embedded.element(title="Storgatan 1"), embedded.script))
    assert dispatched(page, "ready")
    change(page, **attributes)
    expect(frame(page).get_by_text(shows, exact=True)).to_be_visible()
    for name, value in attributes.items():
        if name != "estate":
            assert f"{name}={value.replace(' ', '+')}" in src(page)


@pytest.mark.parametrize("attributes", [{"lang": "en"}, {"title": "Ny"}, {"theme": "dark"}, {"estate": "OBJ2"}])
@pytest.mark.parametrize("faulty", [False, True])
def test_a_form_in_which_somebody_has_typed_is_not_thrown_away(
    embedded: Embedded, page: Page, attributes: dict[str, str], faulty: bool
) -> None:
    page.goto(embedded.page(embedded.element(), embedded.script))
    form = frame(page)
    form.get_by_label("Förnamn").fill("Anna")
    if faulty:
        send(form)
        assert dispatched(page, "error")
    change(page, **attributes)
    page.evaluate("document.body.append('anything')")
    if "estate" in attributes:
        expect(form.get_by_role("status")).to_contain_text("Sidan visar något annat nu")
    assert sends_an_interest(embedded, page)["firstName"] == "Anna"
    assert "/OBJ1/" in embedded.office.received[0].path
    page.evaluate("document.body.append('anything')")
    expect(form.get_by_role("heading", level=1)).to_contain_text("Tack")


def test_a_visitor_who_has_typed_is_asked_before_the_form_changes_to_another_home(
    embedded: Embedded, page: Page
) -> None:
    page.goto(embedded.page(embedded.element(), embedded.script))
    form = frame(page)
    form.get_by_label("Förnamn").fill("Anna")
    change(page, estate="OBJ2")
    form.get_by_role("button", name="Visa det nya formuläret").click()
    expect(page.locator(FRAME)).to_have_attribute("src", re.compile("/OBJ2[?]"))
    expect(form.get_by_label("Förnamn")).to_have_value("")


def test_the_page_learns_nothing_of_what_is_typed(embedded: Embedded, page: Page) -> None:
    hears = "<script>var heard = []; addEventListener('message', (e) => heard.push(JSON.stringify(e.data)))</script>"
    page.goto(embedded.page(hears, embedded.element(), embedded.script))
    frame(page).get_by_label("Förnamn").fill("Anna")
    eventually(lambda: '{"type":"intresse:typed"}' in page.evaluate("heard"))
    assert not any("Anna" in text for text in page.evaluate("heard"))


TEXT = f"<p style='flex:1'>{'Ljus tvåa med balkong. ' * 20}</p>"


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        ("<div>{}</div>", 576),
        ("<div style='display:flex'>{}</div>", 576),
        (
            "<div style='display:flex;flex-wrap:wrap;gap:20px;align-items:center'>{}" + TEXT + "</div>",
            576,
        ),  # WordPress' Row
        ("<div style='display:flex;flex-direction:column;align-items:flex-start'>{}</div>", 576),
        ("<div style='display:grid;place-items:center'>{}</div>", 576),
        ("<div style='display:grid;grid-template-columns:auto 1fr'>{}" + TEXT + "</div>", 576),
        ("<div style='display:grid;grid-template-columns:300px 1fr'>{}</div>", 300),
        ("<div style='display:grid;grid-template-columns:min-content 1fr'>{}" + TEXT + "</div>", 200),
        ("<div style='display:inline-block'>{}</div>", 576),
        ("<div style='width:400px'>{}</div>", 400),
        ("<style>iframe{height:auto!important;max-height:300px!important;width:50%!important}</style>{}", 576),
        ("<style>iframe{padding:40px;border:9px solid;margin:20px;min-width:100%;max-width:90%}</style>{}", 576),
        ("<style>iframe{position:absolute;inset:0;width:100%;height:100%;aspect-ratio:16/9}</style>{}", 576),
        ("<style>html{font-size:62.5%}[data-intresse]{display:flex;height:200px}</style>{}", 576),
    ],
)
def test_the_form_uses_the_available_width_and_is_not_cut_off_in_any_layout(
    embedded: Embedded, context: BrowserContext, around: str, expected: float
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 1000, "height": 800})
    page.goto(embedded.page(around.replace("{}", embedded.element()), embedded.script))
    assert dispatched(page, "ready")
    eventually(lambda: is_as_tall_as_its_content(page))
    assert width(page) == expected
    assert page.locator(FRAME).evaluate("frame => frame.clientWidth") == expected  # nothing of it is padding
    assert page.evaluate("document.documentElement.scrollWidth") == 1000
    page.set_viewport_size({"width": 360, "height": 800})
    eventually(lambda: is_as_tall_as_its_content(page))
    assert width(page) <= 360 or "px 1fr" in around or "400px" in around


def test_a_form_is_seen_though_the_page_fades_its_frames_in(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page("<style>iframe{opacity:0;visibility:hidden}</style>", embedded.element(), embedded.script))
    assert dispatched(page, "ready")
    expect(page.locator(FRAME)).to_be_visible()
    expect(page.locator(FRAME)).to_have_css("opacity", "1")


def test_an_accordion_can_grow_with_the_form(embedded: Embedded, page: Page) -> None:
    grows = """<script>addEventListener("intresse:height", ({ target, detail }) => {
      target.parentElement.style.maxHeight = detail.height + "px"
    })</script>"""
    page.goto(
        embedded.page(
            grows, f"<div style='max-height:99px;overflow:hidden'>{embedded.element()}</div>", embedded.script
        )
    )
    form = frame(page)
    form.get_by_text("Lägg till mer").click()
    eventually(lambda: is_as_tall_as_its_content(page))
    eventually(lambda: page.locator("#interest").evaluate("one => one.parentElement.clientHeight === one.clientHeight"))


# What Prototype 1.6 and others of its time did to every page that they were on.
PROTOTYPE = """<script>
for (const type of [Object, Array, String, Number]) type.prototype.toJSON = function () { return `"${this}"` }
Array.prototype.entries = Array.prototype.toArray = function () { return [...this].slice() }
Array.from = function (list) { const all = []; for (let i = 0; i < list.length; i++) all.push(list[i]); return all }
Array.prototype.each = Array.prototype.forEach
Object.prototype.extended = function () {}
Function.prototype.bind = function (self, more) { const f = this; return () => f.apply(self, more) }
window.Event = window.Element = {}
</script>"""


def test_libraries_that_changed_the_language_are_tolerated(embedded: Embedded, page: Page) -> None:
    script = f"<script src='{embedded.service}/embed.js' data-remember=session></script>"
    page.goto(embedded.website.show("/", PROTOTYPE, script) + "?utm_source=first&utm_campaign=h%C3%B6st")
    page.goto(embedded.page(PROTOTYPE, embedded.element(), script))
    tags = sends_an_interest(embedded, page)["marketing"]["utmTags"]
    assert [tag["value"] for tag in tags] == ["first", "höst"]


def nothing_sticks_out(form: FrameLocator) -> bool:
    return bool(form.locator("html").evaluate("root => root.scrollWidth <= root.clientWidth"))


def test_two_forms_in_columns_of_209_pixels_can_both_be_sent(embedded: Embedded, context: BrowserContext) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 418, "height": 800})
    columns = "<style>body{margin:0;display:flex}body>div{width:209px}</style>"
    slots = "SLOT1@2026-11-29T13:00/2026-11-29T13:15,SLOT2@2026-11-29T14:00/2026-11-29T14:15"
    page.goto(embedded.page(columns, embedded.element(), embedded.element("viewing", slots=slots), embedded.script))
    for form in ("interest", "viewing"):
        expect(frame(page, form).get_by_role("button").last).to_be_visible()
        frame(page, form).get_by_text("Lägg till mer").click()
        eventually(lambda form=form: is_as_tall_as_its_content(page, form))  # type: ignore[misc]
        assert width(page, form) == 209
        assert nothing_sticks_out(frame(page, form))
    send(frame(page))
    expect(frame(page).get_by_role("alert")).to_be_visible()
    assert nothing_sticks_out(frame(page))
    sends_an_interest(embedded, page)
    assert nothing_sticks_out(frame(page))


def test_a_page_with_every_oddity_at_once_shows_a_working_form(embedded: Embedded, browser: Browser) -> None:
    """A white page on a dark phone, with the names taken, the address cleaned, a blocker of "advertising"."""
    context = browser.new_context(color_scheme="dark", locale="sv-SE", viewport={"width": 500, "height": 800})
    page = context.new_page()
    page.route(re.compile("advertising", re.IGNORECASE), lambda route: route.abort("blockedbyclient"))
    rules = "<style>iframe{height:auto!important;padding:30px;max-width:300px!important}.row{display:flex}</style>"
    collapsed = (
        "<details id=intresse><summary>Anmäl</summary><div class=row>{}{}</div></details><form name=intresse></form>"
    )
    page.goto(
        embedded.page(
            PROTOTYPE,
            rewritten("/storgatan-1?gclid=g"),
            rules,
            collapsed.format(embedded.element(title="Storgatan 1"), "<div style='flex:none;width:209px'>Bild</div>"),
            embedded.script,
            embedded.script,
        )
        + "?utm_source=a&gclid=g#utm_medium=m"
    )
    page.get_by_text("Anmäl", exact=True).click()
    assert dispatched(page, "ready") == [{"form": "interest"}]
    form = frame(page)
    form.get_by_label("Förnamn").fill("Anna")
    change(page, lang="en", title="Ny")
    eventually(lambda: is_as_tall_as_its_content(page))
    assert 240 < width(page) < 300
    assert height(page) > 500
    assert form.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(255, 255, 255)"
    assert sends_an_interest(embedded, page)["marketing"]["utmTags"] == [
        {"name": name, "value": value} for name, value in (("utm_source", "a"), ("gclid", "g"), ("utm_medium", "m"))
    ]
    expect(form.locator("h1")).to_be_focused()
    context.close()


SHIFTS = """<script>var shift = 0
  new PerformanceObserver((l) => l.getEntries().forEach((e) => { shift += e.value }))
    .observe({type: "layout-shift", buffered: true})</script>"""


@pytest.mark.parametrize(
    ("form", "button"),
    [("valuation", "Boka en värdering"), ("final-price", "Meddela mig slutpriset"), ("viewing", "Boka visning")],
)
@pytest.mark.parametrize("wide", [360, 1280])
def test_every_form_is_shown_where_its_height_was_reserved(
    public: Callable[..., str], website: Broker, office: Office, page: Page, form: str, button: str, wide: int
) -> None:
    customer = {"allowed_origins": [website.url], "valuation": {}, "final_price": {}}
    embedded = Embedded(public(customer=customer), website, office)
    page.set_viewport_size({"width": wide, "height": 740})
    at_once = embedded.script.replace(" async", "")  # later, the page reserves the room itself: see the guide
    page.goto(embedded.page(SHIFTS, embedded.element(form), at_once, "<p>Kontakta oss</p>"))
    reserved = height(page, form)
    expect(frame(page, form).get_by_role("button", name=button)).to_be_visible()
    assert dispatched(page, "ready") == [{"form": form}]
    eventually(lambda: is_as_tall_as_its_content(page, form))
    assert abs(height(page, form) - reserved) < 60
    assert page.evaluate("shift") == 0


def test_a_viewing_by_its_home_alone_shows_the_homes_form(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.element("viewing", viewing="", slot="", estate="OBJ1"), embedded.script))
    expect(page.locator("#viewing iframe")).to_have_attribute("src", re.compile("/forms/M12345/viewing/OBJ1[?]"))
    expect(frame(page, "viewing").get_by_role("heading", level=1)).to_contain_text("visning")
    assert dispatched(page, "ready") == [{"form": "viewing"}]
