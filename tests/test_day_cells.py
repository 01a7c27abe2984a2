"""What one person's sessions count on a day: where days end, a day too many is easily counted."""

from datetime import UTC, date, datetime, timedelta

import pytest

from hub_extensions.day_cells import Calendar, Stretch, day_cells

MIDNIGHT = datetime(2026, 10, 2, tzinfo=UTC)
BEFORE, AFTER = date(2026, 10, 1), date(2026, 10, 2)
HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (-HOUR, 0 * HOUR, {BEFORE: (1, 0, HOUR)}),
        (-HOUR, MOMENT, {BEFORE: (1, 0, HOUR), AFTER: (0, 1, MOMENT)}),
        (-HOUR, HOUR, {BEFORE: (1, 0, HOUR), AFTER: (0, 1, HOUR)}),
        (0 * HOUR, HOUR, {AFTER: (1, 0, HOUR)}),
        (0 * HOUR, 0 * HOUR, {AFTER: (1, 0, 0 * HOUR)}),
        (-MOMENT, -MOMENT, {BEFORE: (1, 0, 0 * HOUR)}),
        (HOUR, -HOUR, {AFTER: (1, 0, 0 * HOUR)}),  # its clock was set back
    ],
)
def test_a_session_counts_on_the_days_in_which_it_ran(start, end, expected):
    session = Stretch(id="a", kind=1, ready_at=MIDNIGHT + start, end=MIDNIGHT + end)
    found = day_cells([session], [BEFORE, AFTER, AFTER + timedelta(days=1)], Calendar(UTC))
    assert {day: (cell.started, cell.continued, cell.time * MOMENT) for (day, _), cell in found.items()} == expected
