"""Ways to get in that are closed: each logs in at a provider and arrives at a hub, over HTTP, and is not admitted."""

import asyncio
import logging
from dataclasses import replace

import pytest
from jupyterhub import orm
from traitlets import TraitError
from traitlets.config import Config

from hub_extensions import configure
from hub_extensions.authenticators.dummy import CommunityDummyAuthenticator
from hub_extensions.authenticators.oidc import CommunityOIDCAuthenticator

from ..claims import ClaimsProvider
from ..hub import running_hub
from ..providers.cilogon import CILogon
from ..providers.cilogon import Person as Scholar
from ..providers.github import GitHub, Organization, outage, rate_limit
from ..providers.github import Person as Coder
from ..providers.google import Google
from ..providers.google import Person as Googler
from ..providers.login import arrive, callback, hub_with
from ..providers.provider import Failure

UNIVERSITY, GOOGLE = "https://idp.example.edu/idp/shibboleth", "http://google.com/accounts/o8/id"
OTHER_UNIVERSITY = "https://idp.other.example/idp"
LONG = "x" * 1_000_000


def known_to(hub):
    return {user.name for user in hub.app.db.query(orm.User)}


async def assert_stays_out(hub, person, *, status=(403,)):
    """They see a page that refuses them, are logged in nowhere, and are no user of the hub."""
    before = known_to(hub)
    arrival = await arrive(hub, person)
    assert not arrival.admitted, f"admitted as {arrival.name}"
    assert arrival.page.status in status
    assert known_to(hub) == before
    return arrival.page


# Claims.

