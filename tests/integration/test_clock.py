"""A clock that can't be right stops the start. Submissions are dated by the database's clock, not the replica's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import httpx
import pytest
from sqlalchemy import make_url, select

from app.bootstrap.personal_link import make_link
from app.bootstrap.services import Service
from app.cli import leads
from app.cli.service import run
from app.maintenance.checks import require_plausible_clock
from app.sandbox import Office, Person
from app.storage import database as database_module
from app.storage.database import Database, DatabaseUnusableError, now_of
from app.storage.schema import submissions
from app.web.operations import submit
from app.web.operations.tokens import TOKEN_LIFETIME
from app.web.personal import links
from tests.conftest import API_KEY, CUSTOMER, Configure
from tests.integration.storage_helpers import MachineClock, opened
from tests.servers import eventually

MINUTE = timedelta(minutes=1)


def test_a_clock_that_is_right_stops_nothing(database: Database) -> None:
    require_plausible_clock(database, datetime.now(UTC))


def test_a_clock_from_before_the_product_is_wrong(database: Database) -> None:
    with pytest.raises(DatabaseUnusableError, match="clock says 1970-01-01 00:00Z"):
        require_plausible_clock(database, datetime(1970, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("off", [timedelta(hours=1), -timedelta(hours=1)])
def test_replicas_share_the_databases_clock(database: Database, off: timedelta) -> None:
    now = datetime.now(UTC) + off
    if database.is_sqlite:
        require_plausible_clock(database, now)
    else:
        with pytest.raises(DatabaseUnusableError, match=r"clock is 3(600|599) s off"):
            require_plausible_clock(database, now)


def is_now(moment: datetime) -> bool:
    return abs(datetime.now(UTC) - moment) < MINUTE


@pytest.mark.parametrize("off", [timedelta(days=3653), timedelta(hours=-2)])
def test_a_replica_whose_clock_goes_wrong_dates_and_delivers_its_leads_as_any_other(
    postgresql_url: str,
    start: Callable[..., httpx.Client],
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
    off: timedelta,
) -> None:
    client, machine = start(database_url=postgresql_url), MachineClock()
    for module in (database_module, submit):
        monkeypatch.setattr(module, "datetime", machine)
    machine.off = off
    body = {"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}, "consent": True}
    headers = {"Authorization": f"Bearer {API_KEY}", "Prefer": "respond-async", "Idempotency-Key": "one"}
    url = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
    posts = [client.post(url, json=body, headers=headers) for _ in range(2)]
    assert [post.status_code for post in posts] == [202, 202], posts[0].text
    assert posts[0].json()["id"] == posts[1].json()["id"]
    sent = eventually(lambda: office.received)
    assert is_now(datetime.fromisoformat(sent[0].body["gdprApprovalDate"]))
    with opened(postgresql_url) as database, database.engine.connect() as connection:
        row = connection.execute(select(submissions)).one()
    assert is_now(row.received_at)
    assert row.delivery_since == row.received_at
    assert row.repeat_until - row.received_at == TOKEN_LIFETIME


class _Later(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(days=3653)


def test_a_personal_link_runs_out_by_the_databases_clock(
    postgresql_url: str,
    start: Callable[..., httpx.Client],
    office: Office,
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office.contacts[CUSTOMER, "C1"] = Person(id="C1", customer_id=CUSTOMER, first_name="Anna")
    client, settings = start(database_url=postgresql_url), configure(database_url=postgresql_url)
    link = make_link(settings, CUSTOMER, "C1", "loan-promise", "1d").removeprefix(settings.public_url)
    for module in (database_module, links):
        monkeypatch.setattr(module, "datetime", _Later)
    assert client.get(link).status_code == 200


def test_an_age_on_the_command_line_is_counted_by_the_databases_clock(
    postgresql_url: str, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (database_module, leads):
        monkeypatch.setattr(module, "datetime", _Later, raising=False)
    older = leads.submission_filter(None, None, "1h", stuck=False)

    async def received_before(service: Service) -> datetime | None:
        return older(service).received_before

    found = run(configure(database_url=postgresql_url), received_before)
    assert found is not None
    assert is_now(found + timedelta(hours=1))


def test_the_transactions_time_is_in_utc_whatever_the_sessions_time_zone(postgresql_url: str) -> None:
    """Otherwise an hour would be ambiguous in the night when the clocks are put back."""
    url = make_url(postgresql_url).update_query_dict({"options": "-c timezone=Europe/Stockholm"})
    with opened(url.render_as_string(hide_password=False)) as database, database.engine.begin() as connection:
        assert now_of(connection).tzinfo is UTC
