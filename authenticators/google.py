"""Community-scoped login through Google."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from oauthenticator.google import GoogleOAuthenticator
from traitlets import List, Unicode, default

from hub_extensions import identities
from hub_extensions.identities import Identity

from .oauth import CommunityOAuthenticator


class CommunityGoogleAuthenticator(CommunityOAuthenticator, GoogleOAuthenticator):
    """GoogleOAuthenticator that admits communities. The entry point is `community-google`.

    Everything set for `c.GoogleOAuthenticator` holds here too. A rule's `hosted_domains` are compared with what Google
    says of the Workspace, never with the e-mail address: anyone can have a Google account with an address of theirs.
    """

    provider = Unicode("google")
    needs_verified_email = True  # of everybody, as GoogleOAuthenticator does unless `allow_all` passes it over

    allowed_hosted_domains = List(
        Unicode(), config=True, help="Another name of `hosted_domain`, which newer versions of OAuthenticator have."
    )

    @default("hosted_domain")
    def _hosted_domain_default(self) -> list[str]:
        return [domain.lower() for domain in self.allowed_hosted_domains] or self._hosted_domain_from_env()

    @default("auth_state_groups_key")
    def _groups_key_default(self) -> str:
        return f"{self.user_auth_state_key}.google_groups"

    @default("provider_logout_url")
    def _provider_logout_url_default(self) -> str:
        return "https://accounts.google.com/Logout"

    @default("another_account_prompt")
    def _another_account_prompt_default(self) -> str:
        return "select_account"

    def subject_of(self, claims: Mapping[str, Any]) -> str:
        """Google's number for the account."""
        return identities.text_of(claims.get("sub")) or identities.text_of(claims.get("id"))

    def has_verified_email(self, claims: Mapping[str, Any]) -> bool:
        """Whether Google says that the address is the person's."""
        return self.trust_email or any(
            identities.is_true(claims.get(name)) for name in ("email_verified", "verified_email")
        )

    async def update_auth_model(self, auth_model: Any) -> Any:
        """Put what GoogleOAuthenticator takes for granted into the claims, as far as Google told it."""
        claims = auth_model["auth_state"][self.user_auth_state_key]
        # It knows only the older name of `email_verified`, and sets `domain` only where it makes the name itself.
        email = identities.text_of(claims.get("email"))
        domain = email.rpartition("@")[2].lower()
        claims.update(email=email, domain=domain, verified_email=self.has_verified_email(claims))
        return await super().update_auth_model(auth_model)

    async def _fetch_member_groups(self, member_email: str, user_email_domain: str, *args: Any, **kwargs: Any) -> Any:
        """Get the token of the service account in a thread first: GoogleOAuthenticator holds up the hub for it.

        Raises TimeoutError, as an outage does, when Google gives none: that says nothing of the person.
        """
        try:
            async with asyncio.timeout(self.provider_timeout):
                await asyncio.to_thread(self._get_service_credentials, user_email_domain)
        except Exception as error:
            if not type(error).__module__.startswith("google.auth."):  # a package that is there only for groups
                raise
            raise TimeoutError(f"no token for the service account: {str(error)[:200]}") from error
        return await super()._fetch_member_groups(member_email, user_email_domain, *args, **kwargs)

    async def identity_of(self, user_name: str, auth_state: Any) -> Identity:
        """What Google said of the person."""
        identity = await super().identity_of(user_name, auth_state)
        return replace(identity, hosted_domain=identities.text_of(self.claims_of(auth_state).get("hd")))
