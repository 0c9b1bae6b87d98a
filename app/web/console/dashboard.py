"""The first page: what waits, what rests, what needs a person; and how the last weeks went."""

from collections.abc import Iterator, Sequence

from starlette.responses import Response

from app.i18n import N_
from app.operations.registry import POSTED
from app.statistics.dashboard import Dashboard
from app.submissions.listing import SubmissionFilter, list_submissions
from app.web.console import charts, labels
from app.web.console.campaign_tables import Period, campaign_rows, home_rows
from app.web.console.context import ConsoleRequest
from app.web.console.page_models import LeadRow, Link, OverviewPage, PausedRow, WaitingRow
from app.web.console.session import PATH
from app.web.console.submission_rows import LIST, address, customers, firm_of, row_of


async def show_overview(look: ConsoleRequest) -> Response:
    period = Period.of(look)
    customer_id = look.asked("customer") if look.asked("customer") in look.desk.site.customers else ""
    found = await look.desk.overviews.get(period.scope(customer_id or None))
    stuck = _stuck(look, found, customer_id)
    series = {spec.operation.value: look.gettext(spec.label) for spec in POSTED}
    page = OverviewPage(
        frame=look.frame("overview"),
        waiting=list(_waiting(look, found)),
        waiting_count=labels.number(sum(one.submissions for one in found.waiting), look.language),
        paused=await _paused(look, customer_id),
        stuck=stuck,
        stuck_count=sum(found.stuck.values()) + found.later,
        newest_stuck=await _newest_stuck(look, found.newest_stuck),
        periods=period.options(look),
        customers=customers(look, customer_id),
        figures=_figures(look, found),
        chart=charts.by_day(period.days, series, found.by_day, look.language),
        campaigns=campaign_rows(look, found.campaigns),
        homes=home_rows(look, found.homes, period, customer_id),
    )
    return look.show(page)


def _waiting(look: ConsoleRequest, found: Dashboard) -> Iterator[WaitingRow]:
    for one in found.waiting:
        yield WaitingRow(
            firm_of(look, one.customer_id),
            labels.number(one.submissions, look.language),
            labels.moment(one.oldest, look.language),
            address(LIST, status="pending", customer=one.customer_id),
        )


async def _paused(look: ConsoleRequest, customer_id: str) -> list[PausedRow]:
    return [
        PausedRow(
            firm_of(look, pause.customer_id),
            look.gettext(labels.GROUPS[pause.group]),
            look.gettext(labels.REASONS[pause.reason]),
            labels.moment(pause.since, look.language),
            f"{PATH}/customers/{pause.customer_id}",
        )
        for pause in await look.desk.paused()
        if customer_id in {"", pause.customer_id}
    ]


def _stuck(look: ConsoleRequest, found: Dashboard, customer_id: str) -> list[Link]:
    """How many of each kind, and the list of them."""
    links = [
        Link(_counted_word(look, labels.STATUSES[status], count), address(LIST, status=status, customer=customer_id))
        for status, count in sorted(found.stuck.items())
    ]
    if found.later:
        later = _counted_word(look, N_("Delivered, a later step stopped"), found.later)
        links.append(Link(later, address(LIST, status="stuck", customer=customer_id)))
    return links


def _counted_word(look: ConsoleRequest, text: str, count: int) -> str:
    return f"{look.gettext(text)}: {labels.number(count, look.language)}"


async def _newest_stuck(look: ConsoleRequest, ids: Sequence[str]) -> list[LeadRow]:
    desk = look.desk
    rows = await list_submissions(desk.database, desk.keyring, SubmissionFilter(ids=ids), len(ids)) if ids else []
    return [row_of(look, one) for one in rows]


def _figures(look: ConsoleRequest, found: Dashboard) -> list[tuple[str, str]]:
    figures = [
        (N_("Came in"), labels.number(sum(found.by_day.values()), look.language)),
        (N_("Arrived"), labels.number(found.delivered, look.language)),
        *(
            (labels.STATUSES[status], labels.number(count, look.language))
            for status, count in found.not_arrived.items()
        ),
        (N_("Half arrived within"), labels.duration(found.median, look.language)),
        (N_("95 % arrived within"), labels.duration(found.p95, look.language)),
    ]
    return [(look.gettext(label), value) for label, value in figures]
