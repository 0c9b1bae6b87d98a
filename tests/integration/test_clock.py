"""A clock that can't be right stops the start."""

from datetime import UTC, datetime, timedelta

import pytest

from app.maintenance.checks import require_plausible_clock
from app.storage.database import Database, DatabaseUnusableError


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
