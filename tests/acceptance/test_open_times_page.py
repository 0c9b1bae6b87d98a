"""A visitor books one of a home's open times: by keyboard, without JavaScript, at any width, in light and dark."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from app.sandbox import Fault, Office, Slot, Viewing
from tests.acceptance.axe import findings
from tests.acceptance.broker import Embedded, frame
from tests.conftest import CUSTOMER
from tests.servers import eventually

Public = Callable[..., str]
FORM = f"/forms/{CUSTOMER}/viewing/OBJ1"
SOON, QUARTER = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=3), timedelta(minutes=15)


@pytest.fixture(autouse=True)
def _home(office: Office) -> None:
    office.estates = frozenset({"OBJ1", "OBJ2"})
    office.viewings = {"VIS1": Viewing("OBJ1", SOON, SOON + 4 * QUARTER, comment="Samling vid porten")}
    slots = {"FULL": Slot(capacity=0), "FREE": Slot(), "LAST": Slot(contested=True), "LATE": Slot()}
    office.slots = {
        ("VIS1", name): Slot(slot.capacity, None, SOON + n * QUARTER, SOON + (n + 1) * QUARTER, slot.contested)
        for n, (name, slot) in enumerate(slots.items())
    }


def fill(page: Page) -> None:
    page.get_by_label("Förnamn").fill("Anna")
    page.get_by_label("Efternamn").fill("Åkesson")
    page.get_by_label("Mobil").fill("070-174 06 05")
    page.get_by_label("Meddelande").fill("Vi kommer två")
    page.get_by_label("Ja, ni får").check()


def send(page: Page) -> None:
    page.get_by_role("button", name="Boka visning").click()


@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without"])
def test_a_time_that_was_taken_meanwhile_is_shown_as_full_and_another_is_booked(
    public: Public, browser: Browser, office: Office, scripted: bool
) -> None:
    context = browser.new_context(java_script_enabled=scripted, locale="sv-SE")
    page = context.new_page()
    page.goto(public() + FORM)
    expect(page.get_by_text("Storgatan 1, Ankeborg")).to_be_visible()
    radios = page.get_by_role("group", name="Tid").get_by_role("radio")
    expect(radios).to_have_count(4)
    expect(radios.nth(0)).to_be_disabled()
    radios.nth(2).check()
    fill(page)
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("Visningstiden är fullbokad.")
    expect(radios.nth(2)).to_be_disabled()
    expect(page.get_by_label("Meddelande")).to_have_value("Vi kommer två")
    radios.nth(1).check()
    send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Din plats är bokad")
    assert [booking.time_slot_id for booking in office.bookings] == ["FREE"]
    context.close()


@pytest.mark.parametrize("path", [FORM, f"/v2/Advertising/Form/{CUSTOMER}/Estate/OBJ1"])
def test_a_change_of_language_keeps_the_chosen_time(public: Public, page: Page, office: Office, path: str) -> None:
    page.goto(f"{public()}{path}?utm_source=x")
    page.get_by_role("group", name="Tid").get_by_role("radio").nth(1).check()
    page.get_by_role("link", name="English").click()
    page.get_by_label("First name").fill("Åsa")
    page.get_by_role("link", name="Svenska").click()
    expect(page.get_by_label("Förnamn")).to_have_value("Åsa")
    fill(page)
    send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Din plats är bokad")
    assert [booking.time_slot_id for booking in office.bookings] == ["FREE"]


def test_a_time_is_booked_by_keyboard_alone(public: Public, page: Page, office: Office) -> None:
    page.goto(public() + FORM)
    page.get_by_label("Förnamn").focus()
    page.keyboard.press("Shift+Tab")  # among the times: the first that can be chosen, or the last
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("input[name=timeSlotId]:checked").get_attribute("value")
    page.get_by_label("Förnamn").focus()
    for text in ("Anna", "Åkesson", "070-174 06 05"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.get_by_label("Ja, ni får").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Din plats är bokad")
    assert [booking.time_slot_id for booking in office.bookings] == [chosen]


def test_a_missing_time_is_reported_with_a_link_to_the_first_free_time(public: Public, page: Page) -> None:
    page.goto(public() + FORM)
    fill(page)
    send(page)
    page.get_by_role("alert").get_by_role("link", name="Välj en tid").click()
    expect(page.get_by_role("radio").nth(1)).to_be_focused()
    expect(page.get_by_role("group", name="Tid")).to_have_accessible_description("Välj en tid")


def test_a_home_without_times_leads_to_an_interest_in_it(public: Public, page: Page, office: Office) -> None:
    page.goto(f"{public()}/forms/{CUSTOMER}/viewing/OBJ2?utm_source=google")
    expect(page.get_by_text("Det finns inga tider att boka just nu")).to_be_visible()
    page.get_by_role("link", name="Anmäl intresse").click()
    fill(page)
    page.get_by_role("button", name="Skicka intresseanmälan").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tack")
    [interest] = eventually(lambda: [call for call in office.received if call.operation == "interest"])
    assert interest.path == f"/Advertising/Estate/{CUSTOMER}/OBJ2/interest"
    assert interest.body["marketing"]["utmTags"] == [{"name": "utm_source", "value": "google"}]


STATES = ("fresh", "faults", "refused", "none", "all full", "away")


@pytest.fixture(params=STATES)
def state(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shown(public: Public, page: Page, office: Office, state: str) -> Page:
    """The page in that state, in Swedish."""
    if state == "all full":
        office.slots = {place: Slot(capacity=0) for place in office.slots or {}}
    if state == "away":
        office.inject(Fault(status=503))
    page.goto(public() + (FORM.replace("OBJ1", "OBJ2") if state == "none" else FORM))
    if state == "refused":
        page.get_by_role("radio").nth(2).check()
        fill(page)
    if state in {"faults", "refused"}:
        send(page)
        expect(page.get_by_role("alert")).to_be_visible()
    return page


def test_a_scanner_finds_nothing_and_no_width_makes_it_scroll_sideways(shown: Page) -> None:
    assert findings(shown) == []
    for width in (240, 320, 640, 1280):
        shown.set_viewport_size({"width": width, "height": 800})
        wide = shown.evaluate("document.documentElement.scrollWidth")
        assert wide <= width


def test_an_english_reader_reads_it_in_english(public: Public, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(public() + FORM)
    expect(page.get_by_role("group", name="Time").get_by_role("group")).to_have_count(1)
    expect(page.locator(".day strong")).to_have_text(re.compile(r"^\w+day \d+ \w+$"))
    expect(page.get_by_text("· full")).to_be_visible()
    context.close()


def test_a_snippet_of_two_attributes_books_in_a_frame(embedded: Embedded, page: Page, office: Office) -> None:
    element = f"<div id=viewing data-intresse=viewing data-customer={CUSTOMER} data-estate=OBJ1></div>"
    page.goto(embedded.page(element, embedded.script))
    form = frame(page, "viewing")
    form.get_by_role("radio").nth(1).check()
    form.get_by_label("Förnamn").fill("Anna")
    form.get_by_label("Efternamn").fill("Åkesson")
    form.get_by_label("Mobil").fill("070-174 06 05")
    form.get_by_label("Ja, ni får").check()
    form.get_by_role("button", name="Boka visning").click()
    expect(form.get_by_role("heading", level=1)).to_have_text("Din plats är bokad")
    assert [booking.time_slot_id for booking in office.bookings] == ["FREE"]


@pytest.mark.parametrize("call", ["participant", "attend"])
@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without"])
def test_a_booking_by_home_is_cancelled_from_its_receipt(
    public: Public, browser: Browser, office: Office, scripted: bool, call: str
) -> None:
    context = browser.new_context(java_script_enabled=scripted, locale="sv-SE")
    page = context.new_page()
    page.goto(public(customer={"viewing": {"cancel": True, "call": call}}) + FORM)
    page.get_by_role("group", name="Tid").get_by_role("radio").nth(1).check()
    fill(page)
    send(page)
    page.get_by_role("link", name="Kan du inte komma? Avboka").click()
    expect(page.get_by_role("main")).to_contain_text("Storgatan 1, Ankeborg")
    assert len(office.bookings) == 1
    page.get_by_role("button", name="Avboka").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Avbokad")
    expect(page.get_by_role("link", name="Kan du inte komma? Avboka")).to_have_count(0)
    assert office.bookings == []
    context.close()