VERIFIED = {"email_verified": True}
DOMAINS = {
    "evil-uni.edu": "ada@evil-uni.edu",
    "uni.edu.evil.com": "ada@uni.edu.evil.com",
    "a sub-domain": "ada@sub.uni.edu",
    "a trailing dot": "ada@uni.edu.",
    "another top level": "ada@uni.ed",
    "a homoglyph": "ada@un\u0456.edu",
    "a dotless i": "ada@un\u0131.edu",
    "a Kelvin sign": "ada@\u212auni.edu",
    "a wide dot": "ada@uni\uff0eedu",
    "punycode": "ada@xn--uni-0ra.edu",
    "two at signs": "a@b@uni.edu",
    "a quoted local part": '"@uni.edu"',
    "a quoted address": '"ada@uni.edu"@evil.com',
    "a comment": "ada@evil.com(@uni.edu)",
    "two addresses": "ada@evil.com,ada@uni.edu",
    "a space before": " ada@uni.edu",
    "a space after": "ada@uni.edu ",
    "a NUL": "ada@uni.edu\0",
    "a newline": "ada@uni.edu\n",
    "a newline before": "ada@evil.com\nada@uni.edu",
    "angle brackets": "<ada@uni.edu>",
    "no local part": "@uni.edu",
    "the domain alone": "uni.edu",
    "a list": ["ada@uni.edu"],
    "a mapping": {"address": "ada@uni.edu"},
    "null": None,
    "a number": 1,
    "very long": f"{LONG}@evil-uni.edu",
}
UNVERIFIED = {
    "false": False,
    "text false": "false",
    "null": None,
    "one": 1,
    "yes": "yes",
    "a list": [True],
    "empty": "",
}
UNNAMED = {"null": None, "empty": "", "a list": ["ada"], "a mapping": {"name": "ada"}, "true": True, "half": 1.5}
BAD_NAMES = {
    "admin": "admin",
    "root in other letters": "rooT",
    "wide letters": "ａｄｍｉｎ",
    "a dotless i": "adm\u0131n",
    "the health check": "health-check",
    "the health check in capitals": "HEALTH-CHECK",
    "somebody blocked": "mallory",
    "somebody blocked, in capitals": "MALLORY",
    "an admin with a Kelvin sign": "\u212aim",
    "a dot": ".",
    "two dots": "..",
    "a NUL": "a\0b",
    "an escape": "a\x1b[31m",
    "right to left": "a\u202eb",
    "no width": "a\u200bb",
    "a space before": " lin",
    "a space after": "lin ",
    "a slash": "../admin",
    "too long": LONG,
    "longer than the database": "x" * 256,
}
GROUPS = {
    "the community": ["ocean-lab"],
    "its leads": ["ocean-lab:leads"],
    "its leads in capitals": ["OCEAN-LAB:LEADS"],
    "a team": ["org:team"],
    "another path": ["/b/admin"],
    "the end of a path": ["admin"],
    "a longer path": ["/a/admin/x"],
    "a list in a list": [["/a/admin"]],
    "a mapping": {"/a/admin": True},
    "its letters": "/a/admin,",
    "a text of several": "x,/a/admin",
    "null": None,
    "true": True,
    "a million letters": [LONG],
}
PEOPLE = {
    **{f"domain: {name}": {"email": email, **VERIFIED} for name, email in DOMAINS.items()},
    **{f"unverified: {name}": {"email": "ada@uni.edu", "email_verified": value} for name, value in UNVERIFIED.items()},
    "unverified: missing": {"email": "ada@uni.edu"},
    **{f"unnamed: {name}": {"preferred_username": value} for name, value in UNNAMED.items()},
    "unnamed: missing": {"preferred_username": None},
    **{f"name: {name}": {"preferred_username": value, "groups": ["everybody"]} for name, value in BAD_NAMES.items()},
    **{f"groups: {name}": {"groups": value} for name, value in GROUPS.items()},
    "fine": {"email": "ada@uni.edu", **VERIFIED},
    "fine in capitals": {"email": "ada@UNI.EDU", **VERIFIED},
    "fine by group": {"groups": ["everybody"]},
    "the owner of a name": {"preferred_username": "owner", "groups": ["everybody"]},
    "who takes it": {"preferred_username": "owner", "groups": ["everybody"]},
    "who takes it in capitals": {"preferred_username": "OWNER", "groups": ["everybody"]},
    "who looks like it": {"preferred_username": "ｏｗｎｅｒ", "groups": ["everybody"]},
    "with markup": {"preferred_username": "<img src=x onerror=alert(1)>"},
    "in too many groups": {"groups": ["everybody", *map(str, range(20))]},
    "in odd groups": {"groups": ["everybody", "a\0b", "\ud800", LONG, " "]},
    "a ligature": {"preferred_username": "\ufb01ona"},
    "a long s": {"preferred_username": "\u017fam"},
    "invited to nothing": {"invited_to": ["ocean-lab"], "teams": ["org:team"], "organizations": ["org"]},
}  # fmt: skip
for number, told in enumerate(PEOPLE.values()):
    told.setdefault("preferred_username", f"person-{number}")
PEOPLE["unnamed: missing"].pop("preferred_username")


@pytest.fixture(scope="module")
async def provider():
    async with ClaimsProvider(PEOPLE) as running:
        yield running


COMMUNITIES = {
    "ocean-lab": {
        "members": [
            {"domains": ["uni.edu"]},
            {"groups": ["everybody"]},
            {"github": ["org:team", "org"]},
            {"users": ["fiona", "sam"]},
        ],
        "leads": [{"groups": ["/a/admin"]}],
    }
}
POLICY = {
    "CommunityAuthenticator": {"communities": COMMUNITIES, "service_users": {"health-check"}},
    "Authenticator": {"admin_users": {"kim"}, "blocked_users": {"mallory"}},
}


@pytest.fixture(scope="module")
async def hub(provider):
    traits = {"username_claim": "preferred_username", "scope": ["openid", "email"]}
    async with hub_with(provider, "community-oidc", traits, POLICY) as running:
        yield running


def cases(kind):
    return [key for key in PEOPLE if key.startswith(f"{kind}: ")]


@pytest.mark.parametrize("person", ["fine", "fine in capitals", "fine by group"])
async def test_people_are_admitted_whom_the_attacks_below_imitate(person, hub):
    assert (await arrive(hub, person)).admitted


@pytest.mark.parametrize("person", cases("domain"))
async def test_an_address_that_only_looks_like_one_of_the_domain(person, hub):
    await assert_stays_out(hub, person)


