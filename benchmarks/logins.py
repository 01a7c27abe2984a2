"""What a login costs beside OAuthenticator's own class, and what an outage of the provider does to 2,000 people.

    .venv/bin/python benchmarks/logins.py [rounds]

Both log the same person in at one local GitHub, in turns, and make groups of the same teams.
"""

import asyncio
import logging
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))  # after the installed package

from hub_extensions.authenticators.github import teams_of
from tests.providers.github import GitHub, Organization, Person
from tests.providers.login import arrive, hub_with
from tests.providers.simulation import simulate

ORGANIZATION = Organization("ocean-lab", members={"ada"}, teams={f"team-{number}": {"ada"} for number in range(30)})
COMMUNITIES = {
    "ocean-lab": {"members": [{"github": ["ocean-lab"]}], "leads": [{"github": ["ocean-lab:leads"]}]},
    **{f"course-{number}": {"members": [{"github": [f"courses:course-{number}"]}]} for number in range(50)},
}
LOGINS = 10  # in each turn


async def turn(github: GitHub, authenticator: str) -> list[tuple[float, float]]:
    """Milliseconds of each login, from the hub's button to its page: those that passed, those of the processor."""
    traits: dict[str, Any] = {"allowed_organizations": {"ocean-lab"}, "populate_teams_in_auth_state": True}
    if authenticator == "github":
        traits |= {"manage_groups": True, "auth_state_groups_key": teams_of}
    config = {"CommunityAuthenticator": {"communities": COMMUNITIES}}
    async with hub_with(github, authenticator, traits, config) as hub:
        logging.disable()
        await arrive(hub, "ada")
        taken = []
        for _ in range(LOGINS):
            begin, worked = time.perf_counter(), time.process_time()
            await arrive(hub, "ada")
            taken.append((1000 * (time.perf_counter() - begin), 1000 * (time.process_time() - worked)))
    return taken


async def main(rounds: int) -> None:
    """Print both figures."""
    times: dict[str, list[tuple[float, float]]] = {"github": [], "community-github": []}
    async with GitHub([Person("ada")], [ORGANIZATION]) as github:
        for _ in range(rounds):
            for authenticator, taken in times.items():
                taken += await turn(github, authenticator)
    # Where others use the machine as well, only the second figure means something.
    for index, what in enumerate(("time", "of the processor")):
        stock, ours = (statistics.median(each[index] for each in taken) for taken in times.values())
        sys.stdout.write(
            f"login, {what}: stock {stock:.1f} ms, ours {ours:.1f} ms, {ours - stock:+.1f} ms (limit +20), "
            f"ratio {ours / stock:.2f}\n"
        )
    for hours in (2, 26):
        found = await simulate(people=2000, leaving=50, away=timedelta(hours=hours))
        sys.stdout.write(
            f"outage of {hours} h, 2,000 people: {len(found.locked_out)} locked out, {len(found.kept)} kept past their "
            f"time, {found.calls} calls for {found.refreshes} refreshes, at most {found.most_at_once} at once\n"
        )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
