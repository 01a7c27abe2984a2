"""What the login of a planned hub makes of somebody: its authenticator is asked, and no provider."""

import logging
from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets.config import Config

from . import groups as group_names
from .assumed_identity import Assumed, from_groups
from .class_rules import ClassRules, auth_state_of
from .communities import Policy, Reason, decide, groups_made_for, leads_group
from .configured_login import login_of
from .file_places import Places
from .identities import Identity
from .login_rules import never_given
from .login_settings import Login, listed
from .membership import Rule, idp_name
from .reason_places import ReasonPlaces
from .settings import Settings
from .spawner_traits import class_of
from .user_names import is_pseudonym
from .z2jh.stock_classes import our_authenticator

A_PSEUDONYM = "a-pseudonym"  # in the place of one that is not known
_GROUP = "jupyterhub.authenticators"
_MULTI = "CommunityMultiAuthenticator"
_CHART = "dummy"  # what Zero to JupyterHub has where nothing is named
_JUPYTERHUB = "pam"  # what JupyterHub has
_KNOWN = {"jupyterhub", "oauthenticator", "hub_extensions", "tmpauthenticator"}  # made without contacting anybody


class CannotBeToldError(Exception):
    """The login cannot be decided from files; the text says why."""


@dataclass(frozen=True)
class Asked:
    """Whom it is asked about: a name with groups, or what a provider says of a person."""

    user: str
    groups: tuple[str, ...] = ()
    identity: Identity | None = None


@dataclass(frozen=True)
class LoginAnswer:
    """What follows from a login: whether somebody gets in, and as what.

    `user` is their name on the hub, `groups` are the JupyterHub groups that they are in afterwards. `reasons`: the
    rules that fired, or were nearest. `assumed`: sentences on what was taken for granted; `doubts`: on the groups.
    """

    user: str
    allowed: bool
    admin: bool = False
    communities: tuple[str, ...] = ()
    lead_of: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    assumed: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


async def answer(c: Config, settings: Settings, asked: Asked, places: Places) -> LoginAnswer:
    """What the login of a hub with this configuration makes of somebody.

    Where people choose among several providers, and nothing says which one it is, the first is meant that admits them.
    Raises CannotBeToldError, and traitlets.TraitError or ValueError for a configuration that the hub cannot use.
    """
    answers = [await _at(door, settings, asked, places) for door in _doors(c, asked, places)]
    if not answers:
        raise CannotBeToldError("The provider of the identity is none of those with which people log in here.")
    return _first(answers)


def _first(answers: list[LoginAnswer]) -> LoginAnswer:
    return next((each for each in answers if each.allowed), answers[0])


@dataclass(frozen=True)
class _Door:
    """One authenticator with which people can log in; `is_stock` where ours takes its place only for the answer."""

    cls: type[Any]
    config: Config
    provider: str = ""
    is_stock: bool = False


def _doors(c: Config, asked: Asked, places: Places) -> Iterator[_Door]:
    named = c.JupyterHub.get("authenticator_class") or (_JUPYTERHUB if places.values is None else _CHART)
    ours = our_authenticator(named)
    cls = class_of(ours or named, _GROUP)
    if cls is None:
        raise CannotBeToldError(f"The authenticator {str(named)[:64]} is not installed here.")
    config = _offline(c)
    if cls.__name__ != _MULTI:
        yield _Door(cls, config, is_stock=bool(ours))
        return
    shared = config[_MULTI]
    for name, provider in shared.get("providers", {}).items():
        inner = class_of(provider.get("authenticator"), _GROUP)
        if inner is None or (asked.identity and asked.identity.provider not in ("", name)):
            continue
        own = deepcopy(config)
        own.CommunityAuthenticator.merge({trait: shared[trait] for trait in shared if trait != "providers"})
        own[inner.__name__].merge(deepcopy(provider.get("config", {})))
        yield _Door(inner, own, name)


def _offline(c: Config) -> Config:
    """The configuration without the databases that a login asks, and with words in the place of a hub's secrets."""
    config = deepcopy(
        Config({name: section for name, section in c.items() if name not in ("UsageLedger", "Invitations")})
    )
    config.CryptKeeper.keys = [b"k" * 32]
    config.NamesFromProvider.pepper = "in the place of the real one"
    return config


