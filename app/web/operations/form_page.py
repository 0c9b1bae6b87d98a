"""The page of a form, empty or filled with the visitor's input."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlencode

from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from app.domain.marketing import is_tag, page_address
from app.domain.short_cache import cached_when_short
from app.i18n import LANGUAGE_NAMES
from app.operations import interest, viewing
from app.operations.member_labels import SYNONYMS, member_label
from app.operations.registry import plain_name
from app.web.http.ready_response import ReadyResponse
from app.web.http.security_headers import REVISITED, page_headers, private_headers
from app.web.operations.context import RequestContext
from app.web.operations.dependencies import Dependencies
from app.web.operations.open_times import is_bookable, times_of, viewing_choices
from app.web.operations.return_url import return_origin
from app.web.rendering.page_models import (
    ErrorPage,
    FieldMessage,
    FormPage,
    InterestOffer,
    LanguageLink,
    Notice,
    SlotChoice,
)

NO_TICKS = viewing.ViewingDefaults(sms_reminder=False, mail_confirmation=False, sms_confirmation=False)
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9._~%+&=-]*")  # the characters of a query as browsers and advertisers write it


def form_response(
    context: RequestContext,
    status: int = 200,
    values: Mapping[str, str] | None = None,
    faults: tuple[FieldMessage, ...] = (),
    notice: Notice | None = None,
    headers: Mapping[str, str] | None = None,
    token: str = "",
) -> Response:
    """The form, empty or with `values`, `faults` and a `notice` on why it is shown again. Issues a new token unless one
    is given."""
    if not (values or faults or notice or context.slots) and (not context.spec.by_home or is_bookable(context)):
        return _fresh(context)
    values = {plain_name(name): value for name, value in (values or {}).items()}
    page = dataclasses.replace(
        _empty(context, values.get("marketing.referrer") or _shown_on(context), token),
        values=values,
        faults=faults,
        notice=notice,
        slots=tuple(slot_choices(context, values, notice)),
    )
    if notice and notice.kind == "refused":
        page = dataclasses.replace(page, offer=interest_offer(context, page))
    if context.spec.by_home:
        page = _with_times(context, page)
    page = dataclasses.replace(page, extra=_correctable(page, context))
    text = context.deps.templates.render(page)
    returns_to = return_origin(values.get("return_url"), context.deps.origins, context.customer)
    form_action = f"'self' {returns_to}" if returns_to else "'self'"
    return HTMLResponse(text, status, headers={**_headers(context, form_action), **(headers or {})})


def _with_times(context: RequestContext, page: FormPage) -> FormPage:
    """The page with the home's times. If none can be booked, it offers an interest instead, with the visitor's input if
    there is any."""
    refused = page.notice is not None and page.notice.kind == "refused"
    viewings = tuple(viewing_choices(context, page.values, refused))
    page = dataclasses.replace(page, times=None, viewings=viewings, away=context.known_home is None and not refused)
    if page.bookable:
        return page
    if page.values:
        offer, notice = interest_offer(context, page), page.notice or Notice("refused")
        return dataclasses.replace(page, offer=offer, notice=notice, faults=())
    address = interest.POST.form_path_for(context.customer.id, context.estate)
    return dataclasses.replace(page, interest_href=f"{address}?{urlencode(_query_to_pass_on(context))}")


def _fresh(context: RequestContext) -> Response:
    """The empty form. It differs between visitors in a few places only, so it is rendered once for each customer, form
    and language (and whatever else is in `key`), and those places are then filled in."""
    deps = context.deps
    referrer, title = _shown_on(context), context.title
    key = (
        context.customer.id,
        context.spec.form and context.spec.form.template,
        context.language,
        bool(referrer),
        bool(title),
        bool(context.greeting),
        bool(action := _action(context)),
        context.theme,
    )
    fresh = deps.fresh_forms.get(key)
    if fresh is None:
        page = HTMLResponse(headers=dict(_headers(context)))
        headers = tuple(header for header in page.raw_headers if header[0] != b"content-length")
        fresh = deps.fresh_forms[key] = deps.templates.skeleton(_empty(context, referrer)), headers
    skeleton, headers = fresh
    token = deps.tokens.issue(context.path)
    texts = {
        "token": token,
        "trap": _trap(context, token),
        "query": escape(_query_start(context, referrer)),
        "referrer": referrer and escape(referrer),
        "title": title and escape(title),
        "name": context.greeting and escape(context.greeting),
        "action": action and escape(action),
        "times": _times(context) if context.spec.by_home else "",
    }
    return ReadyResponse(200, headers, skeleton.fill(texts))


def _times(context: RequestContext) -> Markup:
    """The home's times with none chosen: rendered once for each language, until the times change."""
    times = times_of(context)
    made: Markup | None = times.rendered.get(context.language)
    if made is None:
        page = dataclasses.replace(_empty(context, ""), times=None, viewings=tuple(viewing_choices(context, {})))
        made = times.rendered[context.language] = context.deps.templates.fragment("_times.html", page)
    return made


