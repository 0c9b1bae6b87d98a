"""The examples that an agency copies from docs/embedding.md work."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from app.sandbox import Office
from tests.acceptance.broker import Embedded, fill, send
from tests.servers import eventually

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "embedding.md"


def _examples(embedded: Embedded, language: str) -> list[str]:
    """The guide's blocks in this language, with this service's and website's addresses."""
    guide = GUIDE.read_text("utf-8").replace("https://leads.example.se", embedded.service)
    guide = guide.replace("https://www.maklarhuset.se", embedded.website.url)
    return re.findall(rf"```{language}\n(.*?)```", guide, re.DOTALL)


def _example(embedded: Embedded, containing: str) -> str:
    return next(block for block in _examples(embedded, "html") if containing in block)


def _campaign(embedded: Embedded) -> dict[str, object]:
    """What the CRM receives of a visit of `embedded.page()` by the newsletter."""
    return {
        "referrer": f"{embedded.website.url}/storgatan-1",
        "utmTags": [{"name": "utm_source", "value": "newsletter"}],
    }


def test_the_scripts_example_shows_the_form_and_the_tag_managers_counts_it(
    embedded: Embedded, page: Page, office: Office
) -> None:
    page.goto(embedded.page(_example(embedded, 'data-intresse="interest"'), _example(embedded, "dataLayer")))
    form = page.locator("iframe").content_frame
    expect(form.get_by_text("Storgatan 1")).to_be_visible()
    fill(form)
    send(form)
    [counted] = eventually(lambda: page.evaluate("window.dataLayer"))
    assert counted == {"event": "lead", "lead_form": "interest", "lead_reference": counted["lead_reference"]}
    assert eventually(lambda: office.received)


def test_the_viewings_example_offers_both_times(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.script, _example(embedded, "data-slots")))
    times = page.locator("iframe").content_frame.get_by_role("radio")
    expect(times).to_have_count(2)
    expect(times.first).to_be_checked()


def test_the_elements_example_shows_the_homes_form(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.script, _example(embedded, "<intresse-form")))
    form = page.locator("intresse-form iframe").content_frame
    expect(form.get_by_role("heading", level=1)).to_contain_text("visning")


def test_the_example_of_an_own_form_sends_a_lead_and_comes_back(embedded: Embedded, page: Page, office: Office) -> None:
    embedded.website.show("/tack", "<h1>Tack!</h1>")
    page.goto(embedded.page(_example(embedded, "return_url")) + "?utm_source=newsletter&lang=sv")
    page.get_by_label("Förnamn").fill("Anna")
    page.get_by_label("Efternamn").fill("Ek")
    page.get_by_label("Mobil").fill("070-174 06 05")
    page.get_by_label("Ni får använda").check()
    page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text("Tack!")
    [received] = eventually(lambda: office.received)
    assert received.body["telephone"] == {"cell": "+46701740605"}
    assert received.body["marketing"] == _campaign(embedded)


def test_the_fetch_example_sends_a_lead_with_its_campaign(embedded: Embedded, page: Page, office: Office) -> None:
    [script] = [block for block in _examples(embedded, "js") if "fetch(" in block]
    page.goto(embedded.page() + "?utm_source=newsletter")
    assert page.evaluate(f"async () => {{ {script} return answer.status }}") in {200, 202}
    [received] = eventually(lambda: office.received)
    assert received.body["marketing"] == _campaign(embedded)
