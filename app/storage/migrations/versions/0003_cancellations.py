"""Cancellations: the submission that calls off a booking."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    def submission() -> sa.ForeignKey:
        return sa.ForeignKey("submissions.id", ondelete="CASCADE")

    op.create_table(
        "cancellations",
        sa.Column("booking_id", sa.String(36), submission(), primary_key=True),
        sa.Column("submission_id", sa.String(36), submission(), nullable=False, index=True),
        sqlite_with_rowid=False,
    )
