"""The tables, for both SQLite and PostgreSQL. Comments say which columns hold personal data, and how."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    literal_column,
)

from app.domain.submission import NEEDS_ATTENTION, Status
from app.storage.column_types import UtcDateTime

metadata = MetaData()


def literals(*values: str) -> list[ColumnElement[str]]:
    """Literals for the conditions of partial indexes, which allow no parameters. A query uses such an index only if it
    has the same condition."""
    return [literal_column(f"'{value}'", String) for value in values]


def _partial_index(name: str, *columns: Column[Any], where: ColumnElement[bool]) -> None:
    Index(name, *columns, sqlite_where=where, postgresql_where=where)


submissions = Table(
    "submissions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("customer_id", String(40), nullable=False),
    Column("operation", String(20), nullable=False),
    Column("resource", String(130), nullable=False),  # the path's ids, joined by "/"; see `encrypted_fields`
    Column("status", String(12), nullable=False),
    Column("language", String(12), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("delivery_since", UtcDateTime, nullable=False),  # when it was received or retried: its age counts from then
    Column("waiting_since", UtcDateTime),  # when a person released or retried it; NULL: since it was received
    Column("settled_at", UtcDateTime),  # when its outcome was known
    Column("told_at", UtcDateTime),  # when its visitor saw the refusal on the page: no person needs to act then
    Column("payload", LargeBinary),  # encrypted: the application, and what each step sends; NULL once erased
    Column("email_hash", LargeBinary),  # keyed hash; no index, see `person_index`
    Column("phone_hash", LargeBinary),  # keyed hash; no index, see `person_index`
    Column("repeat_key", LargeBinary, unique=True),  # keyed hash
    Column("repeat_content", LargeBinary),  # keyed hash
    Column("repeat_until", UtcDateTime),
    Column("function_group", String(12), nullable=False),  # which password the next step needs
    Column("at_recovery", Boolean, nullable=False, server_default=false()),  # due as soon as Vitec is reachable again
    # A claim moves `due_at` to the end of its lease, so that an abandoned one becomes due again by itself.
    Column("due_at", UtcDateTime),  # NULL: nothing more to do
    Column("claim", String(36)),  # the fencing token: who may record an outcome
    Column("erased_at", UtcDateTime),  # when its personal data was erased; what is counted stays
)
_partial_index(
    "ix_submissions_due",
    submissions.c.customer_id,
    submissions.c.function_group,
    submissions.c.due_at,
    where=submissions.c.due_at.is_not(None),
)
_partial_index("ix_submissions_settled", submissions.c.settled_at, where=submissions.c.settled_at.is_not(None))
IS_KEPT = submissions.c.erased_at.is_(None) & submissions.c.settled_at.is_not(None)  # may expire
_partial_index("ix_submissions_kept", submissions.c.settled_at, where=IS_KEPT)
# Statuses that need a person. A later step may also have stopped after the submission's own operation arrived.
_STUCK = literals(Status.REJECTED, Status.FAILED, Status.UNCERTAIN, Status.HELD, Status.UNREADABLE)
HAS_STOPPED = submissions.c.erased_at.is_(None) & submissions.c.status.in_(_STUCK)
NEEDS_A_PERSON = HAS_STOPPED & submissions.c.told_at.is_(None)
_STOPPED = (submissions.c.id, submissions.c.status, submissions.c.customer_id, submissions.c.operation)
_partial_index("ix_submissions_need_a_person", *_STOPPED, where=HAS_STOPPED)
_WHEN = (submissions.c.received_at, submissions.c.settled_at)  # so that the age can be read from the index
_partial_index("ix_submissions_undecided", *_STOPPED, *_WHEN, where=NEEDS_A_PERSON)


def _of_submission() -> ForeignKey:
    return ForeignKey("submissions.id", ondelete="CASCADE")


HOW_FAR = b""  # the hash in the row that says how far the table below is filled

# The hashes above in sorted order, filled in some minutes later: an index on them would slow posts by a twelfth.
person_index = Table(
    "person_index",
    metadata,
    Column("hash", LargeBinary, primary_key=True),  # or `HOW_FAR`
    Column("submission_id", String(36), _of_submission(), primary_key=True, index=True),
    sqlite_with_rowid=False,
)

steps = Table(
    "steps",
    metadata,
    Column("submission_id", String(36), _of_submission(), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("operation", String(20), nullable=False),
    Column("resource", String(130), nullable=False),
    Column("status", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_found", Boolean, nullable=False, server_default=false()),  # Vitec has answered 404 once
    Column("result", LargeBinary),  # encrypted: Vitec's result, such as a contact's id
    Column("upstream", LargeBinary),  # encrypted: Vitec's messages, which may quote what was sent
    sqlite_with_rowid=False,
)
# A submission's own step may come after the first, so both of these are used together. HAS_ARRIVED is written with NOT
# IN: with an equality SQLite would scan all submissions first.
HAS_ARRIVED = submissions.c.erased_at.is_(None) & submissions.c.status.not_in(_STUCK)
LATER_STEP_STOPPED = (steps.c.position > literal_column("0")) & steps.c.status.in_(literals(*sorted(NEEDS_ATTENTION)))
_partial_index("ix_steps_need_a_person", steps.c.submission_id, where=LATER_STEP_STOPPED)

# Which submission cancels which booking; at most one for each booking.
cancellations = Table(
    "cancellations",
    metadata,
    Column("booking_id", String(36), _of_submission(), primary_key=True),
    Column("submission_id", String(36), _of_submission(), nullable=False, index=True),
    sqlite_with_rowid=False,
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("submission_id", String(36), _of_submission(), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", String(20)),  # NULL: the call has not ended, or a crash interrupted it
    Column("http_status", Integer),
    Column("detail", String(200)),  # our text, never Vitec's
)


# Counted by `counter_job` and `page_views`, by the Swedish day on which a submission was received or a form shown. Tags
# are truncated, and only a limited number a day is counted separately (`daily_counts`).
def _counted_by(name: str, *key: str) -> Table:
    kinds: dict[str, Any] = {"day": Date, "customer_id": String(40), "operation": String(20), "home": String(40)}
    kinds |= dict.fromkeys(("source", "medium", "campaign"), String(60))
    return Table(
        name,
        metadata,
        *(Column(column, kinds[column], primary_key=True) for column in (*key, "source", "medium", "campaign")),
        *(Column(column, Integer, nullable=False) for column in ("views", "submissions", "delivered")),
        sqlite_with_rowid=False,
    )


# `home` is an estate's id, or a viewing's: empty in a row of a campaign. In a row of a home the campaign's are empty.
daily_counts = _counted_by("daily_counts", "day", "customer_id", "operation", "home")
# A home's campaigns: in a table of their own, so that sums over the one above stay cheap; keyed in its queries' order.
home_campaigns = _counted_by("home_campaigns", "customer_id", "home", "day", "operation")
delivery_times = Table(
    "delivery_times",
    metadata,
    Column("day", Date, primary_key=True),
    Column("customer_id", String(40), primary_key=True),
    Column("operation", String(20), primary_key=True),
    Column("bucket", Integer, primary_key=True, autoincrement=False),  # of seconds, see `latency_histogram`
    Column("delivered", Integer, nullable=False),
    sqlite_with_rowid=False,
)
# The position of the counter job, a row for each of its two rounds.
tallied = Table(
    "tallied",
    metadata,
    Column("round", String(10), primary_key=True),
    Column("moment", UtcDateTime),
    Column("submission_id", String(36), nullable=False),
)

# The number of submissions to each form, in buckets of an id's time, up to the counter job's position: for silence
# detection. Older buckets are deleted.
arrivals = Table(
    "arrivals",
    metadata,
    Column("customer_id", String(40), primary_key=True),
    Column("operation", String(20), primary_key=True),
    Column("spell", String(7), primary_key=True),  # the ids' first characters: 2^20 ms, some 17 minutes
    Column("number", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

# Jobs that one process does for all: who holds the lease, and until when.
leases = Table(
    "leases",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("holder", String(36), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

# One row, on SQLite: the state of this machine's clock (`storage.clock`).
clock = Table(
    "clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("newest_at", UtcDateTime, nullable=False),
    Column("wrong_from", UtcDateTime),
    Column("wrong_at", UtcDateTime),
    Column("steady_since", UtcDateTime),
)

# Two rows at most: `out` in a database that was moved elsewhere, `in` in one that it was moved to.
moves = Table(
    "moves",
    metadata,
    Column("direction", String(3), primary_key=True),
    Column("place", String(300), nullable=False),  # the other database, without password
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),  # NULL: unfinished
)

# The circuit breaker's state of a login (a customer's password for one function group); no row if all is well.
logins = Table(
    "logins",
    metadata,
    Column("customer_id", String(40), primary_key=True),
    Column("function_group", String(12), primary_key=True),
    Column("away_since", UtcDateTime),  # since when Vitec could not be reached
    Column("forbidden", String(100)),  # keyed hashes of what Vitec refused in a row
    Column("paused_at", UtcDateTime),
    Column("reason", String(20)),  # of the pause: `refused`, `forbidden`
    Column("probe_at", UtcDateTime),  # when one submission may try the paused login
    Column("probed", String(36)),  # the one that tried last
)

# A row for each incident that is not over, or not yet reported as over.
alarms = Table(
    "alarms",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("customer_id", String(40), primary_key=True),
    Column("subject", String(36), primary_key=True),  # a submission's id, or a fixed word
    Column("since", UtcDateTime, nullable=False),
    Column("state", String(5), nullable=False),
    Column("raised_at", UtcDateTime),
)

# Alerts to send, and those sent recently: a row for each receiver.
notices = Table(
    "notices",
    metadata,
    Column("id", String(36), primary_key=True),  # the same at each attempt, so that the receiver recognizes a repeat
    Column("receiver", String(10), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("customer_id", String(40), nullable=False),
    Column("over", Boolean, nullable=False),  # the all-clear
    Column("subjects", Text, nullable=False),  # separated by spaces
    Column("since", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),  # NULL: sent, or given up
    Column("attempts", Integer, nullable=False),
)

# A row for each open session of the console (`console_sessions`).
console_sessions = Table(
    "console_sessions",
    metadata,
    Column("id", LargeBinary, primary_key=True),  # keyed hash of the cookie
    Column("seen_at", UtcDateTime, nullable=False),  # its last request, to about a minute
    sqlite_with_rowid=False,
)
