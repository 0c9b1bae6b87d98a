"""An embed that can't work says why. Hostile messages are ignored, and hostile attributes never run."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from app.sandbox import Office
from tests.acceptance.broker import Broker, Embedded, dispatched, frame, height, send
from tests.conftest import CUSTOMER
from tests.servers import eventually


@pytest.fixture(autouse=True)
def _clock(page: Page) -> None:
    """A clock that the test can advance: the element waits up to 13 s for its frame."""
    page.clock.install()


def _reason(page: Page) -> str:
    def errors() -> list[Any]:
        page.clock.run_for(500)
        return [detail for name, _, detail in page.evaluate("dispatched") if name == "error"]

    [detail] = eventually(errors)
    expect(page.get_by_role("link", name="Anmäl intresse")).to_be_visible()  # the element has its own content again
    return str(detail["reason"])


def test_where_the_origin_is_not_the_customers_the_page_says_so(
    public: Callable[..., str], website: Broker, page: Page, office: Office
) -> None:
    embedded = Embedded(public(), website, office)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(embedded.page(embedded.element(), embedded.script))
    assert _reason(page) == "origin"
    assert any("allowed_origins" in text for text in messages)


def test_where_the_pages_own_policy_forbids_the_frame_the_page_says_so(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.element(), embedded.script, **{"Content-Security-Policy": "frame-src 'self'"}))
    assert _reason(page) == "csp"


def refused_by_the_browser(page: Page) -> None:
    page.route("**/forms/**", lambda route: route.abort("blockedbyclient"))


def refused_by_a_proxy(page: Page) -> None:
    page.route("**/forms/**", lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>502</h1>"))


def refused_with_x_frame_options(page: Page) -> None:
    def answer(route: Route) -> None:
        response = route.fetch()  # beside frame-ancestors it would not count
        headers = {**response.headers, "content-security-policy": "", "x-frame-options": "DENY"}
        route.fulfill(response=response, headers=headers)

    page.route("**/forms/**", answer)


def without_network(page: Page) -> None:
    page.route("**/forms/**", lambda route: route.abort("connectionrefused"))
    page.route("**/embed/check**", lambda route: route.abort("connectionrefused"))


def never_answered(page: Page) -> None:
    page.route("**/forms/**", lambda route: None)
    page.route("**/embed/check**", lambda route: None)


def sandboxed_by_the_page(page: Page) -> None:
    page.add_init_script("""
      const { replaceChildren } = Element.prototype
      Element.prototype.replaceChildren = function (...nodes) {
        for (const node of nodes) if (node.tagName === "IFRAME") node.sandbox = "allow-scripts"
        replaceChildren.apply(this, nodes)
      }""")


def removed_by_a_script(page: Page) -> None:
    page.add_init_script(
        "new MutationObserver(() => document.querySelectorAll('iframe').forEach((frame) => frame.remove()))"
        ".observe(document, {childList: true, subtree: true})"
    )


def nothing_more(page: Page) -> None:
    """The page's own headers are enough."""


@pytest.mark.parametrize(
    ("refuse", "headers"),
    [
        (refused_by_the_browser, {}),
        (refused_by_a_proxy, {}),
        (refused_with_x_frame_options, {}),
        (without_network, {}),
        (never_answered, {}),
        (sandboxed_by_the_page, {}),
        (removed_by_a_script, {}),
        (nothing_more, {"Cross-Origin-Embedder-Policy": "require-corp"}),
        (nothing_more, {"Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin"}),
        (nothing_more, {"Content-Security-Policy": "sandbox allow-scripts"}),
    ],
)
def test_a_frame_that_does_not_come_up_gives_way_to_the_elements_own_link_with_the_tags(
    embedded: Embedded, page: Page, refuse: Callable[[Page], None], headers: dict[str, str]
) -> None:
    refuse(page)
    shown = embedded.page(embedded.element(title="Storgatan 1"), embedded.script, **headers) + "?utm_source=a&x=y"
    page.goto(shown, wait_until="domcontentloaded")  # some frames keep their page from being loaded
    assert _reason(page) == "blocked"
    expect(page.locator("iframe")).to_have_count(0)
    url = urlsplit(page.get_by_role("link", name="Anmäl intresse").get_attribute("href") or "")
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{embedded.service}/forms/{CUSTOMER}/interest/OBJ1"
    referrer = f"{embedded.website.url}/storgatan-1"
    assert parse_qs(url.query) == {"utm_source": ["a"], "title": ["Storgatan 1"], "referrer": [referrer]}


