"""Lengths of time as people write them in settings: `30 minutes`, `2 hours`, `7 days`."""

import re
from datetime import timedelta

_WRITTEN = re.compile(r"(\d{1,6}) *(second|minute|hour|day|week)s?", re.ASCII)


def duration_of(text: str) -> timedelta | None:
    """The length that a whole number of seconds, minutes, hours, days or weeks means; None for anything else."""
    found = _WRITTEN.fullmatch(text.strip().casefold())
    return timedelta(**{f"{found[2]}s": int(found[1])}) if found else None
