"""One person is forgotten, and nobody else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from hub_extensions.invitations import Person, proposed
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.cells import Cells
from hub_extensions.ledger.counting import Counter
from hub_extensions.ledger.forgetting import NAMELESS, Forgetting, Rows
from hub_extensions.ledger.invitations import InvitationStore
from hub_extensions.ledger.tables import METADATA
from hub_extensions.sessions import Month, Session
from hub_extensions.sums import Days, Scope

from .made import at, made, wiped
from .test_cells import NAMES, ZONES, session_lists

UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 12, 1, tzinfo=UTC)
OCTOBER = Days.month(Month(2026, 10))


def texts(ledger: Ledger) -> list[str]:
    """Every value of every row of every table."""
    found = []
    with ledger.engine.connect() as connection:
        for table in METADATA.sorted_tables:
            found += [f"{table.name}: {value}" for row in connection.execute(select(table)) for value in row]
    return found


def naming(ledger: Ledger, name: str) -> list[str]:
    return [text for text in texts(ledger) if name in text]


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    for name in ("ada-lovelace", "ada", "Ada-Lovelace", "ada-lovelace2"):
        for hub in ("hub", "other"):
            for hour in (1, 5):
                session = made(hub=hub, user_name=name, server_name=f"{name}'s", community="ocean")
                groups = frozenset({"a", "b"})
                ledger.open(replace(session, ready_at=at(hour), ended_at=at(hour + 2), groups=groups))
    for hub in ("hub", "other"):
        Counter(ledger, hub, UTC_ZONE).count_up(NOW)
    return ledger


def test_an_erased_person_is_in_no_row_of_their_hub(filled: Ledger) -> None:
    done = Forgetting(filled, "hub").erase("ada-lovelace")
    assert done.rows == Rows(
        sessions=2, running=0, days=2, invitations_made=0, invitations_withdrawn=0, invitations_used=0, written_in=0,
        notes=0,
    )  # fmt: skip
    assert done.name == ""
    left = {(each.hub, each.user_name) for hub in ("hub", "other") for each in filled.sessions(hub, at(0), at(9))}
    assert left == {
        (hub, name)
        for hub in ("hub", "other")
        for name in ("ada-lovelace", "ada", "Ada-Lovelace", "ada-lovelace2")
        if (hub, name) != ("hub", "ada-lovelace")
    }
    assert Cells(filled, "hub").total(OCTOBER).people == 3
    assert Cells(filled, "other").total(OCTOBER).people == 4
    assert not Forgetting(filled, "hub").rows("ada-lovelace")


def test_without_the_name_every_sum_stays(filled: Ledger) -> None:
    cells = Cells(filled, "hub")
    before = cells.by(OCTOBER, ["community", "group"]), cells.active_per_day(OCTOBER)
    own = cells.total(OCTOBER, scope=Scope(users=frozenset({"ada-lovelace"})))
    done = Forgetting(filled, "hub").unname("ada-lovelace")
    assert done.name.startswith(NAMELESS)
    for _ in range(2):
        assert (cells.by(OCTOBER, ["community", "group"]), cells.active_per_day(OCTOBER)) == before
        assert cells.total(OCTOBER, scope=Scope(users=frozenset({done.name}))) == own
        # Counted from the beginning it is the same.
        Counter(filled, "hub", ZoneInfo("Europe/Berlin")).count_up(NOW)
        Counter(filled, "hub", UTC_ZONE).count_up(NOW)
    [kept] = {each.user_name for each in filled.sessions("hub", at(0), at(9))} - {
        "ada",
        "Ada-Lovelace",
        "ada-lovelace2",
    }
    assert kept == done.name
    assert {each.server_name for each in filled.sessions("hub", at(0), at(9), users=[kept])} == {""}


def test_nothing_leads_from_the_new_name_to_the_old(filled: Ledger) -> None:
    before = {each.id for each in filled.sessions("hub", at(0), at(9), users=["ada-lovelace"])}
    names = set()
    for _ in range(3):
        done = Forgetting(filled, "hub").unname("ada-lovelace")
        names.add(done.name)
        left = set(texts(filled))
        assert not any(session_id in text for session_id in before for text in left)
        wiped(filled)
        filled.open(made(user_name="ada-lovelace"))
    assert len(names) == 3


def test_names_of_one_hub_are_gone_from_all_tables(ledger: Ledger) -> None:
    for way in ("erase", "unname"):
        wiped(ledger)
        store = InvitationStore(ledger, "hub")
        person = Person("github", "grace|4711", "grace@example.org")
        made_by, _ = store.make(proposed("hub", "ocean", person.user_name, at(0), expires_at=at(99), uses=1, note=""))
        used, _ = store.make(proposed("hub", "ice", "lin", at(0), expires_at=at(99), uses=2, note=""))
        store.redeem(used.id, person, at(1))
        store.redeem(used.id, Person("github", "1", "bo"), at(1))
        store.revoke(made_by.id, "ocean", person.user_name, at(2))
        ledger.open(made(user_name=person.user_name, server_name=f"{person.user_name}-gpu"))
        Counter(ledger, "hub", UTC_ZONE).count_up(NOW)
        forgetting = Forgetting(ledger, "hub")
        rows = forgetting.rows(person.user_name)
        counts = (rows.running, rows.invitations_made, rows.invitations_withdrawn, rows.invitations_used)
        assert counts == (1, 1, 1, 1)
        getattr(forgetting, way)(person.user_name)
        assert naming(ledger, "grace") == []
        # The place in the invitation stays taken, and the other's is theirs.
        [invitation] = store.listed("ice")
        assert sorted(use.person.user_name for use in invitation.uses) == ["", "bo"]
        assert store.joined(person) == frozenset()
        assert store.joined(Person("github", "1", "bo")) == {"ice"}
        assert "so many have come" in store.redeem(used.id, person, at(3))


def test_who_was_renamed_is_forgotten_under_the_earlier_name_too(ledger: Ledger) -> None:
    store = InvitationStore(ledger, "hub")
    first, second = (
        store.make(proposed("hub", name, "lin", at(0), expires_at=at(99), uses=1, note=""))[0] for name in ("a", "b")
    )
    store.redeem(first.id, Person("github", "grace|4711", "grace"), at(1))
    store.redeem(second.id, Person("github", "grace|4711", "hopper"), at(1))
    assert Forgetting(ledger, "hub").erase("hopper").rows.invitations_used == 2
    assert naming(ledger, "grace") == []


def test_two_who_are_forgotten_stay_two_in_an_invitation(ledger: Ledger) -> None:
    store = InvitationStore(ledger, "hub")
    invitation, _ = store.make(proposed("hub", "a", "lin", at(0), expires_at=at(99), uses=3, note=""))
    for number in "123":
        store.redeem(invitation.id, Person("github", number, f"user{number}"), at(1))
    for number in "123":
        Forgetting(ledger, "hub").erase(f"user{number}")
    assert len(store.listed("a")[0].uses) == 3


def test_where_else_the_name_stands_is_told(ledger: Ledger) -> None:
    store = InvitationStore(ledger, "hub")
    store.make(proposed("hub", "a", "lin", at(0), expires_at=at(99), uses=3, note="For Grace and others"))
    for hour, elsewhere in enumerate(
        [{"image": "ghcr.io/Grace/x"}, {"choices": {"repo": "grace/y"}}, {"groups": frozenset({"user:grace"})}, {}]
    ):
        ledger.open(made(user_name="grace", ready_at=at(hour), **elsewhere))
    rows = Forgetting(ledger, "hub").rows("grace")
    assert (rows.written_in, rows.notes) == (3, 1)


def test_a_person_of_whom_only_an_invitation_tells_is_found(ledger: Ledger) -> None:
    store = InvitationStore(ledger, "hub")
    store.make(proposed("hub", "a", "grace", at(0), expires_at=at(99), uses=3, note=""))
    assert Forgetting(ledger, "hub").rows("grace")
    assert not Forgetting(ledger, "other").rows("grace")


def test_names_alike_are_told_and_left(filled: Ledger) -> None:
    forgetting = Forgetting(filled, "hub")
    assert forgetting.alike("ADA-lovelace") == ["Ada-Lovelace", "ada-lovelace"]
    before = texts(filled)
    forgetting.erase("ADA-lovelace")
    assert texts(filled) == before


def test_a_failure_leaves_everything_as_it_was(filled: Ledger) -> None:
    before = sorted(texts(filled))
    with filled.engine.begin() as connection:
        # Whatever it is that fails: here the last thing that is done.
        connection.exec_driver_sql("ALTER TABLE invitations RENAME TO elsewhere")
    for way in (Forgetting(filled, "hub").erase, Forgetting(filled, "hub").unname):
        with pytest.raises(Exception, match="invitations"):
            way("ada-lovelace")
    with filled.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO invitations")
    assert sorted(texts(filled)) == before


@pytest.mark.parametrize("way", ["erase", "unname"])
def test_nothing_is_left_in_the_files_of_sqlite(tmp_path: Path, way: str) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/usage.sqlite")
    ledger.migrate()
    name = "grace.hopper@example.org"
    for hour in range(200):
        ledger.open(made(user_name=name if hour % 3 else "bo", ready_at=at(hour), ended_at=at(hour + 1)))
    Counter(ledger, "hub", UTC_ZONE).count_up(NOW)
    assert any(name.encode() in file.read_bytes() for file in tmp_path.iterdir())
    done = getattr(Forgetting(ledger, "hub"), way)(name)
    assert done.overwritten
    assert [file.name for file in tmp_path.iterdir() if name.encode() in file.read_bytes()] == []
    ledger.dispose()


def test_a_reader_keeps_sqlites_log_and_that_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/usage.sqlite"
    ledger, reader = Ledger(url, timeout=0.2), Ledger(url)
    ledger.migrate()
    ledger.open(made())
    with reader.engine.begin() as connection:
        connection.exec_driver_sql("SELECT * FROM sessions").all()
        assert not Forgetting(ledger, "hub").erase("ada").overwritten
    for each in (ledger, reader):
        each.dispose()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(sessions=session_lists(), name=st.sampled_from(NAMES), zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_what_is_left_is_as_if_the_person_had_never_been_there(
    ledger: Ledger, sessions: list[Session], name: str, zone: ZoneInfo
) -> None:
    found = []
    for chosen in (sessions, [each for each in sessions if (each.hub, each.user_name) != ("hub", name)]):
        wiped(ledger)
        for each in chosen:
            ledger.open(each)
        Counter(ledger, "hub", zone).count_up(NOW)
        if chosen is sessions:
            Forgetting(ledger, "hub").erase(name)
        Counter(ledger, "hub", zone).count_up(NOW)
        cells = Cells(ledger, "hub")
        first = min(each.ready_at for each in sessions if each.ready_at)
        days = Days.until((first + timedelta(days=120)).date(), 130)
        rows = {
            (s.hub, s.user_name, s.id)
            for hub in ("hub", "other")
            for s in ledger.sessions(hub, at(-(10**5)), at(10**5))
        }
        found.append((rows, cells.by(days, ["community", "group", "profile"]), cells.last_active()))
    assert found[0] == found[1]


def test_a_session_that_runs_can_be_forgotten_and_its_end_changes_nothing(ledger: Ledger) -> None:
    running = made()
    ledger.open(running)
    Forgetting(ledger, "hub").unname("ada")
    assert not ledger.close(running.id, at(5), "stopped")
    ledger.open(replace(running, id="0" * 32, ready_at=at(6)))
    assert [each.ended_at for each in ledger.sessions("hub", at(0), at(9))] == [None, None]