@pytest.mark.parametrize("person", cases("unverified"))
async def test_an_address_that_is_not_verified(person, hub):
    await assert_stays_out(hub, person)


@pytest.mark.parametrize("person", cases("unnamed"))
async def test_an_account_without_a_name(person, hub):
    await assert_stays_out(hub, person)


@pytest.mark.parametrize("person", cases("name"))
async def test_a_name_that_belongs_to_the_hub_or_to_somebody_else(person, hub):
    await assert_stays_out(hub, person)


@pytest.mark.parametrize("person", cases("groups"))
async def test_a_group_that_poses_as_another_one(person, hub):
    await assert_stays_out(hub, person)


@pytest.mark.parametrize("person", ["a ligature", "a long s"])
async def test_a_name_that_folds_to_that_of_somebody_whom_a_rule_names(person, hub):
    await assert_stays_out(hub, person)


async def test_more_groups_than_the_hub_can_keep(provider):
    traits = {"username_claim": "preferred_username", "scope": ["openid", "email"]}
    policy = {**POLICY, "CommunityAuthenticator": {**POLICY["CommunityAuthenticator"], "most_groups": 20}}
    async with hub_with(provider, "community-oidc", traits, policy) as hub:
        page = await assert_stays_out(hub, "in too many groups")
        assert "names 21 groups for your account" in page.text
        assert (await arrive(hub, "fine by group")).admitted


async def test_groups_that_no_database_keeps_are_none(hub):
    assert (await arrive(hub, "in odd groups")).groups == {"everybody", "ocean-lab"}


async def test_claims_that_pose_as_what_other_providers_or_the_hub_say(hub):
    await assert_stays_out(hub, "invited to nothing")


@pytest.mark.parametrize("person", ["who takes it", "who takes it in capitals", "who looks like it"])
async def test_the_name_of_somebody_who_is_there(person, hub):
    owner = await arrive(hub, "the owner of a name")
    assert owner.admitted
    page = await assert_stays_out(hub, person)
    assert "another" in page.text.lower()
    assert (await arrive(hub, "the owner of a name")).admitted


async def test_a_refusal_shows_no_markup_of_the_name(hub):
    page = await assert_stays_out(hub, "with markup")
    assert "<img src=x onerror" not in page.text
    assert "&lt;img src=x onerror=alert(1)&gt;" in page.text


async def test_no_log_line_grows_with_what_a_provider_says(hub, caplog):
    with caplog.at_level(logging.DEBUG):
        for person in ("domain: very long", "name: too long", "groups: a million letters"):
            await assert_stays_out(hub, person)
    ours = [record.getMessage() for record in caplog.records if "hub_extensions" in record.pathname]
    ours += [record.getMessage() for record in caplog.records if "authenticators" in record.pathname]
    assert all(len(message) < 2000 for message in ours)


async def test_an_answer_of_the_provider_that_nobody_asked_for(hub):
    """A callback without the state that this browser was given: somebody else's login, or one of long ago."""
    theirs = await callback(hub.browser(), "fine")
    browser = hub.browser()
    assert (await browser.get(theirs)).status in {400, 403}
    assert (await browser.api("GET", "user")).status == 403


async def test_a_code_that_was_used_before(hub):
    browser = hub.browser()
    url = await callback(browser, "fine by group")
    assert (await browser.get(url)).status == 200
    page = await hub.browser().get(url)
    assert page.status in {400, 403}


async def test_a_login_that_was_cancelled(hub):
    await assert_stays_out(hub, None, status=(400, 403))


# Without rules.


