"""The tables of the ledger. ``migrations/`` brings a database to this shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
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
    # What `counting` knows of the row: 1 while cells do not show its present state, the end that they show, its kind,
    # and, once it has ended, how long it was, in microseconds, and the first day of the month in which it did.
    Column("uncounted", Integer, nullable=False, server_default=text("1")),
    Column("counted_until", Moment),
    Column("kind_id", Integer),
    Column("length", BigInteger),
    Column("ended_month", Date),
    Index("sessions_by_time", "hub", "ready_at"),
    Index("sessions_by_user", "hub", "user_name", "ready_at"),
    Index("sessions_by_community", "hub", "community", "ready_at"),
    Index("sessions_by_end", "hub", "ended_at"),
    # Percentiles of a month are found by walking along it.
    Index("sessions_by_length", "hub", "ended_month", "length", "community", "user_name"),
    Index("sessions_by_count", "hub", "user_name", "counted_until"),
    Index(
        "sessions_uncounted",
        "hub",
        "user_name",
        "ready_at",
        sqlite_where=text("uncounted = 1"),
        postgresql_where=text("uncounted = 1"),
    ),
    Index(
        "sessions_unseen",
        "hub",
        "ended_at",
        sqlite_where=text("end_reason = 'hub away'"),
        postgresql_where=text("end_reason = 'hub away'"),
    ),
)

SESSION_GROUPS = Table(
    "session_groups",
    METADATA,
    Column("session_id", Text, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("group", Text, primary_key=True),
    Index("session_groups_by_group", "group"),
)

# Names of people stand in one place, so that one can be forgotten. `folded` is the name in lower case.
PEOPLE = Table(
    "people",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("hub", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    UniqueConstraint("hub", "user_name", name="people_by_name"),
    Index("people_by_folded_name", "hub", "folded"),
)

# A combination of what sessions were; `groups` are sorted, and those of the person at the start.
KINDS = Table(
    "kinds",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("hub", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("community", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("image", Text, nullable=False),
    Column("choices", JSON, nullable=False),
    Column("groups", JSON, nullable=False),
    Index("kinds_by_community", "hub", "community"),
)

# The groups of a kind once more, to add up by: how many there are, and 1 for the primary one. Without any there is "".
KIND_GROUPS = Table(
    "kind_groups",
    METADATA,
    Column("kind_id", Integer, ForeignKey("kinds.id", ondelete="CASCADE"), primary_key=True),
    Column("group", Text, primary_key=True),
    Column("of", Integer, nullable=False),
    Column("is_primary", Integer, nullable=False),
)

# The choices of a kind once more, as "option: choice". Without any there is "".
KIND_CHOICES = Table(
    "kind_choices",
    METADATA,
    Column("kind_id", Integer, ForeignKey("kinds.id", ondelete="CASCADE"), primary_key=True),
    Column("choice", Text, primary_key=True),
)


def _measures() -> list[Column[Any]]:
    """What is measured: `seconds` and `alone` in whole microseconds, the last three in hours of what was given."""
    return [
        Column("started", Integer, nullable=False),
        Column("continued", Integer, nullable=False),
        Column("seconds", BigInteger, nullable=False),
        Column("alone", BigInteger, nullable=False),
        Column("memory", Float, nullable=False),
        Column("cpu", Float, nullable=False),
        Column("gpu", Float, nullable=False),
    ]


MEASURES = tuple(column.name for column in _measures())


def _cells(name: str) -> Table:
    return Table(
        name,
        METADATA,
        Column("hub", Text, primary_key=True),
        Column("day", Date, primary_key=True),
        Column("person_id", Integer, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
        Column("kind_id", Integer, primary_key=True),
        *_measures(),
        Index(f"{name}_by_person", "person_id", "day"),
        # Rows of a day lie together, in the order in which they are added up.
        sqlite_with_rowid=False,
    )


# What the sessions of a kind of a person come to on a day (see `hub_extensions.day_cells`).
DAY_CELLS = _cells("day_cells")

# The same by calendar month; `day` is its first.
MONTH_CELLS = _cells("month_cells")

# What pages show of a month that begins with `day`: of a community, or of the hub as a whole, which is "". `asked` says
# what else the figures depend on. Whoever changes cells makes them `stale`; who is `making` them anew sees by that
# whether something has changed meanwhile.
MONTH_FIGURES = Table(
    "month_figures",
    METADATA,
    Column("hub", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("community", Text, primary_key=True),
    Column("asked", Text, nullable=False),
    Column("figures", JSON, nullable=False),
    Column("made_at", Moment),
    Column("stale", Integer, nullable=False),
    Column("making", Text, nullable=False),
)

# In which time zone the days of a hub's cells begin, until when they are complete; `stale` is 1 while those of another
# time zone are being removed.
LEDGER_ZONES = Table(
    "ledger_zones",
    METADATA,
    Column("hub", Text, primary_key=True),
    Column("time_zone", Text, nullable=False),
    Column("stale", Integer, nullable=False),
    Column("counted_at", Moment),
)

# What is left of the sessions of a day, or of a month that begins with it (`span`), once they are not kept. `by` names
# what the row is told apart by, "" where it is all of the hub; a column that is not among them is "". Each combination
# has rows of its own, since people who are in several rows cannot be added up. Groups have the whole of their sessions.
TOTALS = Table(
    "totals",
    METADATA,
    Column("hub", Text, primary_key=True),
    Column("span", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("by", Text, primary_key=True),
    Column("community", Text, primary_key=True),
    Column("group", Text, primary_key=True),
    Column("profile", Text, primary_key=True),
    Column("people", Integer, nullable=False),
    *_measures(),
)

# The first day of a hub whose sessions are kept, and when it began. What was before is in the totals, from when the
# first session was ready.
TOTALS_UNTIL = Table(
    "totals_until",
    METADATA,
    Column("hub", Text, primary_key=True),
    Column("day", Date, nullable=False),
    Column("moment", Moment, nullable=False),
    Column("first_ready_at", Moment),
)

# What reports and pages need of a month that is in the totals, besides these (see `past_months`): of a community, or of
# the hub as a whole, which is "". `without` says whom the hub's settings left out.
PAST_MONTHS = Table(
    "past_months",
    METADATA,
    Column("hub", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("community", Text, primary_key=True),
    Column("figures", JSON, nullable=False),
    Column("without", JSON, nullable=False),
)

# Of people who have not gone with their sessions: the last month in the totals in which they used a server of a
# community, or of none, which is "", and 1 if a group that they were in was left out. Else they would seem to be new.
PAST_PEOPLE = Table(
    "past_people",
    METADATA,
    Column("person_id", Integer, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("community", Text, primary_key=True),
    Column("day", Date, nullable=False),
    Column("left_out", Integer, nullable=False),
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
