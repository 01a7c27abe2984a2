import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions.session_json import read, written
from hub_extensions.sessions import Session

words = st.text(max_size=20)
amounts = st.none() | st.integers(0, 2**62)
cores = st.none() | st.floats(0, 1e6)
moments = st.none() | st.datetimes(timezones=st.timezones())

SESSIONS = st.builds(
    Session, id=st.text(min_size=1), hub=words, user_name=words, server_name=words, community=words, profile=words,
    choices=st.dictionaries(words, words), image=words, memory_limit=amounts, memory_guarantee=amounts, cpu_limit=cores,
    cpu_guarantee=cores, gpus=st.integers(0, 64), requested_at=moments, ready_at=moments, groups=st.frozensets(words),
)  # fmt: skip


@given(SESSIONS)
def test_a_session_is_the_same_after_it_was_told(session):
    assert read(json.loads(json.dumps(written(session)))) == session


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda values: st.lists(values) | st.dictionaries(st.text() | st.sampled_from(["id", "hub", "user_name"]), values),
    max_leaves=10,
)


@given(json_values)
def test_anything_else_is_told_to_be_none(values):
    try:
        read(values)
    except ValueError:
        return
    assert isinstance(values, dict)
    assert values["id"]


@pytest.mark.parametrize(
    "change", [{"ready_at": "2026-10-01T00:00:00"}, {"id": ""}, {"gpus": -1}, {"cpu_limit": 1e999}]
)
def test_a_session_with_a_wrong_value_is_none(change):
    with pytest.raises(ValueError, match="not a session"):
        read({"id": "a", "hub": "hub", "user_name": "ada", **change})


def test_what_a_newer_hub_tells_besides_is_left_out():
    assert read({"id": "a", "hub": "hub", "user_name": "ada", "tide": "high"}).user_name == "ada"
