"""What a hub will have once settings are laid over its configuration, and what is wrong or doubtful in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jupyterhub.roles import get_default_roles
from jupyterhub.scopes import scope_definitions
from traitlets.config import Config

from . import idle_service, named_profiles, usage_quota_policy
from .additions import entries, listed
from .catalogue_check import check_building, check_list
from .configured_login import login_of
from .findings import Finding, errors, warning
from .login_check import check as check_login
from .login_settings import Staff
from .mistakes import Mistake, SettingsError, shown
from .node_sizes import expand
from .roles import grant_mistakes, leads_roles
from .settings import Settings, today
from .spawner_traits import class_of, traits_of


@dataclass(frozen=True)
class InUse:
    """What the hub will have, and what is doubtful in it.

    `section` is the class for which the profiles are configured, "" where the settings have them.
    """

    doubts: Sequence[Finding]
    section: str
    profiles: Any
    quotas: Sequence[Mapping[str, Any]]


def check(c: Config, settings: Settings, staff: Staff | None = None) -> InUse:
    """What the hub will have; raises SettingsError with everything that is wrong in it.

    `staff` are the people whom a chart makes admins of each of its hubs.
    """
    found = [*settings.doubts, *_check_grants(c, settings)]
    section, named, counted = "", None, []
    try:
        section, named = _profiles(c, settings)
        found += _check_profiles(c, settings, section, named)
        found += [] if named is None else named_profiles.unknown(settings, named)
    except SettingsError as mistaken:
        found += errors(mistaken.mistakes)
    try:
        counted = _quotas(c, settings)
    except SettingsError as mistaken:
        found += errors(mistaken.mistakes)
    found += _check_cullers(c, settings)
    path = f"c.{section}.profile_list" if section else "profiles"
    found += check_login(replace(login_of(c, settings, named), staff=staff, profiles_path=path))
    mistakes = [finding for finding in found if finding.severity == "error"]
    if mistakes:
        raise SettingsError(mistakes, doubts=[finding for finding in found if finding.severity == "warning"])
    return InUse(found, section, named, counted)


def _check_profiles(c: Config, settings: Settings, section: str, found: Any) -> list[Finding]:
    """What is wrong or doubtful in profiles; those of the settings have been checked with the settings."""
    path = f"c.{section}.profile_list" if section else "profiles"
    spawner = _spawner_class(c, settings)
    findings = check_list(found, path, traits_of(spawner), today(settings)) if section else []
    if settings.profiles and not _offers_profiles(class_of(spawner)):
        advice = "Set c.JupyterHub.spawner_class to profile-kube or profile-local, before configure is called."
        findings.append(
            warning(path, f"do nothing with {spawner or 'the spawner that JupyterHub has by default'}.", advice)
        )
    builder = _configured(c, settings, "ProfileSpawner", "binder_service") or "binder"
    if found is not None and not any(service.get("name") == builder for service in listed(c, "services")):
        findings += check_building(found, path, builder)
    return findings


def _check_cullers(c: Config, settings: Settings) -> list[Finding]:
    """Cullers beside the one of the settings."""
    if not settings.idle.is_set:
        return []
    given = settings.hub.config.get("JupyterHub", {}).get("services")
    return [
        warning(
            f"c.JupyterHub.services[{shown(name)}]",
            "is replaced by the culler of `idle`, which has this name."
            if name == idle_service.CULLER
            else "stops idle servers too: a server is stopped by whichever culler comes first.",
            "Take it away, or leave out `idle`. Under Zero to JupyterHub it is `cull.enabled: false` that does.",
        )
        for name in idle_service.others(listed(c, "services") if given is None else entries(given))
    ]


def _check_grants(c: Config, settings: Settings) -> list[Finding]:
    """Grants of a role or a scope that the hub will not have."""
    given = settings.hub.config.get("JupyterHub", {}).get("load_roles")
    roles = [
        *get_default_roles(),
        *(listed(c, "load_roles") if given is None else entries(given)),
        *leads_roles(settings.communities),
    ]
    mistakes = grant_mistakes(settings.grants, [str(role.get("name")) for role in roles], scope_definitions)
    return errors(mistakes)


def _profiles(c: Config, settings: Settings) -> tuple[str, Any]:
    """The profiles that the hub will have, and the class for which they are configured; "" for those of the settings.

    Zero to JupyterHub sets `singleuser.profileList` for KubeSpawner. The most specific class counts, and only a spawner
    of ours: others have other grammars. Raises SettingsError where a size is named that there is not.
    """
    if settings.profiles:
        return "", settings.profiles
    cls = class_of(_spawner_class(c, settings))
    for name in [base.__name__ for base in cls.__mro__] if cls and _offers_profiles(cls) else ():
        found = _configured(c, settings, name, "profile_list")
        if isinstance(found, (list, dict)):
            found, mistakes = expand(found, settings.sizes, f"c.{name}.profile_list")
            if mistakes:
                raise SettingsError(mistakes, f"c.{name}.profile_list")
            return name, found
    return "", None


def _offers_profiles(cls: type | None) -> bool:
    return cls is not None and "ProfileSpawner" in [base.__name__ for base in cls.__mro__]


def _spawner_class(c: Config, settings: Settings) -> Any:
    """What spawns servers: a class, its name or its entry point; None if that is not set."""
    return _configured(c, settings, "JupyterHub", "spawner_class")


def _configured(c: Config, settings: Settings, section: str, trait: str) -> Any:
    """What a trait is configured with once the settings are laid over what is there; None if it is not."""
    there = c[section].get(trait) if section in c else None
    return settings.hub.config.get(section, {}).get(trait, there)


def _quotas(c: Config, settings: Settings) -> list[dict[str, Any]]:
    """The quotas of the settings, or else the policies that are configured for jupyterhub-usage-quotas.

    Raises SettingsError where policies have mistakes, and where quotas are set that nothing counts.
    """
    counted = settings.usage.database or _configured(c, settings, "UsageLedger", "database")
    if settings.quotas:
        if not counted:
            raise SettingsError([Mistake("quotas", "are counted from the usage ledger.", "Set usage.database.")])
        return [quota.model_dump(mode="json", exclude_defaults=True) for quota in settings.quotas]
    section = usage_quota_policy.SECTION
    policy = _configured(c, settings, section, "policy")
    # Without a ledger they stay with the package that they were written for.
    if not policy or not counted:
        return []
    return usage_quota_policy.quotas_of(policy, _configured(c, settings, section, "scope_fallback_strategy"))
