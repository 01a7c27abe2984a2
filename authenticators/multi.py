"""Several login providers on one hub, each with a button of its own."""

from collections.abc import Mapping
from copy import deepcopy
from html import escape
from importlib.metadata import entry_points
from typing import Annotated, Any

from jupyterhub.auth import Authenticator
from jupyterhub.handlers import LogoutHandler
from jupyterhub.utils import maybe_future, url_path_join
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from tornado import web
from traitlets import Dict, TraitError, Unicode, default, validate
from traitlets.config import Config

from hub_extensions.checked_traits import model_of
from hub_extensions.user_names import look_of

from .community import RECORD, CommunityAuthenticator
from .inviting import INVITATION_PAGE
from .oauth import CommunityOAuthenticator

_GROUP = "jupyterhub.authenticators"


class Provider(BaseModel):
    """One login provider: what logs in there, what its button says, and what its people are called on this hub.

    `authenticator`: an entry point such as community-github; `config`: traits of its class. `prefix` is put before the
    names of its people, by default `NAME:`; one provider may do without, by `prefix: ""`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    authenticator: str
    title: str = ""
    prefix: str | None = None
    config: dict[str, Any] = {}


# A provider's name is a part of addresses and of names: lower-case letters, digits and hyphens.
ProviderName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Providers = Annotated[dict[ProviderName, Provider], Field(min_length=1)]


class Mounted(CommunityOAuthenticator):
    """One of several authenticators: its addresses begin with its name, and its people's names with its prefix."""

    title = Unicode(help="What its button says.")
    prefix = Unicode()
    hub_prefixes = Dict(help="The prefixes of all providers of this hub, by their names.")

    def login_url(self, base_url: str) -> str:
        """Where its button leads."""
        return str(url_path_join(base_url, self.provider, "oauth_login"))

    @property
    def another_account_path(self) -> str:
        """Where someone who was refused can come with another account; below the hub's address."""
        return f"{self.provider}/{super().another_account_path}"

    def get_callback_url(self, handler: Any = None) -> str:
        """Where the provider sends people back to."""
        url = str(super().get_callback_url(handler))
        if self.oauth_callback_url:
            return url
        return str(url_path_join(url.removesuffix("oauth_callback"), self.provider, "oauth_callback"))

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Its addresses, below its name, whose handlers know this authenticator for theirs."""
        return [
            (f"/{self.provider}{path}", _handler_of(self, handler))
            for path, handler in super().get_handlers(app)
            if path not in ("/logout", INVITATION_PAGE[0])
        ]

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """The name on this hub, with the prefix of the provider; never one that another provider could give."""
        name = super().user_info_to_username(user_info)
        if self.pseudonymous_names:
            return name  # it differs by provider as it is
        full = f"{self.prefix}{name}"
        others = [look_of(prefix) for provider, prefix in self.hub_prefixes.items() if provider != self.provider]
        # The hub writes names in lower case, so that prefixes are compared as whole names are.
        mine = look_of(self.prefix)
        if any(look_of(full).startswith(other) and not mine.startswith(other) for other in filter(None, others)):
            raise self.refusal(full, "The name of your account looks like that of an account of another provider.")
        return full


class MultiLogoutHandler(LogoutHandler):
    """Log out of the hub, and where the person's provider is told to, of that as well."""

    async def get(self) -> None:
        """Log out; where the person came from is known only before."""
        self._provider = await self.authenticator.provider_of(self.current_user)
        await super().get()

    async def render_logout_page(self) -> None:
        """Go on to the provider's page, if there is one."""
        url = self._provider.logout_redirect_url if self._provider else ""
        if url:
            self.redirect(url)
            return
        await super().render_logout_page()


