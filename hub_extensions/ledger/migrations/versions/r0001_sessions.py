"""Sessions and the groups of each."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables and their indexes."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("hub", sa.Text, nullable=False),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("server_name", sa.Text, nullable=False),
        sa.Column("community", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("memory_limit", sa.BigInteger),
        sa.Column("memory_guarantee", sa.BigInteger),
        sa.Column("cpu_limit", sa.Float),
        sa.Column("cpu_guarantee", sa.Float),
        sa.Column("gpus", sa.Integer, nullable=False),
        sa.Column("requested_at", moment),
        sa.Column("ready_at", moment, nullable=False),
        sa.Column("last_seen_at", moment),
        sa.Column("ended_at", moment),
        sa.Column("end_reason", sa.Text, nullable=False),
    )
    op.create_table(
        "session_groups",
        sa.Column("session_id", sa.Text, sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("group", sa.Text, primary_key=True),
    )
    op.create_index("sessions_by_time", "sessions", ["hub", "ready_at"])
    op.create_index("sessions_by_user", "sessions", ["hub", "user_name", "ready_at"])
    op.create_index("sessions_by_community", "sessions", ["hub", "community", "ready_at"])
    op.create_index("sessions_by_end", "sessions", ["hub", "ended_at"])
    op.create_index("session_groups_by_group", "session_groups", ["group"])


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("session_groups")
    op.drop_table("sessions")
