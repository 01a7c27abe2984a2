"""What a check finds in the configuration of a login, and that it finds nothing in what is fine."""

import logging

import pytest
from traitlets.config import Config

from hub_extensions import configure
from hub_extensions.communities import Community
from hub_extensions.configured_login import login_of
from hub_extensions.login_check import check
from hub_extensions.login_rules import unmeetable
from hub_extensions.login_settings import Login, Staff
from hub_extensions.membership import Rule
from hub_extensions.settings import Settings

from .ids import steady

UNIVERSITY, GOOGLE = "https://idp.example.edu/idp/shibboleth", "http://google.com/accounts/o8/id"
BY_EMAIL = {"username_derivation": {"username_claim": "email"}}


def login(authenticator, sections=(), **more):
    """A login as a hub with that authenticator would have it."""
    config = Config({"JupyterHub": {"authenticator_class": authenticator}, **dict(sections)})
    found = login_of(config, Settings())
    return Login(found.sections, found.classes, found.traits, **more)


def found(of):
    return [(finding.severity, finding.path) for finding in check(of)]


def community(*members):
    return {"ocean-lab": Community.model_validate({"members": list(members)})}


FINE = {
    "teams": ("community-github", {"GitHubOAuthenticator": {"allowed_organizations": ["ocean-lab", "big:team"]}}, {}),
    "the stock class": (
        "github",
        {"GitHubOAuthenticator": {"allowed_organizations": ["big:team"], "scope": ["read:org"]}},
        {},
    ),
    "a community of teams": ("community-github", {}, {"communities": community({"github": ["big:team"]})}),
    "a chart's section of another authenticator": (
        "community-cilogon",
        {
            "GitHubOAuthenticator": {"scope": ["read:org"], "manage_groups": True, "auth_refresh_age": 0},
            "CILogonOAuthenticator": {"idps": {UNIVERSITY: {**BY_EMAIL, "allow_all": True}}},
        },
        {},
    ),
    "an IdP for admins": (
        "community-cilogon",
        {
            "CILogonOAuthenticator": {"allowed_idps": {UNIVERSITY: {**BY_EMAIL, "allow_all": True}, GOOGLE: BY_EMAIL}},
            "Authenticator": {"admin_users": ["lin@example.org"], "blocked_users": ["mallory@example.edu"]},
        },
        {"staff": Staff("google", {"github": ["lin"], "google": ["lin@example.org"]})},
    ),
    "an IdP for staff alone": (
        "community-cilogon",
        {"CILogonOAuthenticator": {"idps": {GOOGLE: BY_EMAIL}}},
        {"staff": Staff("google", {"github": ["lin"], "google": ["lin@example.org"]})},
    ),
    "staff of GitHub behind CILogon": (
        "community-cilogon",
        {"CILogonOAuthenticator": {"idps": {"http://github.com/login/oauth/authorize": {
            "username_derivation": {"username_claim": "preferred_username"}}, GOOGLE: BY_EMAIL}}},
        {"staff": Staff("github", {"github": ["lin"], "google": ["lin@example.org"]})},
    ),
    "an IdP and its domain": (
        "community-cilogon",
        {"CILogonOAuthenticator": {"idps": {GOOGLE: BY_EMAIL}}},
        {"communities": community({"idp": GOOGLE, "domains": ["example.edu"]})},
    ),
    "groups of one institution": (
        "community-cilogon",
        {"CILogonOAuthenticator": {"idps": {UNIVERSITY: BY_EMAIL}}},
        {"communities": community({"groups": ["cn=ocean"]})},
    ),
    "groups of institutions that are named": (
        "community-cilogon",
        {"CILogonOAuthenticator": {"idps": {UNIVERSITY: BY_EMAIL, GOOGLE: BY_EMAIL}}},
        {"communities": community({"groups": ["cn=ocean"], "idp": UNIVERSITY})},
    ),
    "a Workspace": (
        "community-google",
        {"GoogleOAuthenticator": {"hosted_domain": ["example.edu"], "allow_all": True}},
        {},
    ),
    "groups of a claim": (
        "community-oidc",
        {"GenericOAuthenticator": {"username_claim": "sub", "allowed_groups": ["20024"], "admin_groups": ["Admin"]}},
        {"profile_groups": ["GPU:T4"]},
    ),
    "names by verified addresses": (
        "community-oidc",
        {"GenericOAuthenticator": {"username_claim": "email", "scope": ["openid", "email"], "allow_all": True}},
        {},
    ),
    "profiles for teams and communities": (
        "community-github",
        {"CommunityGitHubAuthenticator": {"group_organizations": ["staff-org"], "allowed_groups": ["staff-org:all"]}},
        {
            "communities": community({"github": ["Big"]}),
            "profile_groups": ["big:gpu", "other-org:all", "ocean-lab", "ocean-lab:leads"],
        },
    ),
    "profiles for groups that an admin makes": (
        "community-github",
        {"Authenticator": {"manage_groups": False, "allowed_users": ["ada"]}},
        {"profile_groups": ["by-hand"]},
    ),
    "communities that are asked about now and then": (
        "community-github",
        {"GitHubOAuthenticator": {"enable_auth_state": True}, "Authenticator": {"auth_refresh_age": 3600}},
        {"communities": community({"github": ["ocean-lab"]})},
    ),
    "trying out": ("community-dummy", {}, {"communities": community({"users": ["ada"]})}),
    "one password": (
        "shared-password",
        {
            "Authenticator": {"allow_all": True, "admin_users": ["lin"]},
            "SharedPasswordAuthenticator": {"admin_password": "x" * 32},
        },
        {},
    ),
    "nobody but programs": ("null", {"Authenticator": {"blocked_users": ["check"]}}, {}),
    "a class that is not installed": ("of-somebody-else", {"Authenticator": {"allow_all": True}}, {}),
    "none is named yet": (None, {"GitHubOAuthenticator": {"allowed_organizations": ["ocean-lab"]}}, {}),
    "the same admins twice": (
        "community-oidc",
        {"Authenticator": {"admin_users": {"Lin"}}, "GenericOAuthenticator": {"admin_users": ["lin"]}},
        {},
    ),
    "several providers": (
        "community-multi",
        {
            "GitHubOAuthenticator": {"allowed_organizations": ["ocean-lab"]},
            "CommunityMultiAuthenticator": {
                "providers": {
                    "github": {"authenticator": "community-github"},
                    "uni": {
                        "authenticator": "community-cilogon",
                        "config": {"idps": {UNIVERSITY: {**BY_EMAIL, "allow_all": True}}},
                    },
                }
            },
        },
        {"communities": community({"github": ["ocean-lab"]}, {"provider": ["uni"], "idp": UNIVERSITY})},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FINE)
def test_there_is_nothing_to_say_of_a_login_that_is_fine(name):
    authenticator, sections, more = FINE[name]
    sections = {**sections, "JupyterHub": {**sections.get("JupyterHub", {}), "authenticator_class": authenticator}}
    assert [str(finding) for finding in check(login(authenticator, sections, **more))] == []


GITHUB = {"allowed_organizations": ["ocean-lab"]}
CILOGON = {"idps": {UNIVERSITY: {**BY_EMAIL, "allow_all": True}}}
MISTAKES = {
    "communities that make no groups": (
        "community-github",
        {"GitHubOAuthenticator": {"manage_groups": False}},
        {"communities": community({"github": ["ocean-lab"]})},
        ("warning", "communities", "put nobody into a group, because of manage_groups: false"),
    ),
    "communities beside groups made by hand": (
        "community-github",
        {"JupyterHub": {"authenticator_class": "community-github", "load_groups": {"by-hand": {}}}},
        {"communities": community({"github": ["ocean-lab"]})},
        ("warning", "communities", "put nobody into a group, because of JupyterHub.load_groups"),
    ),
    "groups that any institution can put its people into": (
        "community-cilogon",
        {"CILogonOAuthenticator": {"idps": {UNIVERSITY: BY_EMAIL, GOOGLE: BY_EMAIL}}},
        {"communities": community({"groups": ["cn=ocean"]})},
        ("warning", "communities.ocean-lab.members[0]", "'cn=ocean' by the word of any of 2 identity providers"),
    ),
    "an organisation as text": (
        "community-github",
        {"GitHubOAuthenticator": {"allowed_organizations": "ocean-lab"}},
        {},
        ("warning", "c.GitHubOAuthenticator.allowed_organizations", "is taken for ['ocean-lab']."),
    ),
    "several as one text": (
        "community-github",
        {"GitHubOAuthenticator": {"allowed_organizations": "ocean-lab, forest"}},
        {},
        ("error", "c.GitHubOAuthenticator.allowed_organizations", "one name that nobody has"),
    ),
    "a section in another": (
        "community-github",
        {"GitHubOAuthenticator": {**GITHUB, "Authenticator": {"admin_users": ["lin"]}}},
        {},
        ("error", "c.GitHubOAuthenticator.Authenticator", "Put it beside GitHubOAuthenticator, as c.Authenticator"),
    ),
    "admins that ours adds up": (
        "community-oidc",
        {"GenericOAuthenticator": {"admin_users": ["lin"]}, "Authenticator": {"admin_users": ["lin", "may", "eve"]}},
        {},
        ("warning", "c.Authenticator.admin_users", "has 2 names that c.GenericOAuthenticator.admin_users hides from"),
    ),
    "admins that another class hides": (
        "generic-oauth",
        {"GenericOAuthenticator": {"admin_users": ["lin"]}, "Authenticator": {"admin_users": ["may"]}},
        {},
        ("warning", "c.Authenticator.admin_users", "one name without effect: c.GenericOAuthenticator.admin_users"),
    ),
    "users that are hidden": (
        "community-oidc",
        {"GenericOAuthenticator": {"allowed_users": ["lin"]}, "Authenticator": {"allowed_users": ["may"]}},
        {},
        ("warning", "c.Authenticator.allowed_users", "one name without effect"),
    ),
    "a setting that would restrict and is none": (
        "community-google",
        {"GoogleOAuthenticator": {"allow_all": True, "hosted_domains": ["example.edu"]}},
        {},
        ("error", "c.GoogleOAuthenticator.hosted_domains", "Did you mean 'hosted_domain'?"),
    ),
    "a setting that is none": (
        "community-github",
        {"GitHubOAuthenticator": {**GITHUB, "enable_pkcee": True}},
        {},
        ("warning", "c.GitHubOAuthenticator.enable_pkcee", "Did you mean 'enable_pkce'?"),
    ),
    "the class in another section": (
        "community-github",
        {"GitHubOAuthenticator": GITHUB, "Authenticator": {"authenticator_class": "community-github"}},
        {},
        ("warning", "c.Authenticator.authenticator_class", "Remove it"),
    ),
    "another class in another section": (
        "community-github",
        {"GitHubOAuthenticator": GITHUB, "Authenticator": {"authenticator_class": "community-google"}},
        {},
        ("error", "c.Authenticator.authenticator_class", "Set c.JupyterHub.authenticator_class instead"),
    ),
    "rules for an authenticator that is not in use": (
        "community-github",
        {"GitHubOAuthenticator": GITHUB, "CILogonOAuthenticator": CILOGON},
        {},
        ("warning", "c.CILogonOAuthenticator", "but CommunityGitHubAuthenticator is in use"),
    ),
    "organisations where a password is asked for": (
        "shared-password",
        {"Authenticator": {"allow_all": True}, "GitHubOAuthenticator": GITHUB},
        {},
        ("warning", "c.GitHubOAuthenticator", "but SharedPasswordAuthenticator is in use"),
    ),
    "admins without proof": (
        "dummy",
        {"Authenticator": {"allow_all": True, "admin_users": ["lin"]}},
        {},
        ("error", "c.Authenticator.admin_users", "anybody can log in as one of them"),
    ),
    "admins without a password": (
        "shared-password",
        {"Authenticator": {"allow_all": True, "admin_users": ["lin"]}},
        {},
        ("warning", "c.Authenticator.admin_users", "there is no admin_password"),
    ),
    "a team without the scope to see it": (
        "community-github",
        {"GitHubOAuthenticator": {"allowed_organizations": ["big:team"], "scope": ["user:email"]}},
        {},
        ("error", "c.GitHubOAuthenticator.allowed_organizations", "names the team 'big:team'"),
    ),
    "a community's team without the scope to see it": (
        "community-github",
        {"GitHubOAuthenticator": {"scope": []}},
        {"communities": community({"github": ["big:team"]})},
        ("error", "communities.ocean-lab.members[0]", "names the team 'big:team'"),
    ),
    "an organisation without the scope to see it": (
        "github",
        {"GitHubOAuthenticator": GITHUB},
        {},
        ("warning", "c.GitHubOAuthenticator.allowed_organizations", "only if they show their membership to all"),
    ),
    "no identity provider": (
        "community-cilogon",
        {"Authenticator": {"allowed_users": ["ada"]}},
        {},
        ("error", "c.CILogonOAuthenticator.idps", "names no identity provider"),
    ),
    "an identity provider that admits nobody": (
        "community-cilogon",
        {"CILogonOAuthenticator": {"idps": {**CILOGON["idps"], GOOGLE: BY_EMAIL}}},
        {},
        ("warning", f"c.CILogonOAuthenticator.idps['{GOOGLE}']", "people can log in through google.com, and are then"),
    ),
    "addresses that are not verified": (
        "community-oidc",
        {"GenericOAuthenticator": {"username_claim": "email", "scope": ["openid"], "allow_all": True}},
        {},
        ("warning", "c.GenericOAuthenticator.username_claim", "so that logins are refused"),
    ),
    "names that many have": (
        "community-oidc",
        {"GenericOAuthenticator": {"username_claim": "given_name", "allow_all": True}},
        {},
        ("warning", "c.GenericOAuthenticator.username_claim", "which several people may have alike"),
    ),
    "groups of a login without groups": (
        "community-oidc",
        {"GenericOAuthenticator": {"manage_groups": False, "allowed_groups": ["ocean"]}},
        {},
        ("warning", "c.GenericOAuthenticator.allowed_groups", "gives no groups without manage_groups"),
    ),
    "a group that is no team": (
        "community-github",
        {"GitHubOAuthenticator": {**GITHUB, "allowed_groups": ["power-users"]}},
        {},
        ("warning", "c.GitHubOAuthenticator.allowed_groups", "are teams, written organisation:team-slug"),
    ),
    "people of a team that is not asked for": (
        "community-github",
        {"GitHubOAuthenticator": {**GITHUB, "allowed_groups": ["staff-org:all"]}},
        {},
        ("warning", "c.GitHubOAuthenticator.allowed_groups", "become groups only if a rule, a profile or group_"),
    ),
    "profiles for groups where a password is asked for": (
        "community-dummy",
        {},
        {"communities": community({"users": ["ada"]}), "profile_groups": ["power-users"]},
        ("warning", "profiles", "this login says nothing of groups"),
    ),
    "staff of no list": (
        "community-cilogon",
        {"CILogonOAuthenticator": CILOGON},
        {"staff": Staff("cilogon", {"github": ["lin"], "google": ["lin@example.org"]})},
        ("warning", "custom.2i2c.add_staff_user_ids_of_type", "there is no list of 'cilogon' ids, so nobody is added"),
    ),
    "staff by names where people have addresses": (
        "community-cilogon",
        {"CILogonOAuthenticator": CILOGON},
        {"staff": Staff("github", {"github": ["lin"], "google": ["lin@example.org"]})},
        ("warning", "custom.2i2c.add_staff_user_ids_of_type", "but accounts here are addresses"),
    ),
    "staff by addresses where people have names": (
        "community-github",
        {"GitHubOAuthenticator": GITHUB},
        {"staff": Staff("google", {"github": ["lin"], "google": ["lin@example.org"]})},
        ("warning", "custom.2i2c.add_staff_user_ids_of_type", "but accounts here are names without @"),
    ),
    "staff that a class hides": (
        "generic-oauth",
        {"GenericOAuthenticator": {"admin_users": ["may"], "username_claim": "login_id"}},
        {"staff": Staff("google", {"google": ["lin@example.org"]})},
        ("warning", "custom.2i2c.add_staff_user_ids_of_type", "which c.GenericOAuthenticator.admin_users hides"),
    ),
    "a rule for another provider": (
        "community-cilogon",
        {"CILogonOAuthenticator": CILOGON},
        {"communities": community({"github": ["ocean-lab"]})},
        ("warning", "communities.ocean-lab.members[0]", "`github` is told by GitHub, and people log in with CILogon"),
    ),
    "an admins' rule for another provider": (
        "community-github",
        {"GitHubOAuthenticator": GITHUB},
        {"admins": (Rule(hosted_domains=("example.edu",)),)},
        ("warning", "hub.admins[0]", "`hosted_domains` is told by Google"),
    ),
    "communities that nobody reads": (
        "github",
        {"GitHubOAuthenticator": {**GITHUB, "scope": ["read:org"]}},
        {"communities": community({"github": ["ocean-lab"]})},
        ("warning", "communities", "GitHubOAuthenticator is in use, which does not know communities"),
    ),
    "communities that nobody is asked about again": (
        "community-github",
        {"Authenticator": {"auth_refresh_age": 0}},
        {"communities": community({"github": ["ocean-lab"]})},
        ("warning", "c.Authenticator.auth_refresh_age", "who leaves has access until their next login"),
    ),
    "accounts that nobody remembers": (
        "community-github",
        {"GitHubOAuthenticator": {"enable_auth_state": False}},
        {"communities": community({"github": ["ocean-lab"]})},
        ("warning", "c.GitHubOAuthenticator.enable_auth_state", "two accounts of one name are one user"),
    ),
    "no rule at all": ("community-github", {}, {}, ("warning", "communities", "nothing says who may log in")),
    "no rule but who is refused": (
        "generic-oauth",
        {"Authenticator": {"blocked_users": ["mallory"], "allow_all": False, "allowed_users": []}},
        {},
        ("warning", "communities", "nothing says who may log in"),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_once_with_its_place_and_what_to_do(name):
    authenticator, sections, more, (severity, path, words) = MISTAKES[name]
    sections = {"JupyterHub": {"authenticator_class": authenticator}, **sections}
    findings = check(login(authenticator, sections, **more))
    assert [(finding.severity, finding.path) for finding in findings] == [(severity, path)], list(map(str, findings))
    assert words in str(findings[0])
    assert findings[0].advice


@pytest.mark.parametrize(
    ("rule", "providers", "idps", "why"),
    [
        ({"users": ["ada"]}, {"dummy"}, (), ""),
        ({"invitation": True}, {"dummy"}, (), ""),
        ({"groups": ["ocean"]}, {"dummy"}, (), "`groups` is told by"),
        ({"groups": ["ocean"]}, {"github"}, (), ""),
        ({"github": ["ocean-lab"]}, {"github"}, (), ""),
        ({"github": ["ocean-lab"]}, {"google", "github"}, (), ""),
        ({"github": ["ocean-lab"], "provider": ["google"]}, {"google", "github"}, (), "`github` is told by GitHub"),
        ({"github": ["ocean-lab"], "hosted_domains": ["x.edu"]}, {"google", "github"}, (), "`hosted_domains`"),
        ({"provider": ["google"]}, {"github"}, (), "people log in with GitHub, not with Google"),
        ({"provider": ["oidc"]}, {"github"}, (), "not with oidc"),
        ({"provider": ["our-uni"]}, {"github", "oidc"}, (), ""),
        ({"domains": ["example.edu"]}, {"cilogon"}, (), "needs `idp` beside it"),
        ({"domains": ["example.edu"]}, {"cilogon", "oidc"}, (), ""),
        ({"domains": ["example.edu"], "idp": GOOGLE}, {"cilogon"}, (), ""),
        ({"domains": ["example.edu"]}, {"github"}, (), "`domains` is told by"),
        ({"idp": GOOGLE}, {"cilogon"}, (GOOGLE,), ""),
        ({"idp": [GOOGLE, UNIVERSITY]}, {"cilogon"}, (GOOGLE,), ""),
        ({"idp": UNIVERSITY}, {"cilogon"}, (GOOGLE,), "idp.example.edu is not among the idps"),
        ({"idp": UNIVERSITY}, {"google"}, (), "`idp` is told by CILogon or Globus"),
    ],
    ids=steady,
)
def test_a_rule_that_nobody_can_meet_says_why(rule, providers, idps, why):
    said = unmeetable(Rule.model_validate(rule), providers, idps)
    assert why in said
    assert bool(said) == bool(why)


def test_the_start_stops_at_a_mistake_and_warns_of_a_doubt(caplog):
    c = Config({"JupyterHub": {"authenticator_class": "community-github"}})
    c.GitHubOAuthenticator.allowed_organizations = ["ocean-lab"]
    c.GitHubOAuthenticator.allow_organizations = ["forest"]
    with pytest.raises(SystemExit, match=r"c\.GitHubOAuthenticator\.allow_organizations: .*'allowed_organizations'"):
        configure(c, {})
    del c.GitHubOAuthenticator["allow_organizations"]
    c.CILogonOAuthenticator.idps = {GOOGLE: {**BY_EMAIL, "allow_all": True}}
    with caplog.at_level(logging.WARNING, "hub_extensions"):
        configure(c, {})
    assert "c.CILogonOAuthenticator: says who may log in" in caplog.text


def test_what_settings_lay_over_the_configuration_is_what_is_checked():
    c = Config({"JupyterHub": {"authenticator_class": "null"}})
    settings = {
        "hub": {"config": {"JupyterHub": {"authenticator_class": "dummy"}, "Authenticator": {"admin_users": ["lin"]}}}
    }
    with pytest.raises(SystemExit, match=r"c\.Authenticator\.admin_users"):
        configure(c, settings)


def test_what_is_added_to_a_list_is_seen_and_stays_unsettled():
    c = Config({"JupyterHub": {"authenticator_class": "dummy"}})
    c.Authenticator.admin_users.add("lin")
    assert found(login_of(c, Settings())) == [("error", "c.Authenticator.admin_users")]
    assert c.Authenticator.admin_users.get_value({"may"}) == {"lin", "may"}
