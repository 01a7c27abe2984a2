"""What a community's own servers are asked, and told, at a login."""

import math

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from traitlets import TraitError
from traitlets.config import Config

from hub_extensions.authenticators.github import CommunityGitHubAuthenticator

from ..providers.github import GitHub, Person
from ..providers.login import arrive, hub_with
from ..providers.provider import Failure

COMMUNITIES = {"ocean-lab": {"members": [{"groups": ["ocean"]}]}}


class CommunityServer:
    """A community's own server: it answers with groups, hears of logins, and can be told to fail."""

    def __init__(self, github):
        self.github, self.status, self.heard = github, 200, []
        self.page = ""  # what it answers instead of groups
        self.groups = {"ada": {"items": [{"name": "ocean", "id": 1}, {"name": "reef"}, {"other": 1}]}}
        app = web.Application()
        app.router.add_get("/groups", self._groups)
        app.router.add_post("/logins", self._login)
        self.server = TestServer(app, host="127.0.0.1")

    async def _groups(self, request):
        token = request.headers["Authorization"].removeprefix("Bearer ")
        (person,) = [
            name for name in self.github.people for grant in self.github.grants(name) if grant.access_token == token
        ]
        if self.page:
            return web.Response(text=self.page, content_type="text/html")
        return web.json_response(self.groups.get(person, {}), status=self.status)

    async def _login(self, request):
        self.heard.append((dict(request.headers), await request.json()))
        return web.Response(status=self.status)


@pytest.fixture
async def github():
    async with GitHub([Person("ada", email="ada@example.org"), Person("ben")]) as running:
        yield running


@pytest.fixture
async def community(github):
    running = CommunityServer(github)
    await running.server.start_server()
    yield running
    await running.server.close()


@pytest.fixture
async def hub(github, community):
    traits = {
        "groups_url": str(community.server.make_url("/groups")),
        "groups_url_key": "items.name",
        "login_webhook_url": str(community.server.make_url("/logins")),
        "login_webhook_headers": {"X-Key": "the community's key"},
        "provider_timeout": 2,
        "outage_pause": 0,
    }
    config = {"CommunityOAuthenticator": traits, "CommunityAuthenticator": {"communities": COMMUNITIES}}
    async with hub_with(github, "community-github", config=config) as running:
        yield running


async def test_groups_that_a_community_keeps_itself_count_like_those_of_the_provider(hub):
    assert (await arrive(hub, "ada")).groups == {"ocean", "reef", "ocean-lab"}
    assert (await arrive(hub, "ben")).page.status == 403


async def test_a_community_hears_of_who_was_admitted_and_not_of_who_was_refused(hub, community):
    await arrive(hub, "ada")
    await arrive(hub, "ben")
    ((headers, told),) = community.heard
    assert headers["X-Key"] == "the community's key"
    assert "Authorization" not in headers
    assert {name: told[name] for name in ("user", "provider", "email", "groups")} == {
        "user": "ada",
        "provider": "github",
        "email": "ada@example.org",
        "groups": ["ocean", "ocean-lab", "reef"],
    }


async def test_the_token_of_the_person_goes_to_the_webhook_only_when_that_is_set(hub, community, github):
    hub.app.authenticator.login_webhook_sends_token = True
    await arrive(hub, "ada")
    ((headers, _),) = community.heard
    assert headers["Authorization"] == f"Bearer {github.grants('ada')[-1].access_token}"


async def test_a_webhook_that_fails_keeps_nobody_out(hub, community):
    hub.app.authenticator.groups_url = ""
    hub.app.authenticator.allow_all = True
    community.status = 500
    assert (await arrive(hub, "ben")).admitted
    await community.server.close()
    assert (await arrive(hub, "ada")).admitted


@pytest.mark.parametrize("status", [500, 503])
async def test_while_groups_cannot_be_asked_nobody_new_gets_in_and_who_is_in_keeps_them(status, hub, community):
    await arrive(hub, "ada")
    community.status = status
    page = (await arrive(hub, "ada")).page
    assert page.status == 503
    assert "cannot be asked at the moment" in page.text
    refreshed = await hub.app.authenticator.refresh_user(hub.app.users["ada"])
    assert refreshed["groups"] == ["ocean", "ocean-lab", "reef"]


async def test_a_page_for_people_where_groups_should_be_is_no_answer(hub, community):
    await arrive(hub, "ada")
    community.page = "<!DOCTYPE html><title>Maintenance</title>"
    assert (await arrive(hub, "ada")).page.status == 503
    refreshed = await hub.app.authenticator.refresh_user(hub.app.users["ada"])
    assert refreshed["groups"] == ["ocean", "ocean-lab", "reef"]


@pytest.mark.parametrize("trait", ["groups_url", "login_webhook_url"])
@pytest.mark.parametrize("address", ["hooks.example.org/logins", "ftp://hooks.example.org", "https://", "/logins"])
def test_an_address_that_is_none_stops_the_start(trait, address):
    config = Config({"CommunityOAuthenticator": {trait: address}})
    with pytest.raises(TraitError, match=f"{trait}: expected an address that begins with https://"):
        CommunityGitHubAuthenticator(config=config)


async def test_groups_that_were_taken_away_are_gone_at_the_next_refresh(hub, community):
    await arrive(hub, "ada")
    community.groups["ada"] = {"items": [{"name": "reef"}]}
    assert await hub.app.authenticator.refresh_user(hub.app.users["ada"]) is False


async def test_a_login_while_the_provider_is_away_says_whose_fault_it_is(hub, github):
    with github.failing(Failure("/user", seconds=math.inf)):
        page = (await arrive(hub, "ada")).page
    assert page.status == 503
    assert "GitHub cannot be asked at the moment" in page.text
