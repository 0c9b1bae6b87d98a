"""Counting by day, customer, operation, home and campaign.

Whoever opens a form's address can name a new home or campaign in it. So of a customer's day only so many are told
apart: the first ones, and what is beyond them is counted together. A view is free to make and a submission is not, so
that views leave room for the campaigns that submissions name.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.campaigns import OTHER, Campaign
from app.domain.moments import STOCKHOLM
from app.domain.submission import Operation
from app.storage.schema import daily_counts, delivery_times

MOST_BY_VIEWS = 150
MOST = 300


class Counted(NamedTuple):
    """What is counted apart. `home` is an estate's id, of a booking the viewing's, empty where there is none."""

    day: date
    customer_id: str
    operation: str
    home: str
    campaign: Campaign

    def as_other(self) -> "Counted":
        return self._replace(home=self.home and OTHER, campaign=Campaign(OTHER, OTHER, OTHER))


class Timed(NamedTuple):
    day: date
    customer_id: str
    operation: str
    bucket: int


def day_of(moment: datetime) -> date:
    """The day on a Swedish calendar."""
    return moment.astimezone(STOCKHOLM).date()


def home_of(operation: str, resource: Iterable[str]) -> str:
    """The estate of an interest, the viewing of a booking; what the office's own operations name is a person."""
    return next(iter(resource), "") if operation in {Operation.INTEREST, Operation.VIEWING} else ""


def add(connection: Connection, column: str, counts: Mapping[Counted, int]) -> None:
    """`column` is "views", "submissions" or "delivered"."""
    most = MOST_BY_VIEWS if column == "views" else MOST
    days: dict[tuple[date, str], dict[Counted, int]] = defaultdict(dict)
    for counted, count in counts.items():
        days[counted.day, counted.customer_id][counted] = count
    rows: dict[Counted, int] = defaultdict(int)
    for (day, customer_id), of_day in days.items():
        known = _known(connection, day, customer_id)
        for counted, count in of_day.items():
            rows[_admitted(counted, known, most)] += count
    zero = {"views": 0, "submissions": 0, "delivered": 0}
    for counted, count in sorted(
        rows.items()
    ):  # in one order everywhere, so that two that add never wait for each other
        key = {**counted._asdict(), **counted.campaign._asdict()}
        _upsert(connection, daily_counts, {**key, **zero, column: count}, column)


def add_times(connection: Connection, counts: Mapping[Timed, int]) -> None:
    for timed, count in sorted(counts.items()):
        _upsert(connection, delivery_times, {**timed._asdict(), "delivered": count}, "delivered")


def _known(connection: Connection, day: date, customer_id: str) -> set[Counted]:
    columns = daily_counts.c
    of_day = select(columns.operation, columns.home, columns.source, columns.medium, columns.campaign).where(
        columns.day == day, columns.customer_id == customer_id
    )
    return {
        Counted(day, customer_id, operation, home, Campaign(*campaign))
        for operation, home, *campaign in connection.execute(of_day)
    }


def _admitted(counted: Counted, known: set[Counted], most: int) -> Counted:
    if counted not in known and len(known) >= most:
        return counted.as_other()
    known.add(counted)
    return counted


def _upsert(connection: Connection, table: Table, row: Mapping[str, object], column: str) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(row)
    more = {column: table.c[column] + statement.excluded[column]}
    connection.execute(statement.on_conflict_do_update(index_elements=_key(table), set_=more))


def _key(table: Table) -> Collection[str]:
    return [column.name for column in table.primary_key]
