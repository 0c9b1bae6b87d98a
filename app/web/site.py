"""What every page and answer needs, put together once by the composition root."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from app.domain.short_cache import cached_when_short
from app.storage.intake import Intake
from app.storage.leads import Leads
from app.storage.outcomes import Outcomes
from app.storage.views import Views
from app.web.customers import Customer, Customers
from app.web.greeting import Contacts
from app.web.guard import OriginRule
from app.web.limits import AddressLimits, PersonLimits
from app.web.signing import FormTokens, LinkSecrets, Repeats
from app.web.templating import Skeleton, Templates

MAX_ACCEPT_LANGUAGE = 500  # characters that are looked at
RawHeaders = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Site:
    """`public_url` is how browsers reach us, without a trailing slash; every absolute URL is made from it."""

    customers: Customers
    public_url: str
    demo: bool
    wait_seconds: float
    templates: Templates
    intake: Intake
    leads: Leads
    outcomes: Outcomes
    tokens: FormTokens
    status_links: LinkSecrets
    receipt_links: LinkSecrets
    repeats: Repeats
    origins: OriginRule
    contacts: Contacts
    views: Views
    limits: AddressLimits = field(default_factory=AddressLimits)
    persons: PersonLimits = field(default_factory=PersonLimits)
    # Forms that nobody has typed in, and their headers, by what differs: there are only so many, all by configuration.
    fresh_forms: dict[tuple[object, ...], tuple[Skeleton, RawHeaders]] = field(default_factory=dict)

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    def status_url(self, identity: str) -> str:
        return f"{self.public_url}/submissions/{identity}?key={self.status_links.of(identity)}"

    def frame_origins(self, customer: Customer | None) -> str:
        """Whose pages may frame the customer's pages and be told of them, as the frame's script reads it: origins, with
        `*` for any subdomain, separated by spaces; anyone in a demo; nobody where it is no customer's page."""
        if customer is None:
            return ""
        return "*" if self.demo else " ".join((self.public_url, *customer.origins))

    def frame_ancestors(self, customer: Customer | None) -> str:
        """The same as CSP has it: "" where it says nothing."""
        if customer is None:
            return "'none'"
        return "" if self.demo else " ".join(("'self'", *customer.origins))

    def receipt_path(
        self, identity: str, language: str, told: Mapping[str, str] | None = None, *, file: str = ""
    ) -> str:
        """Without a host: the visitor stays where the form was served. `told` is what the page says of the viewing,
        which is nobody's data; `file` one beside the page."""
        more = f"&{urlencode(told)}" if told else ""
        return f"/receipts/{identity}{file}?key={self.receipt_links.of(identity)}&lang={language}{more}"


def choose_language(asked: str | None, accepted: str | None, default: str, known: tuple[str, ...]) -> str:
    """`?lang=`, else the best of `Accept-Language`, else the customer's."""
    if asked in known:
        return asked
    return _accepted(accepted, known) or (default if default in known else known[0])


@cached_when_short
def _accepted(header: str | None, known: tuple[str, ...]) -> str | None:
    """The known language with the highest weight; of equal ones the first named."""
    best: tuple[float, str] | None = None
    for part in (header or "")[:MAX_ACCEPT_LANGUAGE].split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().partition("-")[0].lower()
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if language in known and weight > 0 and (best is None or weight > best[0]):
            best = (weight, language)
    return best and best[1]
