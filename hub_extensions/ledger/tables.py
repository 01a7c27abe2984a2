"""The tables of the ledger. ``migrations/`` brings a database to this shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import JSON, BigInteger, Column, DateTime, Float, ForeignKey, Index, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class Moment(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC. SQLite keeps no time zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment in UTC; a naive one is refused, since nobody could know which it is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone: {value.isoformat()}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment in UTC."""
        if value is None or value.tzinfo is not None:
            return value and value.astimezone(UTC)
        return value.replace(tzinfo=UTC)


METADATA = MetaData()

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("hub", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("server_name", Text, nullable=False),
    Column("community", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("choices", JSON, nullable=False),
    Column("image", Text, nullable=False),
    Column("memory_limit", BigInteger),
    Column("memory_guarantee", BigInteger),
    Column("cpu_limit", Float),
    Column("cpu_guarantee", Float),
    Column("gpus", Integer, nullable=False),
    Column("requested_at", Moment),
    Column("ready_at", Moment, nullable=False),
    Column("last_seen_at", Moment),
    Column("ended_at", Moment),
    Column("end_reason", Text, nullable=False),
    Index("sessions_by_time", "hub", "ready_at"),
    Index("sessions_by_user", "hub", "user_name", "ready_at"),
    Index("sessions_by_community", "hub", "community", "ready_at"),
    Index("sessions_by_end", "hub", "ended_at"),
)

SESSION_GROUPS = Table(
    "session_groups",
    METADATA,
    Column("session_id", Text, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("group", Text, primary_key=True),
    Index("session_groups_by_group", "group"),
)

INVITATIONS = Table(
    "invitations",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("hub", Text, nullable=False),
    Column("community", Text, nullable=False),
    Column("token_digest", Text, nullable=False, unique=True),
    Column("made_by", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("uses_allowed", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_by", Text, nullable=False),
    Index("invitations_by_community", "hub", "community"),
)

INVITATION_USES = Table(
    "invitation_uses",
    METADATA,
    Column("invitation_id", Integer, ForeignKey("invitations.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_name", Text, nullable=False),
    Column("used_at", Moment, nullable=False),
    Index("invitation_uses_by_person", "provider", "subject"),
    Index("invitation_uses_by_user", "user_name"),
)

# What signs a hub's invitations, where the operator gives no secret for it.
INVITATION_SECRETS = Table(
    "invitation_secrets",
    METADATA,
    Column("hub", Text, primary_key=True),
    Column("secret", Text, nullable=False),
)
