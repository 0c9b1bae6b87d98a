"""The console's counts, on either database: every submission once, and a bounded number of names."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.domain.campaigns import NO_CAMPAIGN, OTHER, Campaign
from app.domain.marketing import Marketing
from app.domain.submission import Operation, PlannedStep, Status
from app.statistics import daily_counts
from app.statistics.arrivals import arrivals_since
from app.statistics.campaign_report import Line, Scope, campaigns_of
from app.statistics.counter_job import CounterJob
from app.statistics.daily_counts import Counted, add, day_of
from app.statistics.dashboard import Dashboard, load_dashboard
from app.statistics.page_views import PageViews
from app.storage.database import Database
from app.storage.schema import steps, submissions
from app.submissions.listing import SubmissionFilter, list_submissions
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import KEYRING, application, ids, store, stored, submission
from tests.integration.storage_helpers import OTHER as OTHER_CUSTOMER

pytestmark = pytest.mark.anyio

TAGS = {"utmTags": [{"name": "utm_source", "value": "google"}, {"name": "utm_campaign", "value": "höst"}]}
AUTUMN = ("google", "", "höst")


def counting(database: Database) -> CounterJob:
    """A counter job that counts even the newest submissions."""
    return CounterJob(database, KEYRING, timedelta(minutes=-5))


async def of_today(database: Database, customer_id: str | None = None) -> Dashboard:
    today = day_of(datetime.now(UTC))
    return await load_dashboard(database, Scope(today - timedelta(days=1), today, customer_id))


async def receive(database: Database, *marketing: Mapping[str, Any], customer_id: str = CUSTOMER) -> list[str]:
    new = [
        replace(application(customer_id), application=stored(marketing=Marketing.of_member(body))) for body in marketing
    ]
    await store(database, *new)
    return [new_submission.id for new_submission in new]


def settle(database: Database, submission_id: str, status: Status) -> None:
    settled = {"status": status.value, "due_at": None, "settled_at": submissions.c.received_at}
    with database.engine.begin() as connection:
        connection.execute(update(submissions).where(submissions.c.id == submission_id).values(settled))


async def test_each_submission_is_counted_once_with_its_campaign_and_home(database: Database) -> None:
    first, _ = await receive(database, TAGS, {})
    settle(database, first, Status.DELIVERED)
    tallies = [counting(database), counting(database)]
    for tally in tallies * 2:
        await tally.count()
    dashboard = await of_today(database)
    assert sum(dashboard.by_day.values()) == 2
    assert dashboard.delivered == 1
    assert dashboard.campaigns == [Line(("", "", ""), 0, 1, 0), Line(AUTUMN, 0, 1, 1)]
    assert dashboard.homes == [Line((CUSTOMER, "OBJ1"), 0, 2, 1)]
    assert dashboard.median is not None


async def test_replicas_that_begin_to_count_at_once_count_each_submission_once(database: Database) -> None:
    await receive(database, TAGS, {})
    await asyncio.gather(*(counting(database).count() for _ in range(8)))
    dashboard = await of_today(database)
    assert sum(dashboard.by_day.values()) == 2
    assert sum(line.submissions for line in dashboard.campaigns) == 2


async def test_a_cancellation_is_neither_counted_as_a_lead_nor_missed_when_none_come(database: Database) -> None:
    cancelling = PlannedStep(Operation.CANCELLATION, ("OBJ1", "C1"), {})
    await store(database, submission(Operation.CANCELLATION, cancelling, resource=("OBJ1", "C1")), application())
    await counting(database).count()
    dashboard = await of_today(database)
    assert {operation for _, operation in dashboard.by_day} == {"interest"}
    assert dashboard.campaigns == [Line(("", "", ""), 0, 1, 0)]
    since = datetime.now(UTC) - timedelta(days=1)
    arrived = await database.read(lambda connection: arrivals_since(connection, since))
    assert [(arrival.operation, arrival.number) for arrival in arrived] == [("interest", 1)]


async def test_a_retried_submission_is_delivered_once(database: Database) -> None:
    [submission_id] = await receive(database, {})
    tally = counting(database)
    settle(database, submission_id, Status.REJECTED)
    await tally.count()
    assert (await of_today(database)).not_arrived == {"rejected": 1}
    settle(database, submission_id, Status.DELIVERED)
    with database.engine.begin() as connection:
        connection.execute(update(submissions).values(settled_at=datetime.now(UTC)))
    while await tally.count():
        pass
    dashboard = await of_today(database)
    assert (dashboard.delivered, dict(dashboard.not_arrived), sum(dashboard.by_day.values())) == (1, {}, 1)


async def test_what_is_not_settled_yet_is_left_for_the_next_round(database: Database) -> None:
    await receive(database, TAGS)
    assert not await CounterJob(database, KEYRING).count()
    assert (await of_today(database)).by_day == {}


async def test_views_are_counted_in_memory_and_written_together(database: Database) -> None:
    views = PageViews(database)
    for _ in range(3):
        views.count(CUSTOMER, "interest", ("OBJ1",), "", [("UTM_SOURCE", "google"), ("utm_campaign", "höst")])
    views.count(CUSTOMER, "viewing", ("VIS1", "SLOT1"), "", ())
    await views.write()
    dashboard = await of_today(database)
    assert dashboard.campaigns == [Line(AUTUMN, 3, 0, 0), Line(("", "", ""), 1, 0, 0)]
    assert dashboard.homes == [Line((CUSTOMER, "OBJ1"), 3, 0, 0), Line((CUSTOMER, "VIS1"), 1, 0, 0)]


@pytest.mark.parametrize("value", ["anna%2540example.se", "070-123 45 67", "811228-9874"])
async def test_no_table_of_counts_identifies_a_person(database: Database, value: str) -> None:
    views = PageViews(database)
    views.count(CUSTOMER, "interest", ("OBJ1",), "", [("utm_source", value), ("utm_campaign", "2026-11-29")])
    await views.write()
    tags = [{"name": "utm_source", "value": value}, {"name": "utm_campaign", "value": "2026-11-29"}]
    await receive(database, {"utmTags": tags})
    await counting(database).count()
    name = (OTHER, "", "2026-11-29")
    assert (await of_today(database)).campaigns == [Line(name, 1, 1, 0)]
    assert await of_home(database, "OBJ1") == [Line(("interest", *name), 1, 1, 0)]
    [row] = await list_submissions(database, KEYRING, SubmissionFilter(), 1)
    assert row.campaign == Campaign(*name)


async def test_a_flood_of_made_up_names_is_counted_together_and_leaves_room_for_submissions(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_counts, "MAX_CAMPAIGNS_BY_VIEWS", 3)
    monkeypatch.setattr(daily_counts, "MAX_CAMPAIGNS", 5)
    views = PageViews(database)
    for number in range(50):
        views.count(CUSTOMER, "interest", (f"X{number}",), "", [("utm_source", f"s{number}")])
    await views.write()
    await receive(database, TAGS)
    await counting(database).count()
    dashboard = await of_today(database)
    assert Line((OTHER,) * 3, 47, 0, 0) in dashboard.campaigns
    assert Line(AUTUMN, 0, 1, 0) in dashboard.campaigns
    assert Line((CUSTOMER, "OBJ1"), 0, 1, 0) in dashboard.homes
    assert sum(line.views for line in dashboard.homes) == 50


async def of_home(database: Database, home: str, customer_id: str = CUSTOMER) -> list[Line]:
    today = day_of(datetime.now(UTC))
    return list(await campaigns_of(database, Scope(today, today, customer_id), home))


async def test_each_campaign_of_a_home_has_its_own_counts(database: Database) -> None:
    views = PageViews(database)
    views.count(CUSTOMER, "interest", ("OBJ1",), "", [("utm_source", "google"), ("utm_campaign", "höst")])
    views.count(CUSTOMER, "interest", ("OBJ2",), "", [("utm_source", "google"), ("utm_campaign", "höst")])
    await views.write()
    first, *_ = await receive(database, TAGS, TAGS, {})
    settle(database, first, Status.DELIVERED)
    while await counting(database).count():
        pass
    assert await of_home(database, "OBJ1") == [
        Line(("interest", *AUTUMN), 1, 2, 1),
        Line(("interest", "", "", ""), 0, 1, 0),
    ]
    assert await of_home(database, "OBJ2") == [Line(("interest", *AUTUMN), 1, 0, 0)]
    assert await of_home(database, "OBJ1", OTHER_CUSTOMER) == []


async def test_a_viewing_is_counted_for_the_home_that_its_embed_named(database: Database) -> None:
    for estate in ("OBJ1", ""):
        booking = replace(application(), operation=Operation.VIEWING, resource=("VIS1", "SLOT1"))
        await store(database, replace(booking, application=stored(marketing=Marketing.of_member(TAGS), estate=estate)))
    await counting(database).count()
    views = PageViews(database)
    for estate in ("OBJ1", "not a home’s id", ""):
        views.count(CUSTOMER, "viewing", ("VIS1", "SLOT1"), estate, ())
    await views.write()
    assert (await of_today(database)).homes == [Line((CUSTOMER, "VIS1"), 2, 1, 0), Line((CUSTOMER, "OBJ1"), 1, 1, 0)]
    assert Line(("viewing", *AUTUMN), 0, 1, 0) in await of_home(database, "OBJ1")


async def test_a_flood_of_made_up_campaigns_leaves_room_for_a_homes_own(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_counts, "MAX_CAMPAIGNS_OF_HOME_BY_VIEWS", 3)
    monkeypatch.setattr(daily_counts, "MAX_CAMPAIGNS_OF_HOME", 5)
    views = PageViews(database)
    for number in range(50):
        views.count(CUSTOMER, "interest", ("OBJ1",), "", [("utm_source", f"s{number}")])
    await views.write()
    await receive(database, TAGS)
    await counting(database).count()
    lines = await of_home(database, "OBJ1")
    assert len(lines) == 5
    assert Line(("interest", OTHER, OTHER, OTHER), 47, 0, 0) in lines
    assert Line(("interest", *AUTUMN), 0, 1, 0) in lines


async def test_one_customers_numbers_hold_nothing_of_anothers(database: Database) -> None:
    await receive(database, TAGS)
    await receive(database, {}, {}, customer_id=OTHER_CUSTOMER)
    await counting(database).count()
    assert sum((await of_today(database, CUSTOMER)).by_day.values()) == 1
    assert [
        (backlog.customer_id, backlog.submissions) for backlog in (await of_today(database, OTHER_CUSTOMER)).waiting
    ] == [(OTHER_CUSTOMER, 2)]


async def test_counts_of_two_processes_for_the_same_day_add_up(database: Database) -> None:
    counted = Counted(date(2026, 11, 22), CUSTOMER, "interest", "OBJ1", NO_CAMPAIGN)
    for _ in range(2):
        with database.engine.begin() as connection:
            add(connection, "views", Counter({counted: 2, counted._replace(campaign=Campaign("a")): 1}))
    dashboard = await load_dashboard(database, Scope(counted.day, counted.day))
    assert dashboard.homes == [Line((CUSTOMER, "OBJ1"), 6, 0, 0)]


async def test_what_needs_a_person_is_listed_also_where_only_a_later_step_stopped(database: Database) -> None:
    lead = PlannedStep(Operation.LEAD, (), {})
    held, half, fine, waits = (application(more_steps=(lead,)) for _ in range(4))
    await store(database, held, half, fine, waits)
    settle(database, held.id, Status.HELD)
    for new_submission in (half, fine):
        settle(database, new_submission.id, Status.DELIVERED)
    with database.engine.begin() as connection:
        of_half = (steps.c.submission_id == half.id) & (steps.c.position == 1)
        connection.execute(update(steps).where(of_half).values(status="failed"))
    dashboard = await of_today(database)
    assert (dict(dashboard.stuck), dashboard.later) == ({"held": 1}, 1)
    assert list(dashboard.newest_stuck) == sorted([held.id, half.id], reverse=True)
    rows = await list_submissions(database, KEYRING, SubmissionFilter(stuck=True), 10)
    assert [(row.id, row.stopped) for row in rows] == [(half.id, True), (held.id, False)]


async def test_a_list_is_filtered_and_continues_on_the_next_page(database: Database) -> None:
    await receive(database, {}, {}, {})
    newest, middle, oldest = sorted(ids(database), reverse=True)
    settle(database, oldest, Status.REJECTED)

    async def ids_of(**wanted: Any) -> list[str]:
        return [row.id for row in await list_submissions(database, KEYRING, SubmissionFilter(**wanted), 2)]

    assert await ids_of() == [newest, middle]
    assert await ids_of(below_id=middle) == [oldest]
    assert await ids_of(status=Status.REJECTED) == [oldest]
    assert await ids_of(status=Status.PENDING) == [newest, middle]
    assert await ids_of(customer_id=OTHER_CUSTOMER) == []
    assert await ids_of(operation=Operation.VIEWING) == []
    assert await ids_of(ids=[middle]) == [middle]
    assert await ids_of(received_before=datetime.now(UTC) - timedelta(minutes=1)) == []
