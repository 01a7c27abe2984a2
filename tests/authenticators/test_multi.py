"""Several login providers on one hub."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from traitlets import TraitError
from traitlets.config import Config

from hub_extensions.authenticators.multi import CommunityMultiAuthenticator
from hub_extensions.invitations import proposed
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.invitations import InvitationStore

from ..claims import ClaimsProvider
from ..providers.github import GitHub, Organization, outage
from ..providers.github import Person as GitHubPerson
from ..providers.google import Google
from ..providers.google import Person as GooglePerson
from ..providers.login import arrive, hub_with

COMMUNITIES = {
    "ocean-lab": {"members": [{"github": ["ocean-lab"]}, {"hosted_domains": ["example.edu"]}]},
    "named": {"members": [{"users": ["ada"], "provider": ["github"]}, {"users": ["google:cleo@example.org"]}]},
}


@pytest.fixture(scope="module")
async def github():
    people = [GitHubPerson("ada"), GitHubPerson("ben")]
    async with GitHub(people, [Organization("ocean-lab", members={"ada"})]) as running:
        yield running


@pytest.fixture(scope="module")
async def google():
    people = [
        GooglePerson("ada@example.edu", hosted_domain="example.edu"),
        GooglePerson("cleo@example.org"),
        GooglePerson("dan@example.org"),
    ]
    async with Google(people) as running:
        yield running


def providers(github, google, changes=()):
    at_github = {"title": "GitHub {{7*7}}", "prefix": "", "config": github.traits}
    at_google = {"title": "<b>Google</b>", "config": {**google.traits, "strip_domain": False}}
    return {
        "github": {"authenticator": "community-github", **at_github},
        "google": {"authenticator": "community-google", **at_google},
        **dict(changes),
    }


@pytest.fixture(scope="module")
async def hub(github, google):
    config = {
        "CommunityMultiAuthenticator": {"providers": providers(github, google)},
        "CommunityAuthenticator": {"communities": COMMUNITIES},
        "CommunityOAuthenticator": {"provider_timeout": 2, "outage_pause": 0},
    }
    async with hub_with(github, "community-multi", config=config) as running:
        yield running


async def test_the_login_page_has_a_button_for_each_provider_that_keeps_where_one_wants_to_go(hub):
    page = await hub.browser().get("login?next=%2Fhub%2Ftoken")
    buttons = re.findall(r'href="([^"]*oauth_login[^"]*)">([^<]*)</a>', page.text)
    assert [unescape(words) for _, words in buttons] == ["Sign in with GitHub {{7*7}}", "Sign in with <b>Google</b>"]
    assert all(address.endswith("/oauth_login?next=%2Fhub%2Ftoken") for address, _ in buttons)
    assert 'name="password"' not in page.text


@pytest.mark.parametrize(
    ("provider", "person", "name", "groups"),
    [
        ("github", "ada", "ada", {"ocean-lab", "named"}),
        ("google", "ada@example.edu", "google:ada@example.edu", {"ocean-lab"}),
        ("google", "cleo@example.org", "google:cleo@example.org", {"named"}),
    ],
)
async def test_people_of_all_providers_belong_to_one_community_under_names_of_their_own(
    provider, person, name, groups, hub
):
    arrival = await arrive(hub, person, button=f"{provider}/oauth_login")
    assert (arrival.name, arrival.groups) == (name, groups)


@pytest.mark.parametrize(("provider", "person"), [("github", "ben"), ("google", "dan@example.org")])
async def test_rules_refuse_at_each_provider(provider, person, hub):
    page = (await arrive(hub, person, button=f"{provider}/oauth_login")).page
    assert page.status == 403
    assert f"You logged in as {'google:' if provider == 'google' else ''}{person}" in page.text


async def test_each_is_refreshed_with_their_own_provider(hub, github, google):
    await arrive(hub, "ada", button="github/oauth_login")
    await arrive(hub, "ada@example.edu", button="google/oauth_login")
    authenticator = hub.app.authenticator
    github.forget_calls()
    google.forget_calls()
    with github.failing(outage()):
        assert (await authenticator.refresh_user(hub.app.users["google:ada@example.edu"]))["groups"] == ["ocean-lab"]
        assert not github.counts()
        assert await authenticator.refresh_user(hub.app.users["ada"]), "held: its provider is away"
    github.organizations["ocean-lab"].members.remove("ada")
    refreshed = await authenticator.refresh_user(hub.app.users["ada"])
    github.organizations["ocean-lab"].members.add("ada")
    assert refreshed["groups"] == ["named"]


async def test_a_provider_without_a_prefix_cannot_give_a_name_of_another(hub, github):
    github.people["google:cleo"] = GitHubPerson("google:cleo")
    page = (await arrive(hub, "google:cleo", button="github/oauth_login")).page
    assert page.status == 403
    assert "looks like that of an account of another provider" in page.text


@pytest.mark.parametrize(
    "claim", ["google:cleo@example.org", "GOOGLE:cleo@example.org", "goo\uff47le\uff1acleo@example.org"]
)
async def test_nor_one_that_becomes_such_a_name_in_lower_case_or_looks_like_it(claim, google):
    async with ClaimsProvider({"somebody": {"preferred_username": claim}}) as uni:
        at_uni = {**uni.traits, "username_claim": "preferred_username"}
        config = {
            "CommunityMultiAuthenticator": {
                "providers": {
                    "uni": {"authenticator": "community-oidc", "prefix": "", "config": at_uni},
                    "google": {"authenticator": "community-google", "config": google.traits},
                }
            },
            "CommunityAuthenticator": {"communities": COMMUNITIES},
        }
        async with hub_with(uni, "community-multi", config=config) as hub:
            arrival = await arrive(hub, "somebody", button="uni/oauth_login")
    assert not arrival.admitted
    assert "looks like that of an account of another provider" in arrival.page.text


async def test_what_is_set_for_the_class_of_several_holds_for_each_of_them(github):
    config = {
        "CommunityMultiAuthenticator": {
            "providers": {"github": {"authenticator": "community-github", "prefix": "", "config": github.traits}},
            "communities": {"ocean-lab": {"members": [{"users": ["ada", "ben"]}]}},
            "blocked_users": {"ben"},
            "contact": "desk@example.org",
        },
        "Authenticator": {"blocked_users": {"ada"}},
    }
    async with hub_with(github, "community-multi", config=config) as hub:
        for name in ("ada", "ben"):
            page = (await arrive(hub, name, button="github/oauth_login")).page
            assert page.status == 403
            assert "This account is blocked on this hub" in page.text
            assert "desk@example.org" in page.text
        hub.app.authenticator._mounted["github"].blocked_users = set()
        assert (await arrive(hub, "ben", button="github/oauth_login")).groups == {"ocean-lab"}


async def test_someone_whose_provider_is_not_offered_any_more_is_asked_to_log_in_again(hub, github):
    arrival = await arrive(hub, "ada", button="github/oauth_login")
    offered = hub.app.authenticator._mounted
    github_ = offered.pop("github")
    page = await arrival.browser.get("spawn")
    offered["github"] = github_
    assert page.status == 403
    assert "login again" in page.text


async def test_logging_out_ends_at_the_login_page_where_the_provider_has_none(hub):
    arrival = await arrive(hub, "ada", button="github/oauth_login")
    assert (await arrival.browser.get("logout")).url.path.endswith("/hub/login")
    assert (await arrival.browser.get("home", follow=False)).status == 302


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"google": {"authenticator": "community-google", "prefix": ""}}, "github and google give people names"),
        (
            {
                "google": {"authenticator": "community-google", "prefix": "G:"},
                "uni": {"authenticator": "community-oidc", "prefix": "g:"},
            },
            "google and uni give people names",
        ),
        ({"google": {"authenticator": "google"}}, "providers.google.authenticator: expected one of community-cilogon"),
        ({"google": {"authenticator": "community-multi"}}, "providers.google.authenticator: expected one of"),
        (
            {"google": {"autenticator": "community-google"}},
            "google.autenticator: unknown key. Did you mean 'authenticator'",
        ),
        ({"Goo gle": {"authenticator": "community-google"}}, "Goo gle"),
        ({"google": {"authenticator": "community-google", "config": {"clientid": "x"}}}, "has no setting clientid"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_mistake_in_the_providers_stops_the_start_with_its_place(change, told, github, google):
    config = Config({"CommunityMultiAuthenticator": {"providers": providers(github, google, change)}})
    with pytest.raises(TraitError, match=re.escape(told)):
        CommunityMultiAuthenticator(config=config)


def test_without_knowing_who_came_from_where_the_hub_does_not_start(github, google):
    traits = {"providers": providers(github, google), "enable_auth_state": False}
    with pytest.raises(TraitError, match="community-multi needs enable_auth_state"):
        CommunityMultiAuthenticator(config=Config({"CommunityMultiAuthenticator": traits}))


def test_without_providers_the_hub_does_not_start():
    with pytest.raises(TraitError, match="who can people log in with"):
        CommunityMultiAuthenticator()


async def test_an_invitation_counts_for_the_account_of_the_provider_that_a_person_chooses(github, google, tmp_path):
    database = f"sqlite:///{tmp_path}/usage.sqlite"
    config = {
        "CommunityMultiAuthenticator": {"providers": providers(github, google)},
        "CommunityAuthenticator": {"communities": {**COMMUNITIES, "guests": {"members": [{"invitation": True}]}}},
        "UsageLedger": {"database": database},
    }
    store, now = InvitationStore(Ledger(database), "hub"), datetime.now(UTC)
    _, token = store.make(proposed("hub", "guests", "lin", now, expires_at=now + timedelta(days=1), uses=2))
    async with hub_with(github, "community-multi", config=config) as hub:
        stranger = hub.browser()
        assert (await stranger.get(f"invitation?token={token}")).status == 200
        await stranger.post("invitation", {"token": token})
        arrival = await arrive(hub, "dan@example.org", stranger, button="google/oauth_login")
        assert (arrival.name, arrival.groups) == ("google:dan@example.org", {"guests"})
        member = await arrive(hub, "ada", button="github/oauth_login")
        await member.browser.get(f"invitation?token={token}")
        await member.browser.post("invitation", {"token": token})
        assert set((await member.browser.api("GET", "user")).json()["groups"]) == {"ocean-lab", "named", "guests"}
        assert [use.person.provider for use in store.listed("guests")[0].uses] == ["google", "github"]
        assert (await stranger.get("github/invitation")).status == 404
        store.revoke(1, "guests", "lin", datetime.now(UTC))
        assert await hub.app.authenticator.refresh_user(hub.app.users["google:dan@example.org"]) is False


@pytest.mark.parametrize("own", [{}, {"profile_groups": ["pangeo:gpu"]}], ids=["of the hub", "of the provider"])
async def test_a_group_of_a_profile_makes_no_teams_groups_unless_the_provider_is_told(github, google, own):
    # A group role:ocean of the other provider would be a team of whoever has the organisation `role` on GitHub.
    mine = {"github": {"authenticator": "community-github", "prefix": "", "config": {**github.traits, **own}}}
    config = Config()
    config.CommunityGitHubAuthenticator.profile_groups = {"role:ocean"}
    config.CommunityMultiAuthenticator.providers = providers(github, google, mine.items())
    at_github = CommunityMultiAuthenticator(config=config)._mounted["github"]
    assert at_github.policy.group_organizations == {group.partition(":")[0] for group in own.get("profile_groups", ())}
