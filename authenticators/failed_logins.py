"""Logins that fail at the provider, or on the way back: people read what to do, the log has why.

Whoever opens an address can write into it what a provider would: none of it is shown, and the log gets a little of it.
"""

import json
import re
from typing import TYPE_CHECKING, Any

from jupyterhub.handlers import BaseHandler
from tornado import web
from tornado.httpclient import HTTPClientError

from .community import CommunityAuthenticator

if TYPE_CHECKING:
    from oauthenticator.oauth2 import OAuthenticator as Base  # what this is put before
else:
    Base = object

# What a provider says of the hub, and not of a person (RFC 6749, 5.2; the last one is GitHub's).
_OF_THE_HUB = {"invalid_client", "unauthorized_client", "incorrect_client_credentials"}
_RATE_LIMIT = re.compile(rb"rate.?limit", re.IGNORECASE)
_LATER = {"temporarily_unavailable", "server_error"}  # RFC 6749, 4.1.2.1


class FailedLogins(CommunityAuthenticator, Base):
    """Tells people what to do when a login fails for another reason than a refusal."""

    def get_handlers(self, app: Any) -> list[Any]:
        """The addresses of the class, where the one to come back to explains why a login failed."""
        return [
            (path, type(handler.__name__, (ExplainingCallback, handler), {}))
            if handler is self.callback_handler
            else (path, handler)
            for path, handler in super().get_handlers(app)
        ]

    async def authenticate(self, handler: Any, data: Any = None, **kwargs: Any) -> Any:
        """Ask the provider who this is; a provider that cannot be asked is not the person's fault."""
        try:
            return await super().authenticate(handler, data, **kwargs)
        except (HTTPClientError, OSError) as error:
            if isinstance(error, HTTPClientError) and not is_outage(error):
                self.log.error("A login failed: %s did not say who it is: %s", self.provider, str(error)[:200])  # noqa: TRY400
                raise self.failed_login(
                    f"{self.login_service} did not tell this hub who you are. Sign in again; if that does not help, "
                    "tell the people who run this hub."
                ) from error
            self.log.warning("A login failed because %s could not be asked: %s", self.provider, error)
            away = web.HTTPError(503, "the login provider could not be asked")
            away.jupyterhub_message = (  # type: ignore[attr-defined]  # JupyterHub's pages show it
                f"{self.login_service} cannot be asked at the moment who you are and what you belong to. Try again in "
                "a few minutes; who is logged in already can go on."
            )
            raise away from error

    async def get_token_info(self, handler: Any, params: Any) -> Any:
        """The answer of the token endpoint; one that gives no token is a failed login, of the hub or of the person."""
        try:
            return await super().get_token_info(handler, params)
        except HTTPClientError as error:
            if is_outage(error):
                raise
            why = error_code(error) or str(error.code)
            is_of_the_hub = says_nothing_of_the_person(error)
        except web.HTTPError as error:
            # GitHub answers 200 and tells in words; OAuthenticator quotes the whole answer where there are none.
            why = str(error.log_message) if error.status_code < 500 else "there is no token in the answer"
            is_of_the_hub = False
        self.log.error(
            "%s gave this hub no token (%s). If nobody can log in, check client_id, client_secret and the callback URL "
            "that is registered there.",
            self.provider,
            why[:200],
        )
        if is_of_the_hub:
            raise self.failed_login(
                f"{self.login_service} does not accept this hub, whose registration there is not right. It is not your "
                "doing: tell the people who run this hub."
            )
        raise self.not_completed()

    def not_completed(self) -> web.HTTPError:
        """The answer to someone whose login the provider did not complete, for their own reasons or for the hub's."""
        return self.failed_login(
            f"{self.login_service} did not complete your login. Sign in again; if that does not help, tell the people "
            f"who run this hub: its registration with {self.login_service} may not be right."
        )

    def failed_login(self, sentence: str) -> web.HTTPError:
        """The answer to someone whose login failed, and who may try again."""
        error = web.HTTPError(403, "login failed: %s", sentence)
        error.jupyterhub_message = sentence  # type: ignore[attr-defined]
        error.another_account_path = self.another_account_path  # type: ignore[attr-defined]
        return error


class ExplainingCallback(BaseHandler):
    """Put this before a provider's callback handler: whoever comes back without a login reads why, and what to do."""

    authenticator: FailedLogins

    async def get(self) -> None:
        """Log in; a page that says why not knows where the person wanted to go."""
        try:
            await super().get()
        except web.HTTPError as error:
            error.next_url = self._wanted()  # type: ignore[attr-defined]
            raise

    def check_arguments(self) -> None:
        """Check what the provider sent; raise a failed login if it is none."""
        error = self.get_argument("error", "")
        if error:
            raise self._explained(error)
        try:
            super().check_arguments()
        except web.HTTPError as wrong:
            self.log.info("A login was not begun in the browser that came back: %s", wrong)
            raise self.authenticator.failed_login(
                "This login was not begun in this browser, or too long ago. Sign in again; your browser must accept "
                "cookies for that."
            ) from None

    def _explained(self, error: str) -> web.HTTPError:
        provider = self.authenticator
        service = provider.login_service
        told = self.get_argument("error_description", "")
        self.log.warning("A login came back from %s with %r: %r", provider.provider, error[:64], told[:200])
        if error == "access_denied":
            return provider.failed_login(
                f"You cancelled the login at {service}, or {service} did not allow it. You can sign in again."
            )
        if error in _LATER:
            return provider.failed_login(f"{service} cannot log you in at the moment. Try again in a few minutes.")
        return provider.not_completed()

    def _wanted(self) -> str:
        """Where the person wanted to go; "" if that is nothing but the usual place."""
        wanted = str(self.get_next_url())
        return "" if wanted == BaseHandler.get_next_url(self) else wanted


def is_outage(error: HTTPClientError) -> bool:
    """Whether an answer says nothing of the person: the provider failed, or has had too many questions."""
    return error.code in (408, 425) or error.code >= 500 or is_limit(error)


def is_limit(error: HTTPClientError) -> bool:
    """Whether the provider has had too many questions, perhaps about one person."""
    if error.code != 403 or not error.response:
        return error.code == 429
    headers = error.response.headers
    limited = headers.get("X-RateLimit-Remaining") == "0" or "Retry-After" in headers
    # GitHub's secondary limits, and Google's, may say so in the answer alone.
    return limited or bool(_RATE_LIMIT.search((error.response.body or b"")[:4096]))


def says_nothing_of_the_person(error: HTTPClientError) -> bool:
    """Whether an answer is about the provider or the hub alone: an outage, or a hub whose secret is not accepted."""
    return is_outage(error) or error_code(error) in _OF_THE_HUB


def error_code(error: HTTPClientError) -> str:
    """The `error` of a token endpoint's answer (RFC 6749, 5.2); "" if there is none."""
    try:
        said = json.loads(error.response.body) if error.response else None
    except ValueError:
        return ""
    code = said.get("error") if isinstance(said, dict) else None
    return code[:64] if isinstance(code, str) else ""
