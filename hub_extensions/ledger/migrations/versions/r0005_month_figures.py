"""What pages show of months is kept; sessions whose end nobody saw are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the index."""
    op.create_table(
        "month_figures",
        sa.Column("hub", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True)),
        sa.Column("stale", sa.Integer, nullable=False),
        sa.Column("making", sa.Text, nullable=False),
    )
    op.create_index(
        "sessions_unseen",
        "sessions",
        ["hub", "ended_at"],
        sqlite_where=sa.text("end_reason = 'hub away'"),
        postgresql_where=sa.text("end_reason = 'hub away'"),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_index("sessions_unseen", "sessions")
    op.drop_table("month_figures")
