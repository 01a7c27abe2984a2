"""Membership: the rules that say whom a community, or a list of admins, means.

A rule has conditions, and a person must meet all of them; each condition lists what meets it, and one of the list is
enough. Several rules are alternatives. Rules only ever admit.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, model_validator

from . import groups as group_names
from . import user_names
from .identities import Identity

Name = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _is_domain(domain: str) -> str:
    if not domain.isascii():
        raise ValueError(f"{domain!r} is not ASCII; write an internationalised domain in its form xn--….")
    if "@" in domain or "." not in domain:
        raise ValueError(f"{domain!r} is not a domain such as example.edu.")
    if "*" in domain.removeprefix("*."):
        raise ValueError(f"{domain!r} would mean domains of strangers; a * stands only before a dot, as *.example.edu.")
    return domain.lower()


def _is_team(name: str) -> str:
    org, *team = name.split(":")
    if not org or len(team) > 1 or "" in team or "/" in name:
        raise ValueError(f"{name!r} is neither an organisation (`org`) nor one of its teams (`org:team-slug`).")
    return name


# How a person stands to a condition.
MET, NEAR, FAR = 1.0, 0.5, 0.0

_MOST_NAMED = 5  # of the groups, teams or domains of a rule, in a sentence

Names = tuple[Name, ...]
Domains = tuple[Annotated[Name, AfterValidator(_is_domain)], ...]
Teams = tuple[Annotated[Name, AfterValidator(_is_team)], ...]


class Rule(BaseModel):
    """Whom a community means; a person must meet every condition that is written."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    users: Names = ()
    """Names on this hub."""
    groups: Names = ()
    """Groups of the provider's claims; `*` stands for any text."""
    github: Teams = ()
    """Organisations on GitHub, and their teams as `org:team-slug`."""
    idp: Annotated[Names, BeforeValidator(_one_or_more, Name | Names)] = ()
    """Identity providers: entity IDs behind CILogon, UUIDs behind Globus."""
    domains: Domains = ()
    """Domains of verified e-mail addresses; `*.example.edu` means its sub-domains. Where a provider speaks for several
    identity providers, beside the `idp` that may vouch for them."""
    hosted_domains: Domains = ()
    """Google Workspaces."""
    provider: Names = ()
    """What people log in with: `github`, `cilogon`, `google`, `globus`, `oidc`, or the name of one of several."""
    invitation: bool = False
    """Whether whoever has joined by an invitation is meant."""

    @model_validator(mode="after")
    def _means_somebody(self) -> Self:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise ValueError(
                "a rule must name somebody, by users, groups, github, idp, domains, hosted_domains, provider or "
                "invitation: true."
            )
        # Where a list is filled in by something else, an empty one must not admit whoever meets the other conditions.
        empty = sorted(name for name in self.model_fields_set - {"invitation"} if not getattr(self, name))
        if empty:
            raise ValueError(f"{', '.join(empty)}: an empty list names nobody; fill it in, or remove it.")
        return self

    @property
    def organizations(self) -> frozenset[str]:
        """The GitHub organisations that the rule names, by themselves or by a team."""
        return frozenset(entry.partition(":")[0] for entry in self.github)

    def admits(self, identity: Identity, community: str = "") -> bool:
        """Whether this rule, of this community, means this person."""
        return all(standing == MET for _, standing in self._standings(identity, community))

    def nearness(self, identity: Identity, community: str = "") -> float:
        """How near a person is to being meant, from 0 to 1: the share of the conditions that they meet or nearly do."""
        standings = [standing for _, standing in self._standings(identity, community)]
        return sum(standings) / len(standings)

    def lacking(self, identity: Identity, community: str = "") -> tuple[str, ...]:
        """What keeps this person from being meant, in words to that person."""
        return tuple(
            self._lacks(condition, identity)
            for condition, standing in self._standings(identity, community)
            if standing != MET
        )

    def whom(self) -> str:
        """Whom the rule means, in words; of people who are named only that there are some: names are their own."""
        asked = [self._asks(condition) for condition, _ in self._standings(Identity(""), "")]
        return f"people {' and '.join(asked)}".replace("people who are members of", "members of")

    def _standings(self, person: Identity, community: str) -> Iterator[tuple[str, float]]:
        """Each condition of this rule, and how a person stands to it: MET, NEAR or FAR."""
        if self.groups:
            yield "groups", _met(group_names.member_of_any(person.groups, self.groups))
        if self.github:
            yield "github", self._on_github(person)
        if self.users:
            yield "users", _met(user_names.is_among(person.user_name, self.users))
        if self.invitation:
            yield "invitation", _met(bool(community) and community in person.invited_to)
        if self.idp:
            yield "idp", _met(person.idp in self.idp)
        if self.hosted_domains:
            hosted = person.hosted_domain.isascii() and person.hosted_domain.lower() in self.hosted_domains
            yield "hosted_domains", _met(hosted)
        if self.domains:
            yield "domains", self._by_email(person)
        if self.provider:
            yield "provider", _met(person.provider in self.provider)

    def _on_github(self, person: Identity) -> float:
        if not person.github_keys.isdisjoint(group_names.keys(self.github)):
            return MET
        return FAR if person.github_keys.isdisjoint(group_names.keys(self.organizations)) else NEAR

    def _by_email(self, person: Identity) -> float:
        if not person.email_domain or not group_names.member_of_any([person.email_domain], self.domains):
            return FAR
        # Where many IdPs log in through one provider, each may claim any address: the rule says whose word counts.
        vouched = bool(self.idp) or not person.idp
        return MET if vouched and person.email_verified else NEAR

    def _asks(self, condition: str) -> str:
        match condition:
            case "groups":
                return f"who are members of {_any(self.groups)}"
            case "github":
                return f"who are members of {_any(map(_github_name, self.github))} on GitHub"
            case "users":
                return "who were named"
            case "invitation":
                return "who have an invitation"
            case "idp":
                return f"who log in through {_any(map(idp_name, self.idp))}"
            case "hosted_domains":
                return f"with a Google account of {_any(self.hosted_domains)}"
            case "domains":
                return f"with an e-mail address at {_any(self.domains)}"
            case _:
                return f"who log in with {_any(self.provider)}"

    def _lacks(self, condition: str, person: Identity) -> str:
        match condition:
            case "groups":
                return f"you are not among the members of {_any(self.groups)}"
            case "github" if self._on_github(person) == NEAR:
                return "you are in the organisation on GitHub, but not in its team"
            case "github":
                return "you are not a member there on GitHub"
            case "users":
                return "your account is not among those that were named"
            case "invitation":
                return "you have no invitation"
            case "idp":
                return f"you logged in through {idp_name(person.idp) or 'another provider'}"
            case "hosted_domains":
                return "your Google account belongs to another organisation, or to none"
            case "domains" if self._by_email(person) == FAR:
                return "your e-mail address is at another domain"
            case "domains" if not person.email_verified:
                return "your e-mail address is not verified"
            case "domains":
                return f"{idp_name(person.idp)} does not vouch for your e-mail address"
            case _:
                return f"you logged in with {person.provider or 'another provider'}"


def whom(rules: Iterable[Rule]) -> str:
    """Whom any of several rules mean, in words."""
    return " or ".join(dict.fromkeys(rule.whom() for rule in rules)) or "nobody yet"


def idp_name(entity_id: str) -> str:
    """The host in the entity ID of an identity provider, which is what people can recognise of it."""
    return urlsplit(entity_id).hostname or entity_id[:64]


def _github_name(entry: str) -> str:
    org, _, team = entry.partition(":")
    return f"the team {team} of {org}" if team else org


def _any(names: Iterable[str]) -> str:
    each = list(dict.fromkeys(names))
    rest = len(each) - _MOST_NAMED
    return " or ".join(each if rest <= 1 else [*each[:_MOST_NAMED], f"{rest} more"])


def _met(holds: bool) -> float:
    return MET if holds else FAR
