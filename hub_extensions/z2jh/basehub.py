"""What the snippets of Python in 2i2c's basehub chart do, as settings and traits, from the same values.

Each function is one feature; docs/basehub.md has the table of snippets.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..additions import entries
from ..findings import Finding, error, warning
from ..login_settings import Staff, listed
from ..mistakes import shown
from ..port_block import NFS
from .basehub_values import BasehubValues, StaffIds
from .dask import dask
from .homepage import homepage
from .parts import Part, Sections
from .stock_classes import our_authenticator, our_spawner
from .values import look_up

# The user as whom the health check of basehub's hubs starts a server.
HEALTH_CHECK = "deployment-service-check"
BINDER_SPAWNER = "binder-kube"
_START_OF_BINDER = 15 * 60  # seconds: images are large, and are pulled to nodes that have to start
_BUILDER = "binder"
_LEDGER = "sqlite:///usage.sqlite"  # beside the hub's own database, on the hub's volume


def parts_of(
    custom: BasehubValues, values: Mapping[str, Any], there: Sections, process: Mapping[str, str]
) -> Iterator[Part]:
    """Everything that the values come to; `there` are the traits that are set: section → trait → value."""
    yield classes(there, custom.binderhub_ui.enabled)
    yield homepage(custom.homepage)
    yield of_admins(custom)
    yield of_people(custom)
    if custom.staff is not None:
        yield staff(custom.staff, there)
        yield Part(
            {"hub": {"service_users": [HEALTH_CHECK]}},
            defaults={"ProfileKubeSpawner": {"blocked_ports": list(NFS), **_network_tools(values)}},
        )
    if custom.auth.anonymize_username:
        yield anonymous_names(there)
    if custom.daskhub_setup.enabled:
        yield dask(values, there, process)
    if custom.binderhub_ui.enabled:
        yield binder(there)
    yield usage(values, there)


def classes(there: Sections, for_binder: bool) -> Part:
    """Our spawner and authenticator where the stock ones are in use; those of an operator stay."""
    jupyterhub = there.get("JupyterHub", {})
    spawner = our_spawner(jupyterhub.get("spawner_class"))
    authenticator = our_authenticator(jupyterhub.get("authenticator_class"))
    if for_binder and spawner:
        spawner = BINDER_SPAWNER
    ours = {"spawner_class": spawner, "authenticator_class": authenticator}
    settings = {"hub": {"config": {"JupyterHub": {name: entry for name, entry in ours.items() if entry}}}}
    return Part(settings, findings=tuple(_unverified(there, authenticator)))


def _unverified(there: Sections, authenticator: str) -> Iterator[Finding]:
    """Addresses as names, from a provider that may not say whether they are verified: such people are refused."""
    if authenticator != "community-oidc":
        return
    claim = there.get("GenericOAuthenticator", {}).get("username_claim")
    trusted = [section.get("trust_email") for section in there.values() if "trust_email" in section]
    if claim == "email" and not any(trusted):
        yield warning(
            "c.GenericOAuthenticator.username_claim",
            "names people by e-mail address: of whom the provider does not say `email_verified: true`, is refused.",
            "If it lets nobody choose an address, set hub.config.CommunityOIDCAuthenticator.trust_email: true.",
        )


def of_admins(custom: BasehubValues) -> Part:
    """Variables, mounts and the service account of admins' servers: `custom.singleuserAdmin`."""
    extras = custom.singleuser_admin.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
    if not any(extras.values()):
        return Part()
    return Part(defaults={"ProfileSpawner": {"admin_extras": {name: entry for name, entry in extras.items() if entry}}})


def of_people(custom: BasehubValues) -> Part:
    """Volumes of a person's own: `custom.singleuser.extraPVCs`."""
    volumes = [volume.model_dump(exclude_defaults=True) for volume in custom.singleuser.extra_pvcs]
    return Part(added={"ProfileKubeSpawner": {"user_volumes": volumes}}) if volumes else Part()


def staff_of(custom: BasehubValues) -> Staff | None:
    """The staff of `custom.2i2c`, for the check of the login."""
    if custom.staff is None or not custom.staff.add_staff_user_ids_to_admin_users:
        return None
    return Staff(custom.staff.add_staff_user_ids_of_type, custom.staff.ids)


def staff(ids: StaffIds, there: Sections) -> Part:
    """Staff as admins, and their team among those who may log in with GitHub."""
    added: dict[str, dict[str, Any]] = {}
    if ids.add_staff_user_ids_to_admin_users:
        names = ids.ids.get(ids.add_staff_user_ids_of_type, ())
        added["Authenticator"] = {"admin_users": set(names)} if names else {}
    if ids.staff_github_team and _uses_github(there):
        added["GitHubOAuthenticator"] = {"allowed_organizations": {ids.staff_github_team}}
    return Part(added=added, findings=tuple(_text_for_a_list(there, added)))


def _text_for_a_list(there: Sections, added: Sections) -> Iterator[Finding]:
    """Text where a list is meant, told before it becomes one by what is added to it."""
    for section, traits in added.items():
        for trait in traits:
            found = there.get(section, {}).get(trait)
            if isinstance(found, str):
                what = f"is text and not a list; it is taken for [{shown(found)}]."
                yield warning(f"c.{section}.{trait}", what, "Write it as a list.")


