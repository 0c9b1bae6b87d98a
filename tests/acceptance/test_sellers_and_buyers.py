"""Pages of a seller, a buyer and a booked visitor in a real browser: by keyboard, without JavaScript, at any width."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.sandbox import Office
from tests.acceptance.axe import findings
from tests.conftest import CUSTOMER
from tests.servers import eventually

Public = Callable[..., str]
SLOTS = "SLOT1@2099-01-01T13:00:00+01:00/2099-01-01T13:15:00+01:00"
BOOKING = f"/forms/{CUSTOMER}/viewing/VIS1/SLOT1?estate=OBJ1&title=Storgatan 1&slots={SLOTS}"
VALUATION = f"/forms/{CUSTOMER}/valuation"
FINAL_PRICE = f"/forms/{CUSTOMER}/final-price/OBJ2?title=Lillgatan 3"
OFFER = "Kan du inte komma? Avboka"


@pytest.fixture
def service(public: Public) -> str:
    return public(customer={"valuation": {}, "final_price": {}, "viewing": {"cancel": True}})


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A browser without scripts."""
    context = browser.new_context(java_script_enabled=False, locale="sv-SE")
    yield context.new_page()
    context.close()


def typed_by_keyboard(page: Page, *texts: str) -> None:
    """Types into one field after the other, starting at the first."""
    page.get_by_label("Förnamn").focus()
    for text in texts:
        page.keyboard.type(text)
        page.keyboard.press("Tab")


def test_a_seller_asks_for_a_valuation_by_keyboard_alone(service: str, page: Page, office: Office) -> None:
    page.goto(service + VALUATION)
    typed_by_keyboard(page, "Sara", "Säljare", "070-174 06 05", "", "Storgatan 1", "123 45", "Ort", "Tre rum")
    expect(page.get_by_role("link", name="Så hanterar vi")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Boka en värdering")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("tagit emot din förfrågan")
    [received] = eventually(lambda: list(office.received))
    assert received.body["address"] == {"streetAddress": "Storgatan 1", "zipCode": "123 45", "city": "Ort"}
    assert received.body["lead"] == {"message": "Tre rum"}


def test_without_javascript_a_buyer_asks_for_the_final_price(service: str, plain: Page, office: Office) -> None:
    plain.goto(service + FINAL_PRICE)
    plain.get_by_label("Förnamn").fill("Bo")
    plain.get_by_role("button", name="Meddela mig slutpriset").click()
    expect(plain.get_by_role("alert")).to_contain_text("Något behöver rättas")
    expect(plain.get_by_label("Förnamn")).to_have_value("Bo")
    plain.get_by_label("Efternamn").fill("Köpare")
    plain.get_by_label("E-post").fill("bo@example.se")
    plain.get_by_label("Ja, ni får").check()
    plain.get_by_role("button", name="Meddela mig slutpriset").click()
    expect(plain.get_by_role("heading", level=1)).to_contain_text("Tack")
    [received] = eventually(lambda: list(office.received))
    assert received.path == f"/Advertising/Estate/{CUSTOMER}/OBJ2/FinalPriceWatched"


def book(page: Page, service: str) -> None:
    page.goto(service + BOOKING)
    page.get_by_label("Förnamn").fill("Anna")
    page.get_by_label("Efternamn").fill("Ek")
    page.get_by_label("Mobil").fill("070-174 06 05")
    page.get_by_label("Ja, ni får").check()
    page.get_by_role("button", name="Boka visning").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Din plats är bokad")


def test_without_javascript_a_visitor_cancels_with_one_press_and_one_confirmation(
    service: str, plain: Page, office: Office
) -> None:
    book(plain, service)
    plain.get_by_role("link", name=OFFER).click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Vill du avboka?")
    plain.get_by_role("button", name="Avboka").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Avbokad")
    assert [call.operation for call in office.received] == ["viewing", "cancellation"]
    assert office.bookings == []


def test_a_visitor_who_thinks_twice_keeps_the_place(service: str, page: Page, office: Office) -> None:
    book(page, service)
    page.get_by_role("link", name=OFFER).focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Behåll min plats").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Din plats är bokad")
    assert len(office.bookings) == 1


@pytest.mark.parametrize(("width", "scheme"), [(240, "light"), (320, "dark"), (768, "light"), (1280, "dark")])
def test_nothing_is_cut_off_at_any_width(service: str, browser: Browser, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme, locale="sv-SE")  # type: ignore[arg-type]
    page = context.new_page()
    book(page, service)
    cancel = page.get_by_role("link", name=OFFER).get_attribute("href")
    for path in (page.url.removeprefix(service), cancel, VALUATION, FINAL_PRICE):
        for language in ("sv", "en"):
            page.goto(f"{service}{path}{'&' if '?' in str(path) else '?'}lang={language}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, language)
    context.close()


@pytest.mark.parametrize("path", [VALUATION, FINAL_PRICE])
def test_a_scanner_finds_nothing_on_a_form_with_errors(service: str, page: Page, path: str) -> None:
    page.goto(service + path)
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert findings(page) == []
