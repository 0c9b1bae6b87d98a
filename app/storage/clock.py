"""A machine's clock that can't be right: ids, leases and tokens would be wrong with it."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from app.storage.database import Database, DatabaseUnusable, usable

EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)  # a submission's reference counts from here
MOST_OFF = timedelta(minutes=1)  # a lease's length, about


def require_right_clock(database: Database, now: datetime) -> None:
    """On PostgreSQL against the database's own clock, which the replicas share. Raises `DatabaseUnusable`."""
    if now < EARLIEST:
        raise DatabaseUnusable(f"this machine's clock says {now:%Y-%m-%d %H:%M}Z: set it")
    if database.is_sqlite:
        return
    with usable(), database.engine.connect() as connection:
        off = abs(now - connection.execute(select(func.clock_timestamp())).scalar_one())
    if off > MOST_OFF:
        raise DatabaseUnusable(f"this machine's clock is {off.total_seconds():.0f} s off the database's: set it")
