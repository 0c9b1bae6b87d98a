"""Where an embed can't work it says why, and what is hostile is never heard and never run."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from app.sandbox import Office
from tests.acceptance.broker import Broker, Embedded, frame, height, send, told
from tests.servers import eventually


def _reason(page: Page) -> str:
    [detail] = told(page, "error")
    expect(page.get_by_role("link", name="Anmäl intresse")).to_be_visible()  # the element has its own content again
    return str(detail["reason"])


def test_where_the_origin_is_not_the_customers_the_page_says_so(
    public: Callable[..., str], website: Broker, page: Page, office: Office
) -> None:
    embedded = Embedded(public(), website, office)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(embedded.page(embedded.element(), embedded.script))
    assert _reason(page) == "origin"
    assert any("allowed_origins" in text for text in said)


def test_where_the_pages_own_policy_forbids_the_frame_the_page_says_so(embedded: Embedded, page: Page) -> None:
    page.goto(embedded.page(embedded.element(), embedded.script, **{"Content-Security-Policy": "frame-src 'self'"}))
    assert _reason(page) == "csp"


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
    assert told(page, "ready")
    page.locator("body").evaluate("(body, html) => body.insertAdjacentHTML('beforeend', html)", hostile)
    eventually(lambda: page.locator("#foreign").evaluate("frame => frame.contentDocument?.readyState") == "complete")
    send(frame(page))  # whatever was said before this has been heard when this is
    assert told(page, "error")
    assert height(page) > 500
    assert [one for one in page.evaluate("told") if one[0] == "submitted"] == []
    assert page.evaluate("leaks") == []


def test_hostile_attributes_are_words_and_never_run(embedded: Embedded, page: Page) -> None:
    hostile = "&lt;img src=x onerror=alert(1)&gt;"
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    page.goto(embedded.page(embedded.element(title=hostile, lang=hostile, estate="../../x"), embedded.script))
    page.goto(embedded.page(embedded.element(title=hostile, lang=hostile), embedded.script))
    expect(frame(page).get_by_text("<img src=x")).to_be_visible()
    assert alerts == []
