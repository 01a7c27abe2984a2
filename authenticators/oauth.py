"""What makes an OAuthenticator community-scoped: what its provider said of a person."""

from collections.abc import Mapping
from typing import Any

from jupyterhub.utils import maybe_future
from tornado import web
from traitlets import Bool

from hub_extensions import identities
from hub_extensions.identities import Identity

from .another_account import AnotherAccount
from .calls import FETCHED_GROUPS, CallsAtLogin
from .community import RECORD
from .naming import NamesFromProvider
from .refresh import BoundedStaleness


class CommunityOAuthenticator(CallsAtLogin, NamesFromProvider, AnotherAccount, BoundedStaleness):
    """Put this before an OAuthenticator class, to admit the members of communities and to make each one a group."""

    trust_email = Bool(
        config=True,
        help="""
        Take e-mail addresses of this provider for verified although it does not say so by `email_verified`. Only for
        a provider that lets nobody choose an address.
        """,
    )

    needs_verified_email = False  # else it is needed only where the name or a rule depends on the address

    def claims_of(self, auth_state: Any) -> Mapping[str, Any]:
        """The claims of the provider."""
        claims = (auth_state or {}).get(self.user_auth_state_key)
        return claims if isinstance(claims, Mapping) else {}

    def has_verified_email(self, claims: Mapping[str, Any]) -> bool:
        """Whether the provider says that the e-mail address is the person's."""
        return self.trust_email or identities.is_true(claims.get("email_verified"))

    def is_named_by_email(self, claims: Mapping[str, Any]) -> bool:
        """Whether the person's name on this hub is made of the e-mail address."""
        return not self.pseudonymous_names and self.username_claim == "email"

    async def identity_of(self, user_name: str, auth_state: Any) -> Identity:
        """What the provider said of the person."""
        claims = self.claims_of(auth_state)
        email = identities.text_of(claims.get("email"))
        computed = callable(self.username_claim) and bool(email) and user_name == self.normalize_username(email)
        fetched = identities.groups_of((auth_state or {}).get(FETCHED_GROUPS))
        return Identity(
            user_name,
            provider=self.provider,
            subject=self.subject_of(claims),
            email=email,
            email_verified=self.has_verified_email(claims),
            named_by_email=computed or self.is_named_by_email(claims),
            needs_verified_email=self.needs_verified_email,
            idp=self.idp_of(claims),
            groups=fetched | identities.groups_of(await self._groups_claim(auth_state)),
        )

    async def get_authenticated_user(self, handler: Any, data: Any) -> Any:
        """Who logs in; a refusal by the class is told as ours are."""
        try:
            model = await super().get_authenticated_user(handler, data)
        except web.HTTPError as error:
            if error.status_code != 403 or hasattr(error, "another_account_path"):  # those that have it are ours
                raise
            told = error.log_message % error.args if error.log_message else "Your account is not admitted."
            raise self.refusal("", getattr(error, "jupyterhub_message", told)) from error
        if model is None:  # every other no is raised; JupyterHub itself passes over what its database does not take
            raise self.refusal("", "The name of your account cannot be one on this hub.")
        return model

    async def update_auth_model(self, auth_model: Any) -> Any:
        """Note whose account it is, and when the provider said so."""
        auth_model = await super().update_auth_model(auth_model)
        claims = self.claims_of(auth_model["auth_state"])
        auth_model["auth_state"][RECORD] = {
            "provider": self.provider,
            "subject": self.subject_of(claims),
            "confirmed_at": self.now().isoformat(),
            "token_from": self.now().isoformat(),
        }
        return auth_model

    async def get_user_groups(self, auth_state: Any) -> set[str]:
        """The groups of the provider, and one for each community that the person belongs to or leads."""
        user_name = self.normalize_username(self.user_info_to_username(auth_state[self.user_auth_state_key]))
        _, decision = await self.decide(user_name, auth_state)
        return set(decision.groups)

    async def _groups_claim(self, auth_state: Any) -> Any:
        """What the provider says of groups, as it says it: OAuthenticator's reading takes a text for its letters."""
        if callable(self.auth_state_groups_key):
            return await maybe_future(self.auth_state_groups_key(auth_state))
        return identities.found_at(auth_state, self.auth_state_groups_key)
