"""Communities: who belongs, who leads, who administers, and so who may log in.

`decide` looks at what a provider said of a person and answers with everything that follows from it, and why.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from . import groups as group_names
from . import user_names
from .branding import Branding, Contact, contact_of
from .identities import Identity
from .membership import Rule, idp_name, whom


class Community(BaseModel):
    """A set of people who share a hub; `from` and `until` are the first and the last day on which it is open."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    title: str = ""
    """What people read; without it, the name."""
    members: tuple[Rule, ...] = ()
    """Rules that say who belongs; a person has to meet one of them."""
    leads: tuple[Rule, ...] = ()
    """Rules that say who leads; leads belong too."""
    leads_may_access_servers: bool = False  # see `roles` for what that gives
    """Whether leads may start and open the servers of members who are no administrators."""
    opens: date | None = Field(None, alias="from")
    """The first day on which it is open."""
    closes: date | None = Field(None, alias="until")
    """The last day on which it is open."""
    branding: Branding = Branding()
    """How pages look to whoever is in this community alone."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, of leads and of members."""
        return (*self.leads, *self.members)

    def places(self) -> list[tuple[str, Rule]]:
        """All rules with where they stand in the community's settings, those of leads first."""
        named = (("leads", self.leads), ("members", self.members))
        return [(f"{name}[{index}]", rule) for name, rules in named for index, rule in enumerate(rules)]

    def first_that_admits(self, identity: Identity, name: str) -> tuple[str, Rule | None]:
        """Where the first rule stands that means this person, and the rule; None if there is none."""
        return next(((place, rule) for place, rule in self.places() if rule.admits(identity, name)), ("", None))

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


MOST_GROUPS = 1000  # of one person; each is a row of the hub's database, written while everybody waits


@dataclass(frozen=True)
class Policy:
    """Everything that decides who may log in.

    `admins`: rules that say who administers the hub. `blocked_users` and `service_users` (programs, which have no
    provider) never log in. `allow_all` admits everybody whom nothing refuses. `group_organizations`: GitHub
    organisations whose teams become groups, besides those that rules name. `most_groups`: whoever has more of them is
    refused, rather than let in with some.
    """

    communities: Mapping[str, Community] = field(default_factory=dict)
    admins: tuple[Rule, ...] = ()
    blocked_users: Collection[str] = ()
    service_users: Collection[str] = ()
    allow_all: bool = False
    group_organizations: Collection[str] = ()
    most_groups: int = MOST_GROUPS

    @property
    def organizations(self) -> frozenset[str]:
        """The GitHub organisations that any rule names."""
        rules = [*self.admins, *(rule for each in self.communities.values() for rule in each.rules)]
        return frozenset().union(*(rule.organizations for rule in rules))

    def with_teams_of(self, organizations: Collection[str]) -> "Policy":
        """The same policy, where teams of these GitHub organisations become groups as well."""
        return replace(self, group_organizations=organizations)


class Reason(NamedTuple):
    """Why something was decided: the rule that fired or was nearest, by its path in the settings, and a sentence.

    `nearness`: how near the rule is to admitting the person, from 0 (not at all) to 1.
    """

    rule: str
    sentence: str
    nearness: float = 0


@dataclass(frozen=True)
class Decision:
    """What follows from an identity.

    `refused` is final: whatever else would admit the person does not. `groups` are the JupyterHub groups of the person:
    those of the claims and teams, one for each of their communities, and `NAME:leads` for each that they lead,
    `NAME:accessible` where leads may access servers, unless the person administers the hub. `reasons`: the rules that
    admit the person; where none does, of each community the one that was nearest.
    """

    allowed: bool
    refused: bool
    communities: tuple[str, ...]
    lead_of: tuple[str, ...]
    admin: bool
    groups: frozenset[str]
    reasons: tuple[Reason, ...]


def leads_group(community: str) -> str:
    """The group of those who lead a community."""
    return f"{community}:leads"


def accessible_group(community: str) -> str:
    """The group of those whose servers the leads of a community may access, where they may: all but administrators."""
    return f"{community}:accessible"


