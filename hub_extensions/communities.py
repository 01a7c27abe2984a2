"""Communities: who belongs, who leads, and so who may log in.

`decide` looks at what a provider said of a person and answers with everything that follows from it. Rules only ever
admit; what refuses (a closed window) is final for its community. No rule at all admits nobody.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from . import groups as group_names
from .branding import Branding

Name = Annotated[str, StringConstraints(min_length=1)]


class Rule(BaseModel):
    """Who is meant: the named users, and everyone in any of the groups, whose names may have a `*`."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    users: tuple[Name, ...] = ()
    groups: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _means_somebody(self) -> Self:
        if not self.users and not self.groups:
            raise ValueError("a rule must name somebody, by users or by groups.")
        return self

    def admits(self, identity: "Identity") -> bool:
        """Whether this rule means this person."""
        return identity.user_name.casefold() in map(str.casefold, self.users) or group_names.member_of_any(
            identity.groups, self.groups
        )


class Community(BaseModel):
    """A set of people who share a hub; `from` and `until` are the first and the last day on which it is open."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    title: str = ""
    members: tuple[Rule, ...] = ()
    leads: tuple[Rule, ...] = ()
    opens: date | None = Field(None, alias="from")
    closes: date | None = Field(None, alias="until")
    branding: Branding = Branding()

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens and self.closes and self.closes < self.opens:
            raise ValueError(f"until ({self.closes}) is before from ({self.opens}).")
        return self


def _distinct(communities: dict[str, Community]) -> dict[str, Community]:
    seen: dict[str, str] = {}
    for name in communities:
        other = seen.setdefault(group_names.key(name), name)
        if other != name:
            raise ValueError(f"{other!r} and {name!r} are one name: letter case does not count.")
    return communities


# A community's name is the name of a group, a part of scopes and of an address: letters, digits, and - _ . inside.
CommunityName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$")]
Communities = Annotated[dict[CommunityName, Community], AfterValidator(_distinct)]


@dataclass(frozen=True)
class Identity:
    """What a provider said of a person; `groups` are the groups of its claims, not of the hub."""

    user_name: str
    groups: Collection[str] = ()


@dataclass(frozen=True)
class Decision:
    """What follows from an identity.

    `groups` are the JupyterHub groups of the person: those of the identity, one for each of their communities, and
    `NAME:leads` for each that they lead. `reasons` are sentences for the person and for the operator.
    """

    allowed: bool
    communities: tuple[str, ...]
    lead_of: tuple[str, ...]
    groups: frozenset[str]
    reasons: tuple[str, ...]


def groups_of(claim: Any) -> frozenset[str]:
    """The groups that a provider's claim names: a list of texts or numbers, or one text.

    Anything else names none; a text is one group, never its letters.
    """
    if isinstance(claim, (str, int)) and not isinstance(claim, bool):
        return frozenset({str(claim)} - {""})
    if not isinstance(claim, Iterable) or isinstance(claim, Mapping):
        return frozenset()
    return frozenset(str(each) for each in claim if isinstance(each, (str, int)) and not isinstance(each, bool))


def leads_group(community: str) -> str:
    """The group of those who lead a community."""
    return f"{community}:leads"


def decide(communities: Mapping[str, Community], identity: Identity, now: datetime) -> Decision:
    """Where a person belongs; `now` is an aware time, whose own time zone says which day it is."""
    belongs, leads, reasons = [], [], []
    for name, community in communities.items():
        title = community.title or name
        lead = next((rule for rule in community.leads if rule.admits(identity)), None)
        member = lead or next((rule for rule in community.members if rule.admits(identity)), None)
        if member is None:
            reasons.append(f"{title} is for {_whom((*community.members, *community.leads))}.")
            continue
        closed = _closed(community, now.date())
        if closed:
            reasons.append(f"{title} {closed}.")
            continue
        belongs.append(name)
        reasons.append(f"{title} admits {_whom([member])}.")
        if lead:
            leads.append(name)
    # A provider's group must not pass for a community of the hub.
    reserved = group_names.keys([*communities, *map(leads_group, communities)])
    given = {group for group in identity.groups if group_names.key(group) not in reserved}
    return Decision(
        allowed=bool(belongs),
        communities=tuple(belongs),
        lead_of=tuple(leads),
        groups=frozenset(given).union(belongs, map(leads_group, leads)),
        reasons=tuple(reasons),
    )


def still_open(communities: Mapping[str, Community], groups: Iterable[str], now: datetime) -> frozenset[str]:
    """What is left of a person's JupyterHub groups when those of communities that are closed by now are taken away."""
    closed = [name for name, community in communities.items() if _closed(community, now.date())]
    gone = group_names.keys([*closed, *map(leads_group, closed)])
    return frozenset(group for group in groups if group_names.key(group) not in gone)


def refusal(identity: Identity, decision: Decision, contact: str = "") -> str:
    """The sentence for someone who may not log in: which account it was, what would have admitted it, whom to ask."""
    ask = f"If you should have access, ask {contact or 'the people who run this hub'}."
    return " ".join(
        [
            f"You logged in as {identity.user_name[:64]}, who belongs to no community of this hub.",
            *decision.reasons,
            ask,
        ]
    )


def _whom(rules: Iterable[Rule]) -> str:
    """Whom rules mean, in words; of people who are named only that there are some, for their names are their own."""
    rules = list(rules)
    groups = list(dict.fromkeys(group for rule in rules for group in rule.groups))
    means = [f"members of {' or '.join(groups)}"] if groups else []
    if any(rule.users for rule in rules):
        means.append("people who were named")
    return " and ".join(means) or "nobody yet"


def _closed(community: Community, today: date) -> str:
    if community.opens and today < community.opens:
        return f"opens on {community.opens}"
    if community.closes and today > community.closes:
        return f"closed on {community.closes}"
    return ""
