"""What makes an OAuthenticator community-scoped: what its provider said, and for how long that holds."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from jupyterhub.utils import maybe_future
from pydantic import TypeAdapter, ValidationError
from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from traitlets import Bool, Dict, Float, Integer, List, TraitError, Unicode, default, validate

from hub_extensions import communities, groups, identities, user_names
from hub_extensions.identities import Identity
from hub_extensions.mistakes import SettingsError, mistakes_in
from hub_extensions.user_names import RefusedName, Step

from . import another_account
from .calls import FETCHED_GROUPS, CallsAtLogin
from .community import RECORD, CommunityAuthenticator
from .invitations import visit
from .metrics import EXPIRED, HELD, PROVIDER_AWAY

_NAMELESS = (
    "Your login provider did not say enough of you to give you a name on this hub. It may have to be told to release "
    "more; the people who run this hub know what it needs."
)

_Steps = TypeAdapter(tuple[Step, ...])

# Whether a request to the provider of the current refresh failed as in an outage, whatever OAuthenticator made of it.
_away: ContextVar[list[str] | None] = ContextVar("away", default=None)


class CommunityOAuthenticator(CallsAtLogin):
    """Put this before an OAuthenticator class, to admit the members of communities and to make each one a group."""

    stale_membership_limit = Integer(
        24 * 3600,
        min=0,
        config=True,
        help="""
        For how long what a provider last said of a person holds while the provider cannot be asked; in seconds.

        An answer that a person does not belong any more is no outage and holds at once.
        """,
    )
    provider_timeout = Float(
        10, min=0.1, config=True, help="How long one request to the provider may take, in seconds."
    )
    refresh_concurrency = Integer(
        20, min=1, config=True, help="How many people may be refreshed with the provider at the same time."
    )
    outage_pause = Float(
        30,
        min=0,
        config=True,
        help="For how many seconds nobody is refreshed after the provider could not be asked: what is known holds.",
    )

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
    trust_email = Bool(
        config=True,
        help="""
        Take e-mail addresses of this provider for verified although it does not say so by `email_verified`. Only for
        a provider that lets nobody choose an address.
        """,
    )

    provider_logout_url = Unicode(
        config=True,
        help="""
        Where the provider ends its own session, so that someone who was refused can come with another account.

        With `{return_url}` in it people are sent there when they ask for another account, and from there to the login
        page of this hub; `{client_id}` may be in it as well. For OpenID Connect it is the `end_session_endpoint`, and
        the address `…/hub/login` has to be registered with the provider::

            c.CommunityOIDCAuthenticator.provider_logout_url = (
                "https://idp.example.edu/logout?client_id={client_id}&post_logout_redirect_uri={return_url}"
            )

        Without `{return_url}` the login page has a link there. Without any, `logout_redirect_url` is where they go, if
        it is set. In each case the next login has `another_account_prompt`.
        """,
    )
    another_account_prompt = Unicode(
        "login",
        config=True,
        help="""
        The `prompt` that makes the provider ask which account to use, although it remembers one: `select_account`,
        `login`, or "" if the provider accepts none. Used only after someone has asked for another account.
        """,
    )

    def __init__(self, **kwargs: Any) -> None:
        self._steps: tuple[Step, ...] = ()
        self._paused_until: datetime | None = None
        super().__init__(**kwargs)
        self._turns = asyncio.Semaphore(self.refresh_concurrency)
        if self.pseudonymous_names:
            try:
                user_names.pseudonym(self.pepper.encode(), self.provider, "", "anybody")
            except ValueError as error:
                raise TraitError(
                    f"pseudonymous_names needs a pepper: {error} Set {type(self).__name__}.pepper or the environment "
                    "variable USERNAME_DERIVATION_PEPPER, for instance to what `openssl rand -hex 24` prints."
                ) from None

    @default("enable_auth_state")
    def _enable_auth_state_default(self) -> bool:
        # Only with it can a person be refreshed; it needs a key, which Zero to JupyterHub always gives.
        return "keys" in self.config.CryptKeeper or bool(os.environ.get("JUPYTERHUB_CRYPT_KEY"))

    @default("http_client")
    def _http_client_default(self) -> AsyncHTTPClient:
        # Not the one that everything in the hub shares: it has ten connections, and who waits for one waits in vain.
        return AsyncHTTPClient(force_instance=True, max_clients=10 * self.refresh_concurrency)

    @default("pepper")
    def _pepper_default(self) -> str:
        return os.environ.get("USERNAME_DERIVATION_PEPPER", "")

    @validate("user_name_steps")
    def _check_steps(self, proposal: Any) -> Any:
        try:
            self._steps = _Steps.validate_python(proposal["value"])
        except ValidationError as error:
            mistakes = mistakes_in(error, tuple[Step, ...])
            raise TraitError(str(SettingsError(mistakes, source="user_name_steps"))) from None
        return proposal["value"]

    @validate("provider_logout_url")
    def _check_logout_url(self, proposal: Any) -> Any:
        try:
            another_account.check_logout_url(proposal["value"])
        except ValueError as error:
            raise TraitError(f"provider_logout_url: {error}") from None
        return proposal["value"]

    @property
    def another_account_path(self) -> str:
        """Where someone who was refused can come with another account; below the hub's address."""
        return another_account.PATH.lstrip("/")

    def get_handlers(self, app: Any) -> list[Any]:
        """The addresses of the class, and one to use another account."""
        return another_account.handlers_of(self, super().get_handlers(app))

    # What the provider said.

    def claims_of(self, auth_state: Any) -> Mapping[str, Any]:
        """The claims of the provider."""
        claims = (auth_state or {}).get(self.user_auth_state_key)
        return claims if isinstance(claims, Mapping) else {}

    def idp_of(self, claims: Mapping[str, Any]) -> str:
        """The identity provider behind the provider; "" where there is none."""
        return ""

    def subject_of(self, claims: Mapping[str, Any]) -> str:
        """The provider's own lasting name for the person."""
        return identities.text_of(claims.get("sub"))

    def has_verified_email(self, claims: Mapping[str, Any]) -> bool:
        """Whether the provider says that the e-mail address is the person's."""
        return self.trust_email or identities.is_true(claims.get("email_verified"))

    def is_named_by_email(self, claims: Mapping[str, Any]) -> bool:
        """Whether the person's name on this hub is made of the e-mail address."""
        return not self.pseudonymous_names and self.username_claim == "email"

    async def identity_of(self, user_name: str, auth_state: Any) -> Identity:
        """What the provider said of the person."""
        claims = self.claims_of(auth_state)
        fetched = identities.groups_of((auth_state or {}).get(FETCHED_GROUPS))
        return Identity(
            user_name,
            provider=self.provider,
            subject=self.subject_of(claims),
            email=identities.text_of(claims.get("email")),
            email_verified=self.has_verified_email(claims),
            named_by_email=self.is_named_by_email(claims),
            idp=self.idp_of(claims),
            groups=fetched | identities.groups_of(await self._groups_claim(auth_state)),
        )

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """The name on this hub: the class's, after `user_name_steps`, or a pseudonym."""
        try:
            if self.pseudonymous_names:
                subject, idp = self.subject_of(user_info), self.idp_of(user_info)
                return user_names.pseudonym(self.pepper.encode(), self.provider, idp, subject)
            return user_names.derived(identities.text_of(super().user_info_to_username(user_info)), self._steps)
        except RefusedName as refused:
            raise self.refusal("", str(refused)) from None
        except web.HTTPError as error:
            if error.status_code < 500:
                raise
            self.log.exception("No name in the claims %s: %s", sorted(user_info)[:32], error.log_message)
            raise self.refusal("", _NAMELESS) from None
        except (ValueError, LookupError, TypeError, AttributeError):
            # Claims that are missing or of another type; what the class says of it has all claims of the person in it.
            self.log.exception("No name in the claims %s", sorted(user_info)[:32])
            raise self.refusal("", _NAMELESS) from None

    async def get_authenticated_user(self, handler: Any, data: Any) -> Any:
        """Who logs in; a refusal by the class is told as ours are."""
        try:
            return await super().get_authenticated_user(handler, data)
        except web.HTTPError as error:
            if error.status_code != 403 or hasattr(error, "refusal"):
                raise
            told = error.log_message % error.args if error.log_message else "Your account is not admitted."
            raise self.refusal("", getattr(error, "jupyterhub_message", told)) from error

    async def authenticate(self, handler: Any, data: Any = None, **kwargs: Any) -> Any:
        """Ask the provider who this is; a provider that cannot be asked is not the person's fault."""
        try:
            return await super().authenticate(handler, data, **kwargs)
        except (HTTPClientError, OSError) as error:
            if isinstance(error, HTTPClientError) and not is_outage(error):
                raise
            self.log.warning("A login failed because %s could not be asked: %s", self.provider, error)
            away = web.HTTPError(503, "the login provider could not be asked")
            away.jupyterhub_message = (  # type: ignore[attr-defined]  # JupyterHub's pages show it
                f"{self.login_service} cannot be asked at the moment who you are and what you belong to. Try again in "
                "a few minutes; who is logged in already can go on."
            )
            raise away from error

    async def update_auth_model(self, auth_model: Any) -> Any:
        """Note whose account it is, and when the provider said so."""
        auth_model = await super().update_auth_model(auth_model)
        claims = self.claims_of(auth_model["auth_state"])
        auth_model["auth_state"][RECORD] = {
            "provider": self.provider,
            "subject": self.subject_of(claims),
            "confirmed_at": self.now().isoformat(),
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

    # For how long it holds.

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Ask the provider again and decide again: whom no rule means any more has to log in anew.

        While the provider cannot be asked, what it last said holds for `stale_membership_limit`. The provider is asked
        only with `enable_auth_state`; without it the groups of the last login hold, less those of communities that have
        closed since, or to which the invitation was withdrawn.
        """
        with visit(groups_of=lambda _: [group.name for group in user.groups]):
            return await self._refreshed(user, handler, **kwargs)

    async def _refreshed(self, user: Any, handler: Any, **kwargs: Any) -> Any:
        if handler is not None and not hasattr(handler, "_token_authenticated"):
            # JupyterHub 6.1 reads it after a refresh that fails, although only a request with a token sets it.
            handler._token_authenticated = False
        if user.name in self.service_users:
            return True
        if not self.enable_auth_state:
            return await self._without_provider(user)
        away: list[str] = []
        token = _away.set(away)
        try:
            async with asyncio.timeout(2 * self.provider_timeout), self._turns:
                if self._paused_until and self.now() < self._paused_until:
                    return await self._hold(user, "it could not be asked a moment ago")
                refreshed = await super().refresh_user(user, handler, **kwargs)
        except web.HTTPError as error:
            self.log.info("Not admitted any more: %s. %s", user.name[:64], error.log_message)
            return False
        except (HTTPClientError, OSError, TimeoutError) as error:
            away.append(str(error) or type(error).__name__)
            refreshed = False
        finally:
            _away.reset(token)
        if away and not isinstance(refreshed, dict):
            self._paused_until = self.now() + timedelta(seconds=self.outage_pause)
            return await self._hold(user, away[0])
        if not isinstance(refreshed, dict):
            return refreshed
        if not await self.admits(user.name, refreshed):
            return False
        if refreshed.get("admin") is None:
            refreshed["admin"] = await self.is_admin(handler, {**refreshed, "name": user.name})
        self.keep_leads_out(user, refreshed)
        return refreshed

    async def fetch(self, req: Any, label: str = "fetching", parse_json: bool = True, **kwargs: Any) -> Any:
        """Ask the provider, within `provider_timeout`; remember if it could not be asked."""
        req.request_timeout = req.connect_timeout = self.provider_timeout
        try:
            async with _noting_outages():
                return await super().fetch(req, label=label, parse_json=parse_json, **kwargs)
        except (OSError, TimeoutError) as error:
            raise HTTPClientError(599, f"{type(error).__name__}: {error}") from error

    async def _hold(self, user: Any, why: str) -> Any:
        """What holds while the provider cannot be asked: what it said last, unless that was too long ago."""
        auth_state = await user.get_auth_state()
        confirmed = (auth_state or {}).get(RECORD, {}).get("confirmed_at")
        age = self.now() - datetime.fromisoformat(confirmed) if confirmed else None
        if age is None or age > timedelta(seconds=self.stale_membership_limit):
            self.log.warning(
                "%s has to log in again: %s could not be asked (%s).", user.name[:64], self.provider, why[:200]
            )
            PROVIDER_AWAY.labels(EXPIRED).inc()
            return False
        self.log.warning(
            "What %s said of %s %s ago holds: it could not be asked (%s).",
            self.provider,
            user.name[:64],
            age,
            why[:200],
        )
        PROVIDER_AWAY.labels(HELD).inc()
        known = {"name": user.name, "admin": user.admin or None, "auth_state": auth_state, "groups": []}
        _, decision = await self.decide(user.name, auth_state)
        known["groups"] = sorted(decision.groups)
        self.keep_leads_out(user, known)
        return known if await self.admits(user.name, known) else False

    async def _without_provider(self, user: Any) -> Any:
        if user.name in self.blocked_users:
            return False
        if not self._checked_communities:
            return True
        before = {group.name for group in user.groups}
        after = communities.still_open(self._checked_communities, before, self.now())
        after -= await self.withdrawn(user)
        if after == before:
            return True
        belongs = groups.keys(after) & groups.keys(self._checked_communities)
        model = {"name": user.name, "admin": user.admin, "auth_state": {}, "groups": sorted(after)}
        if (
            not belongs
            and not user.admin
            and not await super(CommunityAuthenticator, self).check_allowed(user.name, model)
        ):
            return False
        return {"name": user.name, "groups": sorted(after)}


@asynccontextmanager
async def _noting_outages() -> AsyncIterator[None]:
    """Note for the current refresh if a request fails in a way that says nothing of the person."""
    try:
        yield
    except HTTPClientError as error:
        away = _away.get()
        if away is not None and is_outage(error):
            away.append(str(error))
        raise
    except (OSError, TimeoutError) as error:
        away = _away.get()
        if away is not None:
            away.append(str(error) or type(error).__name__)
        raise


def is_outage(error: HTTPClientError) -> bool:
    """Whether an answer says nothing of the person: the provider failed, or has had too many questions."""
    if error.code in (408, 425, 429) or error.code >= 500:
        return True
    headers = error.response.headers if error.response else {}
    return error.code == 403 and (headers.get("X-RateLimit-Remaining") == "0" or "Retry-After" in headers)
