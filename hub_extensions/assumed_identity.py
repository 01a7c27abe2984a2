"""The identity of somebody of whom only a name and groups are known: what a provider would have to say of them.

What is made up is told in sentences, and nothing is made up that would admit somebody by itself.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .identities import Identity, domain_of

NOWHERE = "elsewhere.example"  # a domain that nobody can have (RFC 2606)


@dataclass(frozen=True)
class Assumed:
    """Who somebody is taken to be, and sentences on what of that was assumed."""

    identity: Identity
    sentences: tuple[str, ...] = ()


def from_groups(
    user: str, groups: Collection[str], provider: str, idps: Mapping[str, Any], workspaces: Sequence[str]
) -> Iterator[Assumed]:
    """Who could come by that name and with these groups, where people log in with this provider.

    `idps` are those of CILogon, each with what is set for it: one person for each. `workspaces` are Google's where
    names have no domain.
    """
    if provider == "dummy":
        yield Assumed(Identity(user))  # which says a name, and nothing of groups
    elif provider == "github":
        yield _on_github(user, groups)
    elif provider == "cilogon":
        for idp, settings in (idps or {"": {}}).items():
            yield _by_address(user, claimed_name(user, settings), groups, idp)
    else:
        name = f"{user}@{workspaces[0]}" if workspaces and "@" not in user else user
        yield _by_address(user, name, groups)


def claimed_name(user: str, idp: Mapping[str, Any]) -> str:
    """What CILogon would call somebody who has this name on the hub; `idp` is what is set for their IdP."""
    way = idp.get("username_derivation") or {}
    if way.get("action") == "strip_idp_domain" and way.get("domain") and "@" not in user:
        return f"{user}@{way['domain']}"
    return user.removeprefix(f"{way['prefix']}:") if way.get("action") == "prefix" and way.get("prefix") else user


def _on_github(user: str, groups: Collection[str]) -> Assumed:
    teams = [group for group in groups if ":" in group]
    others = [group for group in groups if ":" not in group]
    organizations = list(dict.fromkeys([*(team.partition(":")[0] for team in teams), *others]))
    told = []
    if teams:
        told.append(f"{user} is on GitHub in the team{'s' * (len(teams) > 1)} {', '.join(teams)}.")
    if others:
        told.append(f"{user} is on GitHub a member of {', '.join(others)}, where that is an organisation.")
    return Assumed(Identity(user, organizations=organizations, teams=teams, groups=others), tuple(told))


def _by_address(user: str, name: str, groups: Collection[str], idp: str = "") -> Assumed:
    email = name if domain_of(name) else f"{user.partition('@')[0]}@{NOWHERE}"
    told = [f"{user} has the e-mail address {name}, and it is verified."] if domain_of(name) else []
    if groups:
        told.append(f"The login provider says that {user} is in {', '.join(groups)}.")
    identity = Identity(
        user, email=email, email_verified=True, idp=idp, hosted_domain=domain_of(name), groups=tuple(groups)
    )
    return Assumed(identity, tuple(told))
