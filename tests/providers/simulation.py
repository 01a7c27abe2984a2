"""A hub of many people while its login provider is away: who is locked out, who is kept, what the provider is asked.

Real calls to a local GitHub; only the clock is the simulation's own.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from traitlets.config import Config

from hub_extensions.authenticators.github import CommunityGitHubAuthenticator

from .github import GitHub, Organization, Person, outage

EVERY = timedelta(minutes=5)  # in which JupyterHub refreshes whoever asks for a page


class ClockedAuthenticator(CommunityGitHubAuthenticator):
    """Ours, by a clock that the simulation sets."""

    time = datetime(2026, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@dataclass
class LoggedIn:
    """What a refresh asks of a user of JupyterHub."""

    name: str
    auth_state: dict[str, Any]
    admin: bool = False
    groups: list[Any] = field(default_factory=list)

    async def get_auth_state(self) -> dict[str, Any]:
        return self.auth_state


@dataclass
class Outcome:
    """What came of it: members who were turned away, and people who had left and were still let in after the limit."""

    locked_out: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    calls: int = 0
    most_at_once: int = 0
    refreshes: int = 0


async def simulate(people: int, leaving: int, away: timedelta) -> Outcome:
    """Everybody is logged in; the provider goes away for so long, and meanwhile some leave the organisation."""
    names = [f"person-{number}" for number in range(people)]
    organization = Organization("ocean-lab", members=set(names))
    async with GitHub([Person(name) for name in names], [organization], hourly_limit=10**9) as github:
        authenticator = ClockedAuthenticator(config=_config(github))
        authenticator.log = logging.getLogger("simulation")
        authenticator.log.setLevel(logging.CRITICAL)
        users = [await _log_in(authenticator, github, name) for name in names]
        left = set(names[:leaving])
        organization.members -= left
        return await _live(authenticator, github, users, left, away)


async def _live(
    authenticator: ClockedAuthenticator, github: GitHub, users: list[LoggedIn], left: set[str], away: timedelta
) -> Outcome:
    outcome, begin = Outcome(), authenticator.time
    limit = timedelta(seconds=authenticator.stale_membership_limit)
    github.forget_calls()
    with github.failing(outage()):
        while authenticator.time < begin + away:
            authenticator.time += EVERY
            admitted = await _refresh(authenticator, users)
            outcome.refreshes += len(users)
            if authenticator.time - begin <= limit:
                outcome.locked_out |= {user.name for user in users if user.name not in admitted | left}
            else:
                outcome.kept |= admitted
        outcome.calls, outcome.most_at_once = len(github.calls), github.most_at_once
    authenticator.time += EVERY
    outcome.kept |= left & await _refresh(authenticator, users)
    outcome.most_at_once = max(outcome.most_at_once, github.most_at_once)
    return outcome


async def _refresh(authenticator: ClockedAuthenticator, users: list[LoggedIn]) -> set[str]:
    """Refresh everybody at once; answers who may go on."""
    answers = await asyncio.gather(*(authenticator.refresh_user(user) for user in users))
    return {user.name for user, answer in zip(users, answers, strict=True) if answer}


async def _log_in(authenticator: ClockedAuthenticator, github: GitHub, name: str) -> LoggedIn:
    grant = github.new_grant(name, ("read:org",))
    token = {"access_token": grant.access_token, "token_type": "bearer", "scope": "read:org"}
    model = await authenticator._token_to_auth_model(token)
    return LoggedIn(name, model["auth_state"])


def _config(github: GitHub) -> Config:
    return Config(
        {
            "GitHubOAuthenticator": {**github.traits, "enable_auth_state": True},
            "CommunityAuthenticator": {"communities": {"ocean-lab": {"members": [{"github": ["ocean-lab"]}]}}},
            "CommunityOAuthenticator": {"provider_timeout": 60},
        }
    )
