"""JupyterHub's event log is read into sessions, whatever it leaves out."""

import io
import json
import logging
from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_events import EventLogger

from hub_extensions.imports import EventLog
from hub_extensions.imports.event_log import SCHEMAS

from .keys import KEYS, utc


def event(action: str, moment: str, user: str = "ada", server: str = "", **other: Any) -> str:
    return json.dumps(
        {
            "__timestamp__": moment,
            "__schema__": SCHEMAS[0],
            "__schema_version__": "1",
            "__metadata_version__": 1,
            "action": action,
            "username": user,
            "servername": server,
            **other,
        }
    )


def read(*lines: str) -> tuple[EventLog, list[str]]:
    log = EventLog(KEYS)
    bad = log.read(lines)
    assert bad == []
    return log, [
        f"{each.user_name}/{each.server_name} {each.ready_at:%H:%M}-{each.ended_at:%H:%M} {each.end_reason}"
        for each in log.sessions()
        if each.ready_at and each.ended_at
    ]


def test_what_jupyterhub_itself_writes_is_read() -> None:
    written = io.StringIO()
    logger = EventLogger(handlers=[logging.StreamHandler(written)])
    [schema] = (resources.files("jupyterhub") / "event-schemas" / "server-actions").iterdir()
    logger.register_event_schema(Path(str(schema)))
    start = datetime(2026, 10, 1, 8, 30, 0, 250_000, tzinfo=UTC)
    for action, moment in (("start", start), ("stop", start + timedelta(hours=2))):
        logger.emit(
            schema_id=SCHEMAS[0],
            data={"action": action, "username": "ada", "servername": "gpu"},
            timestamp_override=moment,
        )
    log = EventLog(KEYS)
    assert log.read(written.getvalue().splitlines()) == []
    [session] = log.sessions()
    assert (session.user_name, session.server_name, session.end_reason) == ("ada", "gpu", "stopped")
    assert (session.ready_at, session.ended_at) == (start, start + timedelta(hours=2))
    assert (log.others, log.unended, log.unstarted) == (0, 0, 0)


def test_servers_of_a_person_are_told_apart() -> None:
    log, found = read(
        event("start", "2026-10-01T08:00:00Z"),
        event("start", "2026-10-01T08:10:00Z", server="gpu"),
        event("start", "2026-10-01T08:20:00Z", user="adam"),
        event("stop", "2026-10-01T08:30:00Z"),
        event("stop", "2026-10-01T08:40:00Z", server="gpu"),
        event("stop", "2026-10-01T08:50:00Z", user="adam"),
    )
    assert found == ["ada/ 08:00-08:30 stopped", "ada/gpu 08:10-08:40 stopped", "adam/ 08:20-08:50 stopped"]
    assert len({each.id for each in log.sessions()}) == 3


def test_an_end_that_is_not_in_the_log_gives_no_hours() -> None:
    log, found = read(
        event("start", "2026-10-01T08:00:00Z"),
        event("start", "2026-10-02T09:00:00Z"),
        event("stop", "2026-10-02T10:00:00Z"),
        event("start", "2026-10-03T11:00:00Z"),
    )
    assert found == ["ada/ 08:00-08:00 hub away", "ada/ 09:00-10:00 stopped", "ada/ 11:00-11:00 hub away"]
    assert log.unended == 2


def test_a_stop_without_a_start_is_counted_and_makes_nothing() -> None:
    log, found = read(event("stop", "2026-10-01T08:00:00Z"), event("stop", "2026-10-01T09:00:00Z"))
    assert (found, log.unstarted) == ([], 2)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_rotated_files_may_come_in_any_order_and_overlap(order: tuple[int, ...]) -> None:
    lines = [
        event("start", "2026-10-01T08:00:00Z"),
        event("stop", "2026-10-01T09:00:00Z"),
        event("start", "2026-10-01T09:00:00Z"),
        event("stop", "2026-10-01T10:00:00Z"),
    ]
    files = [lines[:2], lines[1:3], lines[2:]]
    _, found = read(*(line for number in order for line in files[number]))
    assert found == ["ada/ 08:00-09:00 stopped", "ada/ 09:00-10:00 stopped"]