def groups_made_for(community: str) -> tuple[str, str, str]:
    """All groups that only a community's rules put people into."""
    return community, leads_group(community), accessible_group(community)


def decide(policy: Policy, identity: Identity, now: datetime) -> Decision:
    """Who may log in, where they belong and what they may do.

    `now` is an aware time, whose own time zone says which day it is. Refusals come first and are final: what the policy
    blocks, and a community that is closed for whoever belongs to no open one. Rules only ever admit; no rule at all
    admits nobody.
    """
    refusals = list(_refusals(policy, identity))
    belongs, leads, reasons, shut = [], [], [], []
    for name, community in policy.communities.items():
        place, rule = community.first_that_admits(identity, name)
        if rule is None:
            continue
        path, title = f"communities.{name}", community.title or name
        closed = _closed(community, now.date())
        if closed:
            shut.append(Reason(path, f"{title} {closed}.", nearness=1))
            continue
        belongs.append(name)
        reasons.append(Reason(f"{path}.{place}", f"{title} admits {rule.whom()}."))
        if place.startswith("leads"):
            leads.append(name)
    admin = next((index for index, rule in enumerate(policy.admins) if rule.admits(identity)), None)
    if admin is not None:
        reasons.append(Reason(f"hub.admins[{admin}]", "You run this hub."))
    if policy.allow_all:
        reasons.append(Reason("allow_all", "This hub is open to everybody."))
    refused = bool(refusals) or (bool(shut) and not belongs and admin is None)
    allowed = bool(reasons) and not refused
    if not reasons and not refusals:
        closed_ones = {reason.rule for reason in shut}
        others = {name: each for name, each in policy.communities.items() if f"communities.{name}" not in closed_ones}
        reasons = [_nearest(name, community, identity) for name, community in others.items()]
    accessible = [
        accessible_group(name)
        for name in belongs
        if policy.communities[name].leads_may_access_servers and admin is None
    ]
    return Decision(
        allowed=allowed,
        refused=refused,
        communities=tuple(belongs),
        lead_of=tuple(leads),
        admin=admin is not None and not refusals,
        groups=_given_groups(policy, identity).union(belongs, map(leads_group, leads), accessible),
        reasons=tuple(refusals or [*shut, *reasons]),
    )


def _given_groups(policy: Policy, identity: Identity) -> frozenset[str]:
    """The groups of the provider that become groups of the hub: all of the claims, teams of the organisations in use.

    A claim must not pass for a community of the hub, nor for a team of an organisation that a rule names.
    """
    reserved = group_names.keys(group for name in policy.communities for group in groups_made_for(name))
    in_use = group_names.keys(policy.organizations | set(policy.group_organizations))
    ruled = group_names.keys(policy.organizations)
    teams = {team for team in identity.teams if _organization_of(team) in in_use}
    claimed = {
        group for group in identity.groups if ":" not in group_names.key(group) or _organization_of(group) not in ruled
    }
    return frozenset(group for group in teams | claimed if group_names.key(group) not in reserved)


def _organization_of(group: str) -> str:
    return group_names.key(group).partition(":")[0]


def still_open(communities: Mapping[str, Community], groups: Iterable[str], now: datetime) -> frozenset[str]:
    """What is left of a person's JupyterHub groups when those of communities that are closed by now are taken away."""
    closed = [name for name, community in communities.items() if _closed(community, now.date())]
    gone = group_names.keys(group for name in closed for group in groups_made_for(name))
    return frozenset(group for group in groups if group_names.key(group) not in gone)


@dataclass(frozen=True)
class Refusal:
    """What someone who may not log in is told: which account it was, what would have admitted it, whom to ask.

    `account` is its name on this hub, "" if it got none; `service` what it came from, such as GitHub, and `idp` what
    was behind that. `nearest` are the sentences that concern this person, `others` what is for other people.
    """

    account: str
    nearest: tuple[str, ...]
    others: tuple[str, ...] = ()
    email: str = ""
    service: str = ""
    idp: str = ""
    belongs_nowhere: bool = False
    contact: Contact | None = None

    @property
    def text(self) -> str:
        """All of it in one paragraph."""
        account = f"You logged in as {self.account}" if self.account else "You logged in"
        why = f"{account}, who belongs to no community of this hub." if self.belongs_nowhere else f"{account}."
        ask = f"If you should have access, ask {self.contact.text if self.contact else 'the people who run this hub'}."
        return " ".join([why, *self.nearest, *self.others, ask])


