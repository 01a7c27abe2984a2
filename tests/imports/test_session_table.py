"""A CSV file is read into sessions, or every line that cannot be is told."""

import io
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions.imports import COLUMNS, HeaderError, read_table

from .keys import KEYS, utc

HEADER = "user_name,ready_at,ended_at"
LINE = "ada,2026-10-01T08:00:00Z,2026-10-01T10:00:00Z"


def wrong(text: str, header: str = HEADER) -> list[str]:
    _, bad = read_table(io.StringIO(f"{header}\n{text}\n", newline=""), KEYS)
    return [f"{each.number}: {each.what}" for each in bad]


def test_every_column_comes_into_the_session() -> None:
    row = {
        "user_name": "Ada@example.org",
        "ready_at": "2026-10-01T08:00:00+02:00",
        "ended_at": "2026-10-01 10:00:00Z",
        "server_name": "gpu",
        "community": "ocean-lab",
        "groups": "ocean-lab; org:team ;",
        "profile": "ocean",
        "choices": '"{""image"": ""r""}"',
        "image": "quay.io/jupyter/r:2026",
        "memory_gib": "2.5",
        "cpu": "0.5",
        "gpus": "1",
        "requested_at": "2026-10-01T05:59:00Z",
        "end_reason": "culled",
    }
    assert list(row) == list(COLUMNS)
    [session], bad = read_table([",".join(row) + "\r\n", ",".join(row.values()) + "\r\n"], KEYS)
    assert bad == []
    assert session == KEYS.session(
        "Ada@example.org",
        "gpu",
        utc("2026-10-01T06:00:00"),
        ended_at=utc("2026-10-01T10:00:00"),
        requested_at=utc("2026-10-01T05:59:00"),
        community="ocean-lab",
        groups=frozenset({"ocean-lab", "org:team"}),
        profile="ocean",
        choices={"image": "r"},
        image="quay.io/jupyter/r:2026",
        memory_guarantee=5 * 2**29,
        cpu_guarantee=0.5,
        gpus=1,
        end_reason="culled",
    )


def test_the_table_that_the_documentation_shows_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "usage.md").read_text()
    [_, table] = page.split("```csv\n")
    [session], bad = read_table(table.partition("```")[0].splitlines(keepends=True), KEYS)
    assert bad == []
    assert (session.groups, session.choices) == (frozenset({"ocean-lab", "org:team"}), {"size": "large"})
    assert list(COLUMNS) == table.partition("\n")[0].split(",")


def test_three_columns_are_enough_in_any_order() -> None:
    [session], bad = read_table(["ended_at,user_name,ready_at\n", "2026-10-01T10:00Z,ada,2026-10-01T08:00Z\n"], KEYS)
    assert bad == []
    assert (session.user_name, session.memory, session.groups, session.end_reason) == ("ada", 0, frozenset(), "stopped")


def test_times_without_a_zone_are_those_of_the_zone_that_is_given() -> None:
    berlin = replace(KEYS, zone=ZoneInfo("Europe/Berlin"))
    [session], _ = read_table([HEADER, "ada,2026-07-01 08:00,2026-07-01 09:00Z"], berlin)
    assert (session.ready_at, session.ended_at) == (utc("2026-07-01T06:00:00"), utc("2026-07-01T09:00:00"))
    _, [bad] = read_table([HEADER, "ada,2026-03-29 02:30,2026-03-29 04:00"], berlin)
    assert "which clocks in Europe/Berlin skipped" in bad.what


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ada,2026-10-01T08:00:00Z", "has 2 fields; the header has 3"),
        (f"{LINE},more", "has 4 fields"),
        (",2026-10-01T08:00:00Z,2026-10-01T10:00:00Z", "user_name is empty"),
        ("ada,2026-10-01 08:00,2026-10-01T10:00:00Z", "ready_at is '2026-10-01 08:00', without a time zone"),
        ("ada,2026-10-01T08:00:00Z,", "ended_at is ''; expected a time"),
        ("ada,2026-10-01T08:00:00Z,2026-10-01T07:00:00Z", "is before ready_at"),
        ("ada,01/10/2026 08:00,2026-10-01T10:00:00Z", "expected a time such as"),
        ("ada,2026-10-01T08:00:00Z,2030-10-01T10:00:00Z", "not between 2010 and now"),
        ("a\0da,2026-10-01T08:00:00Z,2026-10-01T10:00:00Z", "control characters"),
        ('"ada,2026-10-01T08:00:00Z', "unexpected end of data"),
        ('"ada"x,2026-10-01T08:00:00Z,2026-10-01T10:00:00Z', "',' expected after '\"'"),
        (f"{'a' * 200_000},2026-10-01T08:00:00Z,2026-10-01T10:00:00Z", "field larger than field limit"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_by_its_number(line: str, said: str) -> None:
    [told] = wrong(f"{LINE}\n\n{line}")
    assert told.startswith("4: ")
    assert said in told
    assert len(told) < 300


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("memory_gib", "2G", "memory_gib is '2G'; expected a number from 0 up"),
        ("memory_gib", "nan", "expected a number"),
        ("memory_gib", "-1", "expected a number"),
        ("memory_gib", "1e99", "expected a number"),
        ("gpus", "0.5", "gpus is '0.5'; expected a whole number"),
        ("cpu", "inf", "expected a number"),
        ("choices", "r", "expected JSON such as"),
        ("choices", "[]", "expected JSON such as"),
        ("choices", '"{""image"": 3}"', "choices is 3; expected text"),
        ("groups", "a;" + "b" * 300, "groups has 300 characters"),
        ("image", "i" * 2000, "image has 2000 characters"),
        ("requested_at", "soon", "requested_at is 'soon'"),
        ("end_reason", "bored", "end_reason is 'bored'; expected one of stopped by person, stopped by admin"),
    ],
)
def test_a_wrong_value_is_told_with_its_column(column: str, value: str, said: str) -> None:
    [told] = wrong(f"{LINE},{value}", f"{HEADER},{column}")
    assert told.startswith("2: ")
    assert said in told


def test_all_wrong_lines_are_told_at_once_by_where_they_begin() -> None:
    assert [told.split(":")[0] for told in wrong(f'x\n{LINE}\n"two\nlines"\ny')] == ["2", "4", "6"]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("user,ready_at,ended_at", "a column 'user' that nobody knows. Did you mean 'user_name'?"),
        ("user_name,ready_at", "has no column ended_at"),
        ("user_name,user_name,ready_at,ended_at", "has the column user_name twice"),
        (LINE, "a column 'ada' that nobody knows"),
        ('"user_name', "is not CSV"),
    ],
)
def test_a_header_that_names_no_columns_is_refused_whole(header: str, said: str) -> None:
    with pytest.raises(HeaderError, match=said.replace("?", r"\?")):
        read_table([header, LINE], KEYS)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(HeaderError, match="is empty"):
        read_table([], KEYS)


@given(st.text(st.characters(exclude_categories=[]), max_size=300))
def test_any_text_at_all_is_read_or_told(text: str) -> None:
    _, bad = read_table(io.StringIO(f"{HEADER}\n{LINE}\n{text}", newline=""), KEYS)
    assert all(each.what for each in bad)
