"""The demo's page: a fictitious broker's listing with the real forms, and what the sandbox CRM received.

The forms come from this machine's other name (`localhost` or `127.0.0.1`), so that they are from another origin than
the page, as on a broker's website. Only `serve --demo` has these routes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.domain.datetimes import STOCKHOLM
from app.domain.marketing import is_tag
from app.domain.submission import Operation
from app.i18n import LANGUAGE_NAMES, N_, GetText
from app.operations import registry
from app.web.http.languages import choose_language
from app.web.http.urlencoded import pairs_of
from app.web.operations.body import BodyTimeoutError, BodyTooLargeError, read_content
from app.web.operations.slots import Slot
from app.web.rendering.page_models import Firm, LanguageLink
from app.web.rendering.templates import Templates


@dataclass(frozen=True)
class Choice:
    """A link on the demo page: with a campaign's tags, or a personal link."""

    label: str
    href: str
    current: bool


@dataclass(frozen=True)
class Mood:
    """A way in which the sandbox CRM can be made to behave."""

    name: str
    label: str
    current: bool


@dataclass(frozen=True)
class CrmCall:
    """A request that the sandbox CRM received. `label` is the operation's display name, `person` the person's name,
    `at` a local time of day; `tags` are pairs of name and value."""

    number: int
    operation: str
    label: str
    person: str
    path: str
    at: str
    status: int | None
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DemoPage:
    """The fictitious broker's page with its forms, and what the CRM received (newest first).

    service          the origin that the forms come from; "" for the page's own
    chosen_language  the language that the visitor chose; otherwise ""
    contested_time   the open time of the home that somebody else takes while the visitor types
    query            the page's query string, to come back to it
    """

    language: str
    languages: tuple[LanguageLink, ...]
    firm: Firm
    service: str
    chosen_language: str
    customer_id: str
    estate_id: str
    sold_id: str
    contested_time: str
    campaigns: tuple[Choice, ...]
    personal: tuple[Choice, ...]
    moods: tuple[Mood, ...]
    calls: tuple[CrmCall, ...]
    query: str
    demo: bool = True


MAX_MOOD = 200  # bytes of a posted body
SHOWN = 30  # calls in the live list
OTHER_NAME = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}
CALL_LABELS: Mapping[str, str] = {
    **{spec.operation: spec.label for spec in registry.OPERATIONS.values()},
    "estate": N_("Home lookup"),
    "attend": registry.OPERATIONS[Operation.VIEWING].label,
}
PERSONS = tuple(prefix.rstrip(".") for prefix in registry.PERSON_PREFIXES)
PERSONAL = {"contact": N_("Contact me"), "loan-promise": N_("Your loan promise")}
# How the CRM can behave: the button's label, and the arguments of the sandbox's `Fault`; None: no fault.
MOODS: Mapping[str, tuple[str, Mapping[str, Any] | None]] = {
    "normal": (N_("up"), None),
    "down": (N_("down"), {"status": 503}),
    "slow": (N_("slow"), {"delay_seconds": 4}),
    "login": (N_("refusing our password"), {"status": 401}),
}
CAMPAIGNS: Sequence[tuple[str, Mapping[str, str]]] = (
    (N_("Search ad"), {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "storgatan"}),
    (N_("Facebook"), {"utm_source": "facebook", "utm_medium": "social", "utm_campaign": "host", "fbclid": "IwAR1x"}),
    (N_("Newsletter"), {"utm_source": "nyhetsbrev", "utm_medium": "email", "utm_campaign": "vecka-48"}),
    (N_("No tags"), {}),
)