def test_an_element_without_a_link_of_its_own_is_given_one(embedded: Embedded, page: Page) -> None:
    refused_by_the_browser(page)
    element = f"<div id=interest data-intresse=interest data-customer={CUSTOMER} data-estate=OBJ1></div>"
    page.goto(embedded.page(element, embedded.script) + "?utm_source=a")
    assert _reason(page) == "blocked"
    page.unroute_all()
    page.get_by_role("link", name="Anmäl intresse").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Anmäl intresse")
    assert "utm_source=a" in page.url


def test_a_copy_of_an_element_with_its_frame_gives_way_to_a_link_too(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.element(), embedded.script))
    assert dispatched(page, "ready")
    refused_by_the_browser(page)
    page.evaluate("interest.replaceWith(interest.cloneNode(true))")
    assert _reason(page) == "blocked"
    expect(page.locator("iframe")).to_have_count(0)


def test_a_link_to_somewhere_else_is_left_as_it_is(embedded: Embedded, page: Page) -> None:
    refused_by_the_browser(page)
    theirs = "<a href='/kontakt?a=1#b'>Kontakt</a><svg><a href='/x'><text>x</text></a></svg>"
    page.goto(embedded.page(embedded.element().replace("</div>", f"{theirs}</div>"), embedded.script) + "?utm_source=a")
    assert _reason(page) == "blocked"
    assert page.get_by_role("link", name="Kontakt").get_attribute("href") == "/kontakt?a=1#b"


def test_a_form_that_is_gone_after_it_was_sent_leaves_the_link(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.element(), embedded.script))
    assert dispatched(page, "ready")
    refused_by_a_proxy(page)
    send(frame(page))
    assert _reason(page) == "blocked"


def test_a_malformed_home_id_shows_no_form(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.element(estate="../../x"), embedded.script))
    assert _reason(page) == "blocked"


def test_where_there_is_no_such_customer_or_an_attribute_is_missing_the_page_says_so(
    embedded: Embedded, page: Page
) -> None:
    page.goto(embedded.page(embedded.element(customer="NOBODY"), embedded.script))
    assert _reason(page) == "customer"
    for wrong in (embedded.element(estate=""), embedded.element(intresse="constructor")):
        page.goto(embedded.page(wrong, embedded.script))
        assert _reason(page) == "attributes"


def test_messages_of_a_foreign_window_are_not_heard_by_either_side(embedded: Embedded, page: Page) -> None:
    hostile = """<iframe id=foreign srcdoc="<script>
      const say = (m) => parent.postMessage(m, '*')
      say({type: 'intresse:height', height: 9}); say({type: 'intresse:submitted', reference: 'X'})
      parent[0].postMessage({type: 'intresse:hello'}, '*')
      addEventListener('message', (e) => parent.postMessage({leaked: e.data}, '*'))
    </script>"></iframe>"""
    leaks = "<script>var leaks = []; addEventListener('message', (e) => e.data.leaked && leaks.push(e.data))</script>"
    page.goto(embedded.page(leaks, embedded.element(), embedded.script))
    assert dispatched(page, "ready")
    page.locator("body").evaluate("(body, html) => body.insertAdjacentHTML('beforeend', html)", hostile)
    eventually(lambda: page.locator("#foreign").evaluate("frame => frame.contentDocument?.readyState") == "complete")
    send(frame(page))  # whatever was said before this has been heard when this is
    assert dispatched(page, "error")
    assert height(page) > 500
    assert [event for event in page.evaluate("dispatched") if event[0] == "submitted"] == []
    assert page.evaluate("leaks") == []


def test_hostile_attributes_are_shown_as_text_and_never_run(embedded: Embedded, page: Page) -> None:
    hostile = "&lt;img src=x onerror=alert(1)&gt;"
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    page.goto(embedded.page(embedded.element(title=hostile, lang=hostile, estate="../../x"), embedded.script))
    page.goto(embedded.page(embedded.element(title=hostile, lang=hostile), embedded.script))
    expect(frame(page).get_by_text("<img src=x")).to_be_visible()
    assert alerts == []
