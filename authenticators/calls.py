"""What a community's own servers are asked, and told, when one of its people logs in."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tornado.httpclient import HTTPClientError
from traitlets import Bool, Dict, TraitError, Unicode, validate

from hub_extensions import identities

from .community import CommunityAuthenticator

if TYPE_CHECKING:
    from oauthenticator.oauth2 import OAuthenticator as Base  # what this is put before
else:
    Base = object

FETCHED_GROUPS = "fetched_groups"  # where auth_state keeps them


class CallsAtLogin(CommunityAuthenticator, Base):
    """Fetches groups from an address with the person's token, and tells another address of each login."""

    groups_url = Unicode(
        config=True,
        help="""
        An address that knows more groups of a person, and is asked with their access token (`Authorization: Bearer`).

        It answers with JSON, in which the groups stand at `groups_url_key`. They count like those of the claims, at
        each login and refresh. While it cannot be asked nobody new gets in, and who is in keeps what they have, as when
        the provider cannot be asked.
        """,
    )
    groups_url_key = Unicode(
        config=True,
        help="""
        Where the groups stand in what `groups_url` answers: keys with dots between them; of a list each element is
        looked into. For `{"items": [{"name": "ocean"}]}` it is `items.name`; empty if the answer itself lists them.
        """,
    )
    login_webhook_url = Unicode(
        config=True,
        help="""
        An address that is told of each login, by a POST of JSON: `user`, `provider`, `subject`, `email`, `groups`. It
        has `provider_timeout` to answer; the login goes on whatever it says.
        """,
    )
    login_webhook_headers = Dict(
        Unicode(), Unicode(), config=True, help="Headers for `login_webhook_url`, such as its own `Authorization`."
    )
    login_webhook_sends_token = Bool(
        config=True, help="Send the person's access token to `login_webhook_url`, as `Authorization: Bearer`."
    )

    @validate("groups_url", "login_webhook_url")
    def _check_address(self, proposal: Any) -> Any:
        address = proposal["value"]
        if address and (urlsplit(address).scheme not in {"https", "http"} or not urlsplit(address).hostname):
            raise TraitError(f"{proposal['trait'].name}: expected an address that begins with https://.")
        return address

    async def update_auth_model(self, auth_model: Any) -> Any:
        """Put the groups that `groups_url` knows into `auth_state`."""
        auth_model = await super().update_auth_model(auth_model)
        if self.groups_url:
            auth_state = auth_model["auth_state"]
            said = await self._ask_for_groups(auth_state)
            found = identities.groups_of(identities.found_at(said, self.groups_url_key))
            auth_state[FETCHED_GROUPS] = sorted(found)
        return auth_model

    async def _ask_for_groups(self, auth_state: Mapping[str, Any]) -> Any:
        try:
            return await self.httpfetch(self.groups_url, "fetching groups", headers=_as_the_person(auth_state))
        except ValueError as error:  # a page for people, as front servers show it when what is behind them is away
            raise HTTPClientError(599, "groups_url did not answer with JSON") from error

    async def run_post_auth_hook(self, handler: Any, auth_model: Any) -> Any:
        """Tell `login_webhook_url` of a person who has been admitted."""
        auth_model = await super().run_post_auth_hook(handler, auth_model)
        if self.login_webhook_url and auth_model:
            await self._tell(auth_model)
        return auth_model

    async def _tell(self, auth_model: Mapping[str, Any]) -> None:
        auth_state = auth_model["auth_state"]
        person = await self.identity_of(auth_model["name"], auth_state)
        told = {
            "user": person.user_name,
            "provider": person.provider,
            "subject": person.subject,
            "email": person.email,
            "groups": sorted(auth_model.get("groups") or ()),
        }
        token = _as_the_person(auth_state) if self.login_webhook_sends_token else {}
        headers = {"Content-Type": "application/json", **token, **self.login_webhook_headers}
        try:
            await self.httpfetch(
                self.login_webhook_url, method="POST", headers=headers, body=json.dumps(told), parse_json=False
            )
        except (HTTPClientError, OSError) as error:
            self.log.warning("The login webhook was not told of %s: %s", person.user_name[:64], error)


def _as_the_person(auth_state: Mapping[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {auth_state['token_response']['access_token']}", "Accept": "application/json"}