def refusal(
    identity: Identity, decision: Decision, contact: str = "", further: Iterable[str] = (), service: str = ""
) -> Refusal:
    """What to tell someone whom `decision` does not admit, the nearest first; `further` sentences concern them too."""
    reasons = sorted(decision.reasons, key=lambda reason: -reason.nearness)
    concern = [reason for reason in reasons if reason.nearness or not reason.rule.startswith("communities.")]
    return Refusal(
        account=identity.user_name[:64],
        nearest=(*(reason.sentence for reason in concern), *further),
        others=tuple(reason.sentence for reason in reasons if reason not in concern),
        email=identity.email[:64],
        service=service,
        idp=idp_name(identity.idp),
        belongs_nowhere=not decision.refused,
        contact=contact_of(contact) if contact else None,
    )


def _refusals(policy: Policy, identity: Identity) -> Iterator[Reason]:
    unverified = bool(identity.email) and not identity.email_verified
    if user_names.is_among(identity.user_name, policy.blocked_users):
        yield Reason("blocked_users", "This account is blocked on this hub.")
    if user_names.is_among(identity.user_name, policy.service_users):
        yield Reason("hub.service_users", "This name belongs to a program, and no person can log in with it.")
    if identity.named_by_email and not identity.email_domain:
        yield Reason("email", "Your provider did not give one plain e-mail address for your account.")
    elif unverified and (identity.named_by_email or identity.needs_verified_email):
        yield Reason("email_verified", "Your provider has not verified your e-mail address. Verify it there first.")
    count = len(identity.groups) + len(identity.teams)
    if count > policy.most_groups:
        yield Reason(
            "most_groups",
            f"Your provider names {count} groups for your account, and this hub takes no more than "
            f"{policy.most_groups}. The people who run it can raise that, or ask the provider for fewer.",
        )
    if identity.refused_invitation:
        yield Reason("invitations", identity.refused_invitation)
    yield from _wrong_idp(policy, identity)


def _wrong_idp(policy: Policy, identity: Identity) -> Iterator[Reason]:
    """An address whose domain some IdPs vouch for, shown by another IdP, could be made up to pass for its owner."""
    if not identity.idp or not identity.email_domain:
        return
    placed = [
        (f"communities.{name}.{at}", rule) for name, each in policy.communities.items() for at, rule in each.places()
    ]
    placed += [(f"hub.admins[{index}]", rule) for index, rule in enumerate(policy.admins)]
    vouching: dict[str, str] = {}
    for path, rule in placed:
        if rule.idp and group_names.member_of_any([identity.email_domain], rule.domains):
            vouching |= dict.fromkeys(rule.idp, path)
    if vouching and identity.idp not in vouching:
        through = " or ".join(sorted(map(idp_name, vouching)))
        sentence = f"People of {identity.email_domain} log in through {through}, not through {idp_name(identity.idp)}."
        yield Reason(next(iter(vouching.values())), sentence, nearness=1)


def _nearest(name: str, community: Community, identity: Identity) -> Reason:
    """Whom a community is for, and how near this person is to that."""
    places = community.places()
    sentence = f"{community.title or name} is for {whom(rule for _, rule in places)}."
    if not places:
        return Reason(f"communities.{name}", sentence)
    place, nearest = max(places, key=lambda each: each[1].nearness(identity, name))
    nearness = nearest.nearness(identity, name)
    if nearness:
        sentence += f" You are near, but {' and '.join(nearest.lacking(identity, name))}."
    return Reason(f"communities.{name}.{place}", sentence, nearness)


def _closed(community: Community, today: date) -> str:
    if community.opens and today < community.opens:
        return f"opens on {community.opens}"
    if community.closes and today > community.closes:
        return f"closed on {community.closes}"
    return ""
