"""Campaign report: how many forms were shown, sent and delivered, by campaign or home."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, func, select

from app.storage.database import Database
from app.storage.schema import daily_counts, home_campaigns

MAX_LINES = 25  # in one report


@dataclass(frozen=True)
class Scope:
    """What a report covers: Swedish calendar days, both ends included, and one customer (None: all)."""

    first: date
    last: date
    customer_id: str | None = None


class Line(NamedTuple):
    """One line of a report. `name` depends on the report: source, medium and campaign; or customer and home; or
    operation, source, medium and campaign."""

    name: tuple[str, ...]
    views: int
    submissions: int
    delivered: int


def within(table: Table, scope: Scope) -> list[ColumnElement[bool]]:
    """Conditions for the rows of `table` in this scope."""
    days = [table.c.day >= scope.first, table.c.day <= scope.last]
    return [*days, table.c.customer_id == scope.customer_id] if scope.customer_id else days


def by_campaign(connection: Connection, scope: Scope) -> list[Line]:
    columns = daily_counts.c
    names = columns.source, columns.medium, columns.campaign
    return _lines(connection, daily_counts, names, *within(daily_counts, scope), columns.home == "")


def by_home(connection: Connection, scope: Scope) -> list[Line]:
    columns = daily_counts.c
    names = columns.customer_id, columns.home
    return _lines(connection, daily_counts, names, *within(daily_counts, scope), columns.home != "")


async def campaigns_of(database: Database, scope: Scope, home: str) -> Sequence[Line]:
    """The campaigns of one home, by operation. `scope` must name its customer. Raises `StoreUnavailableError`."""
    columns = home_campaigns.c
    names = columns.operation, columns.source, columns.medium, columns.campaign
    conditions = *within(home_campaigns, scope), columns.home == home
    return await database.read(lambda connection: _lines(connection, home_campaigns, names, *conditions))


def _lines(
    connection: Connection, table: Table, names: tuple[Any, ...], *conditions: ColumnElement[bool]
) -> list[Line]:
    sums = [func.sum(table.c[name]) for name in ("views", "submissions", "delivered")]
    query = (
        select(*names, *sums)
        .where(*conditions)
        .group_by(*names)
        .order_by(sums[1].desc(), sums[0].desc(), *names)
        .limit(MAX_LINES)
    )
    return [Line(tuple(row[:-3]), *map(int, row[-3:])) for row in connection.execute(query)]
