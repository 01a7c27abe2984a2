"""OAuthenticator's own Globus class logs people in through this Globus: what ours is compared with."""

import pytest

from hub_extensions.authenticators.community import CommunityAuthenticator

from .globus import SCOPE, Globus, Person, group_id
from .login import arrive, hub_with
from .provider import Failure

OCEAN, FOREST = group_id("ocean"), group_id("forest")
PEOPLE = [
    Person("ada@example.edu", "ada@example.edu", {OCEAN: "active", FOREST: "active"}),
    Person("ben@example.edu", groups={OCEAN: "invited"}),
    Person("cleo@globusid.org", groups={OCEAN: "active"}),
    Person("ada@globusid.org"),
]
TRANSFER = "transfer.api.globus.org"


@pytest.fixture(scope="module")
async def globus():
    async with Globus(PEOPLE) as running:
        yield running


@pytest.fixture(scope="module", params=["globus", "community-globus"])
async def either(globus, request):
    traits = {"identity_provider": "example.edu", "allowed_globus_groups": {OCEAN}}
    async with hub_with(globus, request.param, traits) as running:
        yield running


async def test_a_member_of_an_allowed_group_is_admitted(either):
    assert (await arrive(either, "ada@example.edu")).name == "ada"
    state = await either.app.users["ada"].get_auth_state()
    assert set(state["globus_groups"]) == {OCEAN, FOREST}


@pytest.mark.parametrize(
    ("person", "why"),
    [("ben@example.edu", "only invited"), ("cleo@globusid.org", "a member with another identity provider")],
)
async def test_everyone_else_is_refused(person, why, either):
    arrival = await arrive(either, person)
    assert arrival.page.status == 403
    assert not arrival.admitted


@pytest.mark.parametrize("authenticator", ["globus", "community-globus"])
async def test_everyone_of_the_identity_provider_may_be_allowed(authenticator, globus):
    traits = {"identity_provider": "example.edu", "allow_all": True}
    async with hub_with(globus, authenticator, traits) as hub:
        assert (await arrive(hub, "ben@example.edu")).name == "ben"
        assert "restricted to example.edu accounts" in (await arrive(hub, "ada@globusid.org")).page.text


async def test_the_stock_class_admits_two_people_under_one_name_when_identity_providers_are_not_restricted(globus):
    async with hub_with(globus, "globus", {"allow_all": True}) as hub:
        assert (await arrive(hub, "ada@example.edu")).name == "ada"
        assert (await arrive(hub, "ada@globusid.org")).name == "ada"


async def test_the_stock_class_cannot_manage_groups_without_the_scope_for_them(globus):
    async with hub_with(globus, "globus", {"allow_all": True, "manage_groups": True}) as hub:
        assert (await arrive(hub, "ada@example.edu")).page.status == 500


async def test_a_login_while_groups_cannot_be_asked_is_an_error(either, globus):
    ours = isinstance(either.app.authenticator, CommunityAuthenticator)
    with globus.failing(Failure("/v2/groups/*", 503)):
        assert (await arrive(either, "ada@example.edu")).page.status == (503 if ours else 500)


async def test_logging_out_can_end_the_tokens_of_services(globus):
    traits = {"allow_all": True, "revoke_tokens_on_logout": True}
    async with hub_with(globus, "globus", traits) as hub:
        globus.revoke("ada@example.edu")
        browser = (await arrive(hub, "ada@example.edu")).browser
        state = await hub.app.users["ada"].get_auth_state()
        assert state["tokens"][TRANSFER]["scope"] == f"{SCOPE}{TRANSFER}:all"
        (grant,) = globus.grants("ada@example.edu")
        assert globus.holds(grant.other_tokens[TRANSFER])
        await browser.get("logout")
        assert not globus.holds(grant.other_tokens[TRANSFER])
        assert globus.holds(grant.access_token)


async def test_a_token_is_good_for_its_own_service_only(globus):
    scopes = ("openid", f"{SCOPE}groups.api.globus.org:view_my_groups_and_memberships")
    grant = globus.new_grant("ada@example.edu", scopes)
    async with hub_with(globus, "globus") as hub:
        for path, token, status in [
            ("/v2/oauth2/userinfo", grant.access_token, 200),
            ("/v2/oauth2/userinfo", grant.other_tokens["groups.api.globus.org"], 403),
            ("/v2/groups/my_groups", grant.access_token, 403),
            ("/v2/groups/my_groups?statuses=active,invited", grant.other_tokens["groups.api.globus.org"], 200),
            ("/v2/groups/my_groups", "guessed", 401),
        ]:
            headers = {"Authorization": f"Bearer {token}"}
            async with hub.session.get(globus.url + path, headers=headers) as answer:
                assert answer.status == status
