"""An operator new to the console, in a real browser: finds a lead, sees why it is stuck, and sends it again."""

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from app.sandbox import Fault, Office, Slot
from app.statistics import counter_job
from tests.acceptance.axe import findings
from tests.conftest import API_KEY, CUSTOMER
from tests.servers import eventually

PASSWORD = "ett långt lösenord"
INTEREST = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
PERSON = {"firstName": "Anna", "lastName": "Åkesson", "email.emailAddress": "Anna@example.se", "consent": "true"}
HOSTILE = {"utm_source": "<script>alert(1)</script>", "utm_campaign": '=HYPERLINK("https://evil.example.se")'}
Public = Callable[..., str]


def send(url: str, **more: str) -> None:
    answer = httpx.post(f"{url}{INTEREST}", data=PERSON | more, headers={"Origin": url})
    assert answer.status_code == 303, answer.text


def enter(page: Page, url: str) -> None:
    page.goto(f"{url}/console/")  # with the slash that people add
    page.get_by_label("Lösenord").fill(PASSWORD)
    page.get_by_role("button", name="Logga in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Översikt")


def test_a_delivered_leads_one_action_does_not_invite_to_erase_it(public: Public, desktop: Page) -> None:
    url = public(console_password=PASSWORD)
    send(url)
    enter(desktop, url)
    desktop.goto(f"{url}/console/submissions")
    eventually(lambda: desktop.reload() and desktop.locator(".status.delivered").count())
    desktop.locator("th a.reference").click()
    erase = desktop.get_by_role("link", name="Radera")
    expect(erase).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    erase.click()
    expect(desktop.get_by_role("button", name="Radera")).to_have_css("background-color", "rgb(179, 38, 30)")


def test_the_same_persons_other_submissions_have_a_list_of_their_own(public: Public, desktop: Page) -> None:
    url = public(console_password=PASSWORD)
    send(url)
    send(url, contactMessage="Jag igen")
    enter(desktop, url)
    desktop.goto(f"{url}/console/submissions")
    desktop.locator("th a.reference").first.click()
    others = desktop.get_by_role("region", name="Från samma person")
    expect(others.get_by_role("link")).to_have_text([re.compile("Intresseanmälan ....")])
    others.get_by_role("link").click()
    expect(desktop.get_by_role("main")).not_to_contain_text("Jag igen")


def test_on_a_phone_whatever_stands_alone_is_as_tall_as_a_finger(public: Public, browser: Browser) -> None:
    context = browser.new_context(locale="sv-SE", viewport={"width": 360, "height": 740}, has_touch=True)
    page = context.new_page()
    url = public(console_password=PASSWORD)
    send(url)
    enter(page, url)
    for path in ("", "/submissions", "/customers", f"/customers/{CUSTOMER}"):
        page.goto(f"{url}/console{path}")
        small = page.locator("a, button, select, #q").evaluate_all(
            "(all) => all.filter((element) => element.offsetHeight < 44).map((element) => element.outerHTML)"
        )
        assert small == []
    context.close()


def test_on_a_phone_the_chart_begins_at_the_newest_day(public: Public, page: Page) -> None:
    url = public(console_password=PASSWORD)
    enter(page, url)
    chart = page.locator(".chart")
    view, shown = chart.locator("xpath=..").bounding_box(), chart.bounding_box()
    assert view
    assert shown
    assert shown["width"] > view["width"]
    assert shown["x"] + shown["width"] <= view["x"] + view["width"] + 1


def test_a_search_that_can_not_be_read_is_explained_at_its_field(public: Public, desktop: Page) -> None:
    url = public(console_password=PASSWORD)
    enter(desktop, url)
    desktop.get_by_label("Referens, e-post eller telefon").fill("hej")
    desktop.get_by_role("button", name="Sök").click()
    field, fault = desktop.get_by_label("Referens, e-post eller telefon"), desktop.get_by_role("alert")
    expect(field).to_have_accessible_description("Skriv en referens, en hel e-postadress eller ett telefonnummer.")
    above, below = fault.bounding_box(), field.bounding_box()
    assert above
    assert below
    assert 0 <= below["y"] - above["y"] - above["height"] < 10


