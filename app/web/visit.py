"""What is known of a request to a public operation before its body is read."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from app.domain.submission import PATH_ID
from app.web.bodies import MOST_FIELDS
from app.web.customers import Customer
from app.web.guard import caller_key
from app.web.messages import GetText
from app.web.reading import Kind
from app.web.site import Site, choose_language


class NoSuchPage(Exception):
    """An unknown customer, or an id that no Vitec id can be."""


@dataclass(frozen=True)
class Visit:
    """`resource` is the path's ids after the customer's; `query` the address's pairs in order; `key` the API key."""

    request: Request
    site: Site
    kind: Kind
    customer: Customer
    resource: tuple[str, ...]
    query: list[tuple[str, str]]
    language: str
    key: str | None

    @property
    def path(self) -> str:
        return str(self.request.scope["path"])

    @property
    def gettext(self) -> GetText:
        return self.site.templates.gettext(self.language)

    def asked(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), None)

    @property
    def address(self) -> str:
        return self.request.client.host if self.request.client else ""


def receive(request: Request, site: Site, kind: Kind) -> Visit:
    """Raises `NoSuchPage`, `WrongKey`."""
    customer_id, *resource = request.path_params.values()
    customer = site.customers.get(customer_id)
    slash = b"%2f" in request.scope.get("raw_path", b"").lower()  # decoded it would part the path elsewhere
    if slash or customer is None or not all(PATH_ID.fullmatch(part) for part in resource):
        raise NoSuchPage
    query = _pairs(request.scope["query_string"])
    asked = next((value for name, value in query if name == "lang"), None)
    accepted = request.headers.get("accept-language")
    return Visit(
        request,
        site,
        kind,
        customer,
        tuple(resource),
        query,
        choose_language(asked, accepted, customer.language, site.templates.languages),
        caller_key(request.headers, customer),
    )


def _pairs(query: bytes) -> list[tuple[str, str]]:
    """A query never costs a lead: what is torn is replaced, what is too much is left out."""
    if not query:
        return []
    return parse_qsl(query.decode("latin-1"), errors="replace")[:MOST_FIELDS]
