"""Accessibility and HTML checks for the tests: axe-core, and html-validate."""

from collections.abc import Mapping
from typing import Any, Literal

from axe_core_python.base import AXE_SCRIPT
from playwright.sync_api import Frame, Page

from tests.acceptance.html_rules import breaches

Scheme = Literal["light", "dark"]
# What passes is told by its rule alone: the list of all elements takes longer than the scan.
SCHEMES: Mapping[Scheme, Mapping[str, Any]] = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast"]},  # only colours are others in the dark
}


def findings(page: Page) -> list[str]:
    """Problems of the page and its frames, in light and dark."""
    found = [f"html: {breach}" for frame in page.frames for breach in breaches(frame.content())]
    for scheme, options in SCHEMES.items():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # what fades in has no contrast yet
        results = [_scanned(frame, options) for frame in page.frames]
        assert all(result["passes"] for result in results)
        for finding in (finding for result in results for finding in result["violations"]):
            targets = [node["target"] for node in finding["nodes"]]
            found.append(f"{scheme}: {finding['id']}: {finding['help']} {targets}")
    return found


def _scanned(frame: Frame, options: Mapping[str, Any]) -> Any:
    if not frame.evaluate("'axe' in window"):
        frame.evaluate(AXE_SCRIPT)
    return frame.evaluate("options => axe.run(options)", dict(options))
