"""axe-core finds no problem in any state of any page, light and dark, in Swedish and English."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.operations.registry import FORMS
from app.operations.viewing import ATTEND_FORM
from app.web.rendering import page_models, static_files
from app.web.rendering.page_models import (
    CancelPage,
    ErrorPage,
    FieldMessage,
    Firm,
    FormPage,
    LanguageLink,
    Notice,
    ReceiptPage,
    SlotChoice,
    ViewingChoice,
)
from app.web.rendering.templates import Templates
from tests.acceptance.axe import findings
from tests.acceptance.broker import broker
from tests.acceptance.conftest import phone
from tests.conftest import CUSTOMER
from tests.servers import serve

FIRM = Firm("Mäklarhuset", "08-123 456 78", "info@example.se", "https://example.se/p", "#0b5d4b", "6px", "system-ui")
LONG_NAMES = replace(FIRM, name="Länsförsäkringar Fastighetsförmedlingsaktiebolag", email=f"{'kontakt' * 5}@example.se")
LANGUAGES = (LanguageLink("sv", "Svenska", "?lang=sv", True), LanguageLink("en", "English", "?lang=en", False))
SLOTS = tuple(
    SlotChoice(f"S{hour}", "söndag 29 november", f"kl. {hour}.00–{hour}.30", chosen=hour == 14, gone=hour == 13)
    for hour in (13, 14)
)
VIEWINGS = (
    ViewingChoice("Portkod 1234", SLOTS),
    ViewingChoice("", tuple(replace(slot, id=f"B{slot.id}", chosen=False, state="closed") for slot in SLOTS)),
)
FULL = (ViewingChoice("", tuple(replace(slot, chosen=False, state="full") for slot in SLOTS)),)
FAULTS = ("firstName", "contact", "email.emailAddress", "contactMessage", "slot", "address.city", "consent")
OFFER = page_models.InterestOffer("/x", "token", {"firstName": "Anna"})


def form(kind: str, **changes: Any) -> FormPage:
    page = FormPage(
        form=FORMS[kind],
        language="sv",
        languages=LANGUAGES,
        firm=FIRM,
        demo=False,
        frame_origins="",
        token="token",
        referrer="https://example.se/",
        title="Storgatan 1",
        consent=True,
        sms_reminder=True,
        mail_confirmation=True,
    )
    return replace(page, **changes)


def open_times(**changes: Any) -> FormPage:
    page = form("viewing", **({"by_home": True, "viewings": VIEWINGS, "reminder_minutes": 60} | changes))
    return replace(page, form=ATTEND_FORM)


def receipt(kind: str, **changes: Any) -> ReceiptPage:
    page = ReceiptPage(
        FORMS[kind], "sv", LANGUAGES, FIRM, False, "", "pending", "4F7K9QXW", "received", None, home="Storgatan 1"
    )
    return replace(page, **({"time": ("söndag 29 november", "kl. 13.00–13.15")} | changes))


def _faults(*names: str) -> tuple[FieldMessage, ...]:
    return tuple(FieldMessage(name, "Skriv ditt förnamn") for name in names)


STATES: dict[str, page_models.Page] = {
    "interest": form("interest", personnummer=True, values={"address.city": "Umeå"}),
    "viewing": form("viewing", slots=SLOTS, demo=True),
    "valuation": form("valuation", title=""),
    "valuation faults": form("valuation", faults=_faults("firstName", "contact", "email", "address.city")),
    "final price": form("final-price", personnummer=True, demo=True),
    "valuation in English": form("valuation", language="en", notice=Notice("unavailable")),
    "final price faults": form("final-price", personnummer=True, faults=_faults("firstName", "contact", "consent")),
    "open times": open_times(),
    "open times faults": open_times(faults=_faults("timeSlotId", "firstName", "contact", "email", "address.zipCode")),
    "a time that went": open_times(values={"gone": "S13"}, notice=Notice("refused", upstream=("Full.",)), offer=OFFER),
    "open times in English": open_times(language="en", demo=True, sms_confirmation=True),
    "all times taken": open_times(viewings=FULL, interest_href="/x"),
    "no times": open_times(viewings=(), interest_href="/x"),
    "no times in a frame": open_times(viewings=(), interest_href="/x", frame_origins="https://example.se"),
    "times away": open_times(viewings=(), away=True, interest_href="/x"),
    "times away with one chosen": open_times(viewings=(), away=True, values={"timeSlotId": "S14"}),
    "contact": form("contact", name="Anna"),
    "loan promise": form("loan-promise", name="Anna"),
    "faults": form("viewing", slots=SLOTS, faults=_faults(*FAULTS)),
    "full": form("viewing", slots=SLOTS, notice=Notice("refused", upstream=("Fullbokad.",)), offer=OFFER),
    "403": form("interest", notice=Notice("forbidden")),
    "429": form("interest", notice=Notice("busy")),
    "503": form("interest", notice=Notice("unavailable")),
    "received": receipt("viewing"),
    "a long name": receipt("viewing", home="Kvarnbygatan" * 7, firm=LONG_NAMES),
    "booked": receipt("viewing", state="booked", calendar_url="/x"),
    "refused": receipt("viewing", state="refused"),
    "thanks": receipt("interest", time=None),
    "thanks for a final price": receipt("final-price", time=None),
    "a valuation refused": receipt("valuation", time=None, state="refused"),
    "thanks for a valuation": receipt("valuation", time=None),
    "can be cancelled": receipt("viewing", state="booked", calendar_url="/x", cancel_url="/y"),
    **{state: receipt("viewing", state=state) for state in ("cancelling", "cancelled", "not-cancelled")},
    "asked before cancelling": CancelPage(
        "sv", LANGUAGES, FIRM, False, "", "Storgatan 1", ("söndag 29 november", "kl. 13.00"), "/x"
    ),
    **{
        kind: ErrorPage("sv", FIRM, False, 404, kind, LANGUAGES)
        for kind in ("not-found", "gone", "used", "no-contact", "fault")
    },
    "nobody's": ErrorPage("en", None, True, 404, "not-found"),
    "English": form("viewing", language="en", slots=SLOTS, notice=Notice("refused"), offer=OFFER),
    "yellow": form("viewing", slots=SLOTS, firm=replace(FIRM, accent="#ffd400", radius="0", font="Georgia")),
    "red": receipt("viewing", state="booked", calendar_url="/x", firm=replace(FIRM, accent="#e30613")),
}


@pytest.fixture(scope="module")
def gallery() -> Iterator[str]:
    """Every state by name, rendered by the real templates."""
    templates = Templates()

    async def show(request: Request) -> HTMLResponse:
        return HTMLResponse(templates.render(STATES[request.path_params["name"]]))

    with serve(Starlette(routes=[Route("/state/{name}", show), *static_files.routes])) as url:
        yield f"{url}/state/"


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    with phone(browser) as context:
        yield context.new_page()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """One tab for all states, made as new before each: to open one takes longer than to load a state."""
    tab.set_viewport_size({"width": 360, "height": 740})
    tab.emulate_media(media="null", color_scheme="null", reduced_motion="null")
    yield tab
    tab.evaluate("sessionStorage.clear(); localStorage.clear()")


@pytest.mark.parametrize("state", STATES)
def test_a_scanner_finds_nothing_in_any_state(gallery: str, page: Page, state: str) -> None:
    page.goto(gallery + state)
    assert findings(page) == []


# What stands alone and is not as tall as a finger; a link within a sentence is as tall as its line.
IN_TEXT = ".trap, .unseen, .consent p, .alert p, .not-cancelled > p, main > p:not(:has(.second))"
TOO_SMALL = f"""
  [...document.querySelectorAll("a, button, input:not(.tick *), select, textarea, summary, .tick")]
    .filter((element) => element.getClientRects().length)
    .filter((element) => !element.closest("{IN_TEXT}"))
    .filter((element) => element.getBoundingClientRect().height < 44)
    .map((element) => element.outerHTML)
