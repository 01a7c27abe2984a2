"""What a ledger and a hub have to agree on: which servers run.

The hub tells which sessions run; the ledger, which of them have no end yet. Rows are missing where a write was lost;
ends are missing where nobody saw them, because the hub was killed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

BEATS = 2
"""So many answers in a row that lack a session are not enough to call it gone; the next one is."""


@dataclass(frozen=True)
class Reconciled:
    """What to do: `without_row` run and are to be written, `gone` are to be closed.

    `absent` is for the next call: how often in a row each open row was not among what runs.
    """

    without_row: frozenset[str]
    gone: frozenset[str]
    absent: Mapping[str, int] = field(default_factory=dict)


def reconcile(
    running: Mapping[str, datetime],
    rows: Mapping[str, datetime],
    absent: Mapping[str, int],
    at: datetime,
    on_its_way: timedelta,
) -> Reconciled:
    """Compare what runs, by a complete answer that the hub made at `at`, with the open rows; id → when it was ready.

    A row that is younger than the answer is left alone: its server became ready since. And for so long as `on_its_way`
    after a server is ready the hub itself may still be writing its row.
    """
    counted = {
        each: absent.get(each, 0) + 1 for each, ready_at in rows.items() if each not in running and ready_at < at
    }
    gone = frozenset(each for each, times in counted.items() if times > BEATS)
    return Reconciled(
        without_row=frozenset(
            each for each, ready_at in running.items() if each not in rows and ready_at + on_its_way <= at
        ),
        gone=gone,
        absent={each: times for each, times in counted.items() if each not in gone},
    )
