"""Filters of the submission list, read from the query."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from app.domain.fields import Phone, ReadContext
from app.domain.submission import Operation, Status
from app.i18n import N_
from app.submissions.listing import SubmissionFilter
from app.web.console.context import ConsoleRequest, plain
from app.web.console.submission_rows import chosen_customer
from app.web.encrypted_tokens import InvalidTokenError, read_token, write_token

STUCK = "stuck"
PURPOSE = "console search"
MAX_TOKEN = 2000
AGES: Mapping[str, tuple[str, Callable[[datetime], dict[str, datetime]]]] = {
    "1h": (N_("The last hour"), lambda now: {"received_after": now - timedelta(hours=1)}),
    "1d": (N_("The last 24 hours"), lambda now: {"received_after": now - timedelta(days=1)}),
    "7d": (N_("The last 7 days"), lambda now: {"received_after": now - timedelta(days=7)}),
    "older-1h": (N_("Older than an hour"), lambda now: {"received_before": now - timedelta(hours=1)}),
    "older-1d": (N_("Older than a day"), lambda now: {"received_before": now - timedelta(days=1)}),
    "older-7d": (N_("Older than 7 days"), lambda now: {"received_before": now - timedelta(days=7)}),
}
_PHONE: TypeAdapter[str] = TypeAdapter(Phone)


class FilterError(Exception):
    """The search text is no reference, e-mail address or phone number; or the encrypted search is not ours."""


@dataclass(frozen=True)
class Filters:
    """The chosen filters; unknown values are dropped, but a customer may have left the configuration. The search text
    may be a person's e-mail address or phone number, so URLs, which end up in browser history, logs and `Referer`,
    contain it encrypted, as `search`."""

    search: str
    status: str
    customer: str
    operation: str
    age: str

    @classmethod
    def from_query(cls, request: ConsoleRequest, query: Mapping[str, str]) -> "Filters":
        """`query` is the page's query or the posted form. Its `q` is the search text."""
        allowed = {
            "status": {*Status, STUCK},
            "operation": set(Operation),
            "age": set(AGES),
        }
        chosen = {name: query[name] if query.get(name) in values else "" for name, values in allowed.items()}
        text = plain(query.get("q", ""))
        search = write_token(request.deps.keyring, text, PURPOSE) if text else query.get("search", "")[:MAX_TOKEN]
        return cls(search, customer=chosen_customer(query), **chosen)

    def text(self, request: ConsoleRequest) -> str:
        """The search text, decrypted. Raises `FilterError`."""
        try:
            return str(read_token(request.deps.keyring, self.search, PURPOSE)) if self.search else ""
        except InvalidTokenError:
            raise FilterError from None


async def submission_filter(request: ConsoleRequest, filters: Filters) -> SubmissionFilter:
    """The filters as a query for stored submissions. Raises `FilterError`, `StoreUnavailableError`."""
    text = filters.text(request)
    moments = AGES[filters.age][1](request.deps.database.now()) if filters.age else {}
    return SubmissionFilter(
        status=Status(filters.status) if filters.status not in {"", STUCK} else None,
        stuck=filters.status == STUCK,
        customer_id=filters.customer or None,
        operation=Operation(filters.operation) if filters.operation else None,
        ids=await _ids(request, text) if text else None,
        received_after=moments.get("received_after"),
        received_before=moments.get("received_before"),
        below_id=request.query_value("older") or None,
    )


async def _ids(request: ConsoleRequest, text: str) -> list[str]:
    """Ids of the submissions that `text` names: a reference or id, an e-mail address, or a phone number in any usual
    format."""
    submission = await request.deps.public.submissions.find(text)
    if submission is not None:
        return [submission.id]
    if "@" in text:
        return list(await request.deps.person_index.find(text.lower()))
    if not any(character.isdigit() for character in text):
        raise FilterError
    try:
        number = _PHONE.validate_python(text, context=ReadContext(form=True, now=datetime.now(UTC)))
    except ValidationError:
        raise FilterError from None
    return list(await request.deps.person_index.find(number))
