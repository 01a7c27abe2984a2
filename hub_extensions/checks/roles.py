"""Roles, scopes and services: what JupyterHub refuses, and what people or services can no longer do."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub.roles import get_default_roles
from jupyterhub.scopes import scope_definitions

from ..additions import listed, sections
from ..findings import Finding, error, errors, inside, warning
from ..login_settings import listed as as_list
from ..mistakes import did_you_mean, nearest, shown
from ..planned_hub import PlannedHub
from ..roles import scope_mistakes
from ..z2jh import hub_config
from ..z2jh.basehub import building

_ROLE_NAME = re.compile(r"[a-z][a-z0-9\-_~.]{1,253}[a-z0-9]")
_ACTIVITY = {"self", "inherit", "users:activity", "users:activity!user", "users", "users!user"}


@dataclass(frozen=True)
class _Written:
    """Roles and services as the operator wrote them, before anything is added; both by their place."""

    roles: Mapping[str, Mapping[str, Any]]
    services: Mapping[str, Mapping[str, Any]]
    mend: str

    @property
    def of_people(self) -> list[Mapping[str, Any]]:
        """Roles that people other than administrators have."""
        return [
            role
            for role in self.roles.values()
            if role.get("name") == "user" or (role.get("name") != "admin" and (role.get("groups") or role.get("users")))
        ]

    @property
    def user(self) -> Sequence[str]:
        """The scopes of ordinary people."""
        named = {str(role.get("name")): role for role in (*get_default_roles(), *self.roles.values())}
        return [str(scope) for scope in as_list(named["user"].get("scopes"))]


def check_roles(hub: PlannedHub) -> Iterator[Finding]:
    """Everything that is wrong or doubtful in roles and in who may reach services."""
    written = _written(hub)
    defined = {str(service.get("name")) for service in listed(hub.config, "services")}
    defined |= {str(service.get("name")) for service in written.services.values()}
    custom = hub.config.JupyterHub.get("custom_scopes", {})
    known = {*scope_definitions, *(custom if isinstance(custom, Mapping) else ())}
    for place, role in written.roles.items():
        yield from _role(place, role, known, defined)
    yield from _names(written)
    yield from _restated(written)
    yield from _closed_services(written, hub)
    if hub.values is None:
        yield from building(sections(hub.config), ())


def _written(hub: PlannedHub) -> _Written:
    if hub.values is None:
        roles = {f"c.JupyterHub.load_roles[{i}]": role for i, role in enumerate(listed(hub.config, "load_roles"))}
        services = {f"c.JupyterHub.services[{i}]": each for i, each in enumerate(listed(hub.config, "services"))}
        return _Written(roles, services, "a role of c.JupyterHub.load_roles")
    try:
        c = hub_config(hub.values)
    except ValueError:  # it is among the findings already
        return _Written({}, {}, "")
    roles = {inside("hub.loadRoles", str(role.get("name"))): role for role in listed(c, "load_roles")}
    services = {inside("hub.services", str(service.get("name"))): service for service in listed(c, "services")}
    return _Written(roles, services, "hub.loadRoles.user.scopes, or to custom.grants")


def _role(place: str, role: Mapping[str, Any], known: Collection[str], services: Collection[str]) -> Iterator[Finding]:
    for index, scope in enumerate(as_list(role.get("scopes"))):
        path = inside(place, "scopes", index)
        yield from errors(scope_mistakes(path, str(scope), known))
        if str(scope).startswith("custom:") and str(scope).partition("!")[0] not in known:
            advice = "Define it in custom_scopes, or correct it."
            yield error(path, f"there is no scope {shown(scope)}.", advice)
        named = str(scope).partition("!service=")[2]
        guess = nearest(named, services) if named and named not in services else None
        if guess:
            what, why = f"there is no service {shown(named)}.", "Nobody can do anything by this scope."
            yield warning(path, what, f"Did you mean {guess!r}?", why)
    for index, name in enumerate(map(str, as_list(role.get("services")))):
        if name not in services:
            what, advice = f"there is no service {shown(name)}.", did_you_mean(str(name), services)
            yield error(inside(place, "services", index), what, advice)
    default = next(each for each in get_default_roles() if each["name"] == "admin")
    if role.get("name") == "admin" and any(
        key in role and role[key] != default[key] for key in ("scopes", "description")
    ):
        yield error(place, "JupyterHub lets nobody change the role admin.", "Write a role of your own.")


def _names(written: _Written) -> Iterator[Finding]:
    """Names that JupyterHub refuses, or that two roles or two services have."""
    for found, kind in ((written.roles, "role"), (written.services, "service")):
        names = [str(entry.get("name", "")) for entry in found.values()]
        for index, (place, name) in enumerate(zip(found, names, strict=True)):
            if name in names[:index]:
                yield error(
                    place, f"there is another {kind} {shown(name)}.", "Keep one of them, with all that it needs."
                )
            elif kind == "role" and not _ROLE_NAME.fullmatch(name):
                advice = "Write a-z, 0-9 and - _ ~ ., a letter first, a letter or digit last, at least 3 of them."
                yield error(place, f"{shown(name)} is no name of a role.", advice)


def _restated(written: _Written) -> Iterator[Finding]:
    """Scopes of JupyterHub's own roles that were lost when they were written anew."""
    for place, role in written.roles.items():
        scopes = {str(scope) for scope in as_list(role.get("scopes"))}
        if role.get("scopes") is None:
            continue
        if role.get("name") == "user" and not scopes & {"self", "inherit"}:
            why = "What is written replaces the scopes that JupyterHub gives people: they cannot use their own servers."
            yield warning(inside(place, "scopes"), "does not have the scope self.", "Add self.", why)
        if role.get("name") == "server" and not scopes & _ACTIVITY:
            why = "Servers cannot tell the hub that somebody works in them, and are stopped as idle."
            advice = "Add users:activity!user."
            yield warning(inside(place, "scopes"), "does not have the scope users:activity!user.", advice, why)


def _closed_services(written: _Written, hub: PlannedHub) -> Iterator[Finding]:
    """Services with a page for people that no role opens to them."""
    open_to = {str(scope) for role in written.of_people for scope in as_list(role.get("scopes"))} | set(written.user)
    open_to |= {scope for grant in (hub.settings.grants if hub.settings else ()) for scope in grant.scopes}
    open_to |= {str(scope) for scope in as_list(hub.config.JupyterHub.get("extra_user_scopes"))}
    if "access:services" in open_to:
        return
    for place, service in written.services.items():
        name = service.get("name")
        wanted = f"access:services!service={name}"
        if not service.get("url") or service.get("display", True) is False or wanted in open_to:
            continue
        restates = any(role.get("name") == "user" and role.get("scopes") for role in written.roles.values())
        why = "People do not see it in the menu, and are refused at its address."
        if restates:
            why += " What is written for the role user replaces what was written for it before."
        advice = f"Add {wanted} to {written.mend}."
        yield warning(place, f"is open to nobody but administrators: no role of people has {wanted}.", advice, why)
