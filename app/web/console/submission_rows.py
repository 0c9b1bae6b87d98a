"""Rows of submission lists, and options of filters."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from app.domain.ids import grouped
from app.domain.submission import PATH_ID
from app.i18n import N_
from app.operations.registry import OPERATIONS
from app.submissions.listing import SubmissionFilter, SubmissionSummary, list_submissions
from app.web.console import labels
from app.web.console.context import ConsoleRequest
from app.web.console.page_models import LeadRow, Option
from app.web.console.session import PATH

LIST = f"{PATH}/submissions"


def row_of(request: ConsoleRequest, summary: SubmissionSummary) -> LeadRow:
    status = request.gettext(labels.STATUSES[summary.status])
    if summary.stopped:
        status = request.gettext(N_("%(status)s, but a later step stopped")) % {"status": status}
    return LeadRow(
        href=f"{LIST}/{summary.id}",
        reference=grouped(summary.reference),
        received=labels.moment(summary.received_at, request.language),
        customer=customer_name(request, summary.customer_id),
        operation=request.gettext(OPERATIONS[summary.operation].label),
        home="/".join(summary.resource),
        campaign=labels.campaign(summary.campaign, request.gettext),
        status=status,
        kind="stopped" if summary.stopped else summary.status.value,
    )


def customer_name(request: ConsoleRequest, customer_id: str) -> str:
    """The customer's name, or its id if it is no longer configured."""
    customer = request.deps.public.customers.get(customer_id)
    return customer.firm.name if customer else customer_id


def customer_label(request: ConsoleRequest, customer_id: str) -> str:
    """Name and id, for lists of customers."""
    firm = customer_name(request, customer_id)
    return firm if firm == customer_id else f"{firm} ({customer_id})"


def chosen_customer(query: Mapping[str, str]) -> str:
    """The customer that a list is limited to, who may have left the configuration; "" for all."""
    customer_id = query.get("customer", "")
    return customer_id if PATH_ID.fullmatch(customer_id) else ""


def customers(request: ConsoleRequest, chosen: str) -> list[Option]:
    ids = dict.fromkeys([*request.deps.public.customers, *([chosen] if chosen else [])])
    names = {customer_id: customer_label(request, customer_id) for customer_id in ids}
    return options(names, chosen, request.gettext(N_("All")))


def options(labels: Mapping[str, str], chosen: str, every: str) -> list[Option]:
    """The options of a filter. The first one, `every`, means no filter."""
    pairs: Iterable[tuple[str, str]] = (("", every), *labels.items())
    return [Option(value, label, value == chosen) for value, label in pairs]


def with_query(path: str, **query: str | None) -> str:
    """The path with the query parameters that have a value."""
    present = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(present)}" if present else path


async def row_of_submission(request: ConsoleRequest, submission_id: str) -> LeadRow:
    """The list row of one submission. Raises `StoreUnavailableError`; `ValueError` if it does not exist."""
    [summary] = await list_submissions(
        request.deps.database, request.deps.keyring, SubmissionFilter(ids=[submission_id]), 1
    )
    return row_of(request, summary)