@pytest.mark.parametrize(
    "section", ["GenericOAuthenticator", "GitHubOAuthenticator", "GoogleOAuthenticator", "CILogonOAuthenticator"]
)
async def test_a_hub_without_rules(section):
    makers = {
        "GenericOAuthenticator": (ClaimsProvider({"ada": {"preferred_username": "ada"}}), "community-oidc", "ada"),
        "GitHubOAuthenticator": (GitHub([Coder("ada")], [Organization("org", {"ada"})]), "community-github", "ada"),
        "GoogleOAuthenticator": (Google([Googler("ada@uni.edu", "uni.edu")]), "community-google", "ada@uni.edu"),
        "CILogonOAuthenticator": (
            CILogon([Scholar("ada", claims={"eppn": "ada@example.edu"})]),
            "community-cilogon",
            "ada",
        ),
    }
    provider, authenticator, person = makers[section]
    traits = {"idps": {UNIVERSITY: {"username_derivation": {"username_claim": "eppn"}}}}
    traits = traits if section == "CILogonOAuthenticator" else {}
    async with provider, hub_with(provider, authenticator, traits) as hub:
        await assert_stays_out(hub, person)


@pytest.mark.parametrize("person", ["name: somebody blocked", "name: the health check", "name: admin", "unnamed: null"])
async def test_everybody_may_come_but_who_is_refused(person, provider):
    traits = {"username_claim": "preferred_username", "allow_all": True}
    async with hub_with(provider, "community-oidc", traits, POLICY) as hub:
        assert (await arrive(hub, "groups: null")).admitted
        await assert_stays_out(hub, person)


async def test_everybody_may_come_but_whose_community_is_closed(provider):
    closed = {"communities": {"last-year": {"members": [{"groups": ["everybody"]}], "until": "2025-12-31"}}}
    not_yet = {"communities": {"next": {"members": [{"groups": ["everybody"]}], "from": "2999-01-01"}}}
    for communities in (closed, not_yet):
        traits = {"username_claim": "preferred_username", "allow_all": True}
        async with hub_with(provider, "community-oidc", traits, {"CommunityAuthenticator": communities}) as hub:
            assert (await arrive(hub, "fine")).admitted
            await assert_stays_out(hub, "fine by group")


async def test_an_admin_or_an_existing_user_who_is_refused(provider):
    """Allowing settings cannot overrule a refusal: an unverified address stays nobody's, whoever it would name."""
    traits = {"username_claim": "email", "allow_existing_users": True, "scope": ["openid", "email"]}
    config = {"Authenticator": {"admin_users": {"ada@uni.edu"}, "allowed_users": {"ada@uni.edu"}}}
    async with hub_with(provider, "community-oidc", traits, config) as hub:
        for person in ("unverified: false", "unverified: text false", "unverified: missing"):
            await assert_stays_out(hub, person)
        admin = await arrive(hub, "fine")
        assert admin.admin, "the same address, verified"


# Identity providers behind CILogon.

SCHOLARS = [
    Scholar("ada", claims={"email": "ada@example.edu", "eppn": "ada@example.edu"}),
    Scholar("ada of Google", GOOGLE, claims={"email": "ada@example.edu"}),
    Scholar("ada of elsewhere", OTHER_UNIVERSITY, claims={"email": "ada@example.edu", "eppn": "ada@example.edu"}),
    Scholar("ada of nowhere", "", claims={"email": "ada@example.edu"}),
    Scholar("ada in capitals", UNIVERSITY.upper(), claims={"email": "ada@example.edu"}),
    Scholar("without an address", claims={}),
    Scholar("with two", claims={"email": "a@b@example.edu"}),
    Scholar("guest", GOOGLE, claims={"email": "guest@gmail.example"}),
    Scholar("guest of elsewhere", OTHER_UNIVERSITY, claims={"email": "guest@other.example"}),
]


@pytest.fixture(scope="module")
async def cilogon():
    async with CILogon(SCHOLARS) as running:
        yield running


def by_email(**more):
    return {"username_derivation": {"username_claim": "email", **more}}


@pytest.fixture(scope="module")
async def scholars_hub(cilogon):
    traits = {"idps": {UNIVERSITY: by_email(), GOOGLE: by_email()}}
    rules = {
        "uni": {"members": [{"idp": UNIVERSITY, "domains": ["example.edu"]}, {"users": ["guest@gmail.example"]}]},
        "careless": {"members": [{"domains": ["gmail.example", "other.example"]}]},
    }
    config = {"CommunityAuthenticator": {"communities": rules, "admins": [{"users": ["ada@example.edu"]}]}}
    async with hub_with(cilogon, "community-cilogon", traits, config) as running:
        yield running