@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without"])
def test_an_operator_finds_a_refused_lead_by_email_and_sends_it_again(
    public: Public, browser: Browser, office: Office, scripted: bool
) -> None:
    url = public(console_password=PASSWORD)
    office.inject(Fault(status=400))
    send(url)
    eventually(lambda: office.received)
    office.clear_faults()
    context = browser.new_context(java_script_enabled=scripted, locale="sv-SE")
    page = context.new_page()
    enter(page, url)

    def is_shown() -> bool:
        page.reload()
        return "Avvisad av Vitec: 1" in (
            page.get_by_role("region", name="Behöver åtgärdas", exact=True).text_content() or ""
        )

    eventually(is_shown)
    page.get_by_label("Referens, e-post eller telefon").fill("anna@EXAMPLE.se")
    page.get_by_role("button", name="Sök").click()
    main = page.get_by_role("main")
    expect(main).to_contain_text("Vitec avvisade den")
    expect(main).to_contain_text("Åkesson")
    page.get_by_role("link", name="Skicka igen").click()
    page.get_by_role("button", name="Skicka igen").click()
    expect(page.get_by_role("status")).to_contain_text("Den har skickats till Vitec")
    expect(main).to_contain_text("Levererad")
    assert len(office.received) == 2
    expect(main).to_contain_text("Skickad igen för hand")
    context.close()


def test_a_paused_login_is_shown_and_tested_and_its_lead_arrives(public: Public, desktop: Page, office: Office) -> None:
    url = public(console_password=PASSWORD)
    office.inject(Fault(status=401))
    send(url)
    eventually(lambda: office.received)
    enter(desktop, url)

    def is_shown() -> bool:
        desktop.reload()
        return "godtar inte lösenordet" in (desktop.get_by_role("main").text_content() or "")

    eventually(is_shown)
    office.clear_faults()
    desktop.get_by_role("region", name="Pausade inloggningar").get_by_role("link").click()
    desktop.get_by_role("button", name="Testa inloggningen Annonsering").click()
    expect(desktop.get_by_role("main")).to_contain_text("Vitec godtar den.")
    desktop.goto(f"{url}/console/submissions")
    eventually(lambda: desktop.reload() and desktop.locator(".status.delivered").count())


def test_a_lead_that_waits_for_another_login_than_the_paused_one_shows_its_own_reason(
    public: Public, desktop: Page, office: Office
) -> None:
    url = public(console_password=PASSWORD)
    office.inject(Fault(status=401, operation="loan-promise"))
    office.inject(Fault(status=503, operation="interest"))
    loan = {"bank": "SBAB", "validUntil": "2099-03-31", "estateType": "Apartment", "financing": "Bank"}
    promise = f"{url}/CRM/Buyer/{CUSTOMER}/C1/LoanPromise"
    key = {"Authorization": f"Bearer {API_KEY}", "Prefer": "respond-async"}
    assert httpx.post(promise, json=loan, headers=key).status_code == 202
    send(url)
    enter(desktop, url)
    eventually(lambda: desktop.reload() and desktop.get_by_text("Vitec godtar inte lösenordet").count())
    desktop.get_by_label("Referens, e-post eller telefon").fill("anna@example.se")
    desktop.get_by_role("button", name="Sök").click()
    expect(desktop.get_by_role("main")).to_contain_text("Vitec gick inte att nå.")
    expect(desktop.get_by_role("main")).not_to_contain_text("Inloggningen är pausad")


