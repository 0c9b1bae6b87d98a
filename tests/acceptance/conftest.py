"""A real browser, and the service at the address under which the browser knows it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from app.lookups import home_cache
from app.sandbox import Office
from app.web.personal import contact_names
from tests.acceptance.broker import Broker, Embedded, broker
from tests.acceptance.commands import intresse, shell
from tests.acceptance.running_service import RunningService, run_service
from tests.conftest import Configure
from tests.databases import migrated_app
from tests.servers import listening, serve

__all__ = ["intresse", "shell"]  # fixtures

# Chromium as root and without the look-ups that a closed network refuses.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PATIENCE = 30_000  # milliseconds: many, for a busy machine
PAGES_WAIT = contact_names.PATIENCE_SECONDS
assert PAGES_WAIT == home_cache.PATIENCE_SECONDS


HEADLESS_SHELL = "chromium-headless-shell"  # the same engine: a new page costs a quarter of the time


def chromium(*preferred: str) -> str:
    """The path of the system's Chromium."""
    names = (*preferred, "chromium", "chromium-browser", "google-chrome")
    executable = next(filter(None, map(shutil.which, names)), None)
    assert executable, "no Chromium on this machine: see tests/install-programs"
    return executable


@pytest.fixture(autouse=True, scope="session")
def _patient_pages() -> Iterator[None]:
    """Lets pages wait longer for Vitec than the product does, because the sandbox may be slow on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (contact_names, home_cache):
            patch.setattr(module, "PATIENCE_SECONDS", 20.0)
        yield


@pytest.fixture
def pages_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets pages wait for Vitec only as long as the product does."""
    for module in (contact_names, home_cache):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", PAGES_WAIT)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(HEADLESS_SHELL), args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """A browser like a Swedish phone."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="sv-SE")
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with phone(browser) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def desktop(context: BrowserContext) -> Page:
    """A page as wide as on a desktop computer."""
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    return page


@pytest.fixture
def public(configure: Configure) -> Iterator[Callable[..., str]]:
    """Starts the service with its real address as `public_url`; returns that. Takes the arguments of `configure`."""
    with ExitStack() as running:

        def run(**overrides: Any) -> str:
            listener, port = listening()
            settings = configure(public_url=f"http://127.0.0.1:{port}", **overrides)
            return running.enter_context(serve(migrated_app(settings), listener=listener))

        yield run


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service for a whole module, whose tests must each use their own paths. Overridden for other settings."""
    with run_service(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def website() -> Iterator[Broker]:
    with broker() as site:
        yield site


@pytest.fixture
def embedded(public: Callable[..., str], website: Broker, office: Office) -> Embedded:
    return Embedded(
        public(customer={"allowed_origins": [website.url], "valuation": {}, "final_price": {}}), website, office
    )