class Received(Protocol):
    """A request that the CRM received, as far as the page needs it."""

    @property
    def number(self) -> int: ...
    @property
    def operation(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def status(self) -> int | None: ...
    @property
    def body(self) -> Any: ...


@dataclass(frozen=True)
class DemoDependencies:
    """What the demo's page needs.

    sold_id    the home that has been sold
    contested  the time that somebody else takes while the visitor types
    personal   a signed link of each kind, by its form
    received   returns all requests that the CRM received, oldest first
    set_mood   makes the CRM behave as one of `MOODS`
    """

    firm: Firm
    customer_id: str
    estate_id: str
    sold_id: str
    contested: Slot
    personal: Mapping[str, str]
    received: Callable[[], Sequence[Received]]
    set_mood: Callable[[str], None]


def demo_routes(deps: DemoDependencies, templates: Templates) -> list[Route]:
    demo = _Demo(deps, templates)
    return [
        Route("/", demo.page, methods=["GET"]),
        Route("/demo/received", demo.received, methods=["GET"]),
        Route("/demo/mood", demo.change_mood, methods=["POST"]),
    ]


class _Demo:
    def __init__(self, deps: DemoDependencies, templates: Templates) -> None:
        self._deps = deps
        self._templates = templates
        self._mood = "normal"

    async def page(self, request: Request) -> Response:
        context = _DemoRequest(request, self._templates)
        deps = self._deps
        page = DemoPage(
            language=context.language,
            languages=context.languages(),
            firm=deps.firm,
            service=context.service,
            chosen_language=context.chosen or "",
            customer_id=deps.customer_id,
            estate_id=deps.estate_id,
            sold_id=deps.sold_id,
            contested_time=" ".join(deps.contested.format(context.language, context.gettext)),
            campaigns=tuple(context.campaigns()),
            personal=tuple(
                Choice(context.gettext(PERSONAL[form]), href, False) for form, href in deps.personal.items()
            ),
            moods=tuple(self._moods(context.gettext)),
            calls=tuple(self._calls(context.gettext)),
            query=request.url.query,
        )
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": context.policy()}
        return HTMLResponse(self._templates.fill("demo.html", page.language, page), headers=headers)

    async def received(self, request: Request) -> Response:
        """The live list as JSON, newest first, in the language of `?lang=`."""
        gettext = _DemoRequest(request, self._templates).gettext
        calls = [asdict(call) for call in self._calls(gettext)]
        return JSONResponse({"mood": self._mood, "calls": calls}, headers={"Cache-Control": "no-store"})

    async def change_mood(self, request: Request) -> Response:
        """Only from the demo's own page: other sites must not break a demo."""
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return Response(status_code=403)
        try:
            content = await read_content(request, request.headers, MAX_MOOD)
        except (BodyTooLargeError, BodyTimeoutError, ClientDisconnect):
            return Response(status_code=400)
        mood = dict(pairs_of(content.decode("latin-1"), "replace")).get("mood", "")
        if mood not in MOODS:
            return Response(status_code=400)
        self._deps.set_mood(mood)
        self._mood = mood
        return RedirectResponse(f"/?{request.url.query}#crm", status_code=303)

    def _moods(self, gettext: GetText) -> Iterator[Mood]:
        for name, (label, _) in MOODS.items():
            yield Mood(name, gettext(label), name == self._mood)

    def _calls(self, gettext: GetText) -> Iterator[CrmCall]:
        for call in reversed(self._deps.received()[-SHOWN:]):
            body = call.body if isinstance(call.body, dict) else {}
            marketing = body.get("marketing") or {}
            yield CrmCall(
                number=call.number,
                operation=str(call.operation),
                label=gettext(CALL_LABELS[str(call.operation)]),
                person=_person_name(body),
                path=call.path,
                at=call.at.astimezone(STOCKHOLM).strftime("%H:%M:%S"),
                status=call.status,
                tags=tuple((_text(tag["name"]), _text(tag["value"])) for tag in marketing.get("utmTags") or ()),
            )


class _DemoRequest:
    """A request for the page: its language, its tags, and the host name by which the page was opened."""

    def __init__(self, request: Request, templates: Templates) -> None:
        lang = request.query_params.get("lang")
        self.chosen = lang if lang in templates.languages else None
        accepted = request.headers.get("accept-language")
        self.language = choose_language(lang, accepted, templates.languages[0], templates.languages)
        self.gettext = templates.gettext(self.language)
        self._request = request

    def tags(self) -> dict[str, str]:
        return {name: value for name, value in self._request.query_params.items() if is_tag(name)}

    def languages(self) -> tuple[LanguageLink, ...]:
        links = ((code, self.href(self.tags(), lang=code)) for code in LANGUAGE_NAMES)
        return tuple(LanguageLink(code, LANGUAGE_NAMES[code], href, code == self.language) for code, href in links)

    def campaigns(self) -> Iterator[Choice]:
        for label, tags in CAMPAIGNS:
            yield Choice(self.gettext(label), self.href(tags), tags == self.tags())

    def href(self, tags: Mapping[str, str], *, lang: str | None = None) -> str:
        query = {**tags, "lang": lang or self.chosen}
        return "/?" + urlencode({name: value for name, value in query.items() if value})

    def policy(self) -> str:
        service = self.service or "'self'"
        return (
            f"default-src 'none'; style-src 'self'; script-src 'self' {service}; img-src 'self'; "
            f"connect-src 'self' {service}; frame-src {service}; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )

    @property
    def service(self) -> str:
        """The origin of the forms: whichever of the two fixed host names the page was not opened by. "" (the page's own
        origin) if it was opened by any other name."""
        url = self._request.url
        other = OTHER_NAME.get(url.hostname or "")
        port = f":{url.port}" if url.port else ""
        return f"{url.scheme}://{other}{port}" if other else ""


def _person_name(body: Mapping[str, Any]) -> str:
    person = next((body[name] for name in PERSONS if body.get(name)), body)
    name = " ".join(_text(person[part]) for part in ("firstName", "lastName") if person.get(part))
    return name or _text(body.get("contactId") or "")


def _text(value: object) -> str:
    """JSON may contain unpaired surrogates, which UTF-8 can't encode."""
    return str(value).encode("utf-8", "replace").decode()
