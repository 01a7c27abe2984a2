"""What a hub knows of sessions in files."""

from datetime import UTC, datetime

from hub_extensions.imports import SessionKeys

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
KEYS = SessionKeys("hub", NOW)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")
