"""Somebody opens the link in a broker's letter, in a real browser, also without a mouse."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from app.bootstrap.personal_link import make_link
from app.sandbox import Office, Person
from tests.acceptance.commands import ROOT, command, written
from tests.acceptance.test_leads_command import LEAD
from tests.conftest import CUSTOMER, Configure
from tests.servers import eventually, free_port, wait_until_ready

Public = Callable[..., str]
TAGS = "?utm_source=brev"


@pytest.fixture
def link(public: Public, configure: Configure, office: Office) -> Callable[[str], str]:
    """The address of Anna's form."""
    office.contacts[CUSTOMER, "C1"] = Person(id="C1", customer_id=CUSTOMER, first_name="Anna", last_name="Ek")
    address = public(customer={"lead": LEAD})
    settings = configure(customer={"lead": LEAD}, public_url=address)
    return lambda form: make_link(settings, CUSTOMER, "C1", form, "1d") + TAGS


def is_accessible(page: Page) -> None:
    """Checks the page in light and dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        violations = Axe().run(page)["violations"]
        assert [(violation["id"], [node["html"] for node in violation["nodes"]]) for violation in violations] == [], (
            scheme
        )
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width == 0, "the page scrolls sideways"
    page.emulate_media(color_scheme="light")


def test_a_contact_asks_to_be_called_by_keyboard_alone(link: Callable[[str], str], page: Page, office: Office) -> None:
    page.goto(link("contact"))
    expect(page.locator("main")).to_contain_text("Anna")
    is_accessible(page)
    keyboard = page.keyboard
    for _ in range(6):
        keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "message":
            break
    keyboard.type("Ring mig gärna")
    keyboard.press("Enter")
    keyboard.type("efter fem")
    keyboard.press("Tab")
    expect(page.get_by_role("button")).to_be_focused()
    keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/receipts/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tack")
    assert "Anna" not in page.content()
    is_accessible(page)
    lead = eventually(lambda: [call for call in office.received if call.operation == "lead"])[0]
    assert lead.body == {
        "contactId": "C1",
        "leadSourceId": LEAD["lead_source_id"],
        "assignedToId": LEAD["assigned_to_id"],
        "officeId": LEAD["office_id"],
        "message": "Ring mig gärna\nefter fem",
        "marketing": {"utmTags": [{"name": "utm_source", "value": "brev"}]},
    }


def test_a_contact_corrects_and_sends_a_loan_promise_and_gets_a_friendly_page_the_next_time(
    link: Callable[[str], str], page: Page, office: Office
) -> None:
    address = link("loan-promise")
    page.goto(address)
    expect(page.locator("main")).to_contain_text("Anna")
    is_accessible(page)
    page.get_by_label("Bostadstyp").or_(page.locator("[name=estateType]")).first.select_option("Apartment")
    page.locator("[name=financing]").select_option("Bank")
    page.locator("[name=validUntil]").fill("2027-06-30")
    page.get_by_role("button").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("bank")
    expect(page).to_have_title(re.compile("^Fel: "))
    expect(page.locator("[name=validUntil]")).to_have_value("2027-06-30")
    expect(page.locator("[name=estateType]")).to_have_value("Apartment")
    is_accessible(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[name=bank]")).to_be_focused()
    page.keyboard.type("SEB")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tack")
    is_accessible(page)
    promise = eventually(lambda: [call for call in office.received if call.operation == "loan-promise"])[0]
    assert promise.body == {
        "bank": "SEB",
        "validUntil": "2027-06-30T23:59:59+02:00",
        "estateType": "Apartment",
        "financing": "Bank",
    }
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_contain_text("lånelöfte")
    expect(page.locator("form")).to_have_count(0)
    is_accessible(page)
    page.go_back()


@pytest.mark.parametrize("form", ["contact", "loan-promise"])
def test_without_javascript_the_form_works_as_well(
    link: Callable[[str], str], browser: Browser, office: Office, form: str
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(link(form))
    expect(page.locator("main")).to_contain_text("Hello Anna")
    if form == "loan-promise":
        page.get_by_label("Bank", exact=True).fill("SEB")
    page.get_by_role("button").click()
    expect(page).to_have_url(re.compile("/receipts/"))
    eventually(lambda: [call for call in office.received if call.operation != "contact"])
    context.close()


def test_the_page_of_an_invalid_link_is_accessible(link: Callable[[str], str], page: Page) -> None:
    page.goto(link("contact").replace(TAGS, "x"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    is_accessible(page)


def test_the_links_secret_address_is_in_no_log_and_in_nothing_sent_to_vitec(
    configure: Configure, office: Office, tmp_path: Path
) -> None:
    office.contacts[CUSTOMER, "KONTAKT-1"] = Person(id="KONTAKT-1", customer_id=CUSTOMER, first_name="Anna")
    port = free_port()
    settings = configure(customer={"lead": LEAD}, public_url=f"http://127.0.0.1:{port}")
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command("serve", "--port", str(port)), cwd=ROOT, env=written(settings, tmp_path), stdout=out, stderr=out
        )
        try:
            tokens = []
            with httpx.Client(base_url=settings.public_url, timeout=30) as client:
                wait_until_ready(client)
                for form in ("contact", "loan-promise"):
                    url = make_link(settings, CUSTOMER, "KONTAKT-1", form, "1d")
                    tokens.append(url.rpartition("/")[2])
                    assert client.get(url, headers={"Referer": url}).status_code == 200
                    for data in ({"message": "\x07"}, {"message": "Hemligt", "bank": "Hemliga banken"}, {"bank": "x"}):
                        client.post(url + TAGS, data=data, headers={"Referer": url + TAGS})
                    client.get(url + "x")
                    client.put(url)
            eventually(lambda: {str(call.operation) for call in office.received} == {"contact", "lead", "loan-promise"})
        finally:
            process.terminate()
            process.wait()
    sent: list[Any] = [(call.path, call.body) for call in office.received]
    for token in tokens:
        assert token not in log.read_text()
        assert token not in str(sent)
    assert "personal/" not in str(sent)
    assert not re.search("KONTAKT|Anna|Hemlig|brev", log.read_text())
