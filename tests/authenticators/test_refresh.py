"""For how long a login holds: rules are decided again, and an outage of the provider is not a refusal."""

import asyncio
import math
from datetime import UTC, datetime, timedelta

import pytest

from hub_extensions.authenticators.community import RECORD

from ..hub import running_hub
from ..providers.github import GitHub, Organization, Person, outage, rate_limit, secondary_rate_limit
from ..providers.google import Google
from ..providers.google import Person as GooglePerson
from ..providers.login import arrive, hub_with
from ..providers.provider import Failure
from ..providers.simulation import simulate

TRAITS = {
    "CommunityAuthenticator": {
        "communities": {
            "ocean-lab": {"title": "Ocean Lab", "members": [{"github": ["ocean-lab"]}]},
            "reef": {"members": [{"github": ["ocean-lab:reef"]}]},
        },
        "service_users": {"Health-Check"},
    },
    "CommunityOAuthenticator": {"outage_pause": 0},
}


@pytest.fixture
async def github():
    organization = Organization("ocean-lab", members={"ada"}, teams={"reef": {"ben"}})
    async with GitHub([Person("ada"), Person("ben"), Person("cleo")], [organization]) as running:
        yield running


@pytest.fixture
async def hub(github):
    async with hub_with(github, "community-github", config=TRAITS) as running:
        yield running


@pytest.fixture
async def google_hub():
    config = {"CommunityAuthenticator": {"communities": {"uni": {"members": [{"hosted_domains": ["example.edu"]}]}}}}
    people = [GooglePerson("ada@example.edu", hosted_domain="example.edu")]
    async with Google(people) as google, hub_with(google, "community-google", config=config) as running:
        yield running, google


async def refreshed(hub, name):
    return await hub.app.authenticator.refresh_user(hub.app.users[name])


async def confirm_long_ago(hub, name, hours):
    user = hub.app.users[name]
    state = await user.get_auth_state()
    state[RECORD]["confirmed_at"] = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    await user.save_auth_state(state)


async def test_someone_who_left_the_organisation_has_to_log_in_again_and_is_refused(hub, github):
    await arrive(hub, "ada")
    assert (await refreshed(hub, "ada"))["groups"] == ["ocean-lab"]
    github.organizations["ocean-lab"].members.remove("ada")
    assert await refreshed(hub, "ada") is False
    assert (await arrive(hub, "ada")).page.status == 403


async def test_someone_who_left_a_team_keeps_what_is_left(hub, github):
    await arrive(hub, "ben")
    assert set((await refreshed(hub, "ben"))["groups"]) == {"ocean-lab", "ocean-lab:reef", "reef"}
    github.organizations["ocean-lab"].teams["reef"].remove("ben")
    github.organizations["ocean-lab"].members.add("ben")
    assert (await refreshed(hub, "ben"))["groups"] == ["ocean-lab"]


@pytest.mark.parametrize(
    "failure",
    [
        outage(502),
        outage(500),
        rate_limit(),
        secondary_rate_limit(),
        secondary_rate_limit(status=429),
        Failure("/*", 403, {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}),
        Failure("/*", 403, {"error": {"errors": [{"reason": "userRateLimitExceeded"}]}}),
        Failure("/user/teams", 503),
        Failure("/user", seconds=math.inf),
    ],
    ids=[
        "502",
        "500",
        "rate-limit",
        "secondary-403",
        "secondary-429",
        "words-403",
        "google-403",
        "half-an-outage",
        "no-answer",
    ],
)
async def test_while_the_provider_cannot_be_asked_what_it_said_holds_for_a_day(failure, hub, github):
    await arrive(hub, "ada")
    authenticator = hub.app.authenticator
    patience = authenticator.provider_timeout
    with github.failing(failure):
        if failure.seconds:
            authenticator.provider_timeout = 0.3
        held = await refreshed(hub, "ada")
        assert held["groups"] == ["ocean-lab"]
        await confirm_long_ago(hub, "ada", hours=23)
        assert await refreshed(hub, "ada")
        await confirm_long_ago(hub, "ada", hours=25)
        assert await refreshed(hub, "ada") is False
    authenticator.provider_timeout = patience
    assert await refreshed(hub, "ada"), "it answers again"


async def test_an_outage_does_not_make_what_is_known_any_fresher(hub, github):
    await arrive(hub, "ada")
    await confirm_long_ago(hub, "ada", hours=23)
    with github.failing(outage()):
        held = await refreshed(hub, "ada")
    age = datetime.now(UTC) - datetime.fromisoformat(held["auth_state"][RECORD]["confirmed_at"])
    assert age > timedelta(hours=22)


async def test_a_provider_that_refuses_connections_is_away(hub, github):
    await arrive(hub, "ada")
    await github.stop()
    assert await refreshed(hub, "ada")
    await github.start()


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_definite_no_is_never_an_outage(status, hub, github):
    await arrive(hub, "ada")
    with github.failing(Failure("/user", status, {"message": "Forbidden"})):
        assert await refreshed(hub, "ada") is False


async def test_a_token_that_was_revoked_ends_the_session(hub, github):
    arrival = await arrive(hub, "ada")
    hub.app.authenticator.auth_refresh_age = 1
    github.revoke("ada")
    await asyncio.sleep(1.1)
    assert (await arrival.browser.get("home", follow=False)).status == 302


