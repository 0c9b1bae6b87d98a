"""The dashboard: the backlog, paused logins, submissions that need attention, and statistics of the last weeks."""

from collections.abc import Iterator, Sequence

from starlette.responses import Response

from app.i18n import N_
from app.operations.registry import POSTED
from app.statistics.dashboard import Dashboard
from app.submissions.backlog import paused_logins
from app.submissions.listing import SubmissionFilter, list_submissions
from app.web.console import charts, labels
from app.web.console.campaign_tables import Period, campaign_rows, home_rows
from app.web.console.context import ConsoleRequest
from app.web.console.page_models import LeadRow, Link, OverviewPage, PausedRow, WaitingRow
from app.web.console.session import PATH
from app.web.console.submission_rows import LIST, chosen_customer, customer_name, customers, row_of, with_query


async def show_overview(request: ConsoleRequest) -> Response:
    period = Period.from_request(request)
    customer_id = chosen_customer(request.http.query_params)
    data = await request.deps.dashboards.get(period.scope(customer_id or None))
    stuck = _stuck(request, data, customer_id)
    series = {spec.operation.value: request.gettext(spec.label) for spec in POSTED if spec.is_lead}
    page = OverviewPage(
        frame=request.frame("overview"),
        waiting=list(_waiting(request, data)),
        waiting_count=labels.number(sum(backlog.submissions for backlog in data.waiting), request.language),
        paused=await _paused(request, customer_id),
        stuck=stuck,
        stuck_count=labels.number(sum(data.stuck.values()) + data.later, request.language),
        newest_stuck=await _newest_stuck(request, data.newest_stuck),
        periods=period.options(request),
        customers=customers(request, customer_id),
        figures=_figures(request, data),
        chart=charts.by_day(period.days, series, data.by_day, request.language),
        campaigns=campaign_rows(request, data.campaigns),
        homes=home_rows(request, data.homes, period, customer_id),
    )
    return request.show(page)


def _waiting(request: ConsoleRequest, data: Dashboard) -> Iterator[WaitingRow]:
    for backlog in data.waiting:
        yield WaitingRow(
            customer_name(request, backlog.customer_id),
            labels.number(backlog.submissions, request.language),
            labels.moment(backlog.oldest, request.language),
            with_query(LIST, status="pending", customer=backlog.customer_id),
        )


async def _paused(request: ConsoleRequest, customer_id: str) -> list[PausedRow]:
    """The paused logins. One whose customer has left the configuration is not in use, and could not be tested."""
    return [
        PausedRow(
            customer_name(request, pause.customer_id),
            request.gettext(labels.GROUPS[pause.group]),
            request.gettext(labels.REASONS[pause.reason]),
            labels.moment(pause.since, request.language),
            f"{PATH}/customers/{pause.customer_id}",
        )
        for pause in await request.deps.database.read(paused_logins)
        if pause.customer_id in request.deps.public.customers and customer_id in {"", pause.customer_id}
    ]


def _stuck(request: ConsoleRequest, data: Dashboard, customer_id: str) -> list[Link]:
    """The number of submissions in each status that needs attention, linked to the list."""
    links = [
        Link(
            _with_count(request, labels.STATUSES[status], count), with_query(LIST, status=status, customer=customer_id)
        )
        for status, count in sorted(data.stuck.items())
    ]
    if data.later:
        later = _with_count(request, N_("Delivered, but a later step stopped"), data.later)
        links.append(Link(later, with_query(LIST, status="stuck", customer=customer_id)))
    return links


def _with_count(request: ConsoleRequest, text: str, count: int) -> str:
    return f"{request.gettext(text)}: {labels.number(count, request.language)}"


async def _newest_stuck(request: ConsoleRequest, ids: Sequence[str]) -> list[LeadRow]:
    deps = request.deps
    summaries = await list_submissions(deps.database, deps.keyring, SubmissionFilter(ids=ids), len(ids)) if ids else []
    return [row_of(request, summary) for summary in summaries]


def _figures(request: ConsoleRequest, data: Dashboard) -> list[tuple[str, str]]:
    figures = [
        (N_("Received"), labels.number(sum(data.by_day.values()), request.language)),
        (N_("Delivered to Vitec"), labels.number(data.delivered, request.language)),
        *(
            (labels.STATUSES[status], labels.number(count, request.language))
            for status, count in data.not_arrived.items()
        ),
        (N_("Median delivery time"), labels.duration(data.median, request.language)),
        (N_("p95 delivery time"), labels.duration(data.p95, request.language)),
    ]
    return [(request.gettext(label), value) for label, value in figures]
