"""Whoever becomes an administrator is out of the reach of leads from that moment on."""

from jupyterhub import orm
from sqlalchemy import update

from hub_extensions.authenticators.administrators import keep_out_of

from ..hub import running_hub

LAB = {"members": [{"users": ["mia", "ben"]}], "leads": [{"users": ["lin"]}], "leads_may_access_servers": True}


def config():
    return {
        "JupyterHub": {"authenticator_class": "community-dummy"},
        "CommunityAuthenticator": {"communities": {"Lab": LAB}},
        "Authenticator": {"allow_all": False, "admin_users": {"admin"}},
        "CommunityDummyAuthenticator": {"dummy_admins": True},
    }


async def groups_of(hub, name):
    reply = await hub.api("GET", f"users/{name}")
    assert reply.status == 200, reply.text
    return set(reply.json()["groups"])


async def test_who_is_made_an_administrator_on_the_hub_s_page_is_out_of_reach_at_once():
    async with running_hub(config()) as hub:
        for name in ("mia", "ben"):
            await hub.login(name)
            assert await groups_of(hub, name) == {"Lab", "Lab:accessible"}
        assert (await hub.api("PATCH", "users/mia", json={"admin": True})).status == 200
        assert await groups_of(hub, "mia") == {"Lab"}
        assert await groups_of(hub, "ben") == {"Lab", "Lab:accessible"}, "nobody else is concerned"


async def test_an_administrator_is_not_put_into_reach_by_hand_either():
    async with running_hub(config()) as hub:
        await hub.login("mia")
        await hub.api("PATCH", "users/mia", json={"admin": True})
        await hub.api("POST", "groups/Lab:accessible/users", json={"users": ["mia"]})
        assert await groups_of(hub, "mia") == {"Lab"}


async def test_who_became_an_administrator_while_the_hub_was_down_is_out_of_reach_from_the_start():
    async with running_hub(config()) as hub:
        await hub.login("mia")
        hub.app.db.execute(update(orm.User).where(orm.User.name == "mia").values(admin=True))  # as somebody else would
        hub.app.db.commit()
        assert await groups_of(hub, "mia") == {"Lab", "Lab:accessible"}
        keep_out_of(["lab:Accessible"], hub.app.db)
        assert await groups_of(hub, "mia") == {"Lab"}
