"""A person's pod, as the spawner of a configuration would ask Kubernetes for it; nothing is started or contacted."""

import asyncio
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyterhub.utils import maybe_future
from traitlets.config import Config

from . import catalogue
from .additions import sections
from .catalogue_check import read_checked
from .login_settings import listed
from .spawner_traits import class_of, traits_of
from .z2jh.stock_classes import our_spawner

SPAWNER = "profile-kube"
# What a hub makes anew at each start; a fixed word in its place keeps the result the same from run to run.
API_TOKEN = "made-at-each-start"  # noqa: S105 - a placeholder


class RenderingError(Exception):
    """There is no pod for this request; the text says why, to whoever asked."""


class UnknownProfileError(RenderingError):
    """The profile that was asked for is in no catalogue; `known` are the slugs that are."""

    def __init__(self, slug: str, known: Sequence[str]):
        self.slug = slug
        self.known = tuple(known)
        super().__init__(f"There is no profile {slug!r}.")


@dataclass(frozen=True)
class Group:
    """A group as a spawner sees it on its user."""

    name: str


class Person:
    """A user as a spawner sees one: a name, groups, and the addresses that follow from the name."""

    id = 1
    admin = False

    def __init__(self, name: str, groups: Sequence[str], base_url: str, db: Any):
        self.name = name
        self.db = db
        self.groups = [Group(group) for group in groups]
        self.escaped_name = quote(name, safe="@~")
        self.url = self.base_url = f"{base_url}user/{self.escaped_name}/"
        self.settings: dict[str, Any] = {}


async def pod_manifest(
    config: Config,
    user: str,
    groups: Sequence[str] = (),
    options: Mapping[str, str] | None = None,
    server: str = "",
) -> dict[str, Any]:
    """The manifest of the pod that this person gets, as plain data for JSON or YAML.

    `options` are those of a start: `profile` is a slug; the name of an option goes with the key of a choice, or with
    the suffix `--unlisted-choice` with what is written in. None ask for the person's default profile. `server` is the
    name of one of several servers.

    Raises RenderingError with the sentence that the person would read, UnknownProfileError for a slug that nobody has,
    and traitlets.TraitError or ValueError where the spawner cannot take its configuration.
    """
    options = dict(options or {})
    # Nothing is started, so there is nothing to count; the ledger may be a file of a hub that runs.
    config = Config({name: section for name, section in config.items() if name != "UsageLedger"})
    profiles = config.KubeSpawner.get("profile_list")
    if isinstance(profiles, (list, dict)):
        with no_cluster():
            # The spawner checks it too, and knows only the name of its trait.
            read_checked(profiles, "singleuser.profileList", traits_of(SPAWNER))
    try:
        spawner = _spawner(config, user, groups, server)
        _check_profile(spawner.profile_list, options.get("profile"))
        return await _made_by(spawner, options)
    except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
        # KubeSpawner trusts what it is given, and stumbles over a field that does not exist or a list that is none.
        raise RenderingError(f"KubeSpawner cannot make a pod of these values: {error!r}.") from error


async def _made_by(spawner: Any, options: dict[str, str]) -> dict[str, Any]:
    """The manifest that a spawner makes of a start with these options, by the steps of a hub."""
    from tornado.web import HTTPError

    # The task that closes KubeSpawner's client must have begun, to be ended with the loop.
    await asyncio.sleep(0)
    if spawner.has_trait("auth_enabled"):
        # A BinderHub names the image that it has built, and a token of its own; here it is the image of the settings.
        options = {"image": spawner.image, "token": API_TOKEN, **options}
    spawner.user_options = options
    await spawner.apply_group_overrides()
    try:
        await spawner._run_apply_user_options(options)
        await spawner.load_user_options()
        pod = await spawner.get_pod_manifest()
    except HTTPError as error:
        raise RenderingError(f"{spawner.user.name} is refused, and reads: {_reason(error)}") from error
    plain: dict[str, Any] = spawner.api.api_client.sanitize_for_serialization(pod)
    return plain


def spawner_of(config: Config, user: str, groups: Sequence[str] = (), server: str = "") -> Any:
    """A spawner of somebody, as a hub with this configuration would make it; raises as `pod_manifest` does."""
    return _spawner(config, user, groups, server)


async def profiles_of(config: Config, user: str) -> Sequence[catalogue.Profile]:
    """The profiles that a hub with this configuration has; those of a function are those that it lists for this person.

    Raises as `pod_manifest` does.
    """
    spawner = _spawner(config, user, (), "")
    await asyncio.sleep(0)  # see `_made_by`
    profiles = spawner.profile_list
    if callable(profiles):
        profiles = await maybe_future(profiles(spawner))
    return catalogue.read(profiles or []).profiles


