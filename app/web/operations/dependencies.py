"""Dependencies of the public pages and endpoints, built once by the composition root."""

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
from app.web.operations.rate_limits import AddressLimits, PersonLimits
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
    now: Callable[[], datetime]  # by the deciding clock, see `Database.now`
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
    address_limits: AddressLimits = field(default_factory=AddressLimits)
    person_limits: PersonLimits = field(default_factory=PersonLimits)
    # Rendered empty forms and their headers, by what differs between them. The configuration limits their number.
    fresh_forms: dict[tuple[object, ...], tuple[Skeleton, RawHeaders]] = field(default_factory=dict)

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    def status_url(self, submission_id: str) -> str:
        return f"{self.public_url}/submissions/{submission_id}?key={self.status_links.secret_of(submission_id)}"

    def frame_origins(self, customer: Customer | None) -> str:
        """Origins that may frame the customer's pages and get messages from them, for the frame's script: separated by
        spaces, `*` for any subdomain. Any origin in a demo; none if the page is no customer's."""
        if customer is None:
            return ""
        return "*" if self.demo else " ".join((self.public_url, *customer.origins))

    def frame_ancestors(self, customer: Customer | None) -> str:
        """The same for the CSP: "" for no restriction."""
        if customer is None:
            return "'none'"
        return "" if self.demo else " ".join(("'self'", *customer.origins))

    def receipt_path(
        self, submission_id: str, language: str, details: Mapping[str, str] | None = None, *, file: str = ""
    ) -> str:
        """Without a host, so that the visitor stays where the form was served. `details` about the viewing are shown,
        and are not personal data; `file` is a file below the page."""
        more = f"&{urlencode(details)}" if details else ""
        return (
            f"/receipts/{submission_id}{file}?key={self.receipt_links.secret_of(submission_id)}&lang={language}{more}"
        )


async def dependencies_of(request: Request) -> Dependencies:
    dependencies: Dependencies = request.app.state.dependencies
    return dependencies


# A typed route's parameter: the dependencies that the composition root has built.
Injected = Annotated[Dependencies, Depends(dependencies_of)]
