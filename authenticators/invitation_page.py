"""The page to which the link of an invitation leads, and the cookie that carries the invitation through the login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, FileSystemLoader
from jupyterhub.handlers import BaseHandler

from hub_extensions import groups
from hub_extensions.share import TEMPLATES

from .invitations import AWAY, AwayError

if TYPE_CHECKING:
    from hub_extensions.invitations import Invitation

COOKIE = "jupyterhub-invitation"
_HOUR = 1 / 24  # days: long enough to find a password, or to make an account at the provider


def token_in_cookie(handler: Any) -> str:
    """The token of the invitation that somebody has accepted and brings to their login; "" if there is none."""
    carried = handler.get_secure_cookie(COOKIE, max_age_days=_HOUR) if handler else None
    return carried.decode("utf8", "replace") if carried else ""


def clear_cookie(handler: Any) -> None:
    """Let the invitation go."""
    if handler and handler.get_cookie(COOKIE):
        handler.clear_cookie(COOKIE, path=handler.hub.base_url)


class InvitationPage(BaseHandler):
    """Shows whom an invitation lets in where, and lets people accept it. Looking at it changes nothing."""

    def set_default_headers(self) -> None:
        """Keep the address, which is a secret, to this hub."""
        super().set_default_headers()
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")

    def get_template(self, name: str, sync: bool = False) -> Any:
        """The hub's own template; of a hub that does not use the bundle's pages, the bundle's in the hub's style."""
        environment = self.settings["jinja2_env_sync" if sync else "jinja2_env"]
        loader = ChoiceLoader([environment.loader, FileSystemLoader(TEMPLATES)])
        return environment.overlay(loader=loader).get_template(name)

    async def get(self) -> None:
        """Show the invitation, or why it does not count."""
        token = self.get_query_argument("token", "")
        invitation, refusal, status = await self._look_up(token)
        await self._show(token, invitation, refusal, status)

    async def post(self) -> None:
        """Accept: join at once, or take the invitation along to the login."""
        token = self.get_body_argument("token", "")
        invitation, refusal, status = await self._look_up(token)
        if refusal:
            await self._show(token, invitation, refusal, status)
            return
        user = self.current_user
        authority = await self.authenticator.authority_on(user) if user else None
        if authority:
            await authority.join(user, token)
            self.redirect(self.get_next_url(user))
            return
        self._set_cookie(
            COOKIE, token, encrypted=True, path=self.hub.base_url, expires_days=_HOUR, httponly=True, samesite="Lax"
        )
        self.redirect(self._login_again() if user else self.settings["login_url"])

    def _login_again(self) -> str:
        """Where they are asked again who they are: the hub has not kept what their provider said."""
        login_url = self.authenticator.login_url(self.hub.base_url)
        # The hub's own login page sends whoever is logged in away.
        return str(self.settings["logout_url"] if login_url == self.settings["login_url"] else login_url)

    async def _look_up(self, token: str) -> tuple[Invitation | None, str, int]:
        try:
            invitation, refusal = await self.authenticator.invitation_of(token)
        except AwayError:
            return None, AWAY, 503
        if not refusal:
            return invitation, "", 200
        return invitation, refusal, 410 if invitation else 404

    async def _show(self, token: str, invitation: Invitation | None, refusal: str, status: int) -> None:
        community = self.authenticator.policy.communities.get(invitation.community) if invitation else None
        name = invitation.community if invitation else ""
        mine = groups.keys(group.name for group in self.current_user.groups) if self.current_user else ()
        belongs = groups.key(name) in mine and not (invitation and invitation.revoked_at)
        self.set_status(200 if belongs else status)
        self.finish(
            await self.render_template(
                "invitation.html",
                token=token,
                invitation=invitation,
                community=(community and community.title) or name,
                refusal=refusal,
                belongs=belongs,
                away=status == 503,
                contact=self.authenticator.contact,
            )
        )
