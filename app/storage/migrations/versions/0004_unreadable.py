"""The status `unreadable` in the indexes of what needs a person."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    stopped = sa.text("erased_at IS NULL AND status IN ('rejected', 'failed', 'uncertain', 'held', 'unreadable')")
    columns = ["id", "status", "customer_id", "operation"]
    op.create_index(
        "ix_submissions_need_a_person", "submissions", columns, sqlite_where=stopped, postgresql_where=stopped
    )
    later = sa.text("position > 0 AND status IN ('failed', 'rejected', 'uncertain', 'unreadable')")
    op.create_index("ix_steps_need_a_person", "steps", ["submission_id"], sqlite_where=later, postgresql_where=later)
    # The new ones serve the version before as well, on PostgreSQL, where both may be at work.
    op.drop_index("ix_submissions_stopped", "submissions")
    op.drop_index("ix_steps_stopped_later", "steps")