def test_a_hostile_campaign_is_text_on_the_page_and_in_the_file(public: Public, desktop: Page) -> None:
    url = public(console_password=PASSWORD)
    send(url, **HOSTILE)
    alarms: list[str] = []
    desktop.on("dialog", lambda dialog: alarms.append(dialog.message))
    enter(desktop, url)
    desktop.goto(f"{url}/console/submissions")
    expect(desktop.locator("td.campaign")).to_contain_text("<script>alert(1)</script>")
    with desktop.expect_download() as download:
        desktop.get_by_role("link", name="Exportera som CSV").click()
    rows = list(csv.reader(StringIO(download.value.path().read_text("utf-8-sig"))))
    assert len(rows) == 2
    assert rows[1][5] == HOSTILE["utm_source"]
    assert rows[1][7] == "'" + HOSTILE["utm_campaign"]
    assert alarms == []


def test_the_campaigns_that_brought_a_homes_viewings_are_found_from_the_overview(
    public: Public, desktop: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter_job, "SETTLED_AFTER_HERE", timedelta(0))
    monkeypatch.setattr(counter_job, "PAUSE_SECONDS", 0.05)
    url = public(console_password=PASSWORD)
    for source in ("google", "google", "hemnet"):
        query = {"estate": "OBJ7", "utm_source": source}
        headers, booking = {"Origin": url}, PERSON | {"firstName": f"Anna {source}"}
        httpx.post(f"{url}/Viewing/{CUSTOMER}/VIS1/SLOT1/Participant", params=query, data=booking, headers=headers)
    send(url, utm_source="facebook")
    enter(desktop, url)
    eventually(lambda: desktop.reload() and desktop.get_by_role("link", name="OBJ7").count())
    desktop.get_by_role("link", name="OBJ7").click()
    viewings = desktop.get_by_role("region", name="Visningsbokning")
    expect(viewings.get_by_role("row").nth(1)).to_contain_text("google")
    expect(desktop.get_by_role("main")).not_to_contain_text("facebook")
    assert findings(desktop) == []


def test_an_embed_is_built_seen_and_copied(public: Public, desktop: Page) -> None:
    url = public(console_password=PASSWORD)
    enter(desktop, url)
    desktop.get_by_role("link", name="Kunder").click()
    desktop.get_by_role("link", name="Skapa inbäddning").first.click()
    desktop.get_by_label("Bostadens id i Vitec").fill("OBJ7")
    desktop.get_by_label("Bostadens namn").fill("Storgatan 1")
    desktop.get_by_role("button", name="Visa").click()
    expect(desktop.get_by_role("textbox", name="Till webbplatsen")).to_have_value(re.compile('data-estate="OBJ7"'))
    expect(desktop.locator("iframe").content_frame.get_by_text("Storgatan 1")).to_be_visible()
    desktop.goto(f"{desktop.url}&accent=%23aa3366")
    expect(desktop.get_by_role("textbox", name="Till konfigurationen")).to_have_value(re.compile('accent = "#aa3366"'))
    desktop.goto(f"{desktop.url}&estate=a+b")
    desktop.get_by_label("Bostadens id i Vitec").fill("a b")
    desktop.get_by_role("button", name="Visa").click()
    expect(desktop.locator(".fault")).to_contain_text("1–40")


def test_an_embeds_form_is_chosen_by_the_arrow_keys(public: Public, desktop: Page) -> None:
    url = public(console_password=PASSWORD, customer={"valuation": {}})
    enter(desktop, url)
    desktop.goto(f"{url}/console/customers/{CUSTOMER}/embed")
    desktop.get_by_label("Formulär").focus()
    for _ in range(2):
        desktop.keyboard.press("ArrowDown")
    chosen = desktop.get_by_label("Formulär").input_value()
    for _ in range(10):
        desktop.keyboard.press("Tab")
        if desktop.evaluate("document.activeElement.textContent") == "Visa":
            break
    desktop.keyboard.press("Enter")
    expect(desktop.get_by_role("textbox", name="Till webbplatsen")).to_have_value(re.compile("data-intresse"))
    assert f"form={chosen}" in desktop.url
    expect(desktop.get_by_label("Formulär")).to_have_value(chosen)


