"""The console's sessions, so that signing out ends them on every replica."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")  # microseconds since 1970
    op.create_table(
        "console_sessions",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("seen_at", moment, nullable=False),
        sqlite_with_rowid=False,
    )