def _made(door: _Door) -> Any:
    silent = logging.getLogger(__name__)
    silent.setLevel(logging.CRITICAL + 1)
    if door.cls.__module__.partition(".")[0] in _KNOWN:
        more = {"provider": door.provider} if door.provider else {}
        try:
            return _with_admins(door.cls(config=door.config, log=silent, **more))
        except Exception as refused:  # each class raises what it likes for a setting that it cannot use
            why = next(iter(str(refused).splitlines()), type(refused).__name__)
            raise CannotBeToldError(f"{door.cls.__name__} cannot be used: {why}") from refused
    # Somebody else's class may do anything when it is made: JupyterHub's own has the rules that all inherit.
    config = Config()
    for base in reversed(door.cls.__mro__):
        there = door.config.get(base.__name__, {})
        config.Authenticator.update({name: there[name] for name in there if name in Authenticator.class_trait_names()})
    return _with_admins(Authenticator(config=config, log=silent))


def _with_admins(authenticator: Any) -> Any:
    """The authenticator once a hub has started with it: admins are users then, in the form in which all names are."""
    for name in ("admin_users", "allowed_users", "blocked_users"):
        setattr(authenticator, name, {authenticator.normalize_username(each) for each in getattr(authenticator, name)})
    if authenticator.allowed_users or getattr(authenticator, "allow_existing_users", False):
        authenticator.allowed_users |= authenticator.admin_users
    return authenticator


async def _at(door: _Door, settings: Settings, asked: Asked, places: Places) -> LoginAnswer:
    login = replace(login_of(door.config, settings), classes=[base.__name__ for base in door.cls.__mro__])
    authenticator = _made(door)
    if not login.ours:
        return await _by_class(authenticator, login, asked, places)
    if door.is_stock:
        authenticator.trust_email = True
        authenticator.manage_groups = bool(login.value("manage_groups"))
    people = _people(authenticator, login, asked)
    answers = [await _by_communities(authenticator, login, asked, each, places) for each in people]
    found = _first(answers)
    if len(people) == 1:
        return found
    if found.allowed:
        idp = people[answers.index(found)].identity.idp
        return replace(found, assumed=(f"{found.user} logs in through {idp_name(idp)}.", *found.assumed))
    reasons = dict.fromkeys(reason for each in answers for reason in each.reasons)
    told = f"{found.user} logs in through any of the {len(people)} identity providers."
    nearest_first = sorted(reasons, key=lambda reason: -reason.nearness)
    return replace(found, reasons=tuple(nearest_first), assumed=(told, *found.assumed))


def _people(authenticator: Any, login: Login, asked: Asked) -> list[Assumed]:
    """Who it may be."""
    user = authenticator.normalize_username(asked.user)
    told: tuple[str, ...] = ()
    if getattr(authenticator, "pseudonymous_names", False) and not is_pseudonym(user):
        told = (
            f"{user} is the account with which somebody logs in. On this hub people have pseudonyms, which files do "
            "not tell; rules, lists and profiles that name people mean these. Ask about one as --user.",
        )
    if asked.identity:
        identity = replace(asked.identity, user_name=A_PSEUDONYM if told else user, provider=authenticator.provider)
        return [Assumed(identity, told)]
    named = listed(login.value("hosted_domain")) or listed(login.value("allowed_hosted_domains"))
    workspaces = list(named) if login.value("strip_domain", len(named) == 1) and len(named) == 1 else []
    (kind,) = login.providers or {""}
    ours = group_names.keys(group for name in login.communities for group in groups_made_for(name))
    groups = [group for group in asked.groups if group_names.key(group) not in ours]
    found = from_groups(user, groups, kind, login.idps, workspaces)
    return [_called(each, authenticator.provider, told) for each in found]


def _called(person: Assumed, provider: str, told: tuple[str, ...]) -> Assumed:
    """The person at this provider, with the name that they have on a hub of which something is told of names."""
    identity = replace(person.identity, provider=provider)
    if told:
        identity = replace(identity, user_name=A_PSEUDONYM)
    return Assumed(identity, (*told, *person.sentences))


