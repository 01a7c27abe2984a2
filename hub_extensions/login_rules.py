"""The check of rules that nobody can meet, and of groups that nobody can be in, where people log in with a provider."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from . import groups as group_names
from .communities import leads_group
from .findings import Finding, error, inside, warning
from .login_settings import PROVIDERS, Login, Section, listed
from .membership import Rule, idp_name
from .mistakes import did_you_mean, shown

_SEES_TEAMS = {"read:org", "write:org", "admin:org", "user", "repo"}
_MANY_HAVE = ("name", "given_name", "family_name", "nickname", "display_name", "zoneinfo", "locale")
_SEVERAL_IDPS = frozenset({"cilogon", "globus"})
# Condition → the providers that tell what it asks for.
_TOLD_BY = {
    "github": frozenset({"github"}),
    "idp": _SEVERAL_IDPS,
    "hosted_domains": frozenset({"google"}),
    "groups": frozenset({"github", "cilogon", "google", "globus", "oidc"}),
    "domains": frozenset({"cilogon", "google", "globus", "oidc"}),
}
_NAMES = {"github": "GitHub", "cilogon": "CILogon", "google": "Google", "globus": "Globus"}


def check_rules(login: Login) -> list[Finding]:
    """Everything doubtful in rules, groups and names that depends on what people log in with."""
    return [
        *_github(login),
        *_cilogon(login),
        *_groups_of_any_idp(login),
        *_unverified_names(login),
        *_shared_names(login),
        *_groups(login),
        *_staff(login),
        *_communities(login),
    ]


def _github(login: Login) -> Iterator[Finding]:
    scopes = login.value("scope", ["read:org"] if login.ours else [])
    if "github" not in login.providers or _SEES_TEAMS & set(map(str, listed(scopes))):
        return
    wanted = [(path, entry) for path, value in login.places("allowed_organizations")[:1] for entry in listed(value)]
    wanted += [(path, entry) for path, rule in login.rules for entry in rule.github]
    advice = 'Add "read:org" to c.GitHubOAuthenticator.scope.'
    for path, entry in wanted:
        if ":" in str(entry):
            yield error(path, f"names the team {shown(entry)}, but without the scope read:org no team is told.", advice)
        else:
            yield warning(path, f"admits members of {shown(entry)} only if they show their membership to all.", advice)


def _cilogon(login: Login) -> Iterator[Finding]:
    if "cilogon" not in login.providers:
        return
    if not login.idps:
        yield error(
            "c.CILogonOAuthenticator.idps", "names no identity provider, so nobody can log in.",
            "Name those that may be used, by their entity IDs (https://cilogon.org/idplist).",
        )  # fmt: skip
        return
    trait = "idps" if login.value("idps") else "allowed_idps"
    path = next(path for path, _ in login.places(trait))
    unused = [idp for idp, entry in login.idps.items() if not (entry.get("allow_all") or entry.get("allowed_domains"))]
    if len(unused) == len(login.idps) or admits_by_name(login) or login.communities:
        return
    for idp in unused:
        yield warning(
            inside(path, idp), f"admits nobody: people can log in through {idp_name(idp)}, and are then refused.",
            "Give it allow_all or allowed_domains, or remove it.",
        )  # fmt: skip


def _groups_of_any_idp(login: Login) -> Iterator[Finding]:
    """Groups that each of several institutions can put its people into."""
    if not login.ours or "cilogon" not in login.providers or len(login.idps) < 2:
        return
    for path, rule in login.rules:
        of_others = rule.provider and set(rule.provider) <= set(PROVIDERS.values()) - {"cilogon"}
        if rule.groups and not (rule.idp or rule.github or rule.hosted_domains or of_others):
            names = shown(rule.groups[0]) if len(rule.groups) == 1 else f"{len(rule.groups)} groups"
            yield warning(
                path,
                f"means members of {names} by the word of any of {len(login.idps)} identity providers.",
                "Write beside groups the idp whose groups they are; several, if all of them may say so.",
            )


def _unverified_names(login: Login) -> Iterator[Finding]:
    if "oidc" not in login.providers or login.value("username_claim") != "email" or login.value("trust_email"):
        return
    if "email" in listed(login.value("scope", [])):
        return
    follows = "so that logins are refused" if login.ours else "so that an address may be made up"
    yield warning(
        login.places("username_claim")[0][0],
        "names people by their e-mail addresses, but the scope email is not asked for: the provider does not say "
        f"whether they are verified, {follows}.",
        "Ask for the scopes openid and email; or set trust_email, if the provider lets nobody choose an address.",
    )


def _way(idp: Section) -> Section:
    """How an identity provider's people are named; nothing where that is no mapping, which CILogon's class reports."""
    found = idp.get("username_derivation")
    return found if isinstance(found, Mapping) else {}


def _shared_names(login: Login) -> Iterator[Finding]:
    """Claims that several people have alike: who comes second would be the first one."""
    claims = [(path, value) for path, value in login.places("username_claim")[:1] if "cilogon" not in login.providers]
    for idp, entry in login.idps.items() if "cilogon" in login.providers else ():
        trait = "idps" if login.value("idps") else "allowed_idps"
        path = inside(f"c.CILogonOAuthenticator.{trait}", idp, "username_derivation", "username_claim")
        claims.append((path, _way(entry).get("username_claim")))
    for path, claim in claims:
        if isinstance(claim, str) and claim in _MANY_HAVE:
            what = f"names people by {claim}, which several people may have alike; the second one is refused."
            yield warning(path, what, "Choose a claim that is one person's, such as sub or eppn.")


def _groups(login: Login) -> Iterator[Finding]:
    """Groups that admit, or open profiles, and that no login gives."""
    for trait in ("allowed_groups", "admin_groups"):
        for path, value in login.places(trait)[:1]:
            for group in listed(value):
                why = never_given(login, str(group))
                if why:
                    yield warning(path, f"nobody can be in {shown(group)}: {why}.", "Correct it or remove it.")
    for group in sorted(login.profile_groups) if login.manages_groups else ():  # else an admin may make them
        why = never_given(login, group)
        if why:
            what = f"are for members of {shown(group)}, which nobody is: {why}."
            yield warning(login.profiles_path, what, "Correct it.")


def never_given(login: Login, group: str) -> str:
    """Why no login puts anybody into this group; "" if one may."""
    ours = [*login.communities, *map(leads_group, login.communities)]
    if login.ours and group_names.key(group) in group_names.keys(ours):
        return ""
    if not login.manages_groups:
        return "a login gives no groups without manage_groups"
    if not login.providers or login.providers == {"dummy"}:
        return "this login says nothing of groups"
    if not login.ours:
        named = login.value("auth_state_groups_key") or login.value("claim_groups_key") or "oidc" in login.providers
        return "" if named else "auth_state_groups_key does not say where they stand"
    if login.providers != {"github"} or login.value("auth_state_groups_key"):
        return ""
    organization, _, team = group.partition(":")
    if not team:
        return "groups from GitHub are teams, written organisation:team-slug"
    if group_names.key(organization) in login.organizations:
        return ""
    return f"teams of {organization[:64]} become groups only if a rule, a profile or group_organizations names it"


def _staff(login: Login) -> Iterator[Finding]:
    if not login.staff or not login.staff.kind:
        return
    path, kind, names = login.staff.path, login.staff.kind, login.staff.names
    if kind not in login.staff.ids:
        advice = did_you_mean(kind, login.staff.ids)
        yield warning(path, f"there is no list of {shown(kind)} ids, so nobody is added.", advice)
        return
    admins, *_ = [place for place, _ in login.places("admin_users")] or ["c.Authenticator.admin_users"]
    if not login.ours and admins != "c.Authenticator.admin_users":
        what = f"adds people to c.Authenticator.admin_users, which {admins} hides."
        yield warning(path, what, "Move all names to c.Authenticator.")
    forms = _forms_of_names(login)
    if forms and names and not any(("@" in name) in forms for name in names):
        has = "addresses" if True in forms else "names without @"
        what = f"adds {kind} ids to the admins, but accounts here are {has}: none of them can log in."
        yield warning(path, what, "Choose the list that fits how people log in.")


def _forms_of_names(login: Login) -> set[bool]:
    """Whether the names of accounts have an `@`: either, both, or nothing where that cannot be told."""
    claims = {str(login.value("username_claim", ""))}
    if login.value("pseudonymous_names") or login.value("user_name_steps"):
        return set()
    if "cilogon" in login.providers:
        ways = map(_way, login.idps.values())
        claims = {str(way.get("username_claim", "")) for way in ways if not way.get("action")}
    elif "github" in login.providers:
        claims = {"login"}
    elif "google" in login.providers and login.value("strip_domain") is not False:
        return set()
    known = {"email": True, "eppn": True, "preferred_username": False, "login": False}
    return set() if claims - known.keys() else {known[claim] for claim in claims}


def _communities(login: Login) -> Iterator[Finding]:
    """Rules that nobody who logs in here can meet, or that nobody reads."""
    if login.classes and login.rules and not login.ours:
        what = f"say who may log in, but {login.classes[0]} is in use, which does not know communities."
        yield warning("communities", what, "Choose an authenticator whose name begins with community-.")
    if login.ours and login.communities and not login.manages_groups:
        made_by_hand = "JupyterHub.load_groups" if login.value("manage_groups") is None else "manage_groups: false"
        yield warning(
            "communities",
            f"put nobody into a group, because of {made_by_hand}: profiles, quotas and roles of leads do not see them.",
            "Remove it, so that people are in the groups of their communities.",
        )
    for path, rule in login.rules if login.providers and login.ours else ():
        why = unmeetable(rule, login.providers, login.idps)
        if why:
            yield warning(path, f"means nobody here: {why}.", "Change the rule, or remove it.")


def admits_by_name(login: Login) -> bool:
    """Whether anything admits people besides communities and the identity providers of CILogon."""
    admitting = {
        trait
        for _, section in login.in_use
        for trait, value in section.items()
        if value and re.match(r"allow_|allowed_|admin_(users|groups|google_groups)", trait) and trait != "allowed_idps"
    }
    known = admitting & set(login.traits) if login.traits else admitting
    return bool(known or login.admins or (login.staff and login.staff.names))


def unmeetable(rule: Rule, providers: Collection[str], idps: Collection[str] = ()) -> str:
    """Why nobody who logs in with one of these providers can meet the rule; "" if somebody may.

    `idps` are the identity providers that CILogon lets people choose; none: not known.
    """
    left = set(providers)
    if rule.provider and set(rule.provider) <= set(PROVIDERS.values()):  # else it is a name that an operator gave
        left &= set(rule.provider)
    if not left:
        return f"people log in with {_any(providers)}, not with {_any(rule.provider)}"
    for condition, tellers in _TOLD_BY.items():
        if not getattr(rule, condition):
            continue
        if not left & tellers:
            return f"`{condition}` is told by {_any(tellers)}, and people log in with {_any(left)}"
        left &= tellers
    if rule.domains and not rule.idp and left <= _SEVERAL_IDPS:
        return "`domains` needs `idp` beside it, which says whose word counts for an address"
    if rule.idp and idps and left == {"cilogon"} and not set(rule.idp) & set(idps):
        return f"{_any(map(idp_name, rule.idp))} is not among the idps of CILogon that may be used"
    return ""


def _any(names: Iterable[str]) -> str:
    return " or ".join(sorted(_NAMES.get(name, name) for name in names))
