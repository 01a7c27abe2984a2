"""Sessions from a CSV file with one line each, below a header that names the columns."""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING

from ..end_reasons import EndReason
from ..mistakes import did_you_mean, shown
from ..sessions import GIB
from .lines import BadLine, SessionKeys, UnusableError, name_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..sessions import Session

COLUMNS: Mapping[str, str] = {
    "user_name": "whose session; required",
    "ready_at": "when the server was ready, such as 2026-01-31T14:05:00Z; required",
    "ended_at": "when it was gone; required",
    "server_name": "the name of a named server",
    "community": "the community it counts for",
    "groups": "the person's groups at that time, between semicolons",
    "profile": "the profile's slug",
    "choices": 'what was chosen, as JSON: {"image": "r"}',
    "image": "the image",
    "memory_gib": "GiB of memory that it was given",
    "cpu": "CPU cores that it was given",
    "gpus": "GPUs that it was given",
    "requested_at": "when the person asked for it",
    "end_reason": f"why it ended: {', '.join(EndReason)} (stopped)",
}
_LONGEST_TEXT = 1000  # characters of an image's name, or of what was written in
REQUIRED = ("user_name", "ready_at", "ended_at")


class HeaderError(ValueError):
    """The first line does not name the columns: without it no line can be read."""


def read_table(lines: Iterable[str], keys: SessionKeys) -> tuple[list[Session], list[BadLine]]:
    """Return the sessions of a file, and the lines that cannot be used. Raises ``HeaderError``."""
    # strict: a quote that is left open would swallow the rest of the file.
    rows = csv.reader(lines, strict=True)
    found: list[Session] = []
    bad: list[BadLine] = []
    names: list[str] | None = None
    number = 1
    while True:
        number = rows.line_num + 1
        try:
            row = next(rows, None)
            if row is None:
                break
            if names is None:
                names = _header(row)
            elif row:
                found.append(_session(names, row, keys))
        except (UnusableError, csv.Error) as error:
            if names is None:
                raise HeaderError(f"is not CSV: {error}") from None
            bad.append(BadLine(number, str(error)))
    if names is None:
        raise HeaderError(f"is empty; its first line names the columns, {', '.join(REQUIRED)} among them")
    return found, bad


def _header(row: list[str]) -> list[str]:
    names = [name.strip() for name in row]
    for name in names:
        if name not in COLUMNS:
            raise HeaderError(f"has a column {shown(name)} that nobody knows. {did_you_mean(name, COLUMNS)}".strip())
        if names.count(name) > 1:
            raise HeaderError(f"has the column {name} twice")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise HeaderError(f"has no column {' and no column '.join(missing)}; its first line names the columns")
    return names


def _session(names: list[str], row: list[str], keys: SessionKeys) -> Session:
    if len(row) != len(names):
        raise UnusableError(f"has {len(row)} fields; the header has {len(names)}")
    fields = dict(zip(names, (field.strip() for field in row), strict=True))
    ready_at = keys.moment(fields["ready_at"], "ready_at")
    ended_at = keys.moment(fields["ended_at"], "ended_at")
    if ended_at < ready_at:
        raise UnusableError(f"ended_at {shown(fields['ended_at'])} is before ready_at {shown(fields['ready_at'])}")
    requested_at = fields.get("requested_at")
    memory = _amount(fields, "memory_gib", float)
    gpus = _amount(fields, "gpus", int)
    return keys.session(
        name_in(fields["user_name"], "user_name"),
        name_in(fields.get("server_name", ""), "server_name", may_be_empty=True),
        ready_at,
        ended_at=ended_at,
        requested_at=keys.moment(requested_at, "requested_at") if requested_at else None,
        memory_guarantee=None if memory is None else round(memory * GIB),
        cpu_guarantee=_amount(fields, "cpu", float),
        gpus=int(gpus or 0),
        choices=_choices(fields.get("choices", "")),
        groups=frozenset(
            name_in(group, "groups") for part in fields.get("groups", "").split(";") if (group := part.strip())
        ),
        **{
            name: name_in(fields.get(name, ""), name, may_be_empty=True, longest=_LONGEST_TEXT)
            for name in ("community", "profile", "image")
        },
        end_reason=_reason(fields.get("end_reason", "")),
    )


def _amount(fields: Mapping[str, str], name: str, kind: type[int] | type[float]) -> float | None:
    text = fields.get(name, "")
    if not text:
        return None
    try:
        amount = kind(text)
    except ValueError:
        amount = math.nan
    if not 0 <= amount <= 1_000_000:
        raise UnusableError(f"{name} is {shown(text)}; expected a {'whole ' if kind is int else ''}number from 0 up")
    return amount


def _reason(text: str) -> EndReason:
    try:
        return EndReason(text or EndReason.STOPPED)
    except ValueError:
        raise UnusableError(f"end_reason is {shown(text)}; expected one of {', '.join(EndReason)}") from None


def _choices(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        choices = json.loads(text)
    except (ValueError, RecursionError):
        choices = None
    if not isinstance(choices, dict):
        raise UnusableError(f'choices is {shown(text)}; expected JSON such as {{"image": "r"}}')
    return {
        name_in(key, "choices"): name_in(value, "choices", may_be_empty=True, longest=_LONGEST_TEXT)
        for key, value in choices.items()
    }
