"""The context of a request to a public operation, before its body is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from app.domain.marketing import one_line, page_address
from app.domain.submission import PATH_ID
from app.i18n import GetText
from app.lookups.home_cache import KnownHome
from app.operations.specification import Booked, PostSpec
from app.web.http.languages import choose_language
from app.web.http.origins import origin_of
from app.web.http.urlencoded import pairs_of_query
from app.web.operations.body import MAX_FIELDS
from app.web.operations.cross_origin import CUSTOMER
from app.web.operations.customer import Customer, caller_key
from app.web.operations.dependencies import Dependencies
from app.web.operations.slots import Slot, parse_slots
from app.web.rendering.theme import Theme

TITLE_LENGTH = 80


class PageNotFoundError(Exception):
    """An unknown customer, an id that no Vitec id can be, or a form that the customer does not have."""


@dataclass(slots=True)
class RequestContext:
    """`resource` is the path's ids after the customer's; `query` the address's pairs in order; `key` the API key;
    `path` what tokens and repeats are bound to, the same for every address of a form; `given` are members of the
    application that the address says; `once` the mark of an address that is used once."""

    request: Request
    deps: Dependencies
    spec: PostSpec
    customer: Customer
    resource: tuple[str, ...]
    headers: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    language: str
    key: str | None
    path: str
    given: Mapping[str, Any] = field(default_factory=dict)
    once: bytes | None = None
    first_values: Mapping[str, str] = field(init=False)  # of the query
    greeting: str = ""  # the first name of the one whose personal page it is
    viewing: str = ""  # of a booking by home: the viewing of the time that was chosen, where it is known
    slot: str = ""  # and the time itself
    known: KnownHome | None = None  # the home whose times are booked, where Vitec has told them

    def __post_init__(self) -> None:
        self.first_values = dict(reversed(self.query))

    @property
    def asks_consent(self) -> bool:
        return self.customer.consent_required and self.spec.asks_consent

    @property
    def gettext(self) -> GetText:
        return self.deps.templates.gettext(self.language)

    def asked(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return self.first_values.get(name)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The times of the viewing that the embed offers."""
        return parse_slots(self.asked("slots") or "") if self.spec.takes_slots else ()

    @property
    def estate(self) -> str:
        """The home of a viewing: in the path, or where the embed says so."""
        if self.spec.by_home:
            return self.resource[0]
        asked = self.asked("estate") if self.spec.takes_slots else None
        return asked if asked and PATH_ID.fullmatch(asked) else ""

    @property
    def booked(self) -> Booked:
        """The time that the post books."""
        viewing, slot = self.resource if self.spec.takes_slots else (self.viewing, self.slot)
        return Booked(self.estate, viewing, slot)

    @property
    def title(self) -> str:
        """Which home it is about, as the embed or Vitec says; plain text in one line."""
        return plain_title(self.asked("title") or (self.known.home.name if self.known else None))

    @property
    def came_from(self) -> str | None:
        """The page that the visitor came from, where it is none of ours: our form's own address tells of no visit. Of
        a personal page it is nobody's business, because its address is a secret."""
        if self.spec.personal:
            return None
        page = page_address(self.headers.get("referer"))
        return None if page and origin_of(page) == self.deps.origins.public_origin else page

    @property
    def theme(self) -> Theme:
        """That of the page around the frame, where the embed says it; a personal page is never in one."""
        return Theme.AUTO if self.spec.personal else Theme.of(self.asked("theme"))

    @property
    def address(self) -> str:
        client = self.request.scope.get("client")
        return str(client[0]) if client else ""


def plain_title(text: str | None) -> str:
    return one_line(text or "", TITLE_LENGTH)


def receive(request: Request, deps: Dependencies, spec: PostSpec) -> RequestContext:
    """Raises `PageNotFoundError`, `InvalidApiKeyError`."""
    customer_id, *resource = request.path_params.values()
    customer = deps.customers.get(customer_id)
    if customer is None:
        raise PageNotFoundError
    request.scope[CUSTOMER] = customer
    if _hides_a_slash(request) or not all(map(spec.id.fullmatch, resource)):
        raise PageNotFoundError
    if not spec.is_open(customer.defaults):
        raise PageNotFoundError
    headers = headers_of(request)
    return request_context(request, deps, spec, customer, tuple(resource), headers, key=caller_key(headers, customer))


def _hides_a_slash(request: Request) -> bool:
    """Decoded, it would part the path elsewhere."""
    path = request.scope.get("raw_path", b"")
    return b"%" in path and b"%2f" in path.lower()


def headers_of(request: Request) -> Mapping[str, str]:
    """The first of each name, in lower case; Starlette's own headers look through all of them for each name asked."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(request.scope["headers"])}


def request_context(
    request: Request,
    deps: Dependencies,
    spec: PostSpec,
    customer: Customer,
    resource: tuple[str, ...],
    headers: Mapping[str, str],
    *,
    key: str | None = None,
    given: Mapping[str, Any] | None = None,
    once: bytes | None = None,
) -> RequestContext:
    query = _pairs(request.scope["query_string"])
    asked = next((value for name, value in query if name == "lang"), None) if query else None
    accepted = headers.get("accept-language")
    language = choose_language(asked, accepted, customer.language, deps.templates.languages)
    path = str(request.scope["path"]) if spec.personal else spec.path(customer.id, *resource)
    return RequestContext(
        request, deps, spec, customer, resource, headers, query, language, key, path, given or {}, once
    )


def _pairs(query: bytes) -> tuple[tuple[str, str], ...]:
    """A query never costs a lead: what is torn is replaced, what is too much is left out."""
    return tuple(pairs_of_query(query)[:MAX_FIELDS])
