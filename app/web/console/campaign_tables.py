"""Tables of campaigns and homes for the chosen period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.responses import Response

from app.domain.campaigns import OTHER, Campaign
from app.domain.submission import PATH_ID, Operation
from app.i18n import N_
from app.operations.registry import OPERATIONS
from app.statistics.campaign_report import Line, Scope, campaigns_of
from app.statistics.daily_counts import day_of
from app.web.console import charts, labels
from app.web.console.context import ConsoleRequest
from app.web.console.page_models import CountRow, HomePage, Option
from app.web.console.session import PATH
from app.web.console.submission_rows import customer_label, customer_name, with_query
from app.web.operations.problems import error_response

PERIODS = {"7": N_("7 days"), "30": N_("30 days"), "90": N_("90 days")}
USUAL_PERIOD = "30"


@dataclass(frozen=True)
class Period:
    """The chosen period. `chosen` is its length in days, as in the URL; `days` are its days, ending today."""

    chosen: str
    days: Sequence[date]

    @classmethod
    def from_request(cls, request: ConsoleRequest) -> "Period":
        chosen = request.query_value("days") if request.query_value("days") in PERIODS else USUAL_PERIOD
        today = day_of(request.deps.database.now())
        return cls(chosen, [today - timedelta(days=back) for back in reversed(range(int(chosen)))])

    def scope(self, customer_id: str | None) -> Scope:
        return Scope(self.days[0], self.days[-1], customer_id)

    def options(self, request: ConsoleRequest) -> list[Option]:
        return [Option(value, request.gettext(label), value == self.chosen) for value, label in PERIODS.items()]


def campaign_rows(request: ConsoleRequest, lines: Sequence[Line]) -> list[CountRow]:
    """A row for each line whose `name` ends with source, medium and campaign."""
    widest = _widest(lines)
    return [_row(request, line, widest, labels.campaign(Campaign(*line.name[-3:]), request.gettext)) for line in lines]


def home_rows(request: ConsoleRequest, lines: Sequence[Line], period: Period, customer_id: str) -> list[CountRow]:
    """A row for each home, linked to its campaigns. It names the customer unless there is only one."""
    customer_is_clear = bool(customer_id) or len(request.deps.public.customers) == 1
    widest, rows = _widest(lines), []
    for line in lines:
        owner, home = line.name
        row = _row(request, line, widest, labels.home(home, request.gettext))
        href = "" if home == OTHER else with_query(f"{PATH}/homes/{owner}/{home}", days=period.chosen)
        rows.append(row._replace(href=href, customer="" if customer_is_clear else customer_name(request, owner)))
    return rows


def _widest(lines: Sequence[Line]) -> int:
    return max((max(line.views, line.submissions) for line in lines), default=0)


def _row(request: ConsoleRequest, line: Line, widest: int, name: str) -> CountRow:
    return CountRow(
        name,
        labels.number(line.views, request.language),
        labels.number(line.submissions, request.language),
        labels.number(line.delivered, request.language),
        labels.share(line.submissions, line.views, request.language),
        charts.widths(line.views, line.submissions, line.delivered, widest),
    )


HOMES = f"{PATH}/homes"


async def show_home(request: ConsoleRequest) -> Response:
    customer_id, home = (request.http.path_params[name] for name in ("customer", "home"))
    if not (PATH_ID.fullmatch(customer_id) and PATH_ID.fullmatch(home)):
        return error_response(request.http, request.deps.public, 404)
    period = Period.from_request(request)
    lines = await campaigns_of(request.deps.database, period.scope(customer_id), home)
    by_operation = {name: [line for line in lines if line.name[0] == name] for name in Operation}
    page = HomePage(
        frame=request.frame("overview"),
        home=home,
        customer=customer_label(request, customer_id),
        periods=period.options(request),
        tables=[
            (operation.value, request.gettext(OPERATIONS[operation].label), campaign_rows(request, matching))
            for operation, matching in by_operation.items()
            if matching
        ],
        back=with_query(PATH, days=period.chosen),
    )
    return request.show(page)