def _action(context: RequestContext) -> str:
    """Where the form posts to; "" for the page's own address. A booking's form has another address than its post."""
    if not context.spec.shown_at or _is_at_form(context):
        return ""
    query: str = context.request.scope["query_string"].decode("latin-1")
    return f"{context.path}?{query}" if query else context.path


def _is_at_form(context: RequestContext) -> bool:
    return bool(context.request.scope["path"].lower().startswith("/forms/"))


def _empty(context: RequestContext, referrer: str, token: str = "") -> FormPage:
    deps, customer, form = context.deps, context.customer, context.spec.form
    assert form is not None
    ticks = customer.defaults.get(viewing.ViewingDefaults) if context.spec.ticks else NO_TICKS
    token = token or deps.tokens.issue(context.path)
    return FormPage(
        form=form,
        language=context.language,
        languages=language_links(deps, context.language, _query_start(context, referrer)),
        firm=customer.firm,
        demo=deps.demo,
        frame_origins="" if context.spec.personal else deps.frame_origins(customer),
        token=token,
        referrer=referrer,
        trap=_trap(context, token),
        title=context.title,
        action=_action(context),
        by_home=context.spec.by_home,
        times=Markup("-") if context.spec.by_home else None,
        name=context.greeting,
        consent=context.asks_consent,
        personnummer=customer.collect_personnummer,
        sms_reminder=ticks.sms_reminder,
        reminder_minutes=ticks.reminder_minutes,
        mail_confirmation=ticks.mail_confirmation,
        sms_confirmation=ticks.sms_confirmation,
        theme=context.theme,
    )


def _trap(context: RequestContext, token: str) -> str:
    """The name of the honeypot input; "" on a personal form, whose visitor has a signed link."""
    return "" if context.spec.personal else context.deps.tokens.trap(token)


def _headers(context: RequestContext, form_action: str = "'self'") -> Mapping[str, str]:
    style = context.deps.templates.css(context.customer.firm, context.theme).csp_hash
    if context.spec.personal:
        return private_headers(style)
    public = page_headers(style, context.deps.frame_ancestors(context.customer), form_action)
    return {**public, "Cache-Control": REVISITED}


def instead_of_form(context: RequestContext, kind: str, status: int) -> Response:
    """An `ErrorPage` of this kind instead of a personal form."""
    deps, firm = context.deps, context.customer.firm
    links = language_links(deps, context.language, _query_start(context, ""))
    page = ErrorPage(context.language, firm, deps.demo, status, kind, links)
    headers = dict(private_headers(deps.templates.css(firm).csp_hash))
    return HTMLResponse(deps.templates.render(page), status, headers=headers)


def _shown_on(context: RequestContext) -> str:
    """The broker's page that the form is shown on: from the embed's `referrer`, else from the `Referer` header."""
    if context.spec.personal:
        return ""
    return page_address(context.query_value("referrer")) or context.came_from or ""


