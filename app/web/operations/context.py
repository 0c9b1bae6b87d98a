"""The context of a request to a public operation, before its body is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from app.domain.marketing import cut_line, is_tag, page_address
from app.domain.short_cache import cached_when_short
from app.domain.submission import PATH_ID
from app.i18n import GetText
from app.lookups.home_cache import KnownHome
from app.operations.planning import BookedTime
from app.operations.specification import PostSpec
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
    """The context of one public request.

    resource         the ids in the path after the customer's
    query            the query's names and values, in order
    key              the API key that the caller sent; None without one
    path             what form tokens and idempotency keys are bound to: the same for every address of a form
    address_members  members of the application that the address determines, such as a personal link's contact
    once             the key of a link that may be used only once
    """

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
    address_members: Mapping[str, Any] = field(default_factory=dict)
    once: bytes | None = None
    first_values: Mapping[str, str] = field(init=False)  # of the query
    greeting: str = ""  # on a personal page: the contact's first name
    viewing: str = ""  # in a booking by home: the viewing that the chosen time belongs to, if known
    slot: str = ""  # in a booking by home: the id of the chosen time
    counted: Mapping[str, str] = field(default_factory=dict)  # the person whose post has been counted by the limits
    known_home: KnownHome | None = None  # the home whose times are booked, once it has been read at Vitec

    def __post_init__(self) -> None:
        self.first_values = dict(reversed(self.query))

    @property
    def asks_consent(self) -> bool:
        return self.customer.consent_required and self.spec.asks_consent

    @property
    def gettext(self) -> GetText:
        return self.deps.templates.gettext(self.language)

    def query_value(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return self.first_values.get(name)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The times of the viewing that the embed offers."""
        return parse_slots(self.query_value("slots") or "") if self.spec.takes_slots else ()

    @property
    def estate(self) -> str:
        """The home's id, from the path or from the embed's `estate`; "" if unknown."""
        if self.spec.by_home:
            return self.resource[0]
        estate = self.query_value("estate") if self.spec.takes_slots else None
        return estate if estate and PATH_ID.fullmatch(estate) else ""

    @property
    def booked(self) -> BookedTime:
        """The time that the post books."""
        viewing, slot = self.resource if self.spec.takes_slots else (self.viewing, self.slot)
        return BookedTime(self.estate, viewing, slot)

    @property
    def title(self) -> str:
        """The home's name, from the embed or from Vitec: one line of plain text."""
        title = self.query_value("title") or (self.known_home.home.name if self.known_home else None)
        return plain_title(title) if title else ""

    @property
    def came_from(self) -> str | None:
        """The page that the visitor came from, unless it is one of ours: that says nothing about the visit. None for a
        personal page, because its address is a secret."""
        if self.spec.personal:
            return None
        page = page_address(self.headers.get("referer"))
        return None if page and origin_of(page) == self.deps.origins.public_origin else page

    @property
    def theme(self) -> Theme:
        """The theme that the embed chose; a personal page is never embedded."""
        return Theme.AUTO if self.spec.personal else Theme.of(self.query_value("theme"))

    def count_view(self) -> None:
        """Counts a view of the form. HEAD, as monitors and link checkers send, shows it to nobody."""
        if self.request.scope["method"] == "GET":
            self.deps.page_views.count(self.customer.id, self.spec.operation, self.resource, self.estate, self.query)

    @property
    def client_address(self) -> str:
        """The visitor's IP address; "" if the server does not know it."""
        client = self.request.scope.get("client")
        return str(client[0]) if client else ""


def plain_title(text: str | None) -> str:
    return cut_line(text or "", TITLE_LENGTH)


def receive(request: Request, deps: Dependencies, spec: PostSpec) -> RequestContext:
    """Raises `PageNotFoundError`, `InvalidApiKeyError`."""
    customer_id, *resource = request.path_params.values()
    customer = deps.customers.get(customer_id)
    if customer is None:
        raise PageNotFoundError
    request.scope[CUSTOMER] = customer
    if _hides_a_slash(request) or not all(map(spec.id_pattern.fullmatch, resource)):
        raise PageNotFoundError
    if not spec.is_open(customer.defaults):
        raise PageNotFoundError
    headers = headers_of(request)
    return request_context(request, deps, spec, customer, tuple(resource), headers, key=caller_key(headers, customer))


def _hides_a_slash(request: Request) -> bool:
    """Whether an id contains an encoded slash: decoded, it would split the path elsewhere."""
    return b"%2f" in request.scope.get("raw_path", b"").lower()


def headers_of(request: Request) -> Mapping[str, str]:
    """The first of each name, in lower case; Starlette's own headers look through all of them for each name asked."""
    return {_header_name(name): value.decode("latin-1") for name, value in reversed(request.scope["headers"])}


@cached_when_short
def _header_name(name: bytes) -> str:
    return name.decode("latin-1")


def request_context(
    request: Request,
    deps: Dependencies,
    spec: PostSpec,
    customer: Customer,
    resource: tuple[str, ...],
    headers: Mapping[str, str],
    *,
    key: str | None = None,
    address_members: Mapping[str, Any] | None = None,
    once: bytes | None = None,
) -> RequestContext:
    query = _pairs(request.scope["query_string"])
    lang = next((value for name, value in query if name == "lang"), None) if query else None
    accepted = headers.get("accept-language")
    language = choose_language(lang, accepted, customer.language, deps.templates.languages)
    path = str(request.scope["path"]) if spec.personal else spec.path_for(customer.id, *resource)
    return RequestContext(
        request, deps, spec, customer, resource, headers, query, language, key, path, address_members or {}, once
    )


def _pairs(query: bytes) -> tuple[tuple[str, str], ...]:
    """The pairs of the query. A malformed query must never cost a lead: invalid bytes are replaced, and pairs beyond
    the limit are dropped, unless they are tags."""
    pairs = pairs_of_query(query)
    if len(pairs) > MAX_FIELDS:
        pairs = pairs[:MAX_FIELDS] + [pair for pair in pairs[MAX_FIELDS:] if is_tag(pair[0])]
    return tuple(pairs)
