"""The login that a hub's configuration and settings describe, for its check: classes are looked at, none is started."""

from collections.abc import Mapping
from typing import Any

from traitlets import HasTraits
from traitlets.config import Config

from .additions import sections as configured
from .login_settings import Login
from .settings import Settings
from .spawner_traits import class_of


def login_of(c: Config, settings: Settings, profiles: Any = ()) -> Login:
    """What is configured of the login once the settings are laid over what is there.

    Without classes if the authenticator is not named (yet) or cannot be imported, which JupyterHub reports better.
    """
    sections = configured(c)
    for name, section in settings.hub.config.items():
        sections[name] = {**sections.get(name, {}), **section}
    classes = _classes(sections)
    return Login(
        sections,
        classes=list(dict.fromkeys(base.__name__ for cls in classes for base in cls.__mro__)),
        traits={name for cls in classes for name in cls.class_trait_names(config=True)},
        communities=settings.communities,
        admins=settings.hub.admins,
        profile_groups=_groups_in(profiles),
    )


def _classes(sections: dict[str, dict[str, Any]]) -> list[type[HasTraits]]:
    """The authenticator's class, and those of the providers that it puts on one page; what is set for these is merged.

    A provider's own configuration is put into the section of its class.
    """
    cls = class_of(sections.get("JupyterHub", {}).get("authenticator_class"), "jupyterhub.authenticators")
    if cls is None:
        return []
    found = [cls]
    providers = sections.get(cls.__name__, {}).get("providers")
    for provider in providers.values() if isinstance(providers, Mapping) else ():
        inner = class_of(provider.get("authenticator"), "jupyterhub.authenticators")
        if inner is not None:
            sections[inner.__name__] = {**sections.get(inner.__name__, {}), **provider.get("config", {})}
            found.append(inner)
    return found


def _groups_in(part: Any) -> frozenset[str]:
    """Every group that is named anywhere in a list of profiles."""
    if isinstance(part, list):
        return frozenset().union(*map(_groups_in, part))
    if not isinstance(part, Mapping):
        return frozenset()
    named = part.get("allowed_groups")
    return frozenset(map(str, named if isinstance(named, list) else ())) | _groups_in(list(part.values()))
