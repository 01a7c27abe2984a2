"""What a hub's configuration says of its login, as far as it can be told without starting one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import groups as group_names
from .communities import Community
from .membership import Rule

Section = Mapping[str, Any]

# The class of an authenticator tells what people log in with: the name by which a rule's `provider` calls it.
PROVIDERS = {
    "GitHubOAuthenticator": "github",
    "CILogonOAuthenticator": "cilogon",
    "GoogleOAuthenticator": "google",
    "GlobusOAuthenticator": "globus",
    "GenericOAuthenticator": "oidc",
    "DummyAuthenticator": "dummy",
}


@dataclass(frozen=True)
class Staff:
    """People who are made admins wherever they have an account; `kind` says of which list, by its name in `ids`."""

    kind: str
    ids: Mapping[str, Collection[str]]
    path: str = "custom.2i2c.add_staff_user_ids_of_type"

    @property
    def names(self) -> Collection[str]:
        """The names that are added; none if there is no such list."""
        return self.ids.get(self.kind, ())


@dataclass(frozen=True)
class Login:
    """What is configured of a hub's login.

    `sections`: class → trait → value. `classes`: the authenticator's class and all that it is made of, the most
    specific first; of all of them, where people choose among several. `traits`: every name that it can be configured
    with; without them, names are not checked. `profile_groups`: the groups that profiles at
    `profiles_path` are restricted to.
    """

    sections: Mapping[str, Section]
    classes: Sequence[str]
    traits: Collection[str] = ()
    communities: Mapping[str, Community] = field(default_factory=dict)
    admins: tuple[Rule, ...] = ()
    staff: Staff | None = None
    profile_groups: Collection[str] = ()
    profiles_path: str = "profiles"

    @property
    def in_use(self) -> list[tuple[str, Section]]:
        """The sections that hold for this login, the one that wins first."""
        return [(name, self.sections[name]) for name in self.classes if name in self.sections]

    @property
    def providers(self) -> frozenset[str]:
        """What people log in with."""
        return frozenset(PROVIDERS[name] for name in self.classes if name in PROVIDERS)

    @property
    def ours(self) -> bool:
        """Whether the authenticator knows communities."""
        return "CommunityAuthenticator" in self.classes

    @property
    def manages_groups(self) -> bool:
        """Whether a login says which groups a person is in."""
        by_default = self.ours and not self.sections.get("JupyterHub", {}).get("load_groups")
        return bool(self.value("manage_groups", by_default))

    @property
    def idps(self) -> dict[str, Section]:
        """CILogon's identity providers, under either name."""
        found = self.value("idps") or self.value("allowed_idps") or {}
        entries = found.items() if isinstance(found, Mapping) else ()
        return {str(idp): entry for idp, entry in entries if isinstance(entry, Mapping)}

    @property
    def rules(self) -> list[tuple[str, Rule]]:
        """All rules of communities and of admins, with their places."""
        named = self.communities.items()
        placed = [(f"communities.{name}.{place}", rule) for name, each in named for place, rule in each.places()]
        return [*placed, *((f"hub.admins[{index}]", rule) for index, rule in enumerate(self.admins))]

    @property
    def organizations(self) -> frozenset[str]:
        """The GitHub organisations whose teams become groups, in comparable form."""
        named = [*listed(self.value("allowed_organizations")), *listed(self.value("group_organizations"))]
        ruled = [organization for _, rule in self.rules for organization in rule.organizations]
        # With several providers, a group that a profile names may be another provider's.
        if self.ours and "CommunityMultiAuthenticator" not in self.classes:
            named += [group for group in self.profile_groups if ":" in group]
        return group_names.keys([*(str(entry).partition(":")[0] for entry in named), *ruled])

    def places(self, trait: str) -> list[tuple[str, Any]]:
        """What a trait is set to, with its places, the value that wins first."""
        return [(f"c.{name}.{trait}", section[trait]) for name, section in self.in_use if trait in section]

    def value(self, trait: str, default: Any = None) -> Any:
        """What a trait is set to, or the default."""
        return next((value for _, value in self.places(trait)), default)


def listed(value: Any) -> Collection[Any]:
    """The entries of what should be a list, and may be text or nothing."""
    if isinstance(value, str):
        return (value,)
    return value if isinstance(value, (list, tuple, set, frozenset)) else ()
