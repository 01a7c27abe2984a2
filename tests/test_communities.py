from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hub_extensions import communities
from hub_extensions.communities import Communities, Community, Policy, decide
from hub_extensions.identities import Identity, is_true
from hub_extensions.membership import Rule

from .ids import steady

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


# Refusals come first, and nothing overrules them.

UNIVERSITY, OTHER = "https://idp.example.edu/idp/shibboleth", "http://google.com/accounts/o8/id"
CLOSED = Community.model_validate({"members": [{"users": ["ada"]}], "until": "2025-12-31"})
BY_DOMAIN = Community.model_validate(
    {"title": "Uni", "members": [{"idp": UNIVERSITY, "domains": ["example.edu"]}, {"users": ["guest"]}]}
)
# Whatever can admit someone.
ADMITTING = {
    "a community": {"communities": {"all": Community.model_validate({"members": [{"provider": ["oidc"]}]})}},
    "allow_all": {"allow_all": True},
    "being an admin": {"admins": (Rule(provider=("oidc",)),)},
    "everything": {
        "communities": {"all": Community.model_validate({"leads": [{"provider": ["oidc"]}]})},
        "allow_all": True,
        "admins": (Rule(provider=("oidc",)),),
    },
}
FINE = Identity("ada", provider="oidc", email="ada@example.edu", email_verified=True, named_by_email=True)
REFUSED = {
    "blocked": ({"blocked_users": {"ada"}}, {}, "blocked_users"),
    "blocked in other letters": ({"blocked_users": {"ADA"}}, {}, "blocked_users"),
    "a program": ({"service_users": {"ada"}}, {}, "hub.service_users"),
    "an unverified name": ({}, {"email_verified": False}, "email_verified"),
    "an unverified address where none may be": (
        {},
        {"email_verified": False, "named_by_email": False, "needs_verified_email": True},
        "email_verified",
    ),
    "more groups than anybody may have": ({"most_groups": 3}, {"groups": list("abc"), "teams": ["o:t"]}, "most_groups"),
    "no address": ({}, {"email": ""}, "email"),
    "no plain address": ({}, {"email": "a@b@example.edu"}, "email"),
    "a refused invitation": ({}, {"refused_invitation": "This invitation has been revoked."}, "invitations"),
    "the wrong identity provider for an administrator's address": (
        {"admins": (Rule(idp=(UNIVERSITY,), domains=("example.edu",)), Rule(provider=("oidc",)))},
        {"idp": OTHER},
        "hub.admins[0]",
    ),
    "the wrong identity provider": (
        {"communities": {"uni": BY_DOMAIN}},
        {"idp": OTHER},
        "communities.uni.members[0]",
    ),
}


@pytest.mark.parametrize("refusal", REFUSED)
@pytest.mark.parametrize("admitting", ADMITTING)
def test_nothing_admits_whom_something_refuses(refusal, admitting):
    policy, who, rule = REFUSED[refusal]
    given_ = ADMITTING[admitting]
    merged = {**given_, **policy, "communities": {**given_.get("communities", {}), **policy.get("communities", {})}}
    assert decide(Policy(**given_), FINE, NOW).allowed, "without it they would be in"
    decision = decide(Policy(**merged), replace(FINE, **who), NOW)
    assert (decision.allowed, decision.refused, decision.admin) == (False, True, False)
    assert [reason.rule for reason in decision.reasons] == [rule]


@pytest.mark.parametrize("claim", [False, None, "false", "", "0", 0, 1, "yes", [True], {"a": 1}], ids=repr)
def test_an_address_is_verified_only_if_the_provider_says_so(claim):
    for community in (BY_DOMAIN, Community.model_validate({"members": [{"domains": ["example.edu"]}]})):
        who = Identity("x", email="ada@example.edu", email_verified=is_true(claim), idp="")
        assert not decide(Policy({"uni": community}), who, NOW).allowed


def test_people_of_a_domain_come_through_the_identity_provider_that_vouches_for_it():
    policy = Policy({"uni": BY_DOMAIN})
    known = Identity("x", email="ada@example.edu", email_verified=True, idp=UNIVERSITY)
    assert decide(policy, known, NOW).allowed
    decision = decide(policy, replace(known, idp=OTHER), NOW)
    assert decision.refused
    assert (
        "People of example.edu log in through idp.example.edu, not through google.com." in decision.reasons[0].sentence
    )
    guest = Identity("guest", email="guest@elsewhere.example", email_verified=True, idp=OTHER)
    assert decide(policy, guest, NOW).allowed, "another domain is nobody's"


