"""Tables of the clock's newest moment, of leases and of arrivals; a mark on refusals that the visitor was told of."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")  # microseconds since 1970
    for name in ("waiting_since", "told_at"):
        op.add_column("submissions", sa.Column(name, moment))
    op.add_column("alarms", sa.Column("raised_at", moment))
    kept = sa.text("erased_at IS NULL AND settled_at IS NOT NULL")
    op.create_index("ix_submissions_kept", "submissions", ["settled_at"], sqlite_where=kept, postgresql_where=kept)
    undecided = sa.text(
        "erased_at IS NULL AND status IN ('rejected', 'failed', 'uncertain', 'held', 'unreadable') AND told_at IS NULL"
    )
    columns = ["id", "status", "customer_id", "operation", "received_at", "settled_at"]
    op.create_index(
        "ix_submissions_undecided", "submissions", columns, sqlite_where=undecided, postgresql_where=undecided
    )
    op.create_table(
        "arrivals",
        sa.Column("customer_id", sa.String(40), primary_key=True),
        sa.Column("operation", sa.String(20), primary_key=True),
        sa.Column("spell", sa.String(7), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("holder", sa.String(36), nullable=False),
        sa.Column("until", moment, nullable=False),
    )
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("newest_at", moment, nullable=False),
        sa.Column("wrong_from", moment),
        sa.Column("wrong_at", moment),
        sa.Column("steady_since", moment),
    )
    # What the tally has counted before, so that a drought is found from the first day on.
    op.execute(
        "INSERT INTO arrivals SELECT customer_id, operation, substr(id, 1, 7), count(*), max(received_at) "
        "FROM submissions WHERE status <> 'held' "
        "AND id <= (SELECT submission_id FROM tallied WHERE round = 'received') "
        "GROUP BY customer_id, operation, substr(id, 1, 7)"
    )