def _spawner(config: Config, user: str, groups: Sequence[str], server: str) -> Any:
    """The spawner of one server, in the state in which a hub starts it."""
    from jupyterhub import orm
    from jupyterhub.objects import Hub
    from sqlalchemy.orm import Session

    base_url = f"/{str(config.JupyterHub.get('base_url', '/')).strip('/')}/".replace("//", "/")
    if server and not config.JupyterHub.get("allow_named_servers", False):
        raise RenderingError(
            f"This hub has no named servers, so there is no server {server!r} (hub.allowNamedServers)."
        )
    person = Person(user, groups, base_url, Session())
    person.admin = _is_admin(config, user)
    address = f"{person.url}{quote(server, safe='@~')}/" if server else person.url
    client = f"jupyterhub-user-{quote(user)}" + (f"-{quote(server)}" if server else "")
    hub = Hub(bind_url="http://:8081", base_url=f"{base_url}hub/")
    hub.connect_url = config.JupyterHub.get("hub_connect_url", "http://hub:8081")
    with no_cluster():
        return _spawner_class(config)(
            _mock=True,  # KubeSpawner's word for: there is no cluster to watch
            config=config,
            user=person,
            hub=hub,
            db=person.db,
            orm_spawner=orm.Spawner(
                name=server, server=orm.Server(proto="http", ip="", port=0, base_url=address, cookie_name="")
            ),
            oauth_client_id=client,
            api_token=API_TOKEN,
            log=_silent(),
        )


def _is_admin(config: Config, user: str) -> bool:
    """Whether the hub's configuration names somebody who runs it."""
    named = [name for section in sections(config).values() for name in listed(section.get("admin_users"))]
    rules = listed(config.CommunityAuthenticator.get("admins"))
    named += [name for rule in rules if set(rule) == {"users"} for name in rule["users"]]
    return user.lower() in map(str.lower, map(str, named))


def _spawner_class(config: Config) -> Any:
    """Our spawner of pods that the hub has, or would have in the place of KubeSpawner."""
    named = config.JupyterHub.get("spawner_class")
    cls = class_of(our_spawner(named) or named) if named else None
    bases = {base.__name__ for base in cls.__mro__} if cls else {"KubeSpawner"}
    if "KubeSpawner" not in bases:
        raise RenderingError(f"The servers of this hub are no pods: {str(named)[:64]} starts them.")
    if "ProfileSpawner" in bases:
        return cls
    found = entry_points(group="jupyterhub.spawners", name=SPAWNER)
    try:
        return next(iter(found)).load()
    except StopIteration:
        raise RenderingError(f"The spawner {SPAWNER} is not installed. Install hub-extensions again.") from None
    except ModuleNotFoundError as error:
        raise RenderingError(f"{error.name} is missing. Install it with: pip install 'hub-extensions[kube]'") from error


@contextmanager
def no_cluster() -> Iterator[None]:
    """Let a spawner be made on a machine that knows no cluster, and leave alone the one that it may know.

    KubeSpawner reads the address of its cluster when it is made. It fails without any, and runs the login program that
    the file of a cluster may name. Which file that is, kubernetes_asyncio takes from KUBECONFIG when first imported.
    """
    before = os.environ.get("KUBECONFIG")
    os.environ["KUBECONFIG"] = str(Path(__file__).with_name("no-cluster.yaml"))
    try:
        yield
    finally:
        del os.environ["KUBECONFIG"]
        if before is not None:
            os.environ["KUBECONFIG"] = before


def _check_profile(profile_list: Any, slug: str | None) -> None:
    """Tell a slug that does not exist, which is a slip of whoever asks, from one that is not for this person."""
    if callable(profile_list):
        return
    known = [profile.name for profile in catalogue.read(profile_list or [], "singleuser.profileList").profiles]
    if slug is not None and slug not in known:
        raise UnknownProfileError(slug, known)


def _reason(error: Any) -> str:
    """Why a start was refused: the sentence for the person, and for a mistake in the settings also what it is."""
    sentence = getattr(error, "jupyterhub_message", "")
    # JupyterHub turns anything that goes wrong into "Invalid user options", which tells an operator nothing.
    cause = error.__cause__ or error.__context__
    if cause is not None:
        return f"{sentence} {cause}".strip()
    return sentence or error.log_message or str(error)


def _silent() -> logging.Logger:
    """A log for nobody: whoever renders a pod reads the reason of a refusal, not a trace of it."""
    log = logging.getLogger(__name__)
    log.setLevel(logging.CRITICAL + 1)
    return log