def test_without_javascript_no_button_is_shown_that_needs_it(public: Public, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, locale="sv-SE")
    page = context.new_page()
    url = public(console_password=PASSWORD)
    enter(page, url)
    page.goto(f"{url}/console/customers/{CUSTOMER}/embed")
    expect(page.get_by_role("button", name="Visa")).to_be_visible()
    expect(page.get_by_role("button", name="Kopiera")).to_be_hidden()
    context.close()


EDGELESS = """[...document.querySelectorAll("button:not(.plain), .button")]
  .filter((button) => getComputedStyle(button).borderBlockStart.startsWith("0px"))
  .map((button) => button.outerHTML)"""


def test_in_forced_colours_every_button_has_an_edge(public: Public, desktop: Page) -> None:
    url = public(console_password=PASSWORD)
    desktop.emulate_media(forced_colors="active")
    desktop.goto(f"{url}/console")
    assert desktop.evaluate(EDGELESS) == []
    send(url)
    enter(desktop, url)
    desktop.goto(f"{url}/console/submissions")
    desktop.locator("tbody a").click()
    expect(desktop.locator(".button")).not_to_have_count(0)
    assert desktop.evaluate(EDGELESS) == []


def test_a_scanner_finds_nothing_to_remark_on_in_any_page(public: Public, desktop: Page, office: Office) -> None:
    url = public(console_password=PASSWORD)
    office.slots = {("VIS1", "SLOT1"): Slot(capacity=0)}
    send(url, **HOSTILE)
    httpx.post(f"{url}/Viewing/{CUSTOMER}/VIS1/SLOT1/Participant", data=PERSON, headers={"Origin": url})
    desktop.goto(f"{url}/console")
    violations = {"sign-in": findings(desktop)}
    enter(desktop, url)
    pages = (
        "",
        "/submissions",
        "/submissions?q=nobody",
        "/customers",
        f"/customers/{CUSTOMER}",
        f"/customers/{CUSTOMER}/embed",
    )
    for path in pages:
        desktop.goto(f"{url}/console{path}")
        violations[path] = findings(desktop)
    desktop.goto(f"{url}/console/submissions?status=rejected")
    desktop.locator("tbody a").click()
    violations["submission"] = findings(desktop)
    desktop.get_by_role("link", name="Kassera").click()
    violations["confirm"] = findings(desktop)
    desktop.get_by_role("button", name="Kassera").click()
    expect(desktop.get_by_role("status")).to_contain_text("raderade")
    expect(desktop.get_by_role("main")).not_to_contain_text("Åkesson")
    assert {path: some for path, some in violations.items() if some} == {}


def test_on_a_phone_nothing_is_wider_than_the_screen(public: Public, page: Page) -> None:
    url = public(console_password=PASSWORD)
    send(url, **HOSTILE)
    enter(page, url)
    for path in ("", "/submissions", "/customers", f"/customers/{CUSTOMER}", f"/customers/{CUSTOMER}/embed"):
        page.goto(f"{url}/console{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_the_chosen_language_is_remembered(public: Public, desktop: Page) -> None:
    enter(desktop, public(console_password=PASSWORD))
    desktop.get_by_role("link", name="English").click()
    desktop.get_by_role("link", name="Submissions").click()
    expect(desktop.get_by_role("heading", level=1)).to_have_text("Submissions")


def test_what_is_personal_is_erased_on_request_and_the_lead_still_counts(
    public: Public, desktop: Page, office: Office, tmp_path: Path
) -> None:
    url = public(console_password=PASSWORD)
    send(url)
    eventually(lambda: office.received)
    enter(desktop, url)
    desktop.get_by_role("link", name="Anmälningar").click()
    desktop.locator("tbody a").click()
    main = desktop.get_by_role("main")
    expect(main).to_contain_text("Åkesson")
    desktop.get_by_role("link", name="Radera").click()
    desktop.get_by_role("button", name="Radera").click()
    expect(desktop.get_by_role("status")).to_contain_text("raderad")
    expect(main).not_to_contain_text("Åkesson")
    expect(main).to_contain_text("Levererad")
    assert len((tmp_path / "erasures.log").read_text("utf-8").splitlines()) == 1