async def test_scholars_are_admitted_whom_the_attacks_below_imitate(scholars_hub):
    assert (await arrive(scholars_hub, "ada")).admin
    assert (await arrive(scholars_hub, "guest")).groups == {"uni"}, "an address alone is nobody's word"


@pytest.mark.parametrize(
    "person",
    [
        "ada of Google",
        "ada of elsewhere",
        "ada of nowhere",
        "ada in capitals",
        "without an address",
        "with two",
        "guest of elsewhere",
    ],
)
async def test_the_address_of_a_university_from_another_identity_provider(person, scholars_hub):
    await assert_stays_out(scholars_hub, person)


async def test_two_identity_providers_that_give_one_name(cilogon):
    traits = {
        "idps": {
            UNIVERSITY: {**by_email(action="strip_idp_domain", domain="example.edu"), "allow_all": True},
            OTHER_UNIVERSITY: {**by_email(action="strip_idp_domain", domain="example.edu"), "allow_all": True},
        }
    }
    async with hub_with(cilogon, "community-cilogon", traits) as hub:
        assert (await arrive(hub, "ada")).name == "ada"
        await assert_stays_out(hub, "ada of elsewhere")


# Google.


@pytest.mark.parametrize(
    "person",
    [
        Googler("ada@uni.edu"),
        Googler("ada@uni.edu", "evil-uni.edu"),
        Googler("ada@uni.edu", "uni.edu.evil.com"),
        Googler("ada@uni.edu", "un\u0456.edu"),
        Googler("ada@uni.edu", "uni.edu", verified=False),
        Googler("ada@gmail.com", "gmail.com"),
    ],
    ids=str,
)
async def test_an_account_that_the_organisation_does_not_manage(person):
    rules = {"uni": {"members": [{"hosted_domains": ["uni.edu"]}]}}
    async with Google([person]) as google:
        settings = {"CommunityAuthenticator": {"communities": rules}}
        async with hub_with(google, "community-google", {"username_claim": "email"}, settings) as hub:
            await assert_stays_out(hub, person.email)
        async with hub_with(google, "community-google", {"hosted_domain": ["uni.edu"], "allow_all": True}) as hub:
            await assert_stays_out(hub, person.email)


@pytest.mark.parametrize("claim", ["id", "email"])
async def test_an_unverified_address_whatever_the_name_is_made_of(claim):
    """Who gets in with it would be somebody else to whatever reads the address."""
    people = [Googler("ada@uni.edu", verified=False), Googler("ben@uni.edu")]
    async with Google(people) as google:
        traits = {"username_claim": claim, "allow_all": True}
        async with hub_with(google, "community-google", traits) as hub:
            page = await assert_stays_out(hub, "ada@uni.edu")
            assert "has not verified your e-mail address" in page.text
            assert (await arrive(hub, "ben@uni.edu")).admitted


# GitHub.

CODERS = [Coder(name) for name in ("member", "teammate", "alike", "longer", "namesake", "invited", "last", "outsider")]


def organizations():
    many = {f"team-{number:03}": {"last"} for number in range(250)}
    return [
        Organization(
            "org", members={"member"}, teams={"team": {"teammate"}, "team-x": {"longer"}}, invited={"invited"}
        ),
        Organization("org-x", teams={"team": {"alike"}}),
        Organization("team", members={"namesake"}, teams={"org": {"namesake"}, "team": {"namesake"}}),
        Organization("big", teams=many),
    ]


@pytest.fixture(scope="module")
async def github():
    async with GitHub(CODERS, organizations()) as running:
        yield running


RULES = {
    "CommunityAuthenticator": {"communities": {"ocean-lab": {"members": [{"github": ["Org:Team", "big:TEAM-249"]}]}}}
}


@pytest.fixture(scope="module")
async def coders_hub(github):
    async with hub_with(github, "community-github", {"provider_timeout": 2}, RULES) as running:
        yield running


