"""Daily counts by customer and operation: for each campaign, for each home, and for each home's campaigns.

Anyone can invent a home or a campaign in a form's address. So only a limited number of them are counted separately for
each customer and day; the rest are counted together. Views are easier to fake than submissions, so their limit is
lower.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from app.domain.campaigns import NO_CAMPAIGN, OTHER, Campaign
from app.domain.datetimes import STOCKHOLM
from app.domain.submission import PATH_ID, Operation
from app.operations.registry import OPERATIONS
from app.storage.conflict_insert import conflict_insert
from app.storage.schema import daily_counts, delivery_times, home_campaigns

MAX_CAMPAIGNS_BY_VIEWS = 100  # also the limit of homes
MAX_CAMPAIGNS = 200
MAX_CAMPAIGNS_OF_HOME_BY_VIEWS = 20  # campaigns of one home
MAX_CAMPAIGNS_OF_HOME = 40
OTHERS = Campaign(OTHER, OTHER, OTHER)


class Counted(NamedTuple):
    """The key of a count. `home` is the id of an estate or a viewing; "" if there is none."""

    day: date
    customer_id: str
    operation: str
    home: str
    campaign: Campaign


class Timed(NamedTuple):
    day: date
    customer_id: str
    operation: str
    bucket: int


_Counts = Mapping[Counted, int]
_Day = tuple[date, str]  # the day and the customer's id


def day_of(moment: datetime) -> date:
    """The Swedish calendar day."""
    return moment.astimezone(STOCKHOLM).date()


def home_of(operation: str, resource: Iterable[str], estate: str = "") -> str:
    """The estate in the path; else the one that the embed named; else the first id in the path, such as a viewing's.
    Empty for operations whose path names a contact, because that is a person."""
    spec = OPERATIONS[Operation(operation)]
    if spec.names_contact:
        return ""
    if spec.estate is None and PATH_ID.fullmatch(estate):
        return estate
    return next(iter(resource), "")


def add(connection: Connection, column: str, counts: _Counts) -> None:
    """Adds to `column`: "views", "submissions" or "delivered". Each count goes into three rows: its campaign's (without
    home), its home's (without campaign), and the one of this campaign and home together."""
    limit, limit_of_home = (
        (MAX_CAMPAIGNS_BY_VIEWS, MAX_CAMPAIGNS_OF_HOME_BY_VIEWS)
        if column == "views"
        else (MAX_CAMPAIGNS, MAX_CAMPAIGNS_OF_HOME)
    )
    campaigns, homes = _existing(connection, {(counted.day, counted.customer_id) for counted in counts})
    rows: Counter[Counted] = Counter()
    of_homes: Counter[Counted] = Counter()
    for counted, count in counts.items():
        day = counted.day, counted.customer_id
        of_campaign, of_home = counted._replace(home=""), counted._replace(campaign=NO_CAMPAIGN)
        rows[_admitted(of_campaign, of_campaign._replace(campaign=OTHERS), campaigns[day], limit)] += count
        if counted.home:
            admitted = _admitted(of_home, of_home._replace(home=OTHER), homes[day], limit)
            rows[admitted] += count
            if admitted is of_home:
                of_homes[counted] += count
    _upsert(connection, daily_counts, _rows(rows, column), column)
    _upsert(connection, home_campaigns, _rows(_admitted_of_homes(connection, of_homes, limit_of_home), column), column)


def add_times(connection: Connection, counts: Mapping[Timed, int]) -> None:
    rows = [{**timed._asdict(), "delivered": count} for timed, count in sorted(counts.items())]
    _upsert(connection, delivery_times, rows, "delivered")


def _existing(
    connection: Connection, days: Iterable[_Day]
) -> tuple[dict[_Day, set[Counted]], dict[_Day, set[Counted]]]:
    """The rows that exist already, of campaigns and of homes, by day and customer."""
    campaigns: dict[_Day, set[Counted]] = {}
    homes: dict[_Day, set[Counted]] = {}
    columns = daily_counts.c
    for day, customer_id in days:
        campaigns[day, customer_id], homes[day, customer_id] = set(), set()
        of_day = columns.day == day, columns.customer_id == customer_id
        for counted in _counted(connection, daily_counts, *of_day):
            (homes if counted.home else campaigns)[day, customer_id].add(counted)
    return campaigns, homes


def _admitted_of_homes(connection: Connection, counts: _Counts, limit: int) -> Counter[Counted]:
    columns = home_campaigns.c
    homes: defaultdict[_Day, set[str]] = defaultdict(set)
    for counted in counts:
        homes[counted.day, counted.customer_id].add(counted.home)
    existing: defaultdict[Counted, set[Counted]] = defaultdict(set)
    for (day, customer_id), names in homes.items():
        of_homes = columns.day == day, columns.customer_id == customer_id, columns.home.in_(names)
        for counted in _counted(connection, home_campaigns, *of_homes):
            existing[counted._replace(campaign=NO_CAMPAIGN)].add(counted)
    rows: Counter[Counted] = Counter()
    for counted, count in counts.items():
        same_home = existing[counted._replace(campaign=NO_CAMPAIGN)]
        rows[_admitted(counted, counted._replace(campaign=OTHERS), same_home, limit)] += count
    return rows


def _counted(connection: Connection, table: Table, *conditions: Any) -> Iterable[Counted]:
    columns = table.c
    names = (columns.day, columns.customer_id, columns.operation, columns.home)
    rows = connection.execute(select(*names, columns.source, columns.medium, columns.campaign).where(*conditions))
    return (Counted(*row[:4], Campaign(*row[4:])) for row in rows)


def _admitted(counted: Counted, other: Counted, existing: set[Counted], limit: int) -> Counted:
    if counted not in existing and len(existing) >= limit:
        return other
    existing.add(counted)
    return counted


def _rows(counts: _Counts, column: str) -> list[dict[str, Any]]:
    zero = {"views": 0, "submissions": 0, "delivered": 0}
    return [{**key._asdict(), **key.campaign._asdict(), **zero, column: count} for key, count in sorted(counts.items())]


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]], column: str) -> None:
    """`rows` are sorted, so that concurrent processes can't deadlock."""
    if not rows:
        return
    names = [table_column.name for table_column in table.c]
    statement = conflict_insert(connection, table)
    more = {column: table.c[column] + statement.excluded[column]}
    upsert = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=more)
    connection.execute(upsert, [{name: row[name] for name in names} for row in rows])
