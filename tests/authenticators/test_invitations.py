"""Joining a community by the link of an invitation, through a real OpenID Connect provider and a real hub."""

import asyncio
import os
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession
from jupyterhub import orm
from jupyterhub.crypto import CryptKeeper
from traitlets import TraitError
from yarl import URL

from hub_extensions.authenticators.invitation_page import COOKIE
from hub_extensions.authenticators.oidc import CommunityOIDCAuthenticator
from hub_extensions.invitations import proposed
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.invitations import InvitationStore

from ..hub import running_hub

os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")  # the provider speaks plain HTTP, on loopback

COMMUNITIES = {
    "ocean-lab": {"title": "Ocean Lab", "members": [{"groups": ["ocean"]}, {"invitation": True}]},
    "ice-lab": {"title": "Ice Lab", "members": [{"invitation": True, "domains": ["ice.org"]}]},
    "closed-lab": {"members": [{"invitation": True}], "until": "2025-12-31"},
    "forest": {"members": [{"groups": ["forest"]}]},
}
GROUPS = {"olga": ["ocean"], "fred": ["forest"], "mallory": []}


@pytest.fixture(scope="module")
def provider():
    from oidc_provider_mock import User, run_server_in_thread

    names = [*GROUPS, *(f"p{number}" for number in range(120))]
    people = [
        User(sub=name, claims={"groups": GROUPS.get(name, []), "email": f"{name}@x.org", "email_verified": True})
        for name in names
    ]
    with run_server_in_thread(port=0, user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


def settings(provider, database, **more):
    return {
        "JupyterHub": {"authenticator_class": "community-oidc", "redirect_to_server": False},
        "CommunityAuthenticator": {"communities": COMMUNITIES, "contact": "help@example.org"},
        "UsageLedger": {"database": database, "hub_name": "here"},
        "Invitations": {"outage_pause": 0, "timeout": 5},
        "GenericOAuthenticator": {
            "authorize_url": f"{provider}/oauth2/authorize",
            "token_url": f"{provider}/oauth2/token",
            "userdata_url": f"{provider}/userinfo",
            "client_id": "hub",
            "client_secret": "not-a-secret",
            "scope": ["openid", "email"],
            "username_claim": "sub",
            "basic_auth": True,
        },
        "Authenticator": {"blocked_users": {"mallory"}, "allow_all": False, **more},
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("invitations")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(folder, request):
    if request.param == "postgresql":
        return request.getfixturevalue("postgres").database()
    return f"sqlite:///{folder}/usage.sqlite"


@pytest.fixture(scope="module")
def store(database):
    return InvitationStore(Ledger(database), "here")


@pytest.fixture(scope="module", params=[True, False], ids=["auth_state is kept", "auth_state is not kept"])
async def hub(provider, database, request):
    CryptKeeper.clear_instance()
    config = settings(provider, database, enable_auth_state=request.param)
    if request.param:
        config["CryptKeeper"] = {"keys": [secrets.token_bytes(32)]}
    async with running_hub(config) as running:
        yield running
    CryptKeeper.clear_instance()


@pytest.fixture(scope="module")
def somebody():
    """Names of people whom nobody has seen yet."""
    return iter([f"p{number}" for number in range(120)])


def invite(store, community="ocean-lab", *, uses=1, ends=timedelta(days=1), by="lin"):
    now = datetime.now(UTC)
    invitation = proposed(store.hub, community, by, now - timedelta(days=2), uses=uses, expires_at=now + ends)
    return store.make(invitation)


async def look(hub, token, browser=None):
    return await (browser or hub.browser()).get(str(URL("invitation").with_query(token=token)))


async def accept(hub, token, browser):
    """Open the link and press the button; answers the page that follows."""
    await look(hub, token, browser)
    return await browser.post("invitation", {"token": token})


async def sign_in(hub, name, browser):
    to_provider = await browser.get("oauth_login", follow=False)
    return await at_provider(to_provider, name, browser)


async def at_provider(to_provider, name, browser):
    async with (
        ClientSession() as session,
        session.post(to_provider.headers["Location"], data={"sub": name}, allow_redirects=False) as answer,
    ):
        back = answer.headers["Location"]
    return await browser.get(back.partition("/hub/")[2])


async def come(hub, name, token, browser=None):
    """Accept an invitation and log in; answers the page on which they arrive."""
    browser = browser or hub.browser()
    await accept(hub, token, browser)
    return await sign_in(hub, name, browser)


def groups_of(hub, name):
    user = orm.User.find(hub.app.db, name)
    return {group.name for group in user.groups} if user else None


async def test_a_link_leads_through_the_login_into_the_community(hub, store, somebody):
    _, token = invite(store)
    browser, name = hub.browser(), next(somebody)
    page = await look(hub, token, browser)
    assert page.status == 200
    for words in ("Join Ocean Lab", "lin, for Ocean Lab", "one person", "Accept and sign in"):
        assert words in page.text
    assert page.headers["Referrer-Policy"] == "same-origin"
    login = await browser.post("invitation", {"token": token})
    assert login.url.path.endswith("/hub/login")
    assert store.listed("ocean-lab")[0].uses == (), "it counts only with a login"
    assert (await sign_in(hub, name, browser)).status == 200
    assert groups_of(hub, name) == {"ocean-lab"}
    [use] = store.listed("ocean-lab")[0].uses
    assert (use.person.provider, use.person.subject, use.person.user_name) == ("oidc", name, name)
    assert not [cookie for _, cookie in browser.cookies if cookie == COOKIE]
    assert (await sign_in(hub, name, hub.browser())).status == 200, "and comes again without the link"
    assert groups_of(hub, name) == {"ocean-lab"}


async def test_looking_at_a_link_changes_nothing(hub, store, somebody):
    _, token = invite(store)
    browser = hub.browser()
    await look(hub, token, browser)
    assert (await sign_in(hub, next(somebody), browser)).status == 403


async def test_a_link_cannot_be_accepted_from_another_site(hub, store, somebody):
    _, token = invite(store)
    browser = hub.browser()
    assert (await browser.post("invitation", {"token": token, "_xsrf": "forged"})).status == 403
    assert (await sign_in(hub, next(somebody), browser)).status == 403


async def test_a_second_person_cannot_use_a_link_for_one(hub, store, somebody):
    _, token = invite(store)
    early, late = next(somebody), next(somebody)
    carried = hub.browser()
    await accept(hub, token, carried)  # before the link is used up
    assert (await come(hub, early, token)).status == 200
    page = await look(hub, token)
    assert page.status == 410
    assert "This invitation was for one person, and has been used. Ask lin for a new one." in page.text
    refused = await sign_in(hub, late, carried)
    assert refused.status == 403
    assert "This invitation was for one person, and has been used." in refused.text
    assert groups_of(hub, late) is None
    assert not [cookie for _, cookie in carried.cookies if cookie == COOKIE]


async def test_whoever_clicks_again_is_not_counted_again(hub, store, somebody):
    _, token = invite(store, uses=2)
    browser, name = hub.browser(), next(somebody)
    await come(hub, name, token, browser)
    assert "belong to Ocean Lab already" in (await look(hub, token, browser)).text
    assert (await come(hub, name, token)).status == 200
    assert len(store.listed("ocean-lab")[0].uses) == 1
    _, another = invite(store)
    assert (await come(hub, name, another)).status == 200
    assert store.listed("ocean-lab")[0].uses == (), "nor by another link to where they belong"


@pytest.mark.parametrize(
    ("ends", "revoked", "sentence"),
    [(-timedelta(hours=1), False, "This invitation ended on"), (timedelta(1), True, "has been withdrawn. Ask lin")],
)
async def test_a_link_that_has_ended_says_why(hub, store, somebody, ends, revoked, sentence):
    invitation, token = invite(store, ends=timedelta(seconds=1) if ends < timedelta(0) else ends)
    browser = hub.browser()
    await accept(hub, token, browser)
    if revoked:
        store.revoke(invitation.id, "ocean-lab", "lin", datetime.now(UTC))
    else:
        await asyncio.sleep(1.1)
    page = await look(hub, token)
    assert page.status == 410
    assert sentence in page.text
    assert "Accept" not in page.text
    name = next(somebody)
    refused = await sign_in(hub, name, browser)
    assert refused.status == 403
    assert sentence in refused.text
    assert groups_of(hub, name) is None


async def test_what_was_not_made_here_is_no_invitation(hub, database, folder, store, somebody):
    _, genuine = invite(store)
    _, of_other_hub = invite(InvitationStore(Ledger(database), "there"))
    _, of_other_database = invite(InvitationStore(Ledger(f"sqlite:///{folder}/other.sqlite"), "here"))
    head, _, signature = genuine.rpartition(".")
    for token in ["", "x", genuine[:-2], f"{head}x.{signature}", f"{head}.", of_other_hub, of_other_database, "é" * 9]:
        page = await look(hub, token)
        assert page.status == 404, token
        assert "This link is no invitation to this hub" in page.text
        browser = hub.browser()
        assert (await accept(hub, token, browser)).status == 404
        assert (await sign_in(hub, "p59", browser)).status == 403


async def test_a_cookie_that_the_hub_did_not_make_counts_for_nothing(hub, store):
    _, token = invite(store)
    browser = hub.browser()
    browser.cookies[(URL(hub.url).raw_path, COOKIE)] = token
    assert (await sign_in(hub, "p59", browser)).status == 403


async def test_a_community_that_takes_no_invitations_takes_none(hub, store):
    _, token = invite(store, "forest")
    page = await look(hub, token)
    assert page.status == 410
    assert "forest does not admit people by invitation any more" in page.text


async def test_an_invitation_opens_its_own_community_alone(hub, store, somebody):
    _, token = invite(store, "ice-lab")
    name = next(somebody)
    refused = await come(hub, name, token)
    assert refused.status == 403, "the rule asks for an address at ice.org as well"
    assert "your e-mail address is at another domain" in refused.text
    assert store.listed("ice-lab")[0].uses == ()


async def test_an_invitation_does_not_open_what_is_closed_nor_unblock_anybody(hub, store, somebody):
    _, token = invite(store, "closed-lab")
    assert "closed-lab closed on 2025-12-31" in (await come(hub, next(somebody), token)).text
    _, token = invite(store)
    assert (await come(hub, "mallory", token)).status == 403
    assert store.listed("ocean-lab")[0].uses == store.listed("closed-lab")[0].uses == ()


async def test_somebody_who_belongs_anyway_does_not_use_a_link_up(hub, store):
    _, token = invite(store)
    assert (await come(hub, "olga", token)).status == 200
    assert store.listed("ocean-lab")[0].uses == ()


async def test_somebody_who_is_logged_in_joins_another_community(hub, store):
    invitation, token = invite(store)
    browser = hub.browser()
    await sign_in(hub, "fred", browser)
    assert "Accept and join" in (await look(hub, token, browser)).text
    assert groups_of(hub, "fred") >= {"forest"}
    answer = await browser.post("invitation", {"token": token}, follow=False)
    if not hub.app.authenticator.enable_auth_state:
        assert answer.headers["Location"].endswith("/oauth_login")  # their provider must say again who they are
        assert (await at_provider(await browser.get("oauth_login", follow=False), "fred", browser)).status == 200
    assert groups_of(hub, "fred") == {"forest", "ocean-lab"}
    assert [use.person.subject for use in store.listed("ocean-lab")[0].uses] == ["fred"]
    store.revoke(invitation.id, "ocean-lab", "lin", datetime.now(UTC))
    refreshed = await hub.app.authenticator.refresh_user(hub.app.users["fred"])
    assert refreshed["groups"] == ["forest"], "what another rule gives stays"


async def test_withdrawing_an_invitation_ends_the_membership_of_those_who_came_by_it(hub, store, somebody):
    authenticator, (stays, goes) = hub.app.authenticator, (next(somebody), next(somebody))
    _, token = invite(store)
    await come(hub, stays, token)
    withdrawn, token = invite(store)
    await come(hub, goes, token)
    store.revoke(withdrawn.id, "ocean-lab", "lin", datetime.now(UTC))
    assert await authenticator.refresh_user(hub.app.users[stays])
    assert await authenticator.refresh_user(hub.app.users[goes]) is False
    assert (await sign_in(hub, goes, hub.browser())).status == 403


async def test_of_two_who_race_for_the_last_place_one_gets_it(hub, store, somebody):
    _, token = invite(store)
    names, browsers = [next(somebody), next(somebody)], [hub.browser(), hub.browser()]
    for browser in browsers:
        await accept(hub, token, browser)
    pages = await asyncio.gather(*(sign_in(hub, *both) for both in zip(names, browsers, strict=True)))
    assert sorted(page.status for page in pages) == [200, 403]
    assert len(store.listed("ocean-lab")[0].uses) == 1
    assert sorted([groups_of(hub, name) is None for name in names]) == [False, True]


async def test_while_the_database_is_away_members_stay_and_nobody_new_comes_in(hub, store, folder, somebody):
    authenticator = hub.app.authenticator
    _, token = invite(store, uses=9)
    member, new = next(somebody), next(somebody)
    await come(hub, member, token)
    carried, hopeful = hub.browser(), hub.browser()
    await accept(hub, token, carried)
    authenticator.invitations.ledger.database = f"sqlite:///{folder}/no/such/folder.sqlite"
    try:
        refreshed = await authenticator.refresh_user(hub.app.users[member])
        assert refreshed is True or "ocean-lab" in refreshed["groups"]
        assert (await sign_in(hub, member, hub.browser())).status == 200
        assert groups_of(hub, member) == {"ocean-lab"}
        assert (await sign_in(hub, "olga", hub.browser())).status == 200
        refused = await sign_in(hub, new, carried)
        assert refused.status == 403
        assert "Invitations cannot be looked up just now." in refused.text
        assert groups_of(hub, new) is None
        page = await look(hub, token, hopeful)
        assert page.status == 503
        assert "Please try again later" in page.text
        authenticator.invitations._known.clear()  # as after a restart of the hub
        assert (await sign_in(hub, member, hub.browser())).status == 200
        authenticator.invitations.stale_membership_limit = 0
        assert (await sign_in(hub, member, hub.browser())).status == 403
    finally:
        authenticator.invitations.ledger.database = store.ledger.engine.url.render_as_string(hide_password=False)
        authenticator.invitations.stale_membership_limit = 24 * 3600
    assert (await sign_in(hub, new, carried)).status == 200, "the invitation was not lost"


async def test_a_hub_that_knows_people_by_name_alone_takes_invitations_too(database, store):
    config = {
        "JupyterHub": {"authenticator_class": "community-dummy", "redirect_to_server": False},
        "CommunityAuthenticator": {"communities": COMMUNITIES},
        "UsageLedger": {"database": database, "hub_name": "here"},
        "Authenticator": {"allow_all": False},
    }
    async with running_hub(config) as hub:
        invitation, token = invite(store)
        browser = hub.browser()
        await accept(hub, token, browser)
        assert (await browser.post("login", {"username": "ida", "password": "x"}, follow=False)).status == 302
        assert groups_of(hub, "ida") == {"ocean-lab"}
        assert await hub.app.authenticator.refresh_user(hub.app.users["ida"]) is True
        store.revoke(invitation.id, "ocean-lab", "lin", datetime.now(UTC))
        assert await hub.app.authenticator.refresh_user(hub.app.users["ida"]) is False


def test_a_community_that_invites_needs_a_database():
    with pytest.raises(TraitError, match="ocean-lab admits by invitation, and there is no database"):
        CommunityOIDCAuthenticator(communities={"ocean-lab": {"members": [{"invitation": True}]}})
