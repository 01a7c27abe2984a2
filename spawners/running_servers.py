"""What runs, told to services of the hub in one answer."""

import asyncio
import json
from datetime import UTC, datetime

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.scopes import needs_scope

from hub_extensions.catalogue import names_of
from hub_extensions.ledger import UsageLedger
from hub_extensions.live_settings import LiveProfiles
from hub_extensions.pages import PageContext

from .session import running

_ROWS_AT_ONCE = 100


class RunningServers(APIHandler):
    """`GET /hub/api/hub-extensions/servers`: the sessions that have no end yet, with what each was given.

    It is answered from memory, without the hub's database, in pieces between which the hub does other work. Who asks
    needs the scopes to read what is in it, for everybody: who there is, their groups, their servers.
    """

    @needs_scope("list:users")  # type: ignore[untyped-decorator]  # JupyterHub publishes no types
    @needs_scope("read:users:groups")  # type: ignore[untyped-decorator]
    @needs_scope("read:servers")  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """`{"hub", "ledger", "at", "announcements": […], "profiles": {…}, "servers": […], "stopping": {…}}`.

        `ledger`: whether this hub writes one. `at`: when this was so. `announcements`: those in use, for the pages of
        services. `profiles`: what people call them, by slug, where they change while the hub runs. `stopping`: when
        sessions are going to be stopped because a quota is spent, by their id.
        """
        ledger = UsageLedger(config=self.config)
        # What spawners share; the web application has a copy of its own.
        records = running(self.users.settings)
        sessions = [record.as_json() for record in records]
        stopping = {record.id: at.isoformat() for record in records if (at := record.spawner.quota_stops_at)}
        pages = self.settings["template_vars"].get("hub_extensions")
        announcements = pages.announcements() if isinstance(pages, PageContext) else ()
        profiles = self.config.get("ProfileSpawner", {}).get("profile_list")
        head = {
            "hub": ledger.hub_name,
            "ledger": ledger.enabled,
            "at": datetime.now(UTC).isoformat(),
            "announcements": [each.as_written() for each in announcements],
            "profiles": names_of(profiles()) if isinstance(profiles, LiveProfiles) else {},
        }
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.write(json.dumps(head)[:-1] + ', "servers": [')
        for start in range(0, len(sessions), _ROWS_AT_ONCE):
            self.write((", " if start else "") + ", ".join(sessions[start : start + _ROWS_AT_ONCE]))
            await self.flush()
            await asyncio.sleep(0)
        self.write('], "stopping": ' + json.dumps(stopping) + "}")