def test_several_identity_providers_may_vouch_for_one_domain():
    both = Community.model_validate({"members": [{"idp": [UNIVERSITY, OTHER], "domains": ["*.example.edu"]}]})
    who = Identity("x", email="ada@cs.example.edu", email_verified=True, idp=OTHER)
    assert decide(Policy({"uni": BY_DOMAIN, "both": both}), who, NOW).communities == ("both",)


# Windows.


def test_who_belongs_to_a_closed_community_alone_is_refused_even_where_all_are_allowed():
    decision = decide(Policy({"closed": CLOSED}, allow_all=True), Identity("ada"), NOW)
    assert (decision.allowed, decision.refused) == (False, True)
    assert decide(Policy({"closed": CLOSED}, allow_all=True), Identity("ben"), NOW).allowed


def test_who_belongs_to_an_open_community_too_is_in_without_the_closed_one():
    decision = decide(Policy({"closed": CLOSED, "ocean-lab": OCEAN}), Identity("ada"), NOW)
    assert decision.communities == ("ocean-lab",)
    assert "closed" not in decision.groups


def test_an_admin_stays_when_a_community_closes():
    decision = decide(Policy({"closed": CLOSED}, admins=(Rule(users=("ada",)),)), Identity("ada"), NOW)
    assert decision.allowed
    assert decision.admin


@pytest.mark.parametrize(
    ("zone", "moment", "open_"),
    [
        # The course is from 1 February to 1 March, as a calendar at the hub says.
        ("UTC", "2026-01-31T23:59:59", False),
        ("UTC", "2026-02-01T00:00:00", True),
        ("UTC", "2026-03-01T23:59:59", True),
        ("UTC", "2026-03-02T00:00:00", False),
        ("Pacific/Auckland", "2026-01-31T10:59:59", False),  # moments below are UTC: 13 hours earlier
        ("Pacific/Auckland", "2026-01-31T11:00:00", True),
        ("Pacific/Auckland", "2026-03-01T10:59:59", True),
        ("Pacific/Auckland", "2026-03-01T11:00:00", False),
        ("America/Los_Angeles", "2026-02-01T07:59:59", False),
        ("America/Los_Angeles", "2026-02-01T08:00:00", True),
        ("America/Los_Angeles", "2026-03-02T07:59:59", True),
        ("America/Los_Angeles", "2026-03-02T08:00:00", False),
    ],
)
def test_the_days_of_a_window_are_those_of_the_time_zone(zone, moment, open_):
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    assert decide(Policy({"course": COURSE}), Identity("ben", groups=["course"]), now).allowed is open_


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", "2026-03-29", 23), ("Europe/Berlin", "2026-10-25", 25), ("Europe/Berlin", "2026-06-01", 24)],
)
def test_a_day_on_which_clocks_change_is_a_whole_day(zone, day, hours):
    one_day = Community.model_validate({"members": [{"users": ["ada"]}], "from": day, "until": day})
    midnight = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=ZoneInfo(zone)).timestamp()
    policy = Policy({"one-day": one_day})
    open_ = [
        hour
        for hour in range(-2, 28)
        if decide(policy, Identity("ada"), datetime.fromtimestamp(midnight + 3600 * hour, ZoneInfo(zone))).allowed
    ]
    assert open_ == list(range(hours))


# Admins, leads and groups.


@pytest.mark.parametrize(
    ("admins", "who", "admin"),
    [
        ([{"users": ["lin"]}], {"user_name": "lin"}, True),
        ([{"users": ["lin"]}], {"user_name": "ﬁn"}, False),
        ([{"github": ["org:staff"]}], {"organizations": ["org"], "teams": ["org:staff"]}, True),
        ([{"github": ["org:staff"]}], {"organizations": ["org"]}, False),
        ([{"github": ["org:staff"]}], {"groups": ["org:staff"]}, False),
        ([{"groups": ["/a/admin"]}], {"groups": ["/b/admin"]}, False),
        ([{"users": ["lin"], "provider": ["google"]}], {"user_name": "lin", "provider": "github"}, False),
        ([{"users": ["may"]}, {"groups": ["staff"]}], {"groups": ["staff"]}, True),
        ([{"invitation": True}], {"invited_to": [""]}, False),
        ([], {"user_name": "admin"}, False),
    ],
    ids=str,
)
def test_who_administers_is_said_by_rules_and_admitted_by_them(admins, who, admin):
    policy = Policy(admins=TypeAdapter(tuple[Rule, ...]).validate_python(admins))
    decision = decide(policy, Identity(**{"user_name": "ada", **who}), NOW)
    assert (decision.admin, decision.allowed) == (admin, admin)