class CommunityMultiAuthenticator(CommunityAuthenticator, Authenticator):
    """Several login providers on one hub, each with a button of its own. The entry point is `community-multi`.

    Communities, admins and everything else that is set for `c.CommunityAuthenticator`, or for this class, hold for all
    of them.
    """

    providers = Dict(
        config=True,
        help="""
        The login providers, in the order of their buttons: name → authenticator, title, prefix, config::

            c.CommunityMultiAuthenticator.providers = {
                "github": {"authenticator": "community-github", "title": "GitHub", "prefix": "",
                           "config": {"client_id": "…", "client_secret": "…"}},
                "uni": {"authenticator": "community-oidc", "title": "Example University",
                        "config": {"client_id": "…", "authorize_url": "…", …}},
            }

        Names of people begin with `prefix`, by default the provider's name and a colon, so that nobody is taken for a
        person of another provider; two providers with the same prefix have to be in `shared_user_names`. A provider
        sends people back to `…/hub/NAME/oauth_callback`. What `config` does not set is taken from the configuration of
        the class.
        """,
    )

    provider = Unicode("multi")

    def __init__(self, **kwargs: Any) -> None:
        self._mounted: dict[str, Mounted] = {}
        self._checked_providers: dict[str, Provider] = {}
        super().__init__(**kwargs)
        if not self.providers:
            raise TraitError("community-multi needs CommunityMultiAuthenticator.providers: who can people log in with?")
        if not self.enable_auth_state:
            raise TraitError(
                "community-multi needs enable_auth_state, which keeps what each person has logged in with: without it "
                "nobody could start a server. Remove enable_auth_state: false, or use a single provider."
            )
        prefixes = {name: _prefix_of(name, each) for name, each in self._checked_providers.items()}
        self._refuse_shared_prefixes(prefixes)
        for name, each in self._checked_providers.items():
            self._mounted[name] = self._mount(name, each, prefixes)

    @validate("providers")
    def _check_providers(self, proposal: Any) -> Any:
        self._checked_providers = model_of(Providers, proposal)
        return proposal["value"]

    @default("enable_auth_state")
    def _enable_auth_state_default(self) -> bool:
        # Of whom a session is, and so whom to ask again, is known from auth_state.
        return True

    @default("refresh_pre_spawn")
    def _refresh_pre_spawn_default(self) -> bool:
        return True

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """The addresses of all providers, one to log out, and the page of invitations."""
        mounted = [each for sub in self._mounted.values() for each in sub.get_handlers(app)]
        return [("/logout", MultiLogoutHandler), INVITATION_PAGE, *mounted]

    def get_custom_html(self, base_url: str) -> str:
        """The buttons of the login page; JupyterHub puts `next` in, where the person wants to go."""
        buttons = "".join(_button(sub.title, sub.login_url(base_url)) for sub in self._mounted.values())
        return f'<div class="hub-providers d-grid gap-3 mx-auto">{buttons}</div>'

    async def provider_of(self, user: Any) -> Mounted | None:
        """What a person has logged in with; None if that is not known."""
        auth_state = await user.get_auth_state() if user else None
        return self._mounted.get((auth_state or {}).get(RECORD, {}).get("provider", ""))

    async def authority_on(self, user: Any) -> Mounted | None:
        """The person's own provider."""
        return await self.provider_of(user)

    async def authenticate(self, handler: Any, data: Any) -> None:
        """Nobody logs in here: each provider has its own address."""
        raise web.HTTPError(403, "choose one of the providers on the login page")

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Ask the person's own provider again."""
        if user.name in self.service_users:
            return True
        provider = await self.provider_of(user)
        if provider is None:
            if handler is not None and not hasattr(handler, "_token_authenticated"):
                handler._token_authenticated = False  # JupyterHub 6.1 reads what only a request with a token sets
            return False
        return await provider.refresh_user(user, handler, **kwargs)

    async def pre_spawn_start(self, user: Any, spawner: Any) -> None:
        """Give the person's own provider its say before a server starts."""
        provider = await self.provider_of(user)
        if provider:
            await maybe_future(provider.pre_spawn_start(user, spawner))

    def _mount(self, name: str, settings: Provider, prefixes: Mapping[str, str]) -> Mounted:
        cls = _class_of(name, settings.authenticator)
        # The class keeps its name, so that everything configured for it holds.
        mounted = type(cls.__name__, (Mounted, cls), {})
        config = deepcopy(self.config)
        # People log in with these classes and not with this one: what is set for this one has to reach them.
        ours = config[CommunityMultiAuthenticator.__name__]
        config[Mounted.__name__] = Config({name: ours[name] for name in ours if name != "providers"})
        # A group that a profile names may be one that another provider gives.
        config[cls.__name__].pop("profile_groups", None)
        config[cls.__name__].merge(settings.config)
        try:
            sub: Mounted = mounted(parent=self.parent, config=config, provider=name)
        except TraitError as error:
            raise TraitError(f"providers.{name}.config: {error}") from error
        unknown = sorted(set(settings.config) - set(sub.trait_names(config=True)))
        if unknown:
            raise TraitError(f"providers.{name}.config: {settings.authenticator} has no setting {', '.join(unknown)}.")
        sub.title = sub.login_service = settings.title or sub.login_service
        sub.prefix, sub.hub_prefixes = prefixes[name], dict(prefixes)
        sub._taken, sub._known, sub._owners = self._taken, self._known, self._owners
        sub.enable_auth_state = self.enable_auth_state
        sub.manage_groups = self.manage_groups
        return sub

    def _refuse_shared_prefixes(self, prefixes: Mapping[str, str]) -> None:
        for name, prefix in prefixes.items():
            same = {other for other, others in prefixes.items() if look_of(others) == look_of(prefix)}
            if len(same) > 1 and not same <= self.shared_user_names:
                raise TraitError(
                    f"providers.{name}: {' and '.join(sorted(same))} give people names with the same prefix "
                    f"{prefix!r}, so that two people could be taken for one. Give each its own prefix, or name them in "
                    "shared_user_names if a name means the same person at all of them."
                )


def _prefix_of(name: str, provider: Provider) -> str:
    return f"{name}:" if provider.prefix is None else provider.prefix


def _class_of(name: str, authenticator: str) -> type[CommunityOAuthenticator]:
    found = {point.name: point for point in entry_points(group=_GROUP)}
    cls = found[authenticator].load() if authenticator in found else None
    if isinstance(cls, type) and issubclass(cls, CommunityOAuthenticator):
        return cls
    without_button = ("community-multi", "community-dummy")
    ours = sorted(each for each in found if each.startswith("community-") and each not in without_button)
    raise TraitError(f"providers.{name}.authenticator: expected one of {', '.join(ours)}; found {authenticator!r}.")


def _handler_of(authenticator: Mounted, handler: type) -> type:
    return type(handler.__name__, (handler,), {"authenticator": authenticator})


def _button(title: str, address: str) -> str:
    # JupyterHub takes it for a template: braces in what we put in must not be read as its own.
    words, href = (
        escape(text).replace("{", "&#123;").replace("}", "&#125;") for text in (f"Sign in with {title}", address)
    )
    return f'<a role="button" class="btn btn-jupyter btn-lg" href="{href}?next={{{{ next }}}}">{words}</a>'
