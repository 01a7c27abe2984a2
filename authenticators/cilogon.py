"""Community-scoped login through CILogon, behind which are the identity providers of many institutions."""

from collections.abc import Mapping
from typing import Any

from oauthenticator.cilogon import CILogonOAuthenticator
from traitlets import Unicode, default

from hub_extensions import identities
from hub_extensions.membership import idp_name

from .oauth import CommunityOAuthenticator


class CommunityCILogonAuthenticator(CommunityOAuthenticator, CILogonOAuthenticator):
    """CILogonOAuthenticator that admits communities. The entry point is `community-cilogon`.

    Everything set for `c.CILogonOAuthenticator` holds here too: `idps` says who may log in through CILogon at all, and
    what they are called. Groups are those of the claim `isMemberOf`.
    """

    provider = Unicode("cilogon")

    @default("auth_state_groups_key")
    def _groups_key_default(self) -> str:
        return f"{self.user_auth_state_key}.isMemberOf"

    @default("provider_logout_url")
    def _provider_logout_url_default(self) -> str:
        return f"https://{self.cilogon_host}/logout/"

    def idp_of(self, claims: Mapping[str, Any]) -> str:
        """The entity ID of the institution's identity provider."""
        return identities.text_of(claims.get("idp"))

    def has_verified_email(self, claims: Mapping[str, Any]) -> bool:
        """Whether an identity provider says so: rules name the one whose word counts for a domain."""
        return bool(self.idp_of(claims))

    def is_named_by_email(self, claims: Mapping[str, Any]) -> bool:
        """Whether the person's name on this hub is made of the e-mail address."""
        derivation = self.idps.get(self.idp_of(claims), {}).get("username_derivation", {})
        return not self.pseudonymous_names and derivation.get("username_claim") == "email"

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """The name on this hub; refuses who logged in through an institution that is not in `idps`."""
        idp = self.idp_of(user_info)
        if idp not in self.idps:
            through = (
                f"You logged in through {idp_name(idp)}" if idp else "CILogon did not say through whom you logged in"
            )
            accepted = " or ".join(map(idp_name, self.idps)) or "nobody yet"
            raise self.refusal("", f"{through}. This hub accepts {accepted}.")
        return super().user_info_to_username(user_info)
