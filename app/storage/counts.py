"""Counting by day, customer and operation: by campaign, and by home.

Whoever opens a form's address can name a new home or campaign in it. So of a customer's day only so many are told
apart: the first ones, and what is beyond them is counted together. A view is free to make and a submission is not, so
that views leave room for what submissions name.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.campaigns import NO_CAMPAIGN, OTHER, Campaign
from app.domain.moments import STOCKHOLM
from app.domain.submission import Operation
from app.storage.schema import daily_counts, delivery_times

MOST_BY_VIEWS = 100  # campaigns, and as many homes
MOST = 200


class Counted(NamedTuple):
    """What is counted apart. `home` is an estate's id, of a booking the viewing's, empty where there is none."""

    day: date
    customer_id: str
    operation: str
    home: str
    campaign: Campaign

    def as_other(self) -> "Counted":
        return self._replace(home=OTHER) if self.home else self._replace(campaign=Campaign(OTHER, OTHER, OTHER))


class Timed(NamedTuple):
    day: date
    customer_id: str
    operation: str
    bucket: int


_Known = tuple[set[Counted], set[Counted]]  # rows of campaigns, rows of homes


def day_of(moment: datetime) -> date:
    """The day on a Swedish calendar."""
    return moment.astimezone(STOCKHOLM).date()


def home_of(operation: str, resource: Iterable[str]) -> str:
    """The estate of an interest, the viewing of a booking; what the office's own operations name is a person."""
    return next(iter(resource), "") if operation in {Operation.INTEREST, Operation.VIEWING} else ""


def add(connection: Connection, column: str, counts: Mapping[Counted, int]) -> None:
    """`column` is "views", "submissions" or "delivered". Each is counted twice: in a row of its campaign, whose home is
    empty, and in one of its home."""
    most = MOST_BY_VIEWS if column == "views" else MOST
    split: Counter[Counted] = Counter()
    for counted, count in counts.items():
        split[counted._replace(home="")] += count
        if counted.home:
            split[counted._replace(campaign=NO_CAMPAIGN)] += count
    known: dict[tuple[date, str], _Known] = {}
    rows: Counter[Counted] = Counter()
    for counted, count in split.items():
        day = counted.day, counted.customer_id
        if day not in known:
            known[day] = _known(connection, *day)
        rows[_admitted(counted, known[day], most)] += count
    zero = {"views": 0, "submissions": 0, "delivered": 0}
    named = [{**one._asdict(), **one.campaign._asdict(), **zero, column: count} for one, count in sorted(rows.items())]
    _upsert(connection, daily_counts, named, column)


def add_times(connection: Connection, counts: Mapping[Timed, int]) -> None:
    rows = [{**timed._asdict(), "delivered": count} for timed, count in sorted(counts.items())]
    _upsert(connection, delivery_times, rows, "delivered")


def _known(connection: Connection, day: date, customer_id: str) -> _Known:
    columns = daily_counts.c
    of_day = select(columns.operation, columns.home, columns.source, columns.medium, columns.campaign).where(
        columns.day == day, columns.customer_id == customer_id
    )
    known: _Known = (set(), set())
    for operation, home, *campaign in connection.execute(of_day):
        known[bool(home)].add(Counted(day, customer_id, operation, home, Campaign(*campaign)))
    return known


def _admitted(counted: Counted, known: _Known, most: int) -> Counted:
    alike = known[bool(counted.home)]
    if counted not in alike and len(alike) >= most:
        return counted.as_other()
    alike.add(counted)
    return counted


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]], column: str) -> None:
    """In one order everywhere, so that two that add never wait for each other."""
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    names = [one.name for one in table.c]
    statement = dialect.insert(table)
    more = {column: table.c[column] + statement.excluded[column]}
    upsert = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=more)
    connection.execute(upsert, [{name: row[name] for name in names} for row in rows])
