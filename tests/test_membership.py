"""Whom a rule means: each condition for itself, several together, and what is said to someone who is near."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub_extensions.identities import Identity
from hub_extensions.membership import Rule, idp_name, whom

UNIVERSITY, OTHER = "https://idp.example.edu/idp/shibboleth", "https://idp.elsewhere.example/idp"
ADA = {"email": "ada@example.edu", "email_verified": True}


def rule(**conditions):
    return Rule.model_validate(conditions)


def person(user_name="ada", **more):
    return Identity(user_name, **more)


@pytest.mark.parametrize(
    ("conditions", "who", "meant"),
    [
        ({"users": ["ada"]}, {"user_name": "ada"}, True),
        ({"users": ["Ada"]}, {"user_name": "ada"}, True),
        ({"users": ["ada", "ben"]}, {"user_name": "ben"}, True),
        ({"users": ["ada"]}, {"user_name": "adam"}, False),
        ({"users": ["ada"]}, {"user_name": ""}, False),
        ({"users": ["fiona"]}, {"user_name": "ﬁona"}, False),
        ({"users": ["sam"]}, {"user_name": "ſam"}, False),
        ({"users": ["strasse"]}, {"user_name": "straße"}, False),
        ({"users": ["ıan"]}, {"user_name": "ian"}, False),
        ({"users": ["a*"]}, {"user_name": "ada"}, False),
        #
        ({"groups": ["ocean"]}, {"groups": ["ocean"]}, True),
        ({"groups": ["ocean"]}, {"groups": ["Ocean"]}, True),
        ({"groups": ["ocean", "reef"]}, {"groups": ["reef"]}, True),
        ({"groups": ["project:*"]}, {"groups": ["project:reef"]}, True),
        ({"groups": ["project:*"]}, {"groups": ["my-project:reef"]}, False),
        ({"groups": ["/a/admin"]}, {"groups": ["/b/admin"]}, False),
        ({"groups": ["/a/admin"]}, {"groups": ["admin"]}, False),
        ({"groups": ["admin"]}, {"groups": ["/a/admin"]}, False),
        ({"groups": ["ocean"]}, {"groups": ["oceans", "my-ocean", "ocean/sub"]}, False),
        ({"groups": ["ocean"]}, {"groups": []}, False),
        ({"groups": ["ocean-lab:gpu"]}, {"teams": ["ocean-lab:gpu"]}, False),
        #
        ({"github": ["ocean-lab"]}, {"organizations": ["ocean-lab"]}, True),
        ({"github": ["ocean-lab"]}, {"organizations": ["Ocean-Lab"]}, True),
        ({"github": ["ocean-lab:gpu"]}, {"organizations": ["ocean-lab"], "teams": ["ocean-lab:gpu"]}, True),
        ({"github": ["ocean-lab:gpu"]}, {"organizations": ["ocean-lab"], "teams": ["Ocean-Lab:GPU"]}, True),
        ({"github": ["ocean-lab:gpu"]}, {"organizations": ["ocean-lab"]}, False),
        ({"github": ["ocean-lab:gpu"]}, {"organizations": ["ocean-lab"], "teams": ["ocean-lab:gpu-2"]}, False),
        ({"github": ["ocean-lab:gpu"]}, {"organizations": ["ocean-lab"], "teams": ["evil:gpu"]}, False),
        ({"github": ["ocean-lab:gpu"]}, {"teams": ["ocean-lab:gpu:x"]}, False),
        ({"github": ["ocean-lab"]}, {"teams": ["ocean-lab:gpu"]}, False),
        ({"github": ["ocean-lab"]}, {"organizations": ["ocean-lab-x", "ocean"]}, False),
        ({"github": ["ocean-lab"]}, {"groups": ["ocean-lab"]}, False),
        ({"github": ["ocean-lab:gpu"]}, {"groups": ["ocean-lab:gpu"]}, False),
        #
        ({"idp": UNIVERSITY}, {"idp": UNIVERSITY}, True),
        ({"idp": [OTHER, UNIVERSITY]}, {"idp": UNIVERSITY}, True),
        ({"idp": UNIVERSITY}, {"idp": OTHER}, False),
        ({"idp": UNIVERSITY}, {"idp": UNIVERSITY.upper()}, False),
        ({"idp": UNIVERSITY}, {"idp": f"{UNIVERSITY}/"}, False),
        ({"idp": UNIVERSITY}, {"idp": ""}, False),
        #
        ({"domains": ["example.edu"]}, ADA, True),
        ({"domains": ["Example.EDU"]}, {**ADA, "email": "Ada@EXAMPLE.edu"}, True),
        ({"domains": ["*.example.edu"]}, {**ADA, "email": "ada@sub.example.edu"}, True),
        ({"domains": ["*.example.edu"]}, ADA, False),
        ({"domains": ["example.edu"]}, {**ADA, "email": "ada@sub.example.edu"}, False),
        ({"domains": ["example.edu"]}, {**ADA, "email": "ada@evil-example.edu"}, False),
        ({"domains": ["example.edu"]}, {**ADA, "email": "ada@example.edu.evil.com"}, False),
        ({"domains": ["example.edu"]}, {**ADA, "email": "ada@example.edu."}, False),
        ({"domains": ["example.edu"]}, {**ADA, "email": "a@b@example.edu"}, False),
        ({"domains": ["example.edu"]}, {**ADA, "email_verified": False}, False),
        ({"domains": ["example.edu"]}, {"email_verified": True}, False),
        ({"domains": ["example.edu"]}, {**ADA, "idp": UNIVERSITY}, False),
        ({"domains": ["example.edu"], "idp": UNIVERSITY}, {**ADA, "idp": UNIVERSITY}, True),
        ({"domains": ["example.edu"], "idp": UNIVERSITY}, {**ADA, "idp": OTHER}, False),
        ({"domains": ["example.edu"], "idp": UNIVERSITY}, ADA, False),
        #
        ({"hosted_domains": ["example.edu"]}, {"hosted_domain": "example.edu"}, True),
        ({"hosted_domains": ["example.edu"]}, {"hosted_domain": "EXAMPLE.edu"}, True),
        ({"hosted_domains": ["example.edu"]}, {"hosted_domain": "sub.example.edu"}, False),
        ({"hosted_domains": ["example.edu"]}, ADA, False),
        ({"hosted_domains": ["kelvin.edu"]}, {"hosted_domain": "\u212aelvin.edu"}, False),
        #
        ({"provider": ["github"]}, {"provider": "github"}, True),
        ({"provider": ["github"]}, {"provider": "google"}, False),
        ({"provider": ["github"]}, {}, False),
        ({"users": ["ada"], "provider": ["github"]}, {"provider": "github"}, True),
        ({"users": ["ada"], "provider": ["github"]}, {"provider": "google"}, False),
        ({"users": ["ada"], "groups": ["ocean"]}, {"groups": ["reef"]}, False),
        ({"users": ["ada"], "groups": ["ocean"]}, {"groups": ["ocean"]}, True),
    ],
    ids=str,
)
def test_a_rule_means_whoever_meets_all_its_conditions(conditions, who, meant):
    assert rule(**conditions).admits(person(**{"user_name": "ada", **who})) is meant


@pytest.mark.parametrize(
    ("community", "invited_to", "meant"),
    [("ocean", ["ocean"], True), ("ocean", ["reef"], False), ("", [""], False), ("", [], False), ("ocean", [], False)],
)
def test_an_invitation_is_to_one_community(community, invited_to, meant):
    assert rule(invitation=True).admits(person(invited_to=invited_to), community) is meant


@pytest.mark.parametrize(
    ("conditions", "who", "lacks"),
    [
        ({"users": ["lin"]}, {}, "your account is not among those that were named"),
        ({"groups": ["ocean", "reef"]}, {}, "you are not among the members of ocean or reef"),
        ({"github": ["ocean-lab"]}, {}, "you are not a member there on GitHub"),
        (
            {"github": ["ocean-lab:gpu"]},
            {"organizations": ["ocean-lab"]},
            "you are in the organisation on GitHub, but not in its team",
        ),
        ({"idp": UNIVERSITY}, {"idp": OTHER}, "you logged in through idp.elsewhere.example"),
        ({"idp": UNIVERSITY}, {}, "you logged in through another provider"),
        ({"domains": ["example.edu"]}, {**ADA, "email": "ada@x.org"}, "your e-mail address is at another domain"),
        ({"domains": ["example.edu"]}, {**ADA, "email_verified": False}, "your e-mail address is not verified"),
        (
            {"domains": ["example.edu"]},
            {**ADA, "idp": OTHER},
            "idp.elsewhere.example does not vouch for your e-mail address",
        ),
        ({"hosted_domains": ["example.edu"]}, {}, "your Google account belongs to another organisation, or to none"),
        ({"provider": ["github"]}, {"provider": "google"}, "you logged in with google"),
        ({"invitation": True}, {}, "you have no invitation"),
    ],
    ids=str,
)
def test_who_is_not_meant_is_told_what_is_lacking(conditions, who, lacks):
    assert rule(**conditions).lacking(person(**who)) == (lacks,)


def test_who_is_meant_lacks_nothing():
    assert rule(domains=["example.edu"], users=["ada"]).lacking(person(**ADA)) == ()


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        ({"groups": ["ocean"]}, {}),
        ({"groups": ["ocean"], "idp": UNIVERSITY}, {"groups": ["ocean"]}),
        ({"organizations": ["lab"]}, {}),
        ({"organizations": ["lab"], "teams": ["lab:gpu"]}, {"organizations": ["lab"]}),
        ({**ADA, "email_verified": False}, {**ADA, "email": "ada@x.org"}),
    ],
    ids=str,
)
def test_a_person_is_nearer_the_more_they_meet(nearer, farther):
    asked = rule(groups=["ocean"], idp=UNIVERSITY, github=["lab:gpu"], domains=["example.edu"])
    assert 1 > asked.nearness(person(**nearer)) > asked.nearness(person(**farther)) >= 0


def test_in_words_a_rule_names_no_person():
    words = whom([rule(users=["ada", "ben"], groups=["ocean"]), rule(github=["lab", "lab:gpu"]), rule(invitation=True)])
    assert words == (
        "people who are members of ocean and who were named or members of lab or the team gpu of lab on GitHub or "
        "people who have an invitation"
    ).replace("people who are members of", "members of")
    assert "ada" not in words
    assert whom([]) == "nobody yet"


@pytest.mark.parametrize(
    ("entity_id", "name"),
    [(UNIVERSITY, "idp.example.edu"), ("urn:mace:incommon:example.edu", "urn:mace:incommon:example.edu"), ("", "")],
)
def test_an_identity_provider_is_named_by_its_host(entity_id, name):
    assert idp_name(entity_id) == name


def test_the_name_of_an_identity_provider_is_short():
    assert len(idp_name("x" * 1_000_000)) == 64


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({}, "must name somebody"),
        ({"users": []}, "must name somebody"),
        ({"invitation": False}, "must name somebody"),
        ({"users": [], "provider": ["github"]}, "users: an empty list"),
        ({"idp": UNIVERSITY, "domains": []}, "domains: an empty list"),
        ({"idp": [], "groups": ["ocean"], "github": []}, "github, idp: an empty list"),
        ({"user": ["ada"]}, "Extra inputs"),
        ({"users": "ada"}, "valid tuple"),
        ({"users": [""]}, "at least 1 character"),
        ({"users": [" "]}, "at least 1 character"),
        ({"github": ["org:team:x"]}, "neither an organisation"),
        ({"github": ["org/team"]}, "neither an organisation"),
        ({"github": [":team"]}, "neither an organisation"),
        ({"github": ["org:"]}, "neither an organisation"),
        ({"domains": ["ada@example.edu"]}, "not a domain"),
        ({"domains": ["edu"]}, "not a domain"),
        ({"domains": ["*"]}, "not a domain"),
        ({"domains": ["*example.edu"]}, "domains of strangers"),
        ({"domains": ["example.*"]}, "domains of strangers"),
        ({"domains": ["*.ex*mple.edu"]}, "domains of strangers"),
        ({"domains": ["ün.edu"]}, "xn--"),
        ({"hosted_domains": ["exampl\u0435.edu"]}, "xn--"),
        ({"invitation": "perhaps"}, "valid boolean"),
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_meant_is_no_rule(written, words):
    with pytest.raises(ValidationError, match=words):
        Rule.model_validate(written)


texts = st.text(max_size=12) | st.sampled_from(["ocean", "lab:gpu", UNIVERSITY, "ada@example.edu", "example.edu"])
people = st.builds(
    Identity,
    texts,
    provider=texts,
    email=texts,
    email_verified=st.booleans(),
    idp=texts,
    hosted_domain=texts,
    organizations=st.lists(texts, max_size=3),
    teams=st.lists(texts, max_size=3),
    groups=st.lists(texts, max_size=3),
    invited_to=st.lists(texts, max_size=2),
)
CONDITIONS = {
    "users": ["ocean"],
    "groups": ["ocean", "lab*"],
    "github": ["ocean", "lab:gpu"],
    "idp": [UNIVERSITY],
    "domains": ["example.edu"],
    "hosted_domains": ["example.edu"],
    "provider": ["ocean"],
    "invitation": True,
}


@given(people, st.sets(st.sampled_from(sorted(CONDITIONS)), min_size=1))
def test_each_condition_more_only_narrows_a_rule(who, names):
    conditions = {name: CONDITIONS[name] for name in names}
    meant = rule(**conditions).admits(who, "ocean")
    # An IdP beside a domain is the one exception: it is whose word counts for the address.
    alone = [{name: value} for name, value in conditions.items() if not (name == "domains" and "idp" in names)]
    if meant:
        assert all(rule(**each).admits(who, "ocean") for each in alone)
    assert meant == (rule(**conditions).lacking(who, "ocean") == ())
    assert meant == (rule(**conditions).nearness(who, "ocean") == 1)