async def _by_communities(
    authenticator: Any, login: Login, asked: Asked, person: Assumed, places: Places
) -> LoginAnswer:
    identity, told = person.identity, list(person.sentences)
    if "github" in login.providers and not authenticator.sees_memberships:
        authenticator.scope = [*authenticator.scope, "read:org"]  # else the class would ask GitHub
        identity = replace(identity, teams=())
        told.append("The hub does not ask GitHub for read:org: it is told of no team, and only of public memberships.")
    said = auth_state_of(authenticator, login, identity)
    if login.providers - {"dummy"}:
        identity = replace(
            identity,
            named_by_email=authenticator.is_named_by_email(authenticator.claims_of(said)),
            needs_verified_email=authenticator.needs_verified_email,
            email_verified=identity.email_verified or authenticator.trust_email,
        )
    policy, assumed = _with_members(authenticator.policy, identity.user_name, asked.groups)
    decision = decide(policy, identity, authenticator.now())
    rules = ClassRules(authenticator, login, identity, said, decision.groups, places)
    admin = rules.admin_rule
    in_files = ReasonPlaces(places, login, identity.user_name, len(authenticator.admins), admin, assumed)
    decided = [in_files.placed(each) for each in decision.reasons]
    refused = decided if decision.refused else []
    refused = refused or await rules.refusals()
    by_class = [] if refused else await rules.admitting()
    if decision.allowed:
        reasons = [*decided, *(each for each in by_class if each.rule not in {reason.rule for reason in decided})]
    else:
        reasons = by_class or sorted([*decided, *rules.nearest()], key=lambda reason: -reason.nearness)
    given = decision.groups if authenticator.manage_groups else frozenset[str]()
    return LoginAnswer(
        user=identity.user_name,
        allowed=not refused and (decision.allowed or bool(by_class)),
        admin=not refused and (decision.admin or admin is not None),
        communities=decision.communities,
        lead_of=decision.lead_of,
        groups=tuple(each for each in _union(asked.groups, given) if not _is_organization(login, each)),
        reasons=tuple(refused or reasons),
        assumed=tuple(told),
        doubts=_doubts(login, asked),
    )


async def _by_class(authenticator: Any, login: Login, asked: Asked, places: Places) -> LoginAnswer:
    """The answer where nothing knows of communities: JupyterHub's own rules, and those of all OAuthenticators."""
    user = authenticator.normalize_username(asked.user)
    if "NullAuthenticator" in login.classes:
        return LoginAnswer(
            user,
            False,
            reasons=(Reason(places.trait("JupyterHub", "authenticator_class"), "Nobody logs in to this hub."),),
        )
    identity = asked.identity or Identity(user, groups=asked.groups)
    identity = replace(identity, user_name=user)
    said = auth_state_of(authenticator, login, identity)
    rules = ClassRules(authenticator, login, identity, said, identity.groups, places)
    refused = await rules.refusals()
    admitted = [] if refused else await rules.admitting()
    return LoginAnswer(
        user,
        allowed=bool(admitted),
        admin=bool(admitted and rules.admin_rule),
        groups=_union(asked.groups, identity.groups if authenticator.manage_groups else ()),
        reasons=tuple(refused or admitted or rules.nearest()),
        doubts=_doubts(login, asked),
    )


def _with_members(policy: Policy, user: str, groups: Collection[str]) -> tuple[Policy, dict[str, str]]:
    """The policy in which groups of communities make somebody a member or a lead, and the paths of such rules.

    No provider gives these groups, so who is asked about with one of them is taken to be one whom a rule means.
    """
    mine, made, paths = group_names.keys(groups), dict(policy.communities), {}
    for name, community in policy.communities.items():
        named = {"leads": leads_group(name), "members": name}
        part = next((part for part, group in named.items() if group_names.key(group) in mine), "")
        if part:
            rules = getattr(community, part)
            made[name] = community.model_copy(update={part: (*rules, Rule(users=(user,)))})
            paths[f"communities.{name}.{part}[{len(rules)}]"] = name
    return replace(policy, communities=made), paths


def _is_organization(login: Login, group: str) -> bool:
    """Whether a name that was given as a group's is that of an organisation by which people get in."""
    communities = group_names.keys(group for name in login.communities for group in groups_made_for(name))
    key = group_names.key(group)
    return login.manages_groups and login.providers == {"github"} and key in login.organizations - communities


def _union(*groups: Collection[str]) -> tuple[str, ...]:
    """Groups without those that are another in other letters."""
    found: dict[str, str] = {}
    for group in (group for several in groups for group in sorted(several)):
        found.setdefault(group_names.key(group), group)
    return tuple(found.values())


def _doubts(login: Login, asked: Asked) -> tuple[str, ...]:
    """Which of the groups that were asked about no login gives."""
    if asked.identity or not login.manages_groups:
        return () if not asked.identity else _lost(login, asked.identity)
    whys = {group: never_given(login, group) for group in asked.groups if not _is_organization(login, group)}
    return tuple(f"No login puts anybody into {group}: {why}." for group, why in whys.items() if why)


def _lost(login: Login, identity: Identity) -> tuple[str, ...]:
    if login.manages_groups or not (identity.groups or identity.teams):
        return ()
    return ("A login gives no groups without manage_groups; those that the hub's database has are not known here.",)
