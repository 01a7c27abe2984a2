"""OAuthenticator's own GitHub class logs people in through this GitHub: what ours is compared with."""

import aiohttp
import pytest

from .github import (
    GitHub,
    Organization,
    Person,
    outage,
    rate_limit,
    secondary_rate_limit,
)
from .login import arrive, callback, hub_with, refresh, sign_in
from .provider import Failure

PEOPLE = [
    Person("ada", emails=("ada@example.org", "ada@home.example")),
    Person("Ben", email="ben@example.org"),
    Person("cleo"),
    Person("dan"),
    Person("eve"),
    Person("finn"),
]


def organizations():
    return [
        Organization("ocean-lab", members={"ada"}, public={"Ben"}, teams={"gpu": {"cleo"}}, invited={"dan"}),
        Organization("big", teams={f"team-{number}": {"finn"} for number in range(250)}),
        Organization("closed", members={"eve"}, restricted=True),
        Organization("sso", members={"eve"}, single_sign_on=True),
    ]


@pytest.fixture(scope="module")
async def github():
    async with GitHub(PEOPLE, organizations()) as running:
        yield running


TRAITS = {
    "allowed_organizations": {"ocean-lab", "big:team-249", "closed"},
    "http_request_kwargs": {"request_timeout": 0.5},
    "populate_teams_in_auth_state": True,
}


@pytest.fixture(scope="module")
async def hub(github):
    async with hub_with(github, "github", TRAITS) as running:
        yield running


@pytest.fixture(scope="module", params=["github", "community-github"])
async def either(github, request):
    async with hub_with(github, request.param, TRAITS) as running:
        yield running


@pytest.fixture(scope="module")
async def ask(github):
    async with aiohttp.ClientSession(headers={"User-Agent": "test"}) as session:

        async def get(path, person, *scopes):
            token = github.new_grant(person, scopes or ("read:org",)).access_token
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(f"{github.url}{path}", headers=headers, allow_redirects=False) as answer:
                return answer.status, answer.headers, (await answer.json() if await answer.read() else None)

        yield get


# Logins.


@pytest.mark.parametrize("name", ["ada", "Ben", "cleo"])
async def test_a_member_of_an_allowed_organisation_is_admitted(name, either):
    arrival = await arrive(either, name)
    assert arrival.page.status == 200
    assert arrival.name == name.lower()


async def test_a_member_of_the_last_of_250_teams_is_admitted_and_all_teams_are_read(either, github):
    github.forget_calls()
    assert (await arrive(either, "finn")).admitted
    state = await either.app.users["finn"].get_auth_state()
    assert {team["slug"] for team in state["teams"]} == {f"team-{number}" for number in range(250)}
    assert github.counts()["/user/teams"] == 3


async def test_scopes_come_with_commas(hub):
    await arrive(hub, "ada")
    state = await hub.app.users["ada"].get_auth_state()
    assert state["token_response"]["scope"] == "read:org,user:email"


@pytest.mark.parametrize(
    ("name", "why"),
    [("dan", "only invited"), ("eve", "of an organisation that has not approved the application")],
)
async def test_who_is_no_member_or_cannot_be_seen_to_be_one_is_refused(name, why, either):
    arrival = await arrive(either, name)
    assert arrival.page.status == 403
    assert not arrival.admitted


async def test_the_stock_class_gives_everyone_the_same_reason(hub):
    for name in ("dan", "eve"):
        assert "you are not currently authorized" in (await arrive(hub, name)).page.text


async def test_every_organisation_that_is_listed_may_cost_a_call(hub, github):
    github.forget_calls()
    await arrive(hub, "dan")
    asked = {"/orgs/ocean-lab/members/dan", "/orgs/closed/members/dan", "/orgs/big/teams/team-249/members/dan"}
    assert asked <= set(github.counts())


@pytest.mark.parametrize(("name", "admitted"), [("ada", False), ("Ben", True)])
async def test_without_the_scope_only_a_membership_that_is_public_counts(name, admitted, github):
    async with hub_with(github, "github", {"allowed_organizations": {"ocean-lab"}, "scope": []}) as hub:
        assert (await arrive(hub, name)).admitted is admitted


async def test_someone_who_cancels_at_the_provider_is_told_so(hub):
    page = await sign_in(hub, None)
    assert page.status == 400
    assert "denied your application access" in page.text


async def test_someone_who_is_logged_in_at_the_provider_is_sent_back_at_once(hub, github):
    github.logs_in = "ada"
    try:
        browser = hub.browser()
        to_provider = await browser.get("oauth_login", follow=False)
        async with hub.session.get(to_provider.headers["Location"], allow_redirects=False) as answer:
            assert (await browser.get(answer.headers["Location"])).status == 200
    finally:
        github.logs_in = ""


# How the stock class takes what goes wrong.


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (outage(503), 500),
        (Failure("/user", seconds=60), 500),
        (Failure("/login/oauth/access_token", 500), 500),
        (Failure("/orgs/*", 502, "<title>Unicorn!</title>"), 403),
        (rate_limit(), 500),
        (secondary_rate_limit(status=429), 500),
    ],
    ids=["503", "hangs", "no token", "memberships 502", "rate limit", "secondary rate limit"],
)
async def test_a_login_while_github_fails_is_an_error_or_even_a_refusal(failure, status, hub, github):
    browser = hub.browser()
    back = await callback(browser, "ada")
    with github.failing(failure):
        page = await browser.get(back)
    assert page.status == status
    assert (await arrive(hub, "ada")).admitted


