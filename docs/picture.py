"""Makes docs/demo.png from the running product: the demo, with an interest and a booking sent through its forms."""

import re
import tempfile
from pathlib import Path

from playwright.sync_api import FrameLocator, Page, expect, sync_playwright

from app.demo import demo
from tests.acceptance.conftest import ARGUMENTS, chromium
from tests.servers import listening, serve

PICTURE = Path(__file__).with_name("demo.png")
TAGS = "utm_source=nyhetsbrev&utm_medium=email&utm_campaign=vecka-48"


def main() -> None:
    listener, port = listening()
    with (
        tempfile.TemporaryDirectory() as folder,
        demo.demo(f"http://127.0.0.1:{port}", "key", f"sqlite:///{folder}/demo.db") as staged,
        serve(demo.demo_app(staged), listener=listener) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 1440}, locale="sv-SE")
        page.goto(f"{url}/?{TAGS}")
        page.locator("iframe[title*='visning']").content_frame.get_by_role("radio").first.check()
        for title, name, button in (("visning", "Anna", "Boka visning"), ("intresse", "Erik", "Skicka")):
            send(page.locator(f"iframe[title*='{title}']").content_frame, name, button)
        expect(page.locator("#crm")).to_contain_text("Erik Åkesson")
        page.goto(f"{url}/?{TAGS}")  # the forms as a visitor meets them
        fill(page.locator("iframe[title*='intresse']").content_frame, "Maria")
        settle(page)
        page.screenshot(path=PICTURE)
        browser.close()


def fill(form: FrameLocator, name: str) -> None:
    form.get_by_label("Förnamn").fill(name)
    form.get_by_label("Efternamn").fill("Åkesson")
    form.get_by_label("Mobil").fill("070-174 06 05")
    form.get_by_label("Ja, ni får").check()


def send(form: FrameLocator, name: str, button: str) -> None:
    fill(form, name)
    form.get_by_role("button", name=button).click()
    expect(form.get_by_role("heading", level=1)).to_contain_text(re.compile("Tack|bokad"), timeout=10_000)


def settle(page: Page) -> None:
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
