"""Cells of days and months, of what sessions come to, and what each row of sessions shows in them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; every session there is waits to be counted."""
    moment = sa.DateTime(timezone=True)
    op.add_column("sessions", sa.Column("uncounted", sa.Integer, nullable=False, server_default=sa.text("1")))
    op.add_column("sessions", sa.Column("counted_until", moment))
    op.add_column("sessions", sa.Column("kind_id", sa.Integer))
    op.add_column("sessions", sa.Column("length", sa.BigInteger))
    op.add_column("sessions", sa.Column("ended_month", sa.Date))
    op.create_index("sessions_by_length", "sessions", ["hub", "ended_month", "length", "community", "user_name"])
    op.create_index("sessions_by_count", "sessions", ["hub", "user_name", "counted_until"])
    op.create_index(
        "sessions_uncounted",
        "sessions",
        ["hub", "user_name", "ready_at"],
        sqlite_where=sa.text("uncounted = 1"),
        postgresql_where=sa.text("uncounted = 1"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("hub", sa.Text, nullable=False),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.UniqueConstraint("hub", "user_name", name="people_by_name"),
    )
    op.create_index("people_by_folded_name", "people", ["hub", "folded"])
    op.create_table(
        "kinds",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("hub", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("community", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("groups", sa.JSON, nullable=False),
    )
    op.create_index("kinds_by_community", "kinds", ["hub", "community"])
    op.create_table(
        "kind_groups",
        sa.Column("kind_id", sa.Integer, sa.ForeignKey("kinds.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("group", sa.Text, primary_key=True),
        sa.Column("of", sa.Integer, nullable=False),
        sa.Column("is_primary", sa.Integer, nullable=False),
    )
    op.create_table(
        "kind_choices",
        sa.Column("kind_id", sa.Integer, sa.ForeignKey("kinds.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("choice", sa.Text, primary_key=True),
    )
    for name in ("day_cells", "month_cells"):
        op.create_table(
            name,
            sa.Column("hub", sa.Text, primary_key=True),
            sa.Column("day", sa.Date, primary_key=True),
            sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
            sa.Column("kind_id", sa.Integer, primary_key=True),
            sa.Column("started", sa.Integer, nullable=False),
            sa.Column("continued", sa.Integer, nullable=False),
            sa.Column("seconds", sa.BigInteger, nullable=False),
            sa.Column("alone", sa.BigInteger, nullable=False),
            sa.Column("memory", sa.Float, nullable=False),
            sa.Column("cpu", sa.Float, nullable=False),
            sa.Column("gpu", sa.Float, nullable=False),
            sqlite_with_rowid=False,
        )
        op.create_index(f"{name}_by_person", name, ["person_id", "day"])
    op.create_table(
        "ledger_zones",
        sa.Column("hub", sa.Text, primary_key=True),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("stale", sa.Integer, nullable=False),
        sa.Column("counted_at", moment),
    )


def downgrade() -> None:
    """Drop them; the sessions stay."""
    for name in ("ledger_zones", "month_cells", "day_cells", "kind_choices", "kind_groups", "kinds", "people"):
        op.drop_table(name)
    op.drop_index("sessions_uncounted", "sessions")
    op.drop_index("sessions_by_count", "sessions")
    op.drop_index("sessions_by_length", "sessions")
    for name in ("ended_month", "length", "kind_id", "counted_until", "uncounted"):
        op.drop_column("sessions", name)