@pytest.mark.parametrize("person", ["teammate", "last"])
async def test_coders_are_admitted_whom_the_attacks_below_imitate(person, coders_hub):
    arrival = await arrive(coders_hub, person)
    assert arrival.admitted, "letter case does not count, and the last page of a list is read"
    assert "ocean-lab" in arrival.groups


@pytest.mark.parametrize("person", ["member", "alike", "longer", "namesake", "invited", "outsider"])
async def test_a_membership_that_only_looks_like_that_of_the_team(person, coders_hub):
    await assert_stays_out(coders_hub, person)


@pytest.mark.parametrize(
    "failure",
    [
        Failure("/user/teams", 404, {"message": "Not Found"}),
        Failure("/user/teams", 403, {"message": "Forbidden"}),
        Failure("/user/orgs", 403, {"message": "Forbidden"}),
        Failure("/user/teams", 200, {"message": "not a list"}),
        Failure("/user/teams", 200, [{"slug": "team"}]),
        Failure("/user/teams", 200, "<!DOCTYPE html>"),
        Failure("/user/teams", seconds=5),
        Failure("/user", 500, {}),
        replace(rate_limit(), path="/user*"),
        replace(outage(), path="/user*"),
    ],
    ids=lambda failure: f"{failure.path} {failure.status}",
)
@pytest.mark.parametrize("person", ["teammate", "outsider"])
async def test_a_login_while_memberships_cannot_be_read(failure, person, github, coders_hub):
    with github.failing(failure):
        await assert_stays_out(coders_hub, person, status=(403, 500, 502, 503, 504))


async def test_a_team_that_was_left_between_the_login_and_the_start_of_a_server():
    async with (
        GitHub(CODERS, organizations()) as github,
        hub_with(github, "community-github", {}, {**RULES, "JupyterHub": {"spawner_class": "simple"}}) as hub,
    ):
        arrival = await arrive(hub, "teammate")
        assert arrival.admitted
        github.organizations["org"].teams["team"].clear()
        answer = await arrival.browser.api("POST", "users/teammate/server", json={})
        assert answer.status in {401, 403}, answer.text
        assert not hub.app.users["teammate"].spawner.active


# Names that tell nothing, and hubs that do not start.


async def test_another_pepper_makes_other_people_and_not_each_other(provider):
    traits = {"pseudonymous_names": True, "allow_all": True}
    names = []
    for pepper in ("the first secret of this hub", "the second secret of this hub"):
        async with hub_with(provider, "community-oidc", {**traits, "pepper": pepper}) as hub:
            names += [(await arrive(hub, person)).name for person in ("fine", "the owner of a name", "who takes it")]
    assert len(set(names)) == 6
    assert all(names)


@pytest.mark.parametrize("pepper", ["", "short", "x" * 15, "x" * 65])
def test_pseudonyms_without_a_secret_do_not_start(pepper, monkeypatch):
    monkeypatch.delenv("USERNAME_DERIVATION_PEPPER", raising=False)
    with pytest.raises(TraitError, match="needs a pepper"):
        CommunityOIDCAuthenticator(pseudonymous_names=True, pepper=pepper, username_claim="sub")


@pytest.mark.parametrize("traits", [{"admin_users": {"lin"}}, {"admins": [{"users": ["lin"]}]}])
def test_admins_whom_anybody_could_be_do_not_start(traits):
    with pytest.raises(TraitError, match="anybody could become an admin"):
        CommunityDummyAuthenticator(**traits)


@pytest.mark.parametrize(
    "section",
    [
        {"allowed_organisations": ["org"]},
        {"allow_list": ["ada"]},
        {"team_whitelist": ["org:team"]},
        {"Authenticator": {"blocked_users": ["mallory"]}},
    ],
    ids=str,
)
def test_a_restriction_that_would_be_passed_over_does_not_start(section):
    c = Config({"JupyterHub": {"authenticator_class": "community-github"}, "GitHubOAuthenticator": section})
    with pytest.raises(SystemExit):
        configure(c, {"communities": {"a": {"members": [{"users": ["ada"]}]}}})