def _uses_github(there: Sections) -> bool:
    named = there.get("JupyterHub", {}).get("authenticator_class")
    return named == "community-github" or our_authenticator(named) == "community-github"


def _network_tools(values: Mapping[str, Any]) -> dict[str, str]:
    image = look_up(values, "singleuser.networkTools.image", {})
    name, tag = (look_up(image, key, "") for key in ("name", "tag"))
    return {"blocked_ports_image": f"{name}:{tag}"} if name and tag else {}


def anonymous_names(there: Sections) -> Part:
    """Names that do not tell who somebody is: `custom.auth.anonymizeUsername`."""
    named = there.get("JupyterHub", {}).get("authenticator_class")
    path = "custom.auth.anonymizeUsername"
    if not (our_authenticator(named) or str(named).startswith("community-")):
        what = "has no effect: the authenticator of this hub makes no such names."
        return Part(
            findings=(error(path, what, "Log in through CILogon, GitHub, Google, Globus or another provider."),)
        )
    doubt = warning(
        path,
        "makes other names than basehub's snippet did: whoever was here before comes back with a new, empty home.",
        "On a hub that people have used, rename the users and their homes first.",
    )
    # They mean nobody any more: pseudonyms are what lists of names are compared with.
    return Part(defaults={"NamesFromProvider": {"pseudonymous_names": True}}, findings=(doubt,))


def binder(there: Sections) -> Part:
    """Servers of a BinderHub: `custom.binderhubUI.enabled`."""
    findings = []
    profiles = there.get("KubeSpawner", {}).get("profile_list")
    if profiles:
        what = "starts what BinderHub names, which is none of the profiles of this hub: it is refused."
        findings.append(error("custom.binderhubUI.enabled", what, "Remove singleuser.profileList, or switch it off."))
    configured = [there.get(section, {}).get("start_timeout") for section in ("KubeSpawner", "Spawner")]
    longest = max([_START_OF_BINDER, *(value for value in configured if isinstance(value, (int, float)))])
    return Part(defaults={"BinderKubeSpawner": {"start_timeout": longest}}, findings=tuple(findings))


def usage(values: Mapping[str, Any], there: Sections) -> Part:
    """The ledger, quotas and usage pages in the place of jupyterhub-usage-quotas.

    Its service's address and port stay, as the chart's network policies know them; its process is not started.
    """
    services = look_up(values, "hub.services", {})
    named = services if isinstance(services, Mapping) else {}
    found = entries({name: service for name, service in named.items() if isinstance(service, Mapping)})
    theirs = next(filter(_is_usage_quotas, found), None)
    if theirs is None:
        return Part()
    kept = {key: theirs[key] for key in ("name", "api_token", "admin") if key in theirs} | {"display": False}
    ledger = {"database": _LEDGER} | ({"url": theirs["url"]} if theirs.get("url") else {})
    return Part(
        {"usage": ledger},
        {"usage.url": f"hub.services.{theirs.get('name')}.url"},
        services={str(theirs.get("name")): kept},
        findings=tuple(_not_honoured(there)),
    )


def _is_usage_quotas(service: Mapping[str, Any]) -> bool:
    return any("jupyterhub_usage_quotas" in str(word) for word in listed(service.get("command")))


def _not_honoured(there: Sections) -> Iterator[Finding]:
    if there.get("UsageQuotaManager", {}).get("failover_open") is False:
        what = "is not honoured: who cannot be counted just now may start."
        yield warning("c.UsageQuotaManager.failover_open", what, "Remove it.")
    if there.get("UsageViewer", {}).get("footer_note"):
        what = "is not shown on the usage page."
        yield warning("c.UsageViewer.footer_note", what, "Write a link to it as custom.branding.links.")


def building(there: Sections, granted: Collection[str]) -> list[Finding]:
    """Profiles that offer to build images, and nobody with the scope for it; `granted` are scopes of the settings."""
    jupyterhub = there.get("JupyterHub", {})
    builders = [each for each in entries(jupyterhub.get("services") or []) if each.get("name") == _BUILDER]
    offered = any(_is_on(option.get("dynamic_image_building")) for option in _options_in(there))
    roles = entries(jupyterhub.get("load_roles") or [])
    scopes = {str(scope) for role in roles for scope in listed(role.get("scopes"))} | set(granted)
    wanted = f"access:services!service={_BUILDER}"
    if not (offered and builders) or scopes & {wanted, "access:services"}:
        return []
    what = f"offers to build images, but no role has the scope {wanted}, so nobody can."
    return [warning("c.KubeSpawner.profile_list", what, f'Add to custom.grants: {{to: user, scopes: ["{wanted}"]}}.')]


def _options_in(there: Sections) -> Iterator[Mapping[str, Any]]:
    profiles = there.get("KubeSpawner", {}).get("profile_list")
    for profile in profiles.values() if isinstance(profiles, Mapping) else listed(profiles):
        options = profile.get("profile_options") if isinstance(profile, Mapping) else None
        for option in options.values() if isinstance(options, Mapping) else ():
            if isinstance(option, Mapping):
                yield option


def _is_on(switch: Any) -> bool:
    return isinstance(switch, Mapping) and bool(switch.get("enabled"))
