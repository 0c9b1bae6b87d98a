"""The form's page, empty or with what was typed."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response

from app.domain.filling import ViewingDefaults
from app.domain.marketing import page_address
from app.web.customers import origin_of
from app.web.headers import page_headers, private_headers
from app.web.messages import plain_field
from app.web.offers import interest_offer, slot_choices
from app.web.pages import ErrorPage, FieldFault, FormPage, LanguageLink, Notice
from app.web.returning import return_origin
from app.web.site import Site
from app.web.visit import Visit

NO_TICKS = ViewingDefaults(sms_reminder=False, mail_confirmation=False, sms_confirmation=False)
LABELS = {"sv": "Svenska", "en": "English"}


def form_response(
    visit: Visit,
    status: int = 200,
    values: Mapping[str, str] | None = None,
    faults: tuple[FieldFault, ...] = (),
    notice: Notice | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The form, empty or with what was typed, and why it is shown again."""
    values = {plain_field(name): value for name, value in (values or {}).items()}
    site, customer = visit.site, visit.customer
    referrer = values.get("marketing.referrer") or ("" if visit.kind.personal else _shown_on(visit))
    assert visit.kind.page is not None
    ticks = customer.defaults.viewing if visit.kind.page == "viewing" else NO_TICKS
    page = FormPage(
        form=visit.kind.page,
        language=visit.language,
        languages=language_links(site, visit.language, visit.query, referrer),
        firm=customer.firm,
        demo=site.demo,
        frame_origins="" if visit.kind.personal else site.frame_origins(customer),
        token=site.tokens.issue(visit.path),
        referrer=referrer,
        title=visit.title,
        name=visit.greeting,
        values=values,
        faults=faults,
        notice=notice,
        slots=tuple(slot_choices(visit, values, notice)),
        offer=interest_offer(visit, values) if notice and notice.kind == "refused" else None,
        consent=visit.asks_consent,
        personnummer=customer.collect_personnummer,
        sms_reminder=ticks.sms_reminder,
        mail_confirmation=ticks.mail_confirmation,
        sms_confirmation=ticks.sms_confirmation,
    )
    text = site.templates.form_page(page)
    style = site.templates.css(customer.firm).csp_hash
    returns_to = return_origin(values.get("return_url"), site.origins, customer)
    form_action = f"'self' {returns_to}" if returns_to else "'self'"
    ancestors = site.frame_ancestors(customer)
    fixed = private_headers(style) if visit.kind.personal else page_headers(style, ancestors, form_action)
    return HTMLResponse(text, status, headers={**fixed, **(headers or {})})


def instead_of_form(visit: Visit, kind: str, status: int) -> Response:
    """A page of `ErrorPage`'s kinds in the place of a personal form."""
    site, firm = visit.site, visit.customer.firm
    links = language_links(site, visit.language, visit.query)
    page = ErrorPage(visit.language, firm, site.demo, status, kind, links)
    headers = dict(private_headers(site.templates.css(firm).csp_hash))
    return HTMLResponse(site.templates.render(page), status, headers=headers)


def _shown_on(visit: Visit) -> str:
    """The broker's page: what the embed says, else where the visitor came from, but not a page of ours."""
    asked = page_address(visit.asked("referrer"))
    came_from = page_address(visit.headers.get("referer"))
    if came_from and origin_of(came_from) == visit.site.origins.public_origin:
        came_from = None
    return asked or came_from or ""


def language_links(
    site: Site, language: str, query: Iterable[tuple[str, str]], referrer: str = ""
) -> tuple[LanguageLink, ...]:
    """The same page in each language, keeping its tags and the page that it was shown on."""
    kept = [(name, value) for name, value in query if name not in {"lang", "referrer"}]
    kept += [("referrer", referrer)] if referrer else []
    start = f"?{urlencode(kept)}&" if kept else "?"
    return tuple(
        LanguageLink(code, LABELS.get(code, code), f"{start}lang={code}", code == language)
        for code in site.templates.languages
    )
