"""For how long a login holds: the provider is asked again and again, and while it cannot be, for a bounded time."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from traitlets import Float, Integer, default

from hub_extensions import communities, groups

from .community import RECORD, CommunityAuthenticator
from .failed_logins import FailedLogins, is_limit, says_nothing_of_the_person
from .invitations import visit
from .metrics import EXPIRED, HELD, PROVIDER_AWAY

if TYPE_CHECKING:
    from oauthenticator.oauth2 import OAuthenticator as Base  # what this is put before
else:
    Base = object

# Whether a request to the provider of the current refresh failed as in an outage, whatever OAuthenticator made of it.
_away: ContextVar[list[HTTPClientError] | None] = ContextVar("away", default=None)


class _Crowded(Exception):  # noqa: N818 - nothing is wrong, there are many
    """Nobody could be asked about this person in time, because so many others were."""


class BoundedStaleness(FailedLogins, Base):
    """Decides again at each refresh; what the provider last said holds for a bounded time while it cannot be asked."""

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

    def __init__(self, **kwargs: Any) -> None:
        self._paused_until: datetime | None = None
        super().__init__(**kwargs)
        self._turns = asyncio.Semaphore(self.refresh_concurrency)
        if not self.enable_auth_state:
            self.log.warning(
                "enable_auth_state is off: nobody is asked about again after a login, and a name that another account "
                "takes is not noticed. It needs a key: set JUPYTERHUB_CRYPT_KEY to what `openssl rand -hex 32` prints."
            )

    @default("enable_auth_state")
    def _enable_auth_state_default(self) -> bool:
        # Only with it can a person be refreshed; it needs a key, which Zero to JupyterHub always gives.
        return "keys" in self.config.CryptKeeper or bool(os.environ.get("JUPYTERHUB_CRYPT_KEY"))

    @default("http_client")
    def _http_client_default(self) -> AsyncHTTPClient:
        # Not the one that everything in the hub shares: it has ten connections, and who waits for one waits in vain.
        return AsyncHTTPClient(force_instance=True, max_clients=10 * self.refresh_concurrency)

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
        away: list[HTTPClientError] = []
        token = _away.set(away)
        known = await user.get_auth_state()
        try:
            async with self._turn():
                if self._paused_until and self.now() < self._paused_until:
                    return await self._hold(user, known, "it could not be asked a moment ago")
                refreshed = await super().refresh_user(user, handler, **kwargs)
        except _Crowded:
            return await self._hold(user, known, "too many others were being asked about")
        except web.HTTPError as error:
            self.log.info("Not admitted any more: %s. %s", user.name[:64], error.log_message)
            return False
        except HTTPClientError:
            refreshed = False
        except TimeoutError:
            away.append(HTTPClientError(599, "no answer in time"))
            refreshed = False
        finally:
            _away.reset(token)
        if away and not isinstance(refreshed, dict):
            if not any(map(is_limit, away)):  # a limit may be that of one person alone
                self._paused_until = self.now() + timedelta(seconds=self.outage_pause)
            return await self._hold(user, known, str(away[0]))
        if not isinstance(refreshed, dict):
            ended = refreshed is False and self._token_has_ended(known)
            return await self._hold(user, known, "the token has ended, and nothing renews it") if ended else refreshed
        if refreshed.get("name", user.name) != user.name:
            # What was decided is of the new name, which may be somebody's whom a rule or a list of admins names.
            self.log.info("%s has another name at the provider by now, and has to log in again.", user.name[:64])
            return False
        if not await self.admits(user.name, refreshed):
            return False
        self._keep_age_of_token(known, refreshed["auth_state"])
        if not refreshed.get("admin"):
            admin = await self.is_admin(handler, {**refreshed, "name": user.name})
            refreshed["admin"] = admin or refreshed.get("admin", admin)
        self.keep_leads_out(user, refreshed)
        return refreshed

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and have it for a bounded time; raises _Crowded if there is none, which is no outage."""
        try:
            await asyncio.wait_for(self._turns.acquire(), self.provider_timeout)
        except TimeoutError:
            raise _Crowded from None
        try:
            async with asyncio.timeout(2 * self.provider_timeout):
                yield
        finally:
            self._turns.release()

    def _token_has_ended(self, known: Any) -> bool:
        """Whether the person's token is older than the provider said it would hold, and there is none to renew it."""
        state = known or {}
        lasts, since = (state.get("token_response") or {}).get("expires_in"), state.get(RECORD, {}).get("token_from")
        if not isinstance(lasts, int) or not since or state.get("refresh_token"):
            return False
        return self.now() - datetime.fromisoformat(since) >= timedelta(seconds=lasts)

    def _keep_age_of_token(self, known: Any, fresh: Any) -> None:
        before = known or {}
        same = (before.get("token_response") or {}).get("access_token") == fresh["token_response"].get("access_token")
        if same and "token_from" in before.get(RECORD, {}):
            fresh[RECORD]["token_from"] = before[RECORD]["token_from"]

    async def fetch(
        self, req: Any, label: str = "fetching", parse_json: bool = True, raise_error: bool = True, **kwargs: Any
    ) -> Any:
        """Ask the provider, within `provider_timeout`; remember if it could not be asked.

        Raises HTTPClientError, with 599 where there is no answer, or none that can be read. The log gets no more than
        the status: an answer may be long, and about a person.
        """
        req.request_timeout = req.connect_timeout = self.provider_timeout
        try:
            answer = await super().fetch(req, label=label, parse_json=False, raise_error=False, **kwargs)
            if not (raise_error and answer.error):
                return json.loads(answer.body or b"null") if parse_json else answer
            failed = HTTPClientError(answer.code, answer.reason, answer)
        except HTTPClientError as error:
            failed = error
        except (OSError, TimeoutError) as error:
            failed = HTTPClientError(599, f"{type(error).__name__}: {error}")
        except ValueError:  # a page for people, as front servers show it when what is behind them is away
            failed = HTTPClientError(599, "the answer is no JSON")
        self.log.warning("%s: %s answered %s", label, req.url.partition("?")[0][:200], failed.code)
        away = _away.get()
        if away is not None and says_nothing_of_the_person(failed):
            away.append(failed)
        raise failed

    async def _hold(self, user: Any, auth_state: Any, why: str) -> Any:
        """What holds while the provider cannot be asked: what it said last, unless that was too long ago."""
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
