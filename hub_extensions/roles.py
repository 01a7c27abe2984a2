"""Roles: what the leads of a community may do, and what operators grant besides.

The scopes of a lead end in `!group=NAME`, so that they hold for the people of that group and for nobody else. They are
the narrowest that JupyterHub has, and some of them give a little more than their purpose:

- `list:users` shows, beside names, who is an administrator, and from JupyterHub 6 on `user_info`, which authenticators
  may fill. It shows no groups, no roles and no auth state.
- `read:servers` shows with a server what its owner chose on the start page, and its progress.
- `delete:servers` also deletes named servers of members: with `{"remove": true}`, and with them what a spawner removes
  then, such as a volume of that server alone. The default server can only be stopped.
- JupyterHub 5 has no scope for starting alone: `servers` it is, which on 6 also creates and renames named servers.
- A scope asks who owns a server, not for which community it was started: leads see all servers of their members, also
  of those who belong to other communities, and stop those of administrators who are members.
- Whoever may access a server has all that is in it: the files, and what the server itself may do. A lead who could
  access the server of an administrator could come to act as that administrator; hence `leads_may_access_servers` is
  about the people of the group `NAME:accessible`, in which no administrator is.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from escapism import escape

from .communities import Community, accessible_group, leads_group
from .mistakes import Mistake, did_you_mean, shown

_LEADS = ("list:users", "read:users:activity", "read:servers", "delete:servers")
_LEADS_WITH_ACCESS = ("servers", "access:servers")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_OWN = frozenset({"user", "service", "server"})  # filters that need no value: those of whoever holds the scope
_FILTERS = frozenset({"user", "group", "service", "server"})


class Grant(Protocol):
    """Scopes for whoever holds a role."""

    @property
    def to(self) -> str:
        """The role's name."""

    @property
    def scopes(self) -> Sequence[str]:
        """The scopes that are added to it."""


def leads_roles(communities: Mapping[str, Community], also: Collection[str] = ()) -> list[dict[str, Any]]:
    """The role of the leads of each community, as `JupyterHub.load_roles` has them.

    `also`: scopes without a filter that leads have for their community besides; JupyterHub must know them. The hub
    makes the groups of leads that do not exist yet, also where the authenticator manages groups.
    """
    return [_leads_role(name, community, also) for name, community in communities.items()]


def _leads_role(name: str, community: Community, also: Iterable[str]) -> dict[str, Any]:
    scopes = [f"{scope}!group={name}" for scope in (*_LEADS, *also)]
    if community.leads_may_access_servers:
        scopes += [f"{scope}!group={accessible_group(name)}" for scope in _LEADS_WITH_ACCESS]
    return {
        "name": role_name(name),
        "description": f"Lead the community {name}"[:255],
        "scopes": scopes,
        "groups": [leads_group(name)],
    }


def role_name(community: str) -> str:
    """The name of the role of a community's leads.

    JupyterHub allows a-z, 0-9 and `-_~.`, a letter first, a letter or digit last, 255 characters in all.
    """
    return f"community-{escape(community.casefold(), safe=_PLAIN, escape_char='~').lower()}-leads"


def grant_mistakes(grants: Sequence[Grant], roles: Collection[str], scopes: Collection[str]) -> Iterator[Mistake]:
    """What is wrong with grants; `roles` and `scopes` are the names that the hub knows."""
    for index, grant in enumerate(grants):
        place = f"grants[{index}].to"
        if grant.to == "admin":
            yield Mistake(place, "JupyterHub lets nobody change the role admin.", "Grant to a role of your own.")
        elif grant.to not in roles:
            advice = f"{did_you_mean(grant.to, roles)} Others must be in JupyterHub.load_roles before this call."
            yield Mistake(place, f"there is no role {shown(grant.to)}.", advice.strip())
        for number, scope in enumerate(grant.scopes):
            yield from scope_mistakes(f"grants[{index}].scopes[{number}]", scope, scopes)


def scope_mistakes(place: str, scope: str, known: Collection[str]) -> Iterator[Mistake]:
    """What is wrong with a scope that stands at `place`; `known` are the names that the hub knows."""
    name, separator, filter_ = scope.partition("!")
    # Custom scopes may be defined later; JupyterHub refuses to start when they are not.
    if name not in known and not name.startswith("custom:"):
        yield Mistake(place, f"there is no scope {shown(name)}.", did_you_mean(name, known))
    kind, has_value, value = filter_.partition("=")
    if separator and not (kind in _FILTERS and value if has_value else kind in _OWN):
        what = f"{shown(filter_)} is no filter."
        yield Mistake(
            place, what, "Write !user, !service or !server, or one of them or !group with a value: !group=NAME."
        )
