"""Invitations in the database: each place is given once, whoever races for it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from hub_extensions.invitations import NOT_OURS, Person, proposed
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.invitations import InvitationStore

from .made import migrated_back

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ADA, BEN = Person("github", "1", "ada"), Person("github", "2", "ben")


@pytest.fixture
def new_store(url):
    """Makes stores, each with connections of its own, as other processes have them."""
    stores = []

    def new(secret=""):
        stores.append(InvitationStore(Ledger(url), "hub", secret))
        return stores[-1]

    yield new
    for each in stores:
        each.ledger.dispose()


@pytest.fixture
def store(new_store):
    return new_store()


def make(store, community="ocean-lab", uses=1):
    return store.make(proposed(store.hub, community, "lin", NOW, expires_at=NOW + DAY, uses=uses, note="a note"))


def test_an_invitation_comes_out_as_it_went_in_by_its_token_alone(store):
    made, token = make(store)
    make(store)
    assert store.look_up(token) == made
    assert made.id
    assert store.look_up(token + "x") is None


def test_what_is_stored_is_no_token(store):
    _, token = make(store)
    with store.ledger.engine.connect() as connection:
        for table in ("invitations", "invitation_uses", "invitation_secrets"):
            rows = connection.execute(text(f"SELECT * FROM {table}")).all()
            assert not [row for row in rows if token in map(str, row) or token.rpartition(".")[2] in map(str, row)]


def test_a_token_is_for_its_own_hub_though_the_database_is_shared(store):
    other = InvitationStore(store.ledger, "other")
    secret = "s" * 32
    assert other.look_up(make(store)[1]) is None
    here, there = (InvitationStore(store.ledger, name, secret) for name in ("hub", "other"))
    made, token = make(here)
    assert there.look_up(token) is None
    assert here.look_up(token) == made
    assert there.redeem(made.id, ADA, NOW) == NOT_OURS
    assert not there.revoke(made.id, "ocean-lab", "lin", NOW)


def test_another_process_reads_what_this_one_signed(store, new_store):
    made, token = make(store)
    assert new_store().look_up(token) == made
    assert new_store("s" * 32).look_up(token) is None


def test_who_came_is_told_with_the_invitation(store):
    made, token = make(store, uses=2)
    assert store.redeem(made.id, ADA, NOW) == ""
    assert store.redeem(made.id, BEN, NOW + timedelta(minutes=1)) == ""
    found = store.look_up(token)
    assert [(use.person, use.used_at - NOW) for use in found.uses] == [
        (ADA, timedelta(0)),
        (BEN, timedelta(minutes=1)),
    ]
    assert store.listed("ocean-lab") == [found]
    assert store.listed("ice-lab") == []


def test_a_person_is_counted_once(store):
    made, _ = make(store)
    assert store.redeem(made.id, ADA, NOW) == store.redeem(made.id, replace(ADA, user_name="a"), NOW) == ""
    assert len(store.listed("ocean-lab")[0].uses) == 1
    assert "has been used" in store.redeem(made.id, BEN, NOW)


@pytest.mark.parametrize("places", [1, 3])
def test_places_are_given_once_to_however_many_who_race(store, new_store, places):
    made, _ = make(store, uses=places)
    people = [Person("github", str(number), f"p{number}") for number in range(8)]
    stores = [new_store() for _ in people]
    with ThreadPoolExecutor(len(people)) as threads:
        found = list(threads.map(lambda each, person: each.redeem(made.id, person, NOW), stores, people))
    assert found.count("") == places == len(store.listed("ocean-lab")[0].uses)


def test_processes_that_start_at_once_agree_on_what_signs(new_store):
    stores = [new_store() for _ in range(6)]
    with ThreadPoolExecutor(len(stores)) as threads:
        tokens = [token for _, token in threads.map(make, stores)]
    assert all(each.look_up(token) for each in stores for token in tokens)


def test_a_person_is_a_member_as_long_as_one_of_their_invitations_holds(store):
    first, second, elsewhere = make(store)[0], make(store)[0], make(store, "ice-lab")[0]
    for each in (first, second, elsewhere):
        store.redeem(each.id, ADA, NOW)
    assert store.joined(ADA) == {"ocean-lab", "ice-lab"}
    assert store.joined(BEN) == frozenset()
    assert store.revoke(first.id, "ocean-lab", "lin", NOW)
    assert store.joined(ADA) == {"ocean-lab", "ice-lab"}
    assert store.withdrawn("ada") == {}
    assert store.revoke(second.id, "ocean-lab", "lin", NOW + DAY)
    assert store.joined(ADA) == {"ice-lab"}
    assert store.withdrawn("ada") == {"ocean-lab": NOW + DAY}


def test_an_end_by_time_leaves_those_who_came_before(store):
    made, _ = make(store)
    store.redeem(made.id, ADA, NOW)
    assert "ended on" in store.redeem(made.id, BEN, NOW + 2 * DAY)
    assert store.joined(ADA) == {"ocean-lab"}


def test_the_first_withdrawal_is_kept_and_none_is_of_another_community(store):
    made, token = make(store)
    assert not store.revoke(made.id, "ice-lab", "mallory", NOW)
    assert not store.revoke(made.id + 1, "ocean-lab", "lin", NOW)
    assert store.revoke(made.id, "ocean-lab", "lin", NOW)
    assert store.revoke(made.id, "ocean-lab", "ben", NOW + DAY)
    found = store.look_up(token)
    assert (found.revoked_by, found.revoked_at) == ("lin", NOW)


def test_a_database_that_was_made_anew_is_used_again(tmp_path):
    store = InvitationStore(Ledger(f"sqlite:///{tmp_path}/usage.sqlite"), "hub")
    make(store)
    store.ledger.dispose()
    for file in tmp_path.glob("usage.sqlite*"):
        file.unlink()
    with pytest.raises(Exception, match="no such table"):
        make(store)
    assert make(store)[0].id == 1


def test_a_ledger_of_the_version_before_gets_the_tables(ledger, new_store):
    migrated_back(ledger, "0001")
    assert make(new_store())[0].id == 1