async def test_a_name_given_by_hand_that_no_rule_names():
    rules = {"communities": {"a": {"members": [{"users": ["ada"]}, {"github": ["org"]}, {"groups": ["x"]}]}}}
    config = {
        "JupyterHub": {"authenticator_class": "community-dummy"},
        "CommunityAuthenticator": rules,
        "Authenticator": {"allow_all": False},
    }
    async with running_hub(config) as hub:
        await hub.login("ada")
        for name in ("eve", "\u212aim", "admin", "ad\u0430", "adam", "org"):
            browser = hub.browser()
            await browser.get("login")
            page = await browser.post("login", {"username": name, "password": ""}, follow=False)
            assert page.status != 302, name


# Who is who. A provider at which people choose and change their names.


@pytest.fixture
async def changing():
    people = {
        "mallory": {"preferred_username": "mallory", "groups": ["everybody"]},
        "one": {"preferred_username": "ada", "groups": ["everybody"]},
        "another": {"preferred_username": "ada", "groups": ["everybody"]},
        "who looks like lin": {"preferred_username": "\uff4cin", "groups": ["everybody"]},
        "lin": {"preferred_username": "lin"},
        "a path": {"preferred_username": "a/b", "groups": ["everybody"]},
        "staff": {"preferred_username": "sam", "groups": ["staff"]},
    }
    async with ClaimsProvider(people) as running:
        yield running


def hub_of(changing, **traits):
    rules = {"members": [{"groups": ["everybody"]}], "leads": [{"users": ["lin"]}]}
    policy = {
        "CommunityAuthenticator": {"communities": {"c": rules}, "admins": [{"groups": ["staff"]}], **traits},
        "Authenticator": {"admin_users": {"boss"}, "admin_groups": {"others"}},
    }
    return hub_with(changing, "community-oidc", {"username_claim": "preferred_username"}, policy)


@pytest.mark.parametrize("name", ["lin", "boss"])
async def test_another_name_at_the_provider_while_logged_in(name, changing):
    async with hub_of(changing) as hub:
        await arrive(hub, "mallory")
        changing.people["mallory"]["preferred_username"] = name
        assert await hub.app.authenticator.refresh_user(hub.app.users["mallory"]) is False


async def test_two_who_come_at_once_for_the_first_time_with_one_name(changing):
    async with hub_of(changing) as hub:
        browsers = {name: hub.browser() for name in ("one", "another")}
        back = {name: await callback(browser, name) for name, browser in browsers.items()}
        pages = await asyncio.gather(*(browser.get(back[name]) for name, browser in browsers.items()))
    assert sorted(page.status for page in pages) == [200, 403]


async def test_another_account_of_a_provider_that_shares_its_names_with_another_provider(changing):
    async with hub_of(changing, shared_user_names={"oidc", "github"}) as hub:
        assert (await arrive(hub, "one")).admitted
        assert not (await arrive(hub, "another")).admitted


async def test_a_name_that_looks_like_that_of_somebody_who_is_named_and_has_not_come_yet(changing):
    async with hub_of(changing) as hub:
        assert not (await arrive(hub, "who looks like lin")).admitted
        assert "c:leads" in (await arrive(hub, "lin")).groups


async def test_a_name_that_jupyterhub_does_not_take_is_told_as_that(changing):
    async with hub_of(changing) as hub:
        page = (await arrive(hub, "a path")).page
    assert page.status == 403
    assert "cannot be one on this hub" in page.text


async def test_admins_by_a_rule_beside_groups_of_admins(changing):
    async with hub_of(changing) as hub:
        assert (await arrive(hub, "staff")).admin


@pytest.mark.parametrize("body", ["<!DOCTYPE html><title>Maintenance</title>"])
async def test_a_page_for_people_from_the_provider_is_an_outage(body, changing):
    async with hub_of(changing) as hub:
        await arrive(hub, "one")
        with changing.failing(Failure("/userinfo", 200, body)):
            assert (await hub.app.authenticator.refresh_user(hub.app.users["ada"]))["groups"] == ["c", "everybody"]
            assert (await arrive(hub, "one")).page.status == 503