"""


@pytest.mark.parametrize("state", STATES)
def test_whatever_is_tapped_is_as_tall_as_a_finger_and_nothing_is_cut_off(gallery: str, page: Page, state: str) -> None:
    page.goto(gallery + state)
    assert page.evaluate(TOO_SMALL) == []
    for wide in (320, 240, 180):  # 180: half of a phone, for those who enlarge everything twice
        page.set_viewport_size({"width": wide, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= wide


PAST_THEIR_BOX = """
  [...document.querySelectorAll(".whole, [href^='tel:']")]
    .map((text) => [text, text.closest(".tick, li, dd, p")])
    .filter(([text, box]) => text.getBoundingClientRect().right > box.getBoundingClientRect().right)
    .map(([text]) => text.outerHTML)
"""


@pytest.mark.parametrize("state", STATES)
def test_in_letters_of_twice_the_size_nothing_leaves_its_box(gallery: str, page: Page, state: str) -> None:
    page.set_viewport_size({"width": 320, "height": 740})
    page.goto(gallery + state)
    page.evaluate("document.documentElement.style.fontSize = '200%'")  # unlike zoom, it changes no media query
    assert page.evaluate(PAST_THEIR_BOX) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_printed_receipt_has_no_links_that_only_a_screen_can_follow(gallery: str, page: Page) -> None:
    page.goto(gallery + "can be cancelled")
    page.emulate_media(media="print")
    for name in ("English", "Lägg till i kalendern", "Kan du inte komma? Avboka"):
        expect(page.get_by_text(name)).to_be_hidden()
    expect(page.get_by_text("4F7K 9QXW")).to_be_visible()
    expect(page.get_by_text("08-123 456 78")).to_be_visible()


def test_a_page_in_a_frame_has_the_same_distances_as_one_of_its_own(gallery: str, page: Page) -> None:
    def distances(state: str) -> list[float]:
        page.goto(gallery + state)
        paragraphs = page.locator("main > p").all()
        boxes = [box for paragraph in paragraphs if (box := paragraph.bounding_box())]
        return [after["y"] - before["y"] - before["height"] for before, after in pairwise(boxes)]

    assert distances("no times") == distances("no times in a frame") == [16, 16, 16]


def test_a_scanner_finds_nothing_around_and_in_an_embed(public: Callable[..., str], context: BrowserContext) -> None:
    with broker() as site:
        service = public(customer={"allowed_origins": [site.url]})
        element = f"<div data-intresse=interest data-customer={CUSTOMER} data-estate=OBJ1></div>"
        script = f"<script src='{service}/embed.js'></script>"
        page = context.new_page()
        page.goto(site.show("/", f"<main><h1>Storgatan 1</h1>{element}</main>", script))
        expect(page.locator("iframe").content_frame.get_by_role("button")).to_be_visible()
        assert findings(page) == []


def test_both_scanners_find_what_is_wrong(context: BrowserContext) -> None:
    page = context.new_page()
    page.set_content("<!doctype html><html lang=sv><title>x</title><main><img><input autocomplete=street-address>")
    found = findings(page)
    assert any(finding.startswith("light: image-alt") for finding in found)
    assert any(finding.startswith("html: valid-autocomplete") for finding in found)