async def test_what_our_rules_refuse_by_now_is_refused_during_an_outage_too(hub, github):
    await arrive(hub, "ada")
    authenticator = hub.app.authenticator
    authenticator.blocked_users = {"ada"}
    with github.failing(outage()):
        assert await refreshed(hub, "ada") is False


async def test_many_refreshes_at_once_are_few_calls_at_once(hub, github):
    await arrive(hub, "ada")
    hub.app.authenticator._turns = asyncio.Semaphore(3)
    github.forget_calls()
    with github.failing(Failure("/user", seconds=0.05)):
        await asyncio.gather(*(refreshed(hub, "ada") for _ in range(12)))
    assert github.most_at_once <= 3


async def test_after_an_outage_nobody_is_asked_for_a_while(hub, github):
    await arrive(hub, "ada")
    hub.app.authenticator.outage_pause = 60
    with github.failing(outage()):
        assert await refreshed(hub, "ada")
        github.forget_calls()
        for _ in range(20):
            assert await refreshed(hub, "ada")
    assert not github.counts()


async def test_a_service_user_is_never_refreshed(hub, github):
    hub.user("health-check")
    github.forget_calls()
    user = hub.app.users[hub.user("health-check")]
    assert await hub.app.authenticator.refresh_user(user) is True
    assert not github.counts()


async def test_an_outage_of_two_hours_locks_nobody_out_and_keeps_nobody_who_left():
    outcome = await simulate(people=60, leaving=5, away=timedelta(hours=2))
    assert outcome.locked_out == outcome.kept == set()
    assert outcome.refreshes == 24 * 60
    assert outcome.calls <= 24 * 20, "each round asks only until it knows that nobody answers"
    assert outcome.most_at_once <= 20


async def test_an_outage_that_outlasts_the_limit_keeps_nobody():
    outcome = await simulate(people=5, leaving=1, away=timedelta(hours=25))
    assert outcome.locked_out == outcome.kept == set()


async def test_a_crowd_is_no_outage_of_the_provider(hub, github):
    await arrive(hub, "ada")
    hub.app.authenticator._turns = asyncio.Semaphore(1)
    hub.app.authenticator.outage_pause = 60
    hub.app.authenticator.provider_timeout = 0.3  # less than the twelve take one after another
    with github.failing(Failure("/user", seconds=0.1)):
        crowd = await asyncio.gather(*(refreshed(hub, "ada") for _ in range(12)))
    assert all(answer["groups"] == ["ocean-lab"] for answer in crowd)
    github.forget_calls()
    await refreshed(hub, "ada")
    assert github.counts()["/user"] == 1, "it is asked again at once"


async def test_a_token_that_has_ended_and_cannot_be_renewed_is_no_refusal(google_hub):
    hub, google = google_hub
    name = (await arrive(hub, "ada@example.edu")).name
    user = hub.app.users[name]
    state = await user.get_auth_state()
    state["refresh_token"] = None
    state[RECORD]["token_from"] = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    await user.save_auth_state(state)
    google.expire("ada@example.edu")
    assert (await refreshed(hub, name))["groups"] == ["uni"]
    await confirm_long_ago(hub, name, hours=25)
    assert await refreshed(hub, name) is False


async def test_how_old_a_token_is_is_known_after_refreshes_too(google_hub):
    hub, _ = google_hub
    name = (await arrive(hub, "ada@example.edu")).name
    before = (await hub.app.users[name].get_auth_state())[RECORD]
    after = (await refreshed(hub, name))["auth_state"][RECORD]
    assert after["token_from"] == before["token_from"]
    assert after["confirmed_at"] > before["confirmed_at"]


async def test_the_limit_of_one_person_keeps_nobody_else_from_being_asked_about(hub, github):
    hub.app.authenticator.outage_pause = 60
    await arrive(hub, "ada")
    await arrive(hub, "ben")
    with github.failing(rate_limit()):
        assert await refreshed(hub, "ada")
    github.organizations["ocean-lab"].teams["reef"].remove("ben")
    github.organizations["ocean-lab"].members.discard("ben")
    assert await refreshed(hub, "ben") is False


async def test_the_log_has_nothing_of_a_long_answer(hub, github, caplog):
    await arrive(hub, "ada")
    with github.failing(Failure("/user", 500, "<p>told in confidence</p>" * 10_000)):
        await refreshed(hub, "ada")
    assert "answered 500" in caplog.text
    assert "in confidence" not in caplog.text


async def test_without_a_provider_too_a_closed_community_ends_the_access():
    lab = {"members": [{"users": ["ada"]}]}
    config = {
        "JupyterHub": {"authenticator_class": "community-dummy"},
        "CommunityAuthenticator": {"communities": {"lab": lab}},
    }
    config["Authenticator"] = {"allow_all": False}
    async with running_hub(config) as hub:
        await hub.login("ada")
        authenticator, ada = hub.app.authenticator, hub.app.users["ada"]
        assert await authenticator.refresh_user(ada) is True
        authenticator.communities = {"lab": {**lab, "until": "2026-01-01"}}
        assert await authenticator.refresh_user(ada) is False
