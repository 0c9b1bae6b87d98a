"""Submissions, the steps that deliver them, the attempts at each step; what is known of each login."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")  # microseconds since 1970
    op.create_table(
        "submissions",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("customer_id", sa.String(40), nullable=False),
        sa.Column("operation", sa.String(20), nullable=False),
        sa.Column("resource", sa.String(130), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("delivery_since", moment, nullable=False),
        sa.Column("settled_at", moment),
        sa.Column("payload", sa.LargeBinary),
        sa.Column("email_hash", sa.LargeBinary),
        sa.Column("phone_hash", sa.LargeBinary),
        sa.Column("repeat_key", sa.LargeBinary, unique=True),
        sa.Column("repeat_content", sa.LargeBinary),
        sa.Column("repeat_until", moment),
        sa.Column("function_group", sa.String(12), nullable=False),
        sa.Column("at_recovery", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("due_at", moment),
        sa.Column("claim", sa.String(36)),
        sa.Column("erased_at", moment),
    )
    due = sa.text("due_at IS NOT NULL")
    columns = ["customer_id", "function_group", "due_at"]
    op.create_index("ix_submissions_due", "submissions", columns, sqlite_where=due, postgresql_where=due)
    stopped = sa.text("erased_at IS NULL AND status IN ('rejected', 'failed', 'uncertain', 'held')")
    columns = ["id", "status", "customer_id", "operation"]
    op.create_index("ix_submissions_stopped", "submissions", columns, sqlite_where=stopped, postgresql_where=stopped)
    settled = sa.text("settled_at IS NOT NULL")
    op.create_index(
        "ix_submissions_settled", "submissions", ["settled_at"], sqlite_where=settled, postgresql_where=settled
    )
    op.create_table(
        "person_index",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column(
            "submission_id", sa.String(36), sa.ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_person_index_submission_id", "person_index", ["submission_id"])
    op.create_table(
        "steps",
        sa.Column(
            "submission_id", sa.String(36), sa.ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("operation", sa.String(20), nullable=False),
        sa.Column("resource", sa.String(130), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_found", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("result", sa.LargeBinary),
        sa.Column("upstream", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    later = sa.text("position > 0 AND status IN ('failed', 'rejected', 'uncertain')")
    op.create_index("ix_steps_stopped_later", "steps", ["submission_id"], sqlite_where=later, postgresql_where=later)
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("submission_id", sa.String(36), sa.ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("ended_at", moment),
        sa.Column("outcome", sa.String(20)),
        sa.Column("http_status", sa.Integer),
        sa.Column("detail", sa.String(200)),
    )
    op.create_index("ix_attempts_submission_id", "attempts", ["submission_id"])
    op.create_table(
        "alarms",
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("customer_id", sa.String(40), primary_key=True),
        sa.Column("subject", sa.String(36), primary_key=True),
        sa.Column("since", moment, nullable=False),
        sa.Column("state", sa.String(5), nullable=False),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("receiver", sa.String(10), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("customer_id", sa.String(40), nullable=False),
        sa.Column("over", sa.Boolean, nullable=False),
        sa.Column("subjects", sa.Text, nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("due_at", moment),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    op.create_table(
        "moves",
        sa.Column("direction", sa.String(3), primary_key=True),
        sa.Column("place", sa.String(300), nullable=False),
        sa.Column("began_at", moment, nullable=False),
        sa.Column("ended_at", moment),
    )
    op.create_table(
        "logins",
        sa.Column("customer_id", sa.String(40), primary_key=True),
        sa.Column("function_group", sa.String(12), primary_key=True),
        sa.Column("away_since", moment),
        sa.Column("forbidden", sa.String(100)),
        sa.Column("paused_at", moment),
        sa.Column("reason", sa.String(20)),
        sa.Column("probe_at", moment),
        sa.Column("probed", sa.String(36)),
    )
    _what_the_console_keeps(moment)


def _what_the_console_keeps(moment: sa.types.TypeEngine[datetime]) -> None:
    by_day: dict[str, sa.types.TypeEngine[Any]] = {
        "day": sa.Date(),
        "customer_id": sa.String(40),
        "operation": sa.String(20),
    }
    campaign = {"home": sa.String(40), "source": sa.String(60), "medium": sa.String(60), "campaign": sa.String(60)}
    by_home = {"customer_id": sa.String(40), "home": sa.String(40)}
    for table, key in {"daily_counts": by_day | campaign, "home_campaigns": by_home | by_day | campaign}.items():
        op.create_table(
            table,
            *(sa.Column(name, kind, primary_key=True) for name, kind in key.items()),
            *(sa.Column(name, sa.Integer, nullable=False) for name in ("views", "submissions", "delivered")),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "delivery_times",
        *(sa.Column(name, kind, primary_key=True) for name, kind in by_day.items()),
        sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("delivered", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tallied",
        sa.Column("round", sa.String(10), primary_key=True),
        sa.Column("moment", moment),
        sa.Column("submission_id", sa.String(36), nullable=False),
    )
