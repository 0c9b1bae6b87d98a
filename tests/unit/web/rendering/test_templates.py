"""Pages are accessible, safe whatever anyone sends, and the same on the fast path as on the slow one."""

import base64
import hashlib
import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from markupsafe import escape

from app.operations.registry import FORMS
from app.operations.viewing import ATTEND_FORM
from app.web.rendering.page_models import (
    ErrorPage,
    FieldMessage,
    Firm,
    FormPage,
    LanguageLink,
    Notice,
    ReceiptPage,
    SlotChoice,
    ViewingChoice,
)
from app.web.rendering.templates import Templates

TEMPLATES = Templates()
FIRM = Firm(
    "Mäklar & Co", "08-123 456 78", "info@example.se", "https://example.se/p?a=1&b=2", "#0b5d4b", "6px", "Inter"
)
LANGUAGES = (LanguageLink("sv", "Svenska", "?lang=sv", True), LanguageLink("en", "English", "?lang=en", False))
HOSTILE = [
    "",
    "Storgatan 1",
    "</title><script>alert(1)</script>",
    '"><img src=x>',
    "{{ 7*7 }} {% raw %}",
    "%(firm)s %s",
    "'&amp;\x00",
]


def form(kind: str = "interest", **changes: Any) -> FormPage:
    page = FormPage(
        form=FORMS[kind],
        language="sv",
        languages=LANGUAGES,
        firm=FIRM,
        demo=False,
        frame_origins="https://b.se",
        token="tok",
        referrer="",
        consent=True,
    )
    return replace(page, sms_reminder=True, mail_confirmation=True, **changes)


