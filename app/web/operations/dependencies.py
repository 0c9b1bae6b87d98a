"""The dependencies of every public page and answer, put together once by the composition root."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends
from starlette.requests import Request

from app.intake.intake import Intake
from app.lookups.home_cache import HomeCache
from app.statistics.page_views import PageViews
from app.submissions.cancellations import Cancellations
from app.submissions.outcomes import Outcomes
from app.submissions.repository import SubmissionRepository
from app.vitec.contacts import Contact
from app.web.operations.customer import Customer, Customers, OriginRule
from app.web.operations.limits import AddressLimits, PersonLimits
from app.web.operations.tokens import FormTokens, IdempotencyKeys, LinkSecrets
from app.web.rendering.templates import Skeleton, Templates

Contacts = Callable[[str, Sequence[str]], Awaitable[list[Contact]]]


RawHeaders = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Dependencies:
    """`public_url` is how browsers reach us, without a trailing slash; every absolute URL is made from it."""

    customers: Customers
    public_url: str
    demo: bool
    wait_seconds: float
    templates: Templates
    now: Callable[[], datetime]  # by the clock that decides, see `Database.now`
    intake: Intake
    submissions: SubmissionRepository
    cancellations: Cancellations
    outcomes: Outcomes
    tokens: FormTokens
    status_links: LinkSecrets
    receipt_links: LinkSecrets
    idempotency_keys: IdempotencyKeys
    origins: OriginRule
    contacts: Contacts
    homes: HomeCache
    page_views: PageViews
    limits: AddressLimits = field(default_factory=AddressLimits)
    person_limits: PersonLimits = field(default_factory=PersonLimits)
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


async def dependencies_of(request: Request) -> Dependencies:
    dependencies: Dependencies = request.app.state.dependencies
    return dependencies


# A typed route's parameter: what the composition root has put together.
Injected = Annotated[Dependencies, Depends(dependencies_of)]
