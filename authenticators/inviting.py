"""What makes an authenticator let people in by invitation."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jupyterhub.utils import maybe_future
from tornado import web
from traitlets import TraitError
from traitlets.config import LoggingConfigurable

from hub_extensions import communities, groups
from hub_extensions.communities import groups_made_for
from hub_extensions.invitations import NOT_OURS, Invitation, Person, inviting, with_invitations

from .invitation_page import InvitationPage, clear_cookie, token_in_cookie
from .invitations import AWAY, AwayError, Invitations, Visit, not_taken, visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jupyterhub.auth import Authenticator as Base  # what this is put before

    from hub_extensions.communities import Decision, Policy
    from hub_extensions.identities import Identity
else:
    Base = LoggingConfigurable


INVITATION_PAGE = (r"/invitation", InvitationPage)


class InvitingAuthenticator(Base):
    """Lets people in by invitation to the communities whose rules say so, and counts the invitation only then."""

    @property
    @abstractmethod
    def policy(self) -> Policy:
        """Everything of the settings that decides who may log in."""

    @abstractmethod
    def now(self) -> datetime:
        """The time, in the time zone in which days begin."""

    @abstractmethod
    async def decide(self, user_name: str, auth_state: Any) -> tuple[Identity, Decision]:
        """Who this is, and what follows from it."""

    @abstractmethod
    async def admits(self, user_name: str, auth_model: Mapping[str, Any]) -> bool:
        """Whether the person may still be here."""

    @abstractmethod
    def keep_leads_out(self, user: Any, auth_model: dict[str, Any]) -> None:
        """Leads may not access the server of someone who administers the hub."""

    @abstractmethod
    def refusal(self, user_name: str, reason: str) -> web.HTTPError:
        """The answer to someone who may not log in."""

    def __init__(self, **kwargs: Any) -> None:
        self._logged_in_at: dict[str, datetime] = {}
        super().__init__(**kwargs)
        self.invitations = Invitations(parent=self)
        if self.inviting and not self.invitations.ledger.enabled:
            raise TraitError(
                f"{' and '.join(self.inviting)} admits by invitation, and there is no database to keep invitations in: "
                "set UsageLedger.database, or usage.database in the settings."
            )

    @property
    def inviting(self) -> tuple[str, ...]:
        """The communities that admit people by invitation."""
        return inviting(self.policy.communities)

    def get_handlers(self, app: Any) -> list[Any]:
        """The class's own, and the page to which the links of invitations lead."""
        return [*super().get_handlers(app), INVITATION_PAGE]

    async def get_authenticated_user(self, handler: Any, data: Any) -> Any:
        """Log in; an invitation that the person brings is used up if it is what lets them in."""
        with visit(token_in_cookie(handler), _groups_known_to(handler)) as current:
            try:
                model = await super().get_authenticated_user(handler, data)
                if model is not None:
                    await self._redeem(model["name"], model["auth_state"], current)
                    self._logged_in_at[model["name"]] = datetime.now(UTC)
            except web.HTTPError as error:
                if current.away and error.status_code == 403:
                    _explain(error, AWAY)
                raise
            finally:
                if current.refused:
                    clear_cookie(handler)
            if model is not None and not current.away:
                clear_cookie(handler)
            return model

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Ask the class; where it has nothing to say, membership still ends with the invitation it came by."""
        refreshed = await maybe_future(super().refresh_user(user, handler, **kwargs))
        gone = await self.withdrawn(user) if refreshed is True else frozenset()
        if not gone:
            return refreshed
        left = sorted({group.name for group in user.groups} - gone)
        auth_state = await user.get_auth_state()
        model = {"name": user.name, "admin": user.admin or None, "auth_state": auth_state, "groups": left}
        return model if await self.admits(user.name, model) else False

    async def withdrawn(self, user: Any) -> frozenset[str]:
        """The groups that a user has only by invitations that were withdrawn since they logged in."""
        if not self.inviting:
            return frozenset()
        gone = await self.invitations.withdrawn(user.name, self._logged_in_at.get(user.name))
        lost = groups.keys(each for community in gone for each in groups_made_for(community))
        return frozenset(group.name for group in user.groups if groups.key(group.name) in lost)

    async def invitation_of(self, token: str) -> tuple[Invitation | None, str]:
        """What a link stands for, and why nobody can join by it; "" if somebody can. Raises AwayError."""
        invitation = await self.invitations.look_up(token)
        if invitation is None:
            return None, NOT_OURS
        return invitation, invitation.refusal(datetime.now(UTC)) or not_taken(invitation, self.inviting)

    async def join(self, user: Any, token: str) -> None:
        """Let somebody who is logged in join by an invitation; their groups change at once.

        Raises what a login would raise.
        """
        with visit(token, lambda _: [group.name for group in user.groups]) as current:
            auth_state = await user.get_auth_state()
            _, decision = await self.decide(user.name, auth_state)
            if current.away:
                raise self.refusal(user.name, AWAY)
            if decision.refused or (current.invitation and current.invitation.community not in decision.communities):
                raise self.refusal(user.name, " ".join(reason.sentence for reason in decision.reasons))
            await self._redeem(user.name, auth_state, current)
        if self.manage_groups:
            model = {"admin": user.admin, "groups": sorted({group.name for group in user.groups} | decision.groups)}
            self.keep_leads_out(user, model)
            user.sync_groups(model["groups"])

    async def authority_on(self, user: Any) -> InvitingAuthenticator | None:
        """Who can decide again of somebody who is logged in; None if they have to log in again for that.

        An authenticator with a login page of its own knows people by what their provider said, kept in `auth_state`.
        """
        by_name = self.login_url("/") == "/login"
        return self if by_name or await user.get_auth_state() is not None else None

    async def _redeem(self, user_name: str, auth_state: Any, current: Visit) -> None:
        """Use the invitation up, unless the person belongs without it, or does not in spite of it."""
        invitation = current.invitation
        if invitation is None:
            return
        identity, decision = await self.decide(user_name, auth_state)
        without = with_invitations(identity, set(identity.invited_to) - {invitation.community})
        belongs_anyway = communities.decide(self.policy, without, self.now()).communities
        if invitation.community not in decision.communities or invitation.community in belongs_anyway:
            return
        try:
            refusal = await self.invitations.redeem(invitation, Person.of(identity))
        except AwayError:
            raise self.refusal(user_name, AWAY) from None
        if refusal:
            current.refused = True
            raise self.refusal(user_name, refusal)
        self.log.info("%s joined %s by invitation %d.", user_name[:64], invitation.community, invitation.id)


def _groups_known_to(handler: Any) -> Callable[[str], Iterable[str]]:
    def groups_of(user_name: str) -> list[str]:
        user = handler.find_user(user_name) if handler else None
        return [group.name for group in user.groups] if user else []

    return groups_of


def _explain(error: Any, sentence: str) -> None:
    said = getattr(error, "jupyterhub_message", "")
    error.jupyterhub_message = f"{said} {sentence}".strip()
