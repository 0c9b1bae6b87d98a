"""Protection against a wrong clock on SQLite, where this machine's clock decides.

On PostgreSQL the database's clock decides, which all replicas share. This machine's clock may be wrong for a while: a
dead battery, a restored virtual machine, a mistyped date. So the newest time ever seen is stored, and a clock that
jumps is in doubt:

    ahead      nothing is done because of its age. Once the clock is back, rows dated meanwhile are dated back.
    behind     the same; once it is back, rows dated meanwhile are moved to the newest time before.
    steady     at its new time for a day: it is believed. So is that of a machine that was switched off for a month.
               Pauses of up to four days in between do not count: a machine that is off at night is believed after some
               days, or it would never erase anything.

A clock that was ahead for less than a tick is detected by the rows that it has dated. One that is behind dates no rows
until the next tick; the newest time is used instead (`database.now_of`). So nothing is erased, given up or taken for
new because its date is too early; once the clock is back, this waits until the rows dated meanwhile have been moved.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    delete,
    exists,
    func,
    insert,
    select,
    type_coerce,
    update,
)

from app.domain.ids import first_id_of
from app.domain.submission import FunctionGroup
from app.storage.column_types import UtcDateTime
from app.storage.database import BACK, Database, machine_time
from app.storage.outstanding import customers_with_outstanding
from app.storage.schema import (
    HOW_FAR,
    attempts,
    clock,
    logins,
    metadata,
    moves,
    notices,
    person_index,
    submissions,
    tallied,
)

TICK_SECONDS = 10.0
GAP = timedelta(minutes=10)  # between ticks, as during a restart; after a longer gap the clock may have jumped
BELIEVED_AFTER = timedelta(days=1)
ALARMS_AFTER = timedelta(hours=1)  # sooner: a false alarm costs less than a late one
MAX_WAIT = timedelta(hours=2)  # longer than a lease, and than the default retry delays with their jitter
LONGEST_BREAK = timedelta(days=4)  # as over a long week-end
FAR = timedelta(days=1)  # so far ahead, nothing is due by the default retry delays
LATEST = 1000  # attempts, more than a worker makes in a tick
ALWAYS = timedelta.max
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Not redated: times of erasures and moves, the clock's own row, and `repeat_until`, which follows from `received_at`.
_DATED = [
    (table, column)
    for table in metadata.sorted_tables
    if table not in (clock, moves)
    for column in table.c
    if isinstance(column.type, UtcDateTime) and column.name not in {"erased_at", "repeat_until"}
]

log = structlog.get_logger()


@dataclass(frozen=True)
class ClockState:
    """`newest_at` is the newest time that is believed. The others are set while the clock is in doubt: it began at
    `wrong_from`, was last seen at `wrong_at`, and has not jumped since `steady_since`, which breaks move ahead."""

    newest_at: datetime
    wrong_from: datetime | None = None
    wrong_at: datetime | None = None
    steady_since: datetime | None = None


@dataclass(frozen=True)
class Redating:
    """Rows dated between `since` and `until` (None: no end) get the date `to`."""

    since: datetime
    until: datetime | None
    to: datetime


def steady_for(state: ClockState | None, now: datetime) -> timedelta:
    """How long the clock has been steady; `ALWAYS` if it is not in doubt."""
    if state is None:
        return ALWAYS
    if state.wrong_at is None or state.steady_since is None:
        return ALWAYS if _follows(state.newest_at, now) else timedelta(0)
    if not _follows(state.wrong_at, now):  # perhaps it is back, but rows are still dated wrongly
        return timedelta(0)
    return now - state.steady_since


def advance(state: ClockState, now: datetime) -> tuple[ClockState, Redating | None]:
    """The state after the clock has been read, and what must be redated, if anything."""
    newest, wrong_from, wrong_at = state.newest_at, state.wrong_from, state.wrong_at
    if wrong_from is None or wrong_at is None or state.steady_since is None:
        return (ClockState(max(newest, now)) if _follows(newest, now) else _in_doubt(newest, now)), None
    wrong_for = wrong_at - state.steady_since  # at least: what passed between earlier jumps is unknown
    is_right = newest - BACK <= now <= newest + GAP + wrong_for
    after = ClockState(max(newest, now)) if is_right else _in_doubt(newest, now)
    if wrong_from > newest:
        if now >= wrong_from - BACK:
            if not _follows(wrong_at, now):  # it has jumped again, or was off
                was_off = timedelta(0) < now - wrong_at <= LONGEST_BREAK
                since = state.steady_since + (now - wrong_at) if was_off else now
                return replace(state, wrong_at=now, steady_since=since), None
            if now - state.steady_since >= BELIEVED_AFTER:
                return ClockState(now), None
            return replace(state, wrong_at=max(wrong_at, now)), None
        return after, Redating(wrong_from - BACK, None, max(now, newest))
    if now >= newest - BACK:
        return after, Redating(wrong_from - BACK, min(wrong_at + GAP, newest), newest)
    if not _follows(wrong_at, now):
        return replace(state, wrong_from=min(wrong_from, now), wrong_at=now, steady_since=now), None
    if now - state.steady_since >= BELIEVED_AFTER:  # so the time before was ahead
        return ClockState(now), Redating(now + BACK, None, now)
    return replace(state, wrong_at=max(wrong_at, now)), None


def _follows(before: datetime, now: datetime) -> bool:
    return -BACK <= now - before <= GAP


def _in_doubt(newest: datetime, now: datetime) -> ClockState:
    return ClockState(newest, now, now, now)


def is_steady(connection: Connection, patience: timedelta) -> bool:
    """Whether the clock has been steady for `patience`: only then may something be done because of its age."""
    if connection.dialect.name != "sqlite":
        return True
    return steady_for(_read(connection), machine_time()) >= patience


async def tick(database: Database) -> None:
    """Runs `check`. Raises `StoreUnavailableError`."""
    database.newest = await database.write(check)


def check(connection: Connection) -> datetime | None:
    """Reads the clock, and redates rows if it was wrong. Returns the newest time that is believed, for
    `Database.newest`; None while the clock is in doubt. Does nothing on PostgreSQL."""
    if connection.dialect.name != "sqlite":
        return None
    now, before = machine_time(), _read(connection)
    if before is None:
        connection.execute(insert(clock).values(id=1, newest_at=now))
        return now
    after, redating = advance(before, now)
    if not redating and not after.wrong_from and _has_dated_ahead(connection, now):
        redating = Redating(now + GAP, None, now)  # also retries that wait for longer: they come too early, once
    if redating:
        _redate(connection, redating)
        since, to = redating.since.isoformat(), redating.to.isoformat()
        log.warning("clock: rows dated by a wrong clock were redated", since=since, to=to)
    if after.wrong_from and not before.wrong_from:
        log.error(
            "clock: it has jumped; nothing is erased or given up for its age",
            now=now.isoformat(),
            newest=before.newest_at.isoformat(),
        )
    jumped = after.steady_since != before.steady_since  # for the first time, or from one wrong time to another
    if after.wrong_from and jumped:
        _make_due_soon(connection, now)
    if after != before:
        values = {name: getattr(after, name) for name in ("newest_at", "wrong_from", "wrong_at", "steady_since")}
        connection.execute(update(clock).values(values))
    return None if after.wrong_from else after.newest_at


def _has_dated_ahead(connection: Connection, now: datetime) -> bool:
    """Whether rows are dated too far ahead. Each query is one index lookup, because all of them run at each tick."""
    ahead, far, columns, customers = now + GAP, now + FAR, submissions.c, customers_with_outstanding()
    not_erased = columns.erased_at.is_(None)  # erased ones are not redated
    latest = select(attempts.c.started_at).order_by(attempts.c.id.desc()).limit(LATEST).subquery()
    of_credential = (
        columns.customer_id == customers.c.id,
        columns.function_group.in_([group.value for group in FunctionGroup]),
    )
    dated_ahead = (
        select(columns.id).where(columns.id > first_id_of(ahead), columns.received_at > ahead, not_erased),
        select(columns.id).where(columns.settled_at > ahead, not_erased),
        select(latest.c.started_at).where(latest.c.started_at > ahead),
        select(customers.c.id).where(exists().where(*of_credential, columns.due_at > far)),
        select(logins.c.customer_id).where(logins.c.probe_at > far),
        select(notices.c.id).where(notices.c.due_at > far),
    )
    return any(connection.execute(query.limit(1)).first() for query in dated_ahead)


def _make_due_soon(connection: Connection, now: datetime) -> None:
    """Makes due what waits for longer than `MAX_WAIT`. Whichever time was wrong, hardly any real wait is longer, and
    trying too early costs nothing."""
    for column in (submissions.c.due_at, logins.c.probe_at, notices.c.due_at):
        far = column > now + MAX_WAIT
        connection.execute(update(column.table).where(far).values({column.name: now}))


def trust(connection: Connection) -> None:
    """Trusts the clock, after a restore: the time since the backup has really passed."""
    connection.execute(delete(clock))


def _read(connection: Connection) -> ClockState | None:
    row = connection.execute(select(clock)).one_or_none()
    return ClockState(row.newest_at, row.wrong_from, row.wrong_at, row.steady_since) if row else None


def _redate(connection: Connection, redating: Redating) -> None:
    to = (redating.to - _EPOCH) // _MICROSECOND  # as SQLite stores it
    received, repeat = submissions.c.received_at, submissions.c.repeat_until
    known_for = type_coerce(repeat, BigInteger) - type_coerce(received, BigInteger)
    connection.execute(update(submissions).where(_wrong(received, redating)).values(repeat_until=known_for + to))
    for table, column in _DATED:
        time = redating.to + _MICROSECOND if table is tallied else redating.to  # later than what was counted
        connection.execute(update(table).where(_wrong(column, redating)).values({column.name: time}))
    # Positions are ids, which are in order of time: they continue from the new time.
    back_to = first_id_of(min(redating.since, redating.to))
    counted = tallied.c.submission_id > back_to
    connection.execute(update(tallied).where(counted).values(submission_id=first_id_of(redating.to)))
    before = select(func.max(submissions.c.id)).where(submissions.c.id < back_to).scalar_subquery()
    too_far = (person_index.c.hash == HOW_FAR) & (person_index.c.submission_id > back_to)
    connection.execute(delete(person_index).where(too_far, before.is_(None)))
    connection.execute(update(person_index).where(too_far).values(submission_id=before))


def _wrong(column: Column[Any], redating: Redating) -> ColumnElement[bool]:
    wrong = column >= redating.since
    if redating.until is not None:
        wrong &= column <= redating.until
    return wrong & submissions.c.erased_at.is_(None) if column.table is submissions else wrong
