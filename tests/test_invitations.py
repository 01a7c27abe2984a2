"""What makes an invitation count, and what a person reads when it does not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions.communities import Community
from hub_extensions.identities import Identity
from hub_extensions.invitations import (
    Person,
    Use,
    digest_of,
    expiry_of,
    inviting,
    is_genuine,
    new_token,
    proposed,
    signing_key,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADA, BEN, CLEO = (Person("github", str(number), name) for number, name in enumerate(("ada", "ben", "cleo")))
KEY = signing_key("k" * 32)


def made(uses=1, by=(), **changes):
    invitation = proposed("hub", "ocean-lab", "lin", NOW - DAY, expires_at=NOW + DAY, uses=uses)
    return replace(invitation, uses=tuple(Use(person, NOW - HOUR) for person in by), **changes)


@pytest.mark.parametrize(
    ("invitation", "person", "says"),
    [
        (made(), ADA, ""),
        (made(by=[ADA]), BEN, "was for one person, and has been used. Ask lin for a new one."),
        (made(by=[ADA]), ADA, ""),
        (made(uses=2, by=[ADA]), BEN, ""),
        (made(uses=2, by=[ADA, BEN]), CLEO, "was for 2 people, and so many have come. Ask lin"),
        (made(uses=2, by=[ADA, BEN]), BEN, ""),
        (made(expires_at=NOW), ADA, "ended on 2026-03-01 at 12:00 UTC. Ask lin"),
        (made(expires_at=NOW - HOUR, by=[ADA]), ADA, ""),
        (made(expires_at=NOW.astimezone(timezone(-5 * HOUR)) - HOUR), ADA, "ended on 2026-03-01 at 11:00 UTC"),
        (made(revoked_at=NOW - HOUR), ADA, "has been withdrawn. Ask lin"),
        (made(revoked_at=NOW - HOUR, by=[ADA]), ADA, "has been withdrawn."),
        (made(revoked_at=NOW - HOUR, expires_at=NOW - HOUR, by=[BEN]), ADA, "has been withdrawn."),
        (made(revoked_at=NOW - HOUR, made_by=""), ADA, "Ask whoever gave it to you for a new one."),
    ],
)
def test_an_invitation_counts_or_says_why_not(invitation, person, says):
    refusal = invitation.refusal_of(person, NOW)
    assert says in refusal
    assert bool(refusal) == bool(says)


@pytest.mark.parametrize(
    ("invitation", "status"),
    [
        (made(), "open"),
        (made(by=[ADA]), "used"),
        (made(expires_at=NOW, by=[ADA]), "expired"),
        (made(expires_at=NOW, revoked_at=NOW), "withdrawn"),
    ],
)
def test_lists_show_an_invitations_state_in_a_word(invitation, status):
    assert invitation.status(NOW) == status


def test_a_person_is_who_the_provider_says_whatever_they_are_called():
    invitation = made(by=[ADA])
    assert invitation.used_by(Person("github", ADA.subject, "ada-renamed"))
    assert not invitation.used_by(Person("google", ADA.subject, "ada"))
    assert Person.of(Identity("ada", provider="dummy")) == Person("dummy", "ada", "ada")
    assert Person.of(Identity("ada", provider="oidc", subject="7")) == Person("oidc", "7", "ada")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"uses": 0}, "1 to 10000 people"),
        ({"uses": 10_001}, "1 to 10000 people"),
        ({"expires_at": NOW}, "ends in the future"),
        ({"expires_at": NOW + timedelta(days=366, seconds=1)}, "at most 366 days"),
        ({"note": "x" * 201}, "at most 200 characters"),
        ({"note": "a\0b"}, "that can be printed"),
    ],
)
def test_what_cannot_be_an_invitation_is_refused_in_a_sentence(changes, says):
    with pytest.raises(ValueError, match=says):
        proposed("hub", "ocean-lab", "lin", NOW, **{"expires_at": NOW + DAY, **changes})


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("12h", NOW + 12 * HOUR),
        ("14d", NOW + 14 * DAY),
        (" 2w ", NOW + 14 * DAY),
        ("2026-03-01", datetime(2026, 3, 2, tzinfo=UTC)),
    ],
)
def test_an_end_is_a_span_or_a_day(text, when):
    assert expiry_of(text, NOW) == when


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{1,6}[hdwm]", fullmatch=True) | st.dates().map(str))
def test_any_text_is_an_end_or_is_refused_in_a_sentence(text):
    try:
        assert expiry_of(text, NOW).tzinfo
        said = ""
    except ValueError as error:
        said = str(error)
    assert not said or "is neither a time such as" in said


def test_communities_invite_if_a_rule_says_so():
    communities = {
        "a": Community(members=({"invitation": True},)),
        "b": Community(leads=({"invitation": True, "domains": ["x.org"]},)),
        "c": Community(members=({"users": ["ada"]},)),
        "d": Community(),
    }
    assert inviting(communities) == ("a", "b")


def test_a_token_is_genuine_for_its_hub_and_key_alone():
    token = new_token(KEY, "hub")
    assert is_genuine(token, KEY, "hub")
    assert not is_genuine(token, KEY, "hub2")
    assert not is_genuine(token, signing_key("K" * 32), "hub")
    assert new_token(KEY, "hub") != token
    assert len(digest_of(token)) == 64


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_a_token_that_is_signed_otherwise_or_not_at_all_is_not_genuine(algorithm):
    import jwt

    key = None if algorithm == "none" else KEY * 2
    claims = {"aud": "hub", "jti": "x"}
    assert not is_genuine(jwt.encode(claims, key, algorithm=algorithm), KEY, "hub")
    assert not is_genuine(jwt.encode({"aud": "hub"}, KEY), KEY, "hub")
    assert is_genuine(jwt.encode(claims, KEY), KEY, "hub")


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")) | st.just("[" * 400 + "." * 2))
def test_nothing_that_somebody_types_is_genuine_or_an_error(text):
    assert not is_genuine(text, KEY, "hub")
    assert not is_genuine(f"{text}.{text}.{text}", KEY, "hub")
    assert digest_of(text)


@given(st.data())
def test_a_token_that_was_changed_anywhere_is_not_genuine(data):
    token = new_token(KEY, "hub")
    place = data.draw(st.integers(0, len(token) - 2))  # bits at the very end of base64 mean nothing
    other = data.draw(st.sampled_from("ABCxyz019-_.").filter(lambda letter: letter != token[place]))
    assert not is_genuine(token[:place] + other + token[place + 1 :], KEY, "hub")


def test_a_short_secret_is_refused_with_how_to_make_one():
    with pytest.raises(ValueError, match="openssl rand"):
        signing_key("k" * 31)
