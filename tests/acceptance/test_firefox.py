"""The form in Debian's Firefox, driven from Node.js, because Playwright only drives its own builds."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.acceptance.broker import Embedded
from tests.conftest import CUSTOMER
from tests.servers import eventually

DRIVER = Path(__file__).parents[1] / "npm/firefox.mjs"


def test_a_visitor_with_firefox_sends_a_form_and_finds_what_was_typed_after_a_step_back(
    embedded: Embedded, tmp_path: Path
) -> None:
    firefox = shutil.which("firefox-esr") or shutil.which("firefox")
    assert firefox, "no Firefox on this machine: see tests/install-programs"
    page = embedded.page(embedded.element(), embedded.script) + "?utm_source=firefox"
    form = f"{embedded.service}/forms/{CUSTOMER}/interest/OBJ1"
    ran = subprocess.run(
        ["node", str(DRIVER), firefox, page, form],
        capture_output=True,
        text=True,
        timeout=110,
        env={"HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert seen["dispatched"][0] == "ready"
    assert seen["dispatched"][-1] in {"submitted", "height"}
    assert abs(seen["height"] - seen["content"]) <= 1
    assert seen["kept"] == seen["keptInEnglish"] == "Hej på er"
    [lead] = eventually(lambda: embedded.office.received)
    assert lead.body["marketing"]["utmTags"] == [{"name": "utm_source", "value": "firefox"}]
