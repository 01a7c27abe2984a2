"""What reports need of months whose sessions are no longer kept, and who of those who are left was there before."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables, and a column."""
    op.add_column("totals_until", sa.Column("first_ready_at", sa.DateTime(timezone=True)))
    op.create_table(
        "past_months",
        sa.Column("hub", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("without", sa.JSON, nullable=False),
    )
    op.create_table(
        "past_people",
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("community", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("left_out", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("past_people")
    op.drop_table("past_months")
    op.drop_column("totals_until", "first_ready_at")
