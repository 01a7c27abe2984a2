"""What makes an OAuthenticator community-scoped."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jupyterhub.utils import maybe_future
from pydantic import TypeAdapter, ValidationError
from tornado import web
from traitlets import Dict, TraitError, Unicode, default, validate
from traitlets.config import LoggingConfigurable

from hub_extensions import communities, groups
from hub_extensions.communities import Communities, Community, Decision, Identity
from hub_extensions.mistakes import SettingsError, mistakes_in

if TYPE_CHECKING:
    from oauthenticator.oauth2 import OAuthenticator as Base  # what this is put before
else:
    Base = LoggingConfigurable


class CommunityAuthenticator(Base):
    """Put this before an OAuthenticator class, to admit the members of communities and to make each one a group.

    What the OAuthenticator class itself allows (`admin_users`, `allowed_users`, `allow_all`, …) is admitted as well.
    """

    communities = Dict(
        config=True,
        help="""
        The communities of this hub: name → title, members, leads, from, until, branding.

        Whoever a rule of a community's members or leads means may log in, and is put into a group of the community's
        name (and into `NAME:leads`)::

            c.CommunityOIDCAuthenticator.communities = {
                "ocean-lab": {"members": [{"groups": ["staff:ocean"]}], "leads": [{"users": ["lin"]}]},
            }

        Needs `manage_groups`, which is on by default here.
        """,
    ).tag(allow_config=True)

    contact = Unicode(
        config=True,
        help="Whom people may ask for access, as the page that refuses them shows it: an e-mail address or a URL.",
    )

    _checked: Mapping[str, Community] = {}

    @default("manage_groups")
    def _manage_groups_default(self) -> bool:
        return True

    @validate("communities")
    def _check(self, proposal: Any) -> Any:
        try:
            self._checked = TypeAdapter(Communities).validate_python(proposal["value"])
        except ValidationError as error:
            raise TraitError(str(SettingsError(mistakes_in(error, Communities), source="communities"))) from None
        return proposal["value"]

    async def get_user_groups(self, auth_state: Any) -> set[str]:
        """The groups of the provider's claims, and one for each community that the person belongs to or leads."""
        user_info = auth_state[self.user_auth_state_key]
        user_name = self.normalize_username(self.user_info_to_username(user_info))
        _, decision = await self._decide(user_name, auth_state)
        return set(decision.groups)

    async def check_allowed(self, username: str, auth_model: Any) -> bool:
        """Admit whom the stock rules or a community admit; tell everyone else why not."""
        if await super().check_allowed(username, auth_model):
            return True
        identity, decision = await self._decide(username, auth_model["auth_state"])
        if decision.allowed:
            return True
        self.log.info("Not admitted: %s. %s", username[:64], " ".join(decision.reasons))
        error = web.HTTPError(403, "belongs to no community of this hub")
        error.jupyterhub_message = communities.refusal(identity, decision, self.contact)  # type: ignore[attr-defined]
        raise error

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Decide again: someone whose community has closed, or whom no rule means any more, has to log in anew.

        What the provider says is asked again only with `enable_auth_state`. Without it the groups of the last login
        hold, less those of communities that have closed since.
        """
        refreshed = await super().refresh_user(user, handler, **kwargs)
        if isinstance(refreshed, dict):
            admitted = await self._admits(user.name, refreshed)
            return refreshed if admitted else False
        if refreshed is not True or not self._checked:
            return refreshed
        before = {group.name for group in user.groups}
        after = communities.still_open(self._checked, before, datetime.now(UTC))
        if after == before:
            return True
        belongs = groups.keys(after) & groups.keys(self._checked)
        model = {"name": user.name, "admin": user.admin, "auth_state": {}, "groups": sorted(after)}
        if not belongs and not await super().check_allowed(user.name, model):
            return False
        return {"name": user.name, "groups": sorted(after)}

    async def _admits(self, user_name: str, auth_model: Any) -> bool:
        if self.allow_all or await super().check_allowed(user_name, auth_model):
            return True
        _, decision = await self._decide(user_name, auth_model["auth_state"])
        return decision.allowed

    async def _decide(self, user_name: str, auth_state: Any) -> tuple[Identity, Decision]:
        identity = Identity(user_name, communities.groups_of(await self._claim(auth_state)))
        return identity, communities.decide(self._checked, identity, datetime.now(UTC))

    async def _claim(self, auth_state: Any) -> Any:
        """What the provider says of groups, as it says it: OAuthenticator's reading takes a text for its letters."""
        if callable(self.auth_state_groups_key):
            return await maybe_future(self.auth_state_groups_key(auth_state))
        found = auth_state
        for part in self.auth_state_groups_key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found