def _query_start(context: RequestContext, referrer: str) -> str:
    """The start of a link to this page in another language: the page's query and `referrer`, ready for `lang` to be
    added. It begins with the form's path if this request's path only accepts posts."""
    shown_at = context.spec.shown_at
    form = (
        context.spec.shown_path_for(context.customer.id, *context.resource)
        if shown_at and not _is_at_form(context)
        else ""
    )
    return form + _own_query_start(context, referrer)


def _own_query_start(context: RequestContext, referrer: str) -> str:
    query: str = context.request.scope["query_string"].decode("latin-1")
    if "lang" in query or "referrer" in query or not _PLAIN_QUERY.fullmatch(query):
        return query_start(context.query, referrer)
    parts = (query, _referrer_pair(referrer)) if referrer else (query,)
    return "?" + "".join(f"{part}&" for part in parts if part)


@cached_when_short
def _referrer_pair(referrer: str) -> str:
    return urlencode({"referrer": referrer})


def query_start(query: Iterable[tuple[str, str]], referrer: str = "") -> str:
    pairs = [(name, value) for name, value in query if name not in {"lang", "referrer"}]
    pairs += [("referrer", referrer)] if referrer else []
    return f"?{urlencode(pairs)}&" if pairs else "?"


def language_links(deps: Dependencies, language: str, start: str) -> tuple[LanguageLink, ...]:
    """Links to the same page in each language. `start` is the query to keep: tags and `referrer`."""
    return tuple(
        LanguageLink(code, LANGUAGE_NAMES[code], f"{start}lang={code}", code == language)
        for code in deps.templates.languages
    )


# Inputs of a booking that an interest does not have.
BOOKINGS = frozenset({"slot", "gone", "ticks", "reminderTime", "_charset_", "", *viewing.TICKS})
PASSED_ON = frozenset({"title", "lang", "referrer", "theme"})  # parameters of the page's query, in addition to the tags


def slot_choices(context: RequestContext, values: Mapping[str, str], notice: Notice | None) -> Iterator[SlotChoice]:
    """The times given by the embed. The hidden input `gone` lists those that Vitec has refused this visitor."""
    if not context.slots:
        return
    gone = set(values.get("gone", "").split())
    if notice and notice.kind == "refused":
        gone.add(context.resource[-1])
    chosen = values.get("slot", context.resource[-1])
    for slot in context.slots:
        is_gone = slot.id in gone
        day, time = slot.format(context.language, context.gettext)
        yield SlotChoice(slot.id, day, time, chosen=slot.id == chosen and not is_gone, gone=is_gone)


def _query_to_pass_on(context: RequestContext) -> list[tuple[str, str]]:
    query = [(name, value) for name, value in context.query if name in PASSED_ON or is_tag(name)]
    return query if not context.title or context.query_value("title") else [*query, ("title", context.title)]


def _correctable(page: FormPage, context: RequestContext) -> tuple[tuple[str, str], ...]:
    """Name and label of faulty fields that the page has no visible input for, so that the visitor can correct them."""
    wrong = [fault.field for fault in page.faults if fault.field in page.values and not page.has_input(fault.field)]
    return tuple((name, member_label(name, context.gettext)) for name in wrong)


def interest_offer(context: RequestContext, page: FormPage) -> InterestOffer | None:
    """An interest in the same home, with all input that is not a booking's only. None if the home is unknown."""
    if not context.estate:
        return None
    ids = context.customer.id, context.estate
    address = interest.POST.form_path_for(*ids)
    query = urlencode(_query_to_pass_on(context))
    values = {SYNONYMS.get(name, name): value for name, value in page.values.items()}
    values = {name: value for name, value in values.items() if name not in BOOKINGS}
    tokens = context.deps.tokens
    return InterestOffer(
        action=f"{address}?{query}" if query else address,
        token=tokens.issue(interest.POST.path_for(*ids), tokens.age(page.token, context.path) or 0),
        values=values | ({"marketing.referrer": page.referrer} if page.referrer else {}),
    )
