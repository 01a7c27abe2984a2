"""Hooks of a real hub: they run in their order, the operator's own always too, and one that fails says its name."""

import logging
import sys
from contextlib import asynccontextmanager

import pytest
from tornado import web

from ..hub import running_hub

SERVER = [sys.executable, "-m", "jupyterhub.tests.mocksu"]


@asynccontextmanager
async def hub_with(**traits):
    config = {"JupyterHub": {"spawner_class": "profile-local"}, "Spawner": {"cmd": SERVER, **traits}}
    async with running_hub(config) as hub:
        yield hub


async def start_and_stop(hub, name="ada"):
    reply = await hub.api("POST", f"users/{name}/server", user=name, json={})
    assert reply.status == 201, reply.text
    assert (await hub.api("DELETE", f"users/{name}/server", user=name)).status == 204


def noting(calls, name, *, wait=False):
    def at_once(spawner, *more):
        calls.append(name)

    async def later(spawner, *more):
        calls.append(name)

    return later if wait else at_once


@pytest.mark.parametrize("wait", [False, True], ids=["sync", "async"])
async def test_hooks_run_in_the_order_of_their_names_and_the_operators_own_one_last(wait):
    calls = []
    stages = ("auth_state", "pre_spawn", "post_stop")
    own = {f"{stage}_hook": noting(calls, f"{stage} own", wait=wait) for stage in stages}
    named = {
        f"{stage}_hooks": {name: noting(calls, f"{stage} {name}", wait=wait) for name in ("20-b", "10-a")}
        | {"15-off": None}
        for stage in stages
    }
    async with hub_with(**own, **named) as hub:
        await start_and_stop(hub)
    assert calls == [f"{stage} {name}" for stage in stages for name in ("10-a", "20-b", "own")]


async def test_a_hook_that_is_assigned_later_drops_none():
    calls = []

    def assigning(spawner):
        calls.append("first")
        spawner.pre_spawn_hook = noting(calls, "own")
        spawner.post_stop_hook = noting(calls, "own, at the end")

    async with hub_with(
        pre_spawn_hooks={"1": assigning, "2": noting(calls, "second")}, post_stop_hooks={"1": noting(calls, "third")}
    ) as hub:
        await start_and_stop(hub)
    assert calls == ["first", "second", "own", "third", "own, at the end"]


def failing(spawner, *more):
    raise RuntimeError("no such disk: secret-of-the-operator")


async def failing_later(spawner, *more):
    raise RuntimeError("no such disk: secret-of-the-operator")


@pytest.mark.parametrize("hook", [failing, failing_later])
@pytest.mark.parametrize(
    ("trait", "value", "name"),
    [
        ("pre_spawn_hook", None, "pre_spawn_hook"),
        ("auth_state_hook", None, "auth_state_hook"),
        ("pre_spawn_hooks", "10-disk", "pre_spawn_hooks['10-disk']"),
        ("auth_state_hooks", "10-disk", "auth_state_hooks['10-disk']"),
    ],
)
async def test_a_failing_hook_says_its_name_in_the_log_and_to_the_person(trait, value, name, hook, caplog):
    async with hub_with(**{trait: hook if value is None else {value: hook}}) as hub:
        with caplog.at_level(logging.ERROR):
            reply = await hub.api("POST", "users/ada/server", user="ada", json={})
    assert reply.status == 500
    assert f"Your server cannot start: {name}, a step of this hub, failed." in reply.json()["message"]
    assert "secret-of-the-operator" not in reply.text
    assert f"{name} failed for the server ada" in caplog.text
    assert "secret-of-the-operator" in caplog.text


async def test_a_hook_that_fails_on_the_start_page_says_its_name_there():
    async with hub_with(auth_state_hooks={"tokens": failing}, options_form="<p>Choose</p>") as hub:
        page = await (await hub.login("ada")).get("spawn")
    assert page.status == 500
    assert "auth_state_hooks[&#39;tokens&#39;], a step of this hub, failed" in page.text
    assert "secret-of-the-operator" not in page.text


async def test_a_hook_that_refuses_is_heard_in_its_own_words(caplog):
    def refusing(spawner):
        raise web.HTTPError(422, "You have used 12 of 10 hours.")

    async with hub_with(pre_spawn_hooks={"quota": refusing}) as hub:
        reply = await hub.api("POST", "users/ada/server", user="ada", json={})
    assert (reply.status, reply.json()["message"]) == (422, "You have used 12 of 10 hours.")
    assert "pre_spawn_hooks['quota'] refused the server ada" in caplog.text


async def test_after_a_stop_a_failing_hook_does_not_keep_the_others_from_running(caplog):
    calls = []
    hooks = {"1": failing_later, "2": noting(calls, "second")}
    async with hub_with(post_stop_hooks=hooks, post_stop_hook=noting(calls, "own")) as hub:
        await start_and_stop(hub)
    assert calls == ["second", "own"]
    assert "post_stop_hooks['1'] failed after the server ada" in caplog.text


async def test_the_start_page_runs_the_hooks_of_auth_state_too():
    calls = []
    async with hub_with(auth_state_hooks={"1": noting(calls, "first")}, options_form="<p>Choose</p>") as hub:
        page = await (await hub.login("ada")).get("spawn")
    assert page.status == 200
    assert calls == ["first"]