@pytest.mark.parametrize(
    "failure", [rate_limit(), secondary_rate_limit(status=429)], ids=["rate limit", "secondary rate limit"]
)
async def test_a_refresh_takes_a_rate_limit_for_the_end_of_the_login(failure, hub, github):
    await arrive(hub, "ada")
    with github.failing(failure):
        assert await refresh(hub, "ada") is False


async def test_someone_who_left_the_organisation_stays_in_but_a_revoked_token_ends_the_login(hub, github):
    await arrive(hub, "ada")
    members = github.organizations["ocean-lab"].members
    members.discard("ada")
    try:
        assert (await refresh(hub, "ada"))["name"] == "ada"
        github.revoke("ada")
        assert await refresh(hub, "ada") is False
    finally:
        members.add("ada")


async def test_an_app_with_expiring_tokens_gets_new_ones_by_a_refresh_token_that_is_good_once():
    async with (
        GitHub(PEOPLE, organizations(), expiring_tokens=True) as github,
        hub_with(github, "github", {"allow_all": True}) as hub,
    ):
        await arrive(hub, "ada")
        first = (await hub.app.users["ada"].get_auth_state())["refresh_token"]
        github.expire("ada")
        model = await refresh(hub, "ada")
        assert model["auth_state"]["refresh_token"] not in {first, None}
        assert [grant.refresh_token for grant in github.grants("ada")] == [model["auth_state"]["refresh_token"]]
        assert await refresh(hub, "ada") is False  # the hub has not saved the new one, and the old one is used up


# The server itself, where the stock class does not go.


async def test_lists_have_pages_of_30_and_at_most_100_and_links_to_the_others(ask, github):
    _, headers, first = await ask("/user/teams", "finn")
    assert len(first) == 30
    _, headers, page = await ask("/user/teams?per_page=500&page=2", "finn")
    assert [team["slug"] for team in page] == [f"team-{number}" for number in range(100, 200)]
    assert f'<{github.url}/user/teams?per_page=500&page=3>; rel="next"' in headers["Link"]
    _, headers, page = await ask("/user/teams?per_page=100&page=3", "finn")
    assert len(page) == 50
    assert 'rel="next"' not in headers["Link"]
    _, headers, _ = await ask("/user/orgs", "ada")
    assert "Link" not in headers


async def test_an_organisation_that_keeps_applications_out_is_left_out_of_lists_and_says_so_when_asked(ask):
    for path in ("/user/orgs", "/user/teams", "/user/memberships/orgs"):
        status, headers, page = await ask(path, "eve")
        assert (status, page) == (200, [])
        assert headers["X-GitHub-SSO"].startswith("partial-results; organizations=")
    for path in ("/orgs/closed/members/eve", "/user/memberships/orgs/closed", "/orgs/closed/members/ada"):
        status, _, body = await ask(path, "eve")
        assert status == 403
        assert "the `closed` organization has enabled OAuth App access restrictions" in body["message"]
    status, headers, _ = await ask("/user/memberships/orgs/sso", "eve")
    assert status == 403
    assert headers["X-GitHub-SSO"].startswith("required; url=https://github.com/orgs/sso/sso")


@pytest.mark.parametrize(
    ("path", "person", "scope", "status"),
    [
        ("/orgs/ocean-lab/members/ADA", "ada", "read:org", 204),
        ("/orgs/ocean-lab/members/dan", "ada", "read:org", 404),
        ("/orgs/ocean-lab/members/ada", "dan", "read:org", 302),
        ("/orgs/ocean-lab/members/ada", "ada", "user:email", 302),
        ("/orgs/nowhere/members/ada", "ada", "read:org", 404),
        ("/orgs/ocean-lab/public_members/Ben", "dan", "user:email", 204),
        ("/orgs/ocean-lab/public_members/ada", "dan", "user:email", 404),
        ("/orgs/ocean-lab/teams/gpu/members/cleo", "cleo", "read:org", 204),
        ("/orgs/ocean-lab/teams/gpu/members/cleo", "cleo", "user:email", 404),
        ("/orgs/ocean-lab/teams/gpu/members/cleo", "dan", "read:org", 404),
        ("/orgs/ocean-lab/teams/gpu/memberships/cleo", "ada", "read:org", 200),
        ("/orgs/ocean-lab/teams/gpu/memberships/ada", "ada", "read:org", 404),
        ("/user/memberships/orgs/ocean-lab", "dan", "read:org", 200),
        ("/user/memberships/orgs/big", "dan", "read:org", 404),
        ("/user/orgs", "ada", "user:email", 403),
        ("/user/teams", "ada", "user:email", 404),
        ("/user/emails", "ada", "read:org", 404),
        ("/user/emails", "ada", "user:email", 200),
    ],
)
async def test_github_answers_as_it_is_documented(path, person, scope, status, ask):
    answer, headers, _ = await ask(path, person, scope)
    assert answer == status
    if status < 300:
        assert headers["X-OAuth-Scopes"] == scope


async def test_an_invitation_is_a_pending_membership(ask):
    _, _, memberships = await ask("/user/memberships/orgs", "dan")
    assert [(each["organization"]["login"], each["state"]) for each in memberships] == [("ocean-lab", "pending")]
    _, _, memberships = await ask("/user/memberships/orgs?state=active", "dan")
    assert memberships == []


async def test_the_calls_of_an_hour_are_limited_by_person():
    async with GitHub(PEOPLE, hourly_limit=1) as github, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"token {github.new_grant('ada', ()).access_token}"}
        async with session.get(f"{github.url}/user", headers=headers) as answer:
            assert (answer.status, answer.headers["X-RateLimit-Remaining"]) == (200, "0")
        async with session.get(f"{github.url}/user", headers=headers) as answer:
            assert answer.status == 403
            assert int(answer.headers["X-RateLimit-Reset"]) > 0
