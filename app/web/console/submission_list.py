"""The list of submissions with search, filters and CSV export."""

import asyncio
import csv
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from io import StringIO

from starlette.responses import Response, StreamingResponse

from app.i18n import N_
from app.operations.registry import POSTED
from app.submissions.listing import SubmissionFilter, SubmissionSummary, list_submissions
from app.web.console import labels
from app.web.console.context import HEADERS, ConsoleRequest, redirect
from app.web.console.filters import AGES, STUCK, FilterError, Filters, submission_filter
from app.web.console.page_models import SubmissionsPage
from app.web.console.submission_rows import LIST, customers, options, row_of, with_query

PAGE = 50
EXPORTED_AT_ONCE = 5000
COLUMNS = (
    N_("Reference"),
    N_("Received at"),
    N_("Status"),
    N_("Type"),
    N_("Home"),
    N_("Source"),
    N_("Medium"),
    N_("Campaign"),
    N_("Customer"),
    N_("Id"),
)
# A cell that begins with one of these, even after spaces, may be read as a formula by a spreadsheet; full-width ones
# too. After a semicolon too: Excel in Swedish separates by that, and takes the commas and quotes between for text.
_FORMULA = re.compile(r"(^|;)(?= *[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n])")


async def search(request: ConsoleRequest, form: Mapping[str, str]) -> Response:
    """Redirects to the list with the form's filters in the URL."""
    return redirect(with_query(LIST, **asdict(Filters.from_query(request, form))))


async def show_submissions(request: ConsoleRequest) -> Response:
    if request.query_value("q"):
        return await search(request, request.http.query_params)
    filters = Filters.from_query(request, request.http.query_params)
    text, unreadable, summaries = "", False, list[SubmissionSummary]()
    try:
        text = filters.text(request)
        summaries = await _list(request, await submission_filter(request, filters), PAGE + 1)
    except FilterError:
        unreadable = True
    if text and len(summaries) == 1:  # show the only match at once
        return redirect(f"{LIST}/{summaries[0].id}")
    every = request.gettext(N_("All"))
    statuses = {STUCK: N_("Needs attention"), **labels.STATUSES}
    operations = {spec.operation.value: spec.label for spec in POSTED}
    query = asdict(filters)
    page = SubmissionsPage(
        frame=request.frame("submissions"),
        searched=text,
        unreadable=unreadable,
        statuses=options(_translated(request, statuses), filters.status, every),
        customers=customers(request, filters.customer),
        operations=options(_translated(request, operations), filters.operation, every),
        ages=options(_translated(request, {age: label for age, (label, _) in AGES.items()}), filters.age, every),
        rows=[row_of(request, summary) for summary in summaries[:PAGE]],
        older=with_query(LIST, **query, older=summaries[PAGE - 1].id) if len(summaries) > PAGE else None,
        export=with_query(f"{LIST}.csv", **query, older=request.query_value("older")),
    )
    return request.show(page)


async def export(request: ConsoleRequest) -> Response:
    """CSV of this page and all pages after it, read and sent in pieces, because there may be very many."""
    filters = Filters.from_query(request, request.http.query_params)
    if request.query_value("q"):
        return redirect(with_query(f"{LIST}.csv", **asdict(filters)))
    try:
        chosen = await submission_filter(request, filters)
    except FilterError:
        chosen = SubmissionFilter(ids=[])
    pieces = _csv(request, chosen)
    first = await anext(pieces)  # before the answer begins: an unavailable database is a 503 here, too

    async def text() -> AsyncIterator[str]:
        yield first
        async for piece in pieces:
            yield piece

    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="intresse.csv"'}
    return StreamingResponse(text(), media_type="text/csv; charset=utf-8", headers=headers)


async def _list(request: ConsoleRequest, filters: SubmissionFilter, limit: int) -> list[SubmissionSummary]:
    return await list_submissions(request.deps.database, request.deps.keyring, filters, limit)


async def _csv(request: ConsoleRequest, filters: SubmissionFilter) -> AsyncIterator[str]:
    beginning = "\ufeff" + _lines([[request.gettext(column) for column in COLUMNS]])  # Excel needs the byte order mark
    while True:
        summaries = await _list(request, filters, EXPORTED_AT_ONCE)
        # In a thread: thousands of lines would delay posts.
        yield beginning + await asyncio.to_thread(_lines, _cells(request, summaries))
        if len(summaries) < EXPORTED_AT_ONCE:
            return
        beginning, filters = "", replace(filters, below_id=summaries[-1].id)


def _cells(request: ConsoleRequest, summaries: list[SubmissionSummary]) -> Iterator[Iterable[str]]:
    for summary in summaries:
        row = row_of(request, summary)
        cells = (row.reference, labels.sortable(summary.received_at), row.status, row.operation, row.home)
        yield map(escape_formula, (*cells, *summary.campaign, summary.customer_id, summary.id))


def _lines(rows: Iterable[Iterable[str]]) -> str:
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()


def escape_formula(cell: str) -> str:
    """Puts an apostrophe before what a spreadsheet could read as a formula."""
    return _FORMULA.sub(r"\1'", cell)


def _translated(request: ConsoleRequest, texts: Mapping[str, str]) -> dict[str, str]:
    return {value: request.gettext(text) for value, text in texts.items()}
