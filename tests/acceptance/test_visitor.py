"""A visitor on a phone, in Swedish, in a real browser: from the form to the CRM."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from app.sandbox import Fault, Office, Slot
from tests.conftest import CUSTOMER
from tests.servers import eventually

INTEREST = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
BOOKING = f"/Viewing/{CUSTOMER}/VIS1/SLOT1/Participant"
TAGS = "utm_source=google&utm_campaign=h%C3%B6st&title=Storgatan+1"
Public = Callable[..., str]


def _fill_booking(page: Page) -> None:
    page.get_by_label("Förnamn").fill("Anna")
    page.get_by_label("Efternamn").fill("Åkesson")
    page.get_by_label("Mobil").fill("070-174 06 05")
    page.get_by_label("Ja, ni får").check()


def test_a_visitor_corrects_errors_and_the_lead_arrives(public: Public, page: Page, office: Office) -> None:
    page.set_extra_http_headers({"Referer": "https://www.maklarhuset.se/storgatan-1"})
    page.goto(f"{public()}{INTEREST}?{TAGS}")
    page.set_extra_http_headers({})
    expect(page.get_by_text("Storgatan 1")).to_be_visible()
    page.get_by_label("Förnamn").fill("Anna")
    page.get_by_label("Efternamn").fill("Å" * 31)
    page.get_by_label("E-post").fill("anna@")
    page.get_by_role("button", name="Skicka intresseanmälan").click()

    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Något behöver rättas")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile("^Fel: "))
    expect(summary.get_by_role("link")).to_have_text(
        [re.compile("högst 30 tecken"), re.compile("Skriv e-postadressen så här"), re.compile("Kryssa i")]
    )
    assert office.received == []

    summary.get_by_role("link").nth(1).click()
    expect(page.get_by_label("E-post")).to_be_focused()
    expect(page.get_by_label("Förnamn")).to_have_value("Anna")
    page.get_by_label("Efternamn").fill("Åkesson")
    page.get_by_label("E-post").fill("anna@example.se")
    page.get_by_label("Meddelande").fill("Rad ett\nrad två")
    page.get_by_label("Ja, ni får").check()
    page.get_by_role("button", name="Skicka intresseanmälan").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Tack")
    assert "Anna" not in page.content()
    [received] = eventually(lambda: office.received)
    assert received.body["lastName"] == "Åkesson"
    assert received.body["contactMessage"] == "Rad ett\nrad två"
    assert received.body["marketing"] == {
        "referrer": "https://www.maklarhuset.se/storgatan-1",
        "utmTags": [{"name": "utm_source", "value": "google"}, {"name": "utm_campaign", "value": "höst"}],
    }
    assert received.unknown_members == ()


def test_without_javascript_the_same_form_sends_the_lead(public: Public, browser: Browser, office: Office) -> None:
    context = browser.new_context(java_script_enabled=False, locale="sv-SE")
    page = context.new_page()
    page.goto(f"{public()}{INTEREST}")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("Skriv ditt förnamn")
    _fill_booking(page)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tack")
    [received] = eventually(lambda: office.received)
    assert received.body["telephone"] == {"cell": "+46701740605"}
    context.close()


def test_a_full_slot_is_reported_in_vitecs_words_and_nothing_typed_is_lost(
    public: Public, page: Page, office: Office
) -> None:
    office.slots = {("VIS1", "SLOT1"): Slot(capacity=0)}
    page.goto(f"{public()}{BOOKING}")
    _fill_booking(page)
    page.get_by_label("Meddelande").fill("Vi kommer två")
    page.get_by_label("Bekräfta via e-post").uncheck()
    page.get_by_role("button", name="Boka visning").click()
    expect(page.get_by_role("alert")).to_contain_text("Visningstiden är fullbokad.")
    expect(page.get_by_label("Efternamn")).to_have_value("Åkesson")
    expect(page.get_by_label("Meddelande")).to_have_value("Vi kommer två")
    expect(page.get_by_label("Bekräfta via e-post")).not_to_be_checked()
    assert office.bookings == []


def test_a_passed_deadline_is_reported_in_vitecs_words_too(public: Public, page: Page, office: Office) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    office.slots = {("VIS1", "SLOT1"): Slot(capacity=None, deadline_at=yesterday)}
    page.goto(f"{public()}{BOOKING}")
    _fill_booking(page)
    page.get_by_role("button", name="Boka visning").click()
    expect(page.get_by_role("alert")).to_contain_text("Anmälningstiden har gått ut.")


def test_a_booking_that_vitec_takes_at_once_is_booked(public: Public, page: Page, office: Office) -> None:
    page.goto(f"{public()}{BOOKING}")
    _fill_booking(page)
    page.get_by_label("Påminn mig").uncheck()
    page.get_by_role("button", name="Boka visning").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("bokad")
    [received] = office.received
    assert received.body["smsReminder"] is False
    assert received.body["mailConfirmation"] is True
    assert received.body["updatePerson"]["customerId"] == CUSTOMER


@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without"])
def test_a_receipt_becomes_booked_by_itself_once_vitec_answers(
    public: Public, browser: Browser, office: Office, scripted: bool
) -> None:
    office.inject(Fault(status=503))
    context = browser.new_context(java_script_enabled=scripted, locale="sv-SE")
    page = context.new_page()
    page.goto(f"{public(delivery={'retry_seconds': [1], 'wait_seconds': 0.2})}{BOOKING}")
    _fill_booking(page)
    page.get_by_role("button", name="Boka visning").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vi har tagit emot din anmälan")
    office.clear_faults()
    expect(page.get_by_role("heading", level=1)).to_contain_text("bokad")
    context.close()


@pytest.mark.parametrize("reads_on", [False, True])
def test_a_screen_reader_starts_at_the_receipts_heading_and_announces_changes_once(
    public: Public, page: Page, office: Office, reads_on: bool
) -> None:
    office.inject(Fault(status=503))
    page.goto(f"{public(delivery={'retry_seconds': [1], 'wait_seconds': 0.2})}{BOOKING}")
    _fill_booking(page)
    page.get_by_role("button", name="Boka visning").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Vi har tagit emot din anmälan")
    expect(heading).to_be_focused()
    live = page.locator("[aria-live], [role=status], [role=alert]")
    expect(live).to_have_text([""])  # nothing is announced besides
    if reads_on:
        page.get_by_role("link", name="English").focus()
    office.clear_faults()
    expect(heading).to_contain_text("bokad")
    if reads_on:
        expect(page.get_by_role("link", name="English")).to_be_focused()
        expect(live).to_have_text(["Din plats är bokad"])
    else:
        expect(heading).to_be_focused()
        expect(live).to_have_text([""])


def test_an_english_reader_is_met_in_english_and_can_change_to_swedish(public: Public, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{public()}{INTEREST}?utm_source=x")
    expect(page.get_by_role("button")).to_have_text("Register my interest")
    page.get_by_role("link", name="Svenska").click()
    expect(page.get_by_role("button")).to_have_text("Skicka intresseanmälan")
    assert "utm_source=x" in page.url
    context.close()


@pytest.mark.parametrize("path", [INTEREST, BOOKING])
def test_a_change_of_language_keeps_what_is_filled_in(public: Public, browser: Browser, path: str) -> None:
    context = browser.new_context(locale="sv-SE")
    page = context.new_page()
    page.goto(f"{public()}{path}?utm_source=x")
    page.get_by_label("Förnamn").fill("Åsa")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_label("First name")).to_have_value("Åsa")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("link", name="Svenska").click()
    expect(page.get_by_label("Förnamn")).to_have_value("Åsa")
    assert "utm_source=x" in page.url
    context.close()


def test_a_change_of_language_also_changes_that_of_the_errors(public: Public, browser: Browser) -> None:
    context = browser.new_context(locale="sv-SE")
    page = context.new_page()
    page.goto(f"{public()}{INTEREST}")
    page.get_by_label("Förnamn").fill("Åsa")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("efternamn")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("alert")).to_contain_text("last name")
    expect(page.get_by_label("First name")).to_have_value("Åsa")
    context.close()