def test_events_of_another_kind_are_passed_over_and_counted() -> None:
    log, found = read(event("login", "never", __schema__="https://example.org/else"), "{}", "", "  ")
    assert (found, log.others) == ([], 2)


def test_names_of_the_schema_before_jupyterhub_5_are_known() -> None:
    log, _ = read(event("start", "2026-10-01T08:00:00Z", __schema__="hub.jupyter.org/server-action"))
    assert len(log.sessions()) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"__schema__": ', "is not JSON"),
        ("[1]", "is no event"),
        ("[" * 100_000, "is not JSON"),
        (event("restart", "2026-10-01T08:00:00Z"), "the action is 'restart'"),
        (event("start", "yesterday"), "__timestamp__ is 'yesterday'; expected a time"),
        (event("start", "2026-10-01T08:00:00"), "without a time zone"),
        (event("start", "1970-01-01T08:00:00Z"), "not between 2010 and now"),
        (event("start", "2027-01-01T08:00:00Z"), "not between 2010 and now"),
        (event("start", "0001-01-01T00:00:00+14:00"), "no calendar has in UTC"),
        (event("start", "2026-10-01T08:00:00Z", user=""), "username is empty"),
        (event("start", "2026-10-01T08:00:00Z", user="a" * 256), "username has 256 characters"),
        (event("start", "2026-10-01T08:00:00Z", user="a\0b"), "control characters"),
        (event("start", "2026-10-01T08:00:00Z", user="\udc80"), "control characters"),
        (event("start", "2026-10-01T08:00:00Z", username=7), "username is 7; expected text"),
        (event("start", "2026-10-01T08:00:00Z", servername=None), "servername is None; expected text"),
        (event("start", "", __timestamp__=3), "__timestamp__ is 3; expected a time"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_by_its_number(line: str, said: str) -> None:
    log = EventLog(KEYS)
    [bad] = log.read(["", event("stop", "2026-10-01T08:00:00Z"), line])
    assert bad.number == 3
    assert said in bad.what
    assert len(bad.what) < 300


@given(st.lists(st.text() | st.builds(event, st.text(), st.text(), st.text(), st.text())))
def test_any_lines_at_all_are_read_or_told(lines: list[str]) -> None:
    log = EventLog(KEYS)
    bad = log.read(lines)
    assert len(bad) <= len(lines)
    log.sessions()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.sampled_from(["", "gpu"])), max_size=30))
def test_sessions_of_a_server_never_overlap_and_are_the_same_each_time(events: list[tuple[bool, int, str]]) -> None:
    lines = [event("start" if start else "stop", f"2026-10-01T08:{m:02}:00Z", server=s) for start, m, s in events]
    log = EventLog(KEYS)
    log.read(lines)
    again = EventLog(KEYS)
    again.read(reversed(lines))
    assert log.sessions() == again.sessions()
    for server in ("", "gpu"):
        times = sorted((s.ready_at, s.ended_at) for s in log.sessions() if s.server_name == server and s.ready_at)
        assert all(one[1] and one[1] <= other[0] for one, other in pairwise(times))


def test_the_same_start_has_the_same_id_on_its_hub_alone() -> None:
    moment = utc("2026-10-01T08:00:00")
    assert KEYS.session("ada", "", moment).id == KEYS.session("ada", "", moment).id
    others = [
        KEYS.session("ada", "x", moment),
        KEYS.session("adax", "", moment),
        KEYS.session("ada", "", moment + timedelta(microseconds=1)),
        type(KEYS)("other", KEYS.now).session("ada", "", moment),
    ]
    assert len({each.id for each in [*others, KEYS.session("ada", "", moment)]}) == 5