def test_a_lead_of_one_community_leads_no_other():
    decision = decide(BOTH, Identity("lin", groups=["course"]), NOW)
    assert (decision.communities, decision.lead_of) == (("ocean-lab", "course"), ("ocean-lab",))
    assert decision.groups == {"ocean-lab", "ocean-lab:leads", "course"}
    assert not decision.admin


TEAMS = Community.model_validate({"members": [{"github": ["org:gpu"]}]})


@pytest.mark.parametrize(
    ("who", "groups"),
    [
        ({"teams": ["org:gpu", "org:other"]}, {"org:gpu", "org:other", "teams"}),
        ({"teams": ["org:gpu", "elsewhere:gpu"]}, {"org:gpu", "teams"}),
        ({"teams": ["ORG:gpu"]}, {"ORG:gpu", "teams"}),
        ({"teams": ["elsewhere:x"]}, set()),
        ({"groups": ["org:gpu", "Org:GPU", "org:x"]}, set()),
        ({"groups": ["other:gpu", "orgs:gpu"]}, {"other:gpu", "orgs:gpu"}),
        ({"groups": ["teams", "TEAMS", "teams:leads", "Teams:Leads", "ｔｅａｍｓ"]}, set()),
        ({"teams": ["teams:leads"]}, set()),
        ({"organizations": ["org", "teams"]}, set()),
        ({"teams": ["extra:a"]}, {"extra:a"}),
        ({"groups": ["/a/admin", "/b/admin"]}, {"/a/admin", "/b/admin"}),
    ],
    ids=steady,
)
def test_groups_of_the_provider_are_whole_and_pass_for_nothing_else(who, groups):
    policy = Policy({"teams": TEAMS}, group_organizations={"Extra"})
    assert decide(policy, Identity("ada", **who), NOW).groups == groups


# What is said.


@pytest.mark.parametrize(
    ("who", "rule", "words"),
    [
        ({"groups": ["staff:ocean"]}, "communities.ocean-lab.members[0]", "Ocean Lab admits members of staff:ocean"),
        ({"user_name": "lin"}, "communities.ocean-lab.leads[0]", "Ocean Lab admits people who were named"),
        ({"user_name": "nobody"}, "communities.ocean-lab.leads[0]", "Ocean Lab is for people who were named or"),
        ({"groups": ["course"]}, "communities.course.members[0]", "course admits members of course."),
    ],
    ids=str,
)
def test_a_reason_is_the_rule_that_fired_or_was_nearest(who, rule, words):
    decision = decide(BOTH, Identity(**{"user_name": "ben", **who}), NOW)
    assert rule in [reason.rule for reason in decision.reasons]
    assert words in " ".join(reason.sentence for reason in decision.reasons)


def test_who_is_near_is_told_what_is_lacking():
    team = Community.model_validate({"title": "GPU", "members": [{"users": ["x"]}, {"github": ["org:gpu"]}]})
    decision = decide(Policy({"gpu": team}), Identity("ada", organizations=["org"]), NOW)
    assert decision.reasons[0].rule == "communities.gpu.members[1]"
    assert decision.reasons[0].sentence.endswith(
        "You are near, but you are in the organisation on GitHub, but not in its team."
    )


def test_who_is_refused_is_told_only_why():
    decision = decide(replace(BOTH, blocked_users={"ada"}), Identity("ada"), NOW)
    assert communities.refusal(Identity("ada"), decision).text == (
        "You logged in as ada. This account is blocked on this hub. "
        "If you should have access, ask the people who run this hub."
    )


def test_a_refusal_is_short_however_long_the_name():
    long = Identity("x" * 1_000_000, idp="y" * 1_000_000, provider="oidc")
    policy = Policy({"uni": BY_DOMAIN})
    assert len(communities.refusal(long, decide(policy, long, NOW)).text) < 1000


@pytest.mark.parametrize(
    "written",
    [
        {"a": {}, "A": {}},
        {"": {}},
        {"-a": {}},
        {"a:leads": {}},
        {"a/b": {}},
        {"..": {}},
        {"a\n": {}},
        {"a" * 65: {}},
        {"a": {"from": "2026-02-01", "until": "2026-01-31"}},
        {"a": {"until": "tomorrow"}},
        {"a": {"member": []}},
        {"a": {"members": {"users": ["ada"]}}},
        {"a": {"members": None}},
    ],
    ids=str,
)
def test_communities_that_cannot_be_are_not_taken(written):
    with pytest.raises(ValidationError):
        TypeAdapter(Communities).validate_python(written)