class Elements(HTMLParser):
    """All start tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def named(self, name: str) -> dict[str, str | None]:
        [element] = [attributes for _, attributes in self.all if attributes.get("name") == name]
        return element

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] or "" for _, attributes in self.all if attribute in attributes]


PAGES = [
    form(),
    form(
        "viewing",
        slots=(SlotChoice("A", "söndag", "kl. 13", True), SlotChoice("B", "söndag", "kl. 14", False)),
        personnummer=True,
    ),
    form(faults=(FieldMessage("firstName", "Skriv ditt förnamn"), FieldMessage("address.city", "Orten …"))),
    form("viewing", faults=(FieldMessage("contact", "Skriv …"), FieldMessage("consent", "Kryssa …"))),
    *(form("viewing", notice=Notice(kind, ("Fullt",))) for kind in ("forbidden", "busy", "unavailable", "refused")),
    *(
        ReceiptPage(FORMS["viewing"], "sv", LANGUAGES, FIRM, True, "https://b.se", "pending", "4F7K9QXW", s, "/r")
        for s in ("received", "booked", "refused")
    ),
    ErrorPage("en", None, False, 404, "not-found"),
    ErrorPage("sv", FIRM, True, 500, "fault", LANGUAGES),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: type(page).__name__)
def test_every_id_reference_on_a_page_resolves(page: Any) -> None:
    elements = Elements(TEMPLATES.render(page))
    ids = elements.values("id")
    assert len(ids) == len(set(ids))
    referred = [part for value in elements.values("aria-describedby") for part in value.split()]
    referred += elements.values("for") + [href[1:] for href in elements.values("href") if href.startswith("#")]
    assert set(referred) <= set(ids)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: type(page).__name__)
def test_a_page_has_no_script_or_style_that_its_policy_would_have_to_allow(page: Any) -> None:
    elements = Elements(TEMPLATES.render(page))
    assert not [
        name for _, attributes in elements.all for name in attributes if name.startswith("on") or name == "style"
    ]
    assert all(
        (attributes.get("src") or "").startswith("/static/") for tag, attributes in elements.all if tag == "script"
    )
    assert [tag for tag, _ in elements.all].count("style") == 1


def _filled(page: FormPage) -> str:
    """Through a skeleton of a page with other texts in the same places."""
    other = replace(page, token="other", referrer=page.referrer and "other", title=page.title and "other")
    start = page.languages[-1].href.removesuffix("lang=en")
    texts = {"token": page.token, "query": start, "referrer": page.referrer, "title": page.title, "name": page.name}
    return TEMPLATES.skeleton(other).fill({place: escape(text) for place, text in texts.items()}).decode()


@pytest.mark.parametrize("kind", ["interest", "viewing"])
@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_fast_path_renders_the_same_page(kind: str, language: str) -> None:
    for title, referrer, token in itertools.product(HOSTILE, HOSTILE, ["tok", *HOSTILE[2:4]]):
        links = tuple(replace(link, href=f"?title={title}&lang={link.code}") for link in LANGUAGES)
        page = form(kind, language=language, title=title, referrer=referrer, token=token, languages=links)
        assert _filled(page) == TEMPLATES.render(page)


def test_the_fast_path_works_for_every_customer_and_configuration() -> None:
    pages = [form(), form(firm=replace(FIRM, name="B")), form(consent=False), form(personnummer=True), form(demo=True)]
    pages += [form("viewing"), form("viewing", sms_confirmation=True), form("contact", name="Anna <3")]
    for page in pages:
        assert _filled(page) == TEMPLATES.render(page)


@pytest.mark.parametrize("kind", ["interest", "viewing"])
def test_a_form_is_small_enough_for_the_first_packets(kind: str) -> None:
    page = form(kind, title="Tvåa med balkong, Storgatan 1", referrer="https://www.example.se/bostad/1", demo=True)
    assert len(TEMPLATES.render(page).encode()) <= 14 * 1024


def test_a_form_posts_to_its_own_address_with_our_messages_instead_of_the_browsers() -> None:
    [attributes] = [attributes for tag, attributes in Elements(TEMPLATES.render(form())).all if tag == "form"]
    assert attributes == {"method": "post", "novalidate": None}


def test_an_error_is_shown_in_the_title_in_the_summary_and_at_its_field() -> None:
    page = form(faults=(FieldMessage("address.city", "Orten får …"), FieldMessage("firstName", "Skriv ditt förnamn")))
    html = TEMPLATES.render(page)
    elements = Elements(html)
    assert re.search(r"<title>Fel: Anmäl intresse", html)
    assert html.index('role="alert"') < html.index("<h1>")
    assert [href for href in elements.values("href") if href.startswith("#")] == ["#firstName", "#address-city"]
    assert elements.named("firstName")["aria-invalid"] == "true"
    assert elements.named("firstName")["aria-describedby"] == "firstName-fault"
    assert "aria-invalid" not in elements.named("lastName")
    assert "<details open>" in html


def test_what_the_broker_wrote_in_vitec_is_marked_as_swedish_on_an_english_page() -> None:
    viewing = ViewingChoice("Samling vid porten", (SlotChoice("A", "Sunday", "13:00", chosen=True),))
    notice = Notice("refused", ("Visningstiden är fullbokad.",))
    html = TEMPLATES.render(form(form=ATTEND_FORM, language="en", viewings=(viewing,), notice=notice))
    swedish = [attributes for tag, attributes in Elements(html).all if tag == "p" and attributes.get("lang") == "sv"]
    assert len(swedish) == 2


def test_the_countries_are_in_the_order_of_the_alphabet_whatever_their_case() -> None:
    names = re.findall(r'<option value="[A-Z]{2}">(.+)</option>', TEMPLATES.render(form("viewing")))
    assert names[-4:] == ["Ukraina", "Ungern", "USA", "Österrike"]


def test_the_error_of_email_and_phone_is_tied_to_both_fields() -> None:
    elements = Elements(TEMPLATES.render(form("viewing", faults=(FieldMessage("contact", "Skriv …"),))))
    for name in ("cellPhone", "email.emailAddress"):
        assert elements.named(name)["aria-describedby"] == "contact-fault"
        assert elements.named(name)["aria-invalid"] == "true"
    assert "#cellPhone" in elements.values("href")


def test_an_error_of_a_field_that_is_not_on_the_form_is_shown_without_a_link() -> None:
    html = TEMPLATES.render(form(faults=(FieldMessage("telephone.home", "Skriv numret så här"),)))
    assert "<li>Skriv numret så här</li>" in html


def test_everything_typed_is_still_there() -> None:
    values = {"firstName": '"Anna"', "contactMessage": "\nHej </textarea>", "address.city": "Umeå", "consent": "true"}
    html = TEMPLATES.render(form(values={**values, "presentAccommodation.estateType": "Plot"}, notice=Notice("busy")))
    elements = Elements(html)
    assert elements.named("firstName")["value"] == '"Anna"'
    assert ">\n\nHej &lt;/textarea&gt;</textarea>" in html  # HTML drops the first line break of a textarea
    assert elements.named("address.city")["value"] == "Umeå"
    assert "checked" in elements.named("consent")
    assert '<option value="Plot" selected>' in html


def test_ticks_are_set_until_the_visitor_removes_them() -> None:
    assert "checked" in Elements(TEMPLATES.render(form("viewing"))).named("smsReminder")
    typed = Elements(TEMPLATES.render(form("viewing", values={"ticks": "1", "mailConfirmation": "true"})))
    assert "checked" not in typed.named("smsReminder")
    assert "checked" in typed.named("mailConfirmation")


def test_consent_is_described_by_what_it_is_for() -> None:
    elements = Elements(TEMPLATES.render(form("viewing", faults=(FieldMessage("consent", "Kryssa …"),))))
    assert (elements.named("consent")["aria-describedby"] or "").split() == ["consent-hint", "consent-fault"]
    assert {"consent-hint", "consent-fault"} <= {attributes.get("id") for _, attributes in elements.all}


def test_consent_is_never_given_beforehand() -> None:
    assert "checked" not in Elements(TEMPLATES.render(form("viewing"))).named("consent")


def test_personnummer_is_asked_for_only_where_the_firm_wants_it() -> None:
    assert "socialSecurityNumber" not in TEMPLATES.render(form())
    assert "socialSecurityNumber" in TEMPLATES.render(form(personnummer=True))


@pytest.mark.parametrize("kind", ["forbidden", "unavailable", "refused"])
def test_where_we_cannot_help_we_say_who_can(kind: str) -> None:
    html = TEMPLATES.render(form("viewing", notice=Notice(kind, upstream=("Kan inte bokas", "<Fullt>"))))
    assert html.index('href="tel:0812345678"') < html.index("<h1>")
    assert ("&lt;Fullt&gt;" in html) == (kind == "refused")


def test_a_receipt_can_be_read_over_a_phone_and_renews_itself_without_a_script() -> None:
    html = TEMPLATES.render(
        ReceiptPage(
            FORMS["viewing"], "sv", LANGUAGES, FIRM, False, "", "pending", "4F7K9QXW", "received", "/receipts/x?a=1&b"
        )
    )
    assert "4F7K 9QXW" in html
    assert '<noscript><meta http-equiv="refresh" content="5;url=/receipts/x?a=1&amp;b"></noscript>' in html


def test_a_final_receipt_does_not_refresh() -> None:
    html = TEMPLATES.render(
        ReceiptPage(FORMS["viewing"], "sv", LANGUAGES, FIRM, False, "", "delivered", "4F7K9QXW", "booked", None)
    )
    assert "Din plats är bokad" in html
    assert "refresh" not in html


@pytest.mark.parametrize("page", [form(demo=True), ErrorPage("sv", None, True, 404, "not-found")])
def test_the_demo_says_on_every_page_that_nothing_is_real(page: Any) -> None:
    assert "Inget här är på riktigt" in TEMPLATES.render(page)
    assert "Inget här är på riktigt" not in TEMPLATES.render(replace(page, demo=False))


def test_the_policy_of_a_page_allows_exactly_its_own_style() -> None:
    [style] = re.findall(r"<style>(.*?)</style>", TEMPLATES.render(form()), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert TEMPLATES.css(FIRM).csp_hash == f"'sha256-{digest}'"
