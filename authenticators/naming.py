"""What people of a provider are called on this hub."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tornado import web
from traitlets import Bool, Dict, List, TraitError, Unicode, default, validate

from hub_extensions import identities, user_names
from hub_extensions.checked_traits import model_of
from hub_extensions.user_names import RefusedName, Step

from .community import CommunityAuthenticator

if TYPE_CHECKING:
    from oauthenticator.oauth2 import OAuthenticator as Base  # what this is put before
else:
    Base = object

_NAMELESS = (
    "Your login provider did not say enough of you to give you a name on this hub. It may have to be told to release "
    "more; the people who run this hub know what it needs."
)


class NamesFromProvider(CommunityAuthenticator, Base):
    """Makes names by steps from what the class makes of a claim, or names that do not tell who somebody is."""

    user_name_steps = List(
        Dict(),
        config=True,
        help="""
        Steps from the claim that names a person to the name on this hub, in order, each one of: `last_path_segment`,
        `strip_domain`, `prefix`, `match` (a regular expression that the whole name must match; a group in it is the
        name)::

            c.CommunityOIDCAuthenticator.user_name_steps = [{"last_path_segment": True}, {"prefix": "orcid-"}]
        """,
    )
    pseudonymous_names = Bool(
        config=True,
        help="""
        Give people names that do not tell who they are: a keyed hash of provider, IdP and subject, the same at each
        login. Needs `pepper`. `admin_users` and a rule's `users` then mean these names.
        """,
    )
    pepper = Unicode(
        config=True,
        help="""
        The secret of pseudonymous names, of 16 to 64 bytes; by default from the environment variable
        `USERNAME_DERIVATION_PEPPER`. With another pepper everybody gets another name.
        """,
    )

    def __init__(self, **kwargs: Any) -> None:
        self._steps: tuple[Step, ...] = ()
        super().__init__(**kwargs)
        if self.pseudonymous_names:
            try:
                user_names.pseudonym(self.pepper.encode(), self.provider, "", "anybody")
            except ValueError as error:
                raise TraitError(
                    f"pseudonymous_names needs a pepper: {error} Set {type(self).__name__}.pepper or the environment "
                    "variable USERNAME_DERIVATION_PEPPER, for instance to what `openssl rand -hex 24` prints."
                ) from None

    @default("pepper")
    def _pepper_default(self) -> str:
        return os.environ.get("USERNAME_DERIVATION_PEPPER", "")

    @validate("user_name_steps")
    def _check_steps(self, proposal: Any) -> Any:
        self._steps = model_of(tuple[Step, ...], proposal)
        return proposal["value"]

    def idp_of(self, claims: Mapping[str, Any]) -> str:
        """The identity provider behind the provider; "" where there is none."""
        return ""

    def subject_of(self, claims: Mapping[str, Any]) -> str:
        """The provider's own lasting name for the person."""
        return identities.text_of(claims.get("sub"))

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """The name on this hub: the class's, after `user_name_steps`, or a pseudonym."""
        try:
            if self.pseudonymous_names:
                subject, idp = self.subject_of(user_info), self.idp_of(user_info)
                return user_names.pseudonym(self.pepper.encode(), self.provider, idp, subject)
            claim = self.username_claim
            if isinstance(claim, str) and claim and not user_info.get(claim):
                raise KeyError(claim)  # the class would put all claims of the person into the log
            return user_names.derived(identities.text_of(super().user_info_to_username(user_info)), self._steps)
        except RefusedName as refused:
            raise self.refusal("", str(refused)) from None
        except web.HTTPError as error:
            if error.status_code < 500:
                raise
            self.log.error("No name in the claims %s: %s", sorted(user_info)[:32], error.log_message)  # noqa: TRY400
            raise self.refusal("", _NAMELESS) from None
        except (ValueError, LookupError, TypeError, AttributeError):
            # Claims that are missing or of another type.
            self.log.error("No name in the claims %s", sorted(user_info)[:32])  # noqa: TRY400 - it may quote claims
            raise self.refusal("", _NAMELESS) from None
