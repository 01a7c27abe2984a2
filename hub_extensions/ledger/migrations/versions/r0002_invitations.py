"""Invitations, who has come by each, and what signs them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the three tables and their indexes."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "invitations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("hub", sa.Text, nullable=False),
        sa.Column("community", sa.Text, nullable=False),
        sa.Column("token_digest", sa.Text, nullable=False, unique=True),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("uses_allowed", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("revoked_at", moment),
        sa.Column("revoked_by", sa.Text, nullable=False),
    )
    op.create_table(
        "invitation_uses",
        sa.Column("invitation_id", sa.Integer, sa.ForeignKey("invitations.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("used_at", moment, nullable=False),
    )
    op.create_table(
        "invitation_secrets",
        sa.Column("hub", sa.Text, primary_key=True),
        sa.Column("secret", sa.Text, nullable=False),
    )
    op.create_index("invitations_by_community", "invitations", ["hub", "community"])
    op.create_index("invitation_uses_by_person", "invitation_uses", ["provider", "subject"])
    op.create_index("invitation_uses_by_user", "invitation_uses", ["user_name"])


def downgrade() -> None:
    """Drop the three tables."""
    op.drop_table("invitation_secrets")
    op.drop_table("invitation_uses")
    op.drop_table("invitations")