# Anything at all.

names = st.text(max_size=8) | st.sampled_from(["ada", "lin", "guest", "org", "org:gpu", "course", "staff:ocean", "uni"])
emails = names | st.sampled_from(["ada@example.edu", "ada@x.org", "a@b@example.edu"])
several = st.lists(names, max_size=3)
people = st.builds(
    Identity,
    names,
    provider=names,
    subject=names,
    email=emails,
    email_verified=st.booleans(),
    named_by_email=st.booleans(),
    needs_verified_email=st.booleans(),
    idp=st.sampled_from(["", UNIVERSITY, OTHER]),
    hosted_domain=names,
    organizations=several,
    teams=several,
    groups=several,
    invited_to=several,
    refused_invitation=st.sampled_from(["", "It has been used."]),
)
ALL = {
    "ocean-lab": OCEAN,
    "course": COURSE,
    "closed": CLOSED,
    "uni": BY_DOMAIN,
    "teams": TEAMS,
    "invited": Community.model_validate({"members": [{"invitation": True}]}),
    "nobody": Community(),
}
ADMINS = (Rule(users=("lin",)), Rule(github=("org:gpu",)))
policies = st.builds(
    Policy,
    st.lists(st.sampled_from(sorted(ALL)), unique=True).map(lambda chosen: {name: ALL[name] for name in chosen}),
    admins=st.sampled_from([(), ADMINS]),
    blocked_users=st.sets(names, max_size=2),
    service_users=st.sets(names, max_size=2),
    allow_all=st.booleans(),
    group_organizations=st.sets(names, max_size=2),
)


@given(policies, people)
def test_nobody_is_admitted_without_a_rule_that_grants_it(policy, who):
    decision = decide(policy, who, NOW)
    granting = [name for name, each in policy.communities.items() for rule in each.rules if rule.admits(who, name)]
    admin = any(rule.admits(who) for rule in policy.admins)
    if decision.allowed:
        assert granting or admin or policy.allow_all
        assert not decision.refused
    assert set(decision.communities) <= set(granting)
    assert set(decision.lead_of) <= set(decision.communities)
    assert decision.admin <= admin
    assert decision.reasons or not policy.communities


@given(policies, people)
def test_refusals_always_win(policy, who):
    without = replace(policy, blocked_users=(), service_users=())
    for refusing in ({"blocked_users": {who.user_name}}, {"service_users": {who.user_name}}):
        decision = decide(replace(without, **refusing), who, NOW)
        assert (decision.allowed, decision.refused, decision.admin) == (False, True, False)
    assert not decide(policy, replace(who, refused_invitation="It was revoked."), NOW).allowed
    assert not decide(policy, replace(who, named_by_email=True, email_verified=False), NOW).allowed


def test_as_many_groups_as_anybody_may_have_are_not_too_many():
    who = Identity("ada", groups=list("abc"))
    assert decide(Policy(allow_all=True, most_groups=3), who, NOW).groups == {"a", "b", "c"}
    refused = decide(Policy(allow_all=True, most_groups=2), who, NOW)
    assert "names 3 groups for your account, and this hub takes no more than 2" in refused.reasons[0].sentence


@given(policies, people, st.randoms())
def test_the_order_of_communities_and_rules_decides_nothing(policy, who, random):
    def shuffled(items):
        items = list(items)
        random.shuffle(items)
        return tuple(items)

    mixed = {
        name: each.model_copy(update={"members": shuffled(each.members), "leads": shuffled(each.leads)})
        for name, each in shuffled(policy.communities.items())
    }
    one = decide(policy, who, NOW)
    other = decide(replace(policy, communities=mixed, admins=shuffled(policy.admins)), who, NOW)
    assert (one.allowed, one.refused, one.admin, one.groups) == (
        other.allowed,
        other.refused,
        other.admin,
        other.groups,
    )
    assert {*one.communities} == {*other.communities}
    assert {*one.lead_of} == {*other.lead_of}


@given(policies, people)
def test_nobody_gets_a_community_s_group_but_who_belongs(policy, who):
    decision = decide(policy, who, NOW)
    folded = {group.casefold() for group in decision.groups}
    for name in policy.communities:
        assert (name in folded) == (name in decision.communities)
        assert (f"{name}:leads" in folded) == (name in decision.lead_of)
