from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions import communities
from hub_extensions.communities import Community, Policy, decide
from hub_extensions.identities import Identity
from hub_extensions.membership import Rule

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

OCEAN = Community.model_validate(
    {
        "title": "Ocean Lab",
        "members": [{"groups": ["staff:ocean", "project:reef*"]}, {"users": ["ada"]}],
        "leads": [{"users": ["lin"]}],
    }
)
COURSE = Community.model_validate({"members": [{"groups": ["course"]}], "from": "2026-02-01", "until": "2026-03-01"})
BOTH = Policy({"ocean-lab": OCEAN, "course": COURSE})


@pytest.mark.parametrize(
    ("identity", "belongs", "leads"),
    [
        (Identity("ben", groups=["Staff:Ocean"]), ("ocean-lab",), ()),
        (Identity("ben", groups=["project:reef-2026"]), ("ocean-lab",), ()),
        (Identity("Ada"), ("ocean-lab",), ()),
        (Identity("lin"), ("ocean-lab",), ("ocean-lab",)),
        (Identity("ben", groups=["staff"]), (), ()),
        (Identity("ben", groups=["ocean-lab", "ocean-lab:leads"]), (), ()),
        (Identity("ben", groups=["course", "staff:ocean"]), ("ocean-lab", "course"), ()),
        (Identity(""), (), ()),
    ],
    ids=lambda value: str(value)[:60],
)
def test_whom_the_rules_mean_belongs_and_who_leads_belongs_too(identity, belongs, leads):
    decision = decide(BOTH, identity, NOW)
    assert (decision.communities, decision.lead_of, decision.allowed) == (belongs, leads, bool(belongs))


@pytest.mark.parametrize(
    ("day", "open_"),
    [("2026-01-31", False), ("2026-02-01", True), ("2026-03-01", True), ("2026-03-02", False)],
)
def test_a_community_is_open_from_its_first_day_to_its_last(day, open_):
    now = datetime.fromisoformat(f"{day}T23:59").replace(tzinfo=UTC)
    decision = decide(Policy({"course": COURSE}), Identity("ben", groups=["course"]), now)
    assert decision.allowed is open_
    assert open_ or ("opens on" in decision.reasons[0].sentence or "closed on" in decision.reasons[0].sentence)


def test_a_group_that_the_provider_gives_never_passes_for_a_community():
    decision = decide(
        Policy({"ocean-lab": OCEAN}), Identity("ben", groups=["OCEAN-LAB", "ocean-lab:Leads", "staff:ocean", "x"]), NOW
    )
    assert decision.groups == {"ocean-lab", "staff:ocean", "x"}


def test_no_community_and_no_rule_admit_nobody():
    assert not decide(Policy(), Identity("ada", groups=["staff:ocean"]), NOW).allowed
    assert not decide(Policy({"empty": Community()}), Identity("ada", groups=["empty"]), NOW).allowed


@given(st.text(), st.lists(st.text(), max_size=4))
def test_nobody_is_admitted_whom_no_rule_means(user_name, groups):
    decision = decide(Policy({"ocean-lab": OCEAN}), Identity(user_name, groups=groups), NOW)
    meant = any(rule.admits(Identity(user_name, groups=groups)) for rule in (*OCEAN.members, *OCEAN.leads))
    assert decision.allowed is meant


def test_a_refusal_names_the_account_what_would_admit_and_whom_to_ask():
    identity = Identity("dan", groups=["forest"])
    decision = decide(Policy({"ocean-lab": OCEAN}), identity, NOW)
    sentence = communities.refusal(identity, decision, "help@example.org").text
    assert "You logged in as dan" in sentence
    assert "Ocean Lab is for people who were named or members of staff:ocean or project:reef*." in sentence
    assert "If you should have access, ask help@example.org." in sentence
    assert "ada" not in sentence, "who else belongs is nobody's business"


def test_a_refusal_begins_with_what_is_nearest_and_tells_it_from_what_is_for_others():
    near = Community.model_validate({"title": "Reef", "members": [{"groups": ["reef"], "provider": ["oidc"]}]})
    policy = Policy({"ocean-lab": OCEAN, "reef": near, "course": COURSE})
    identity = Identity("dan", provider="oidc", groups=["course"])
    open_again = datetime(2026, 2, 2, tzinfo=UTC)
    closed = communities.refusal(identity, decide(policy, identity, datetime(2026, 4, 1, tzinfo=UTC)))
    assert [sentence.partition(" ")[0] for sentence in closed.nearest] == ["course", "Reef"]
    assert [sentence.partition(" is ")[0] for sentence in closed.others] == ["Ocean Lab"]
    assert not closed.belongs_nowhere
    assert decide(policy, identity, open_again).allowed

    nowhere = communities.refusal(Identity("eve"), decide(policy, Identity("eve"), NOW), further=["Ask Reef."])
    assert nowhere.belongs_nowhere
    assert nowhere.nearest == ("Ask Reef.",)
    assert len(nowhere.others) == 3
    assert "ask the people who run this hub" in nowhere.text


def test_what_refuses_someone_is_told_before_anything_else_and_alone():
    policy = Policy({"ocean-lab": OCEAN}, blocked_users=["dan"])
    refusal = communities.refusal(Identity("dan"), decide(policy, Identity("dan"), NOW), service="GitHub")
    assert refusal.nearest == ("This account is blocked on this hub.",)
    assert not refusal.others
    assert (refusal.account, refusal.service, refusal.belongs_nowhere) == ("dan", "GitHub", False)


def test_what_is_left_of_groups_when_a_community_has_closed():
    later = datetime(2026, 3, 2, tzinfo=UTC)
    have = {"Course", "course:leads", "ocean-lab", "staff"}
    assert communities.still_open({"ocean-lab": OCEAN, "course": COURSE}, have, later) == {"ocean-lab", "staff"}
    assert communities.still_open({"ocean-lab": OCEAN, "course": COURSE}, have, NOW) == have


def test_leads_may_access_the_servers_of_members_but_of_no_administrator():
    lab = Community.model_validate({"members": [{"groups": ["ocean"]}], "leads_may_access_servers": True})
    policy = Policy({"lab": lab, "other": OCEAN}, admins=(Rule(users=("boss",)),))
    mia, boss = (decide(policy, Identity(name, groups=["ocean", "lab:accessible"]), NOW) for name in ("mia", "boss"))
    assert mia.groups == {"ocean", "lab", "lab:accessible"}
    assert boss.groups == {"ocean", "lab"}
