"""Login without proof, for trying out what communities do."""

from typing import Any

from jupyterhub.auth import DummyAuthenticator
from traitlets import Bool, TraitError, Unicode, default

from .community import CommunityAuthenticator


class CommunityDummyAuthenticator(CommunityAuthenticator, DummyAuthenticator):
    """DummyAuthenticator that admits communities: whoever gives a name is that person. For trying out only.

    The entry point is `community-dummy`. Only rules that name `users` can mean somebody. A hub on which anybody can
    become an admin by giving a name does not start, unless `dummy_admins` says that this is meant.
    """

    provider = Unicode("dummy")

    dummy_admins = Bool(
        config=True, help="Let people become admins of this hub by giving an admin's name. Only on your own machine."
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if (self.admin_users or self.admins) and not self.dummy_admins:
            raise TraitError(
                "community-dummy asks for no proof, so anybody could become an admin of this hub by giving a name of "
                "admin_users. Remove the admins, choose another authenticator, or set "
                "CommunityDummyAuthenticator.dummy_admins to true on a hub that nobody else can reach."
            )

    @default("allow_all")
    def _allow_all_default(self) -> bool:
        return False

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Decide again: whom no rule means any more has to log in anew."""
        if user.name in self.service_users:
            return True
        _, decision = await self.decide(user.name, None)
        known = {"name": user.name, "admin": user.admin or None, "auth_state": None, "groups": sorted(decision.groups)}
        self.keep_leads_out(user, known)
        if not await self.admits(user.name, known):
            return False
        has = sorted(group.name for group in user.groups)
        return True if has == known["groups"] else {"name": user.name, "groups": known["groups"]}

    async def authenticate(self, handler: Any, data: Any) -> Any:
        """The name that was given, with the groups of its communities."""
        given = await super().authenticate(handler, data)
        if given is None:
            return None
        name = self.normalize_username(given)
        _, decision = await self.decide(name, None)
        return {"name": name, "groups": sorted(decision.groups) if self.manage_groups else None}
