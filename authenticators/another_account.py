"""“Use another account”: out of the hub, and of the provider's own session, so that the provider asks who one is.

A provider that remembers a person sends them back without a word, with the account that was just refused. So it is told
to ask, by `prompt` (OpenID Connect Core, 3.1.2.1), and where it has an address that ends its session and sends people
back, that is where they go first. Of a request only `next` has a part in where anybody is sent: a page of this hub.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from jupyterhub.handlers import BaseHandler, LoginHandler, LogoutHandler
from traitlets import TraitError, Unicode, validate

from hub_extensions.placeholders import Placeholder, check_names, parsed

from .community import CommunityAuthenticator

if TYPE_CHECKING:
    from oauthenticator.oauth2 import OAuthenticator as Base  # what this is put before
else:
    Base = object

PATH = "/another-account"
_RETURN, _CLIENT = "return_url", "client_id"
_COOKIE = "hub-extensions-another-account"
_NOWHERE = b"-"  # the cookie of someone who did not want to go to a certain page
_SECONDS = 600  # for so long the provider is told to ask: enough to read a page and to go back and forth


def check_logout_url(template: str) -> None:
    """Raise ValueError, with a sentence for the operator, for what is no address or has an unknown placeholder."""
    if not template:
        return
    check_names(template, [_RETURN, _CLIENT])
    if urlsplit(template).scheme not in {"https", "http"} or not urlsplit(template).hostname:
        raise ValueError("expected an address that begins with https://")


def returns(template: str) -> bool:
    """Whether the provider sends people back from there."""
    return any(isinstance(part, Placeholder) and part.name == _RETURN for part in parsed(template))


def logout_url(template: str, *, return_url: str, client_id: str) -> str:
    """The address with its placeholders filled in, percent-encoded."""
    values = {_RETURN: return_url, _CLIENT: client_id}
    return "".join(part if isinstance(part, str) else quote(values[part.name], safe="") for part in parsed(template))


def with_prompt(prompt: str, asked: str) -> str:
    """A `prompt` that asks for more; `none` allows nothing beside it."""
    both = [*(each for each in prompt.split() if each != "none"), *asked.split()]
    return " ".join(dict.fromkeys(both))


def handlers_of(authenticator: "AnotherAccount", stock: Iterable[Any]) -> list[Any]:
    """The handlers of OAuthenticator, with one more, and a login that tells the provider to ask after that."""
    handlers = []
    for path, handler in stock:
        if handler is authenticator.login_handler:
            handlers.append((path, type(handler.__name__, (AskingLogin, handler), {})))
        elif issubclass(handler, authenticator.callback_handler):
            handlers.append((path, type(handler.__name__, (OnwardCallback, handler), {})))
        else:
            handlers.append((path, handler))
    bases = (AnotherAccountHandler, authenticator.logout_handler, LoginHandler)
    return [*handlers, (PATH, type("AnotherAccountHandler", bases, {"authenticator": authenticator}))]


class AnotherAccount(CommunityAuthenticator, Base):
    """Lets a person who was refused come with another account."""

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

    @validate("provider_logout_url")
    def _check_logout_url(self, proposal: Any) -> Any:
        try:
            check_logout_url(proposal["value"])
        except ValueError as error:
            raise TraitError(f"provider_logout_url: {error}") from None
        return proposal["value"]

    @property
    def another_account_path(self) -> str:
        """Where someone who was refused can come with another account; below the hub's address."""
        return PATH.lstrip("/")

    def get_handlers(self, app: Any) -> list[Any]:
        """The addresses of the class, and one to use another account."""
        return handlers_of(self, super().get_handlers(app))


class AskingLogin(BaseHandler):
    """Put this before a provider's login handler: whoever asked for another account is asked by the provider."""

    def authorize_redirect(self, *args: Any, **kwargs: Any) -> None:
        """Send the person to the provider."""
        if self.get_cookie(_COOKIE) and self.authenticator.another_account_prompt:
            parameters = kwargs.setdefault("extra_params", {})
            parameters["prompt"] = with_prompt(parameters.get("prompt", ""), self.authenticator.another_account_prompt)
        super().authorize_redirect(*args, **kwargs)


class OnwardCallback(BaseHandler):
    """Put this before a provider's callback handler: also by way of another account people get where they wanted."""

    def get_next_url(self, user: Any = None) -> str:
        """Where to go on to: where this login began, or else where the first one did."""
        found = str(super().get_next_url(user))
        carried = self.get_secure_cookie(_COOKIE, max_age_days=_SECONDS / 86400)
        if user is not None:  # they are in
            self.clear_cookie(_COOKIE, path=self.hub.base_url)
        if not carried or found != BaseHandler.get_next_url(self, user):
            return found
        return carried.decode() if carried != _NOWHERE else found


class AnotherAccountHandler(BaseHandler):
    """Put this before a provider's logout handler and the login page, and make the provider its `authenticator`."""

    SUPPORTED_METHODS = ("GET",)
    authenticator: Any

    async def get(self) -> None:
        """Log out of the hub as the provider's authenticator does it."""
        await LogoutHandler.get(self)

    async def render_logout_page(self) -> None:
        """Go on to the provider, if it sends people back, and else to the login page."""
        provider = self.authenticator
        self.authenticator = self.settings["authenticator"]  # the login page is the hub's, with all of its providers
        self.clear_login_cookie()  # also one that means nobody any more
        # A provider that sends people back sends them to one address, which cannot say where they want to go.
        self.set_secure_cookie(
            _COOKIE,
            self.get_next_url() if self.get_argument("next", "") else _NOWHERE,
            path=self.hub.base_url,
            expires_days=_SECONDS / 86400,
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
        )
        url = self._logout_url(provider)
        if url and (not provider.provider_logout_url or returns(provider.provider_logout_url)):
            self.redirect(url)
            return
        self._service, self._leave = provider.login_service, url
        await LoginHandler.get(self)

    def render_template(self, name: str, **variables: Any) -> Any:
        """Render the login page with what was just done."""
        return super().render_template(
            name,
            signed_out={"service": getattr(self, "_service", ""), "url": getattr(self, "_leave", "")},
            **variables,
        )

    def _logout_url(self, provider: "AnotherAccount") -> str:
        if not provider.provider_logout_url:
            return str(provider.logout_redirect_url)
        callback = urlsplit(provider.get_callback_url(self))
        return logout_url(
            provider.provider_logout_url,
            return_url=f"{callback.scheme}://{callback.netloc}{self.hub.base_url}login",
            client_id=provider.client_id,
        )
