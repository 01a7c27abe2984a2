"""The rules of an authenticator's own class: which of them let somebody in, by asking the class of each alone."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from jupyterhub.utils import maybe_future
from pydantic import ValidationError
from tornado.web import HTTPError

from . import user_names
from .assumed_identity import claimed_name
from .communities import Reason
from .file_places import Places
from .findings import inside
from .identities import Identity
from .login_settings import Login, listed
from .membership import Rule, idp_name
from .user_names import RefusedName

# What a class may be told to let people in by; CILogon's IdPs besides.
_ALLOWING = (
    "allow_all",
    "allowed_users",
    "allowed_organizations",
    "allowed_groups",
    "allowed_google_groups",
    "allowed_globus_groups",
    "allowed_scopes",
)
_ADMIN_GROUPS = ("admin_groups", "admin_google_groups", "admin_globus_groups")


def auth_state_of(authenticator: Any, login: Login, identity: Identity) -> dict[str, Any]:
    """What a provider that says this of a person leaves in auth_state, where classes of OAuthenticator look."""
    groups, user = list(identity.groups), identity.user_name
    claims = {
        "sub": identity.subject or user,
        "email": identity.email,
        "email_verified": identity.email_verified,
        "verified_email": identity.email_verified,
        "domain": identity.email_domain,
        "hd": identity.hosted_domain,
        "idp": identity.idp,
        "identity_provider": identity.idp,
        "google_groups": groups,
    }
    claim = getattr(authenticator, "username_claim", "")
    if isinstance(claim, str) and claim:
        claims.setdefault(claim, user)
    idp = login.idps.get(identity.idp, {})
    if idp:
        named_by = str((idp.get("username_derivation") or {}).get("username_claim") or "email")
        claims.setdefault(named_by, claimed_name(user, idp))
        claims.setdefault(str(idp.get("allowed_domains_claim") or named_by), identity.email)
    scopes = getattr(authenticator, "scope", [])
    return {
        getattr(authenticator, "user_auth_state_key", "oauth_user"): claims,
        # Where a hub admits by scopes, they are what it knows of groups.
        "scope": groups if login.value("allowed_scopes") else list(scopes),
        "token_response": {},
        "organizations": list(identity.organizations),
        "teams": [
            {"organization": {"login": team.partition(":")[0]}, "slug": team.partition(":")[2]}
            for team in identity.teams
        ],
        "globus_groups": groups,
    }


class ClassRules:
    """What the class behind a community authenticator, or a stock one, makes of a person; communities do not count.

    `said` is the auth_state of the person, `groups` those of the hub that they get.
    """

    def __init__(
        self,
        authenticator: Any,
        login: Login,
        identity: Identity,
        said: Mapping[str, Any],
        groups: Collection[str],
        places: Places,
    ) -> None:
        self._authenticator = authenticator
        self._login = login
        self._identity = identity
        self._said = said
        self._groups = sorted(groups) if authenticator.manage_groups else []
        self._places = places
        self._class = _without_questions(authenticator)

    @property
    def admin_rule(self) -> Reason | None:
        """What makes the person an admin of the hub."""
        name, login = self._identity.user_name, self._login
        if name in map(self._authenticator.normalize_username, self._authenticator.admin_users):
            return Reason(self._places.entry(login, "admin_users", name), f"{name} is named there, and runs this hub.")
        for trait in _ADMIN_GROUPS:
            # `admin_groups` are those of the hub, the others those of the provider, by domain where Google has them.
            mine = self._groups if trait == "admin_groups" else self._identity.groups
            wanted = self._in_domain(getattr(self._authenticator, trait, ()))
            found = sorted(set(mine) & set(wanted))
            if found:
                place = self._places.entry(login, trait, found[0])
                return Reason(place, f"{found[0]} is a group of people who run this hub.")
        return None

    async def refusals(self) -> list[Reason]:
        """Why the class refuses the person, whatever else admits them."""
        name, granted = self._identity.user_name, {*self._authenticator.admin_users, *self._authenticator.allowed_users}
        if self._login.ours:
            try:
                user_names.refuse_unfit(name, self._authenticator.reserved_names, granted)
            except RefusedName as refused:
                return [Reason("reserved_names", str(refused))]
        idps, idp = self._login.idps, self._identity.idp
        if "cilogon" in self._login.providers and idp not in idps:
            accepted = " or ".join(map(idp_name, idps)) or "nobody yet"
            told = f"{idp_name(idp) or 'No identity provider'} is not among those of this hub: {accepted}."
            return [Reason(self._place_of_idps(), told, nearness=1)]
        try:
            passed = await maybe_future(self._class.check_blocked_users(name, self._model))
        except HTTPError as refused:
            return [Reason(f"c.{self._login.classes[0]}", _told(refused), nearness=1)]
        if passed:
            return []
        if name in self._authenticator.blocked_users:
            place = self._places.entry(self._login, "blocked_users", name)
            return [Reason(place, "This account is blocked on this hub.")]
        domains = sorted(listed(getattr(self._authenticator, "hosted_domain", ())))
        place = self._places.entry(
            self._login, "allowed_hosted_domains" if not self._login.value("hosted_domain") else "hosted_domain"
        )
        return [Reason(place, f"This hub is for accounts of {' or '.join(domains)}.", nearness=1)]

    async def admitting(self) -> list[Reason]:
        """The rules that let the person in."""
        if not await self._admits(self._model):
            return []
        admin = self.admin_rule
        found = [admin] if admin else []
        kept = {name: getattr(self._authenticator, name) for name in _ALLOWING if self._authenticator.has_trait(name)}
        for name, value in kept.items():
            setattr(self._authenticator, name, type(value)())
        without_admin = {**self._model, "admin": None}
        for name, value in kept.items():
            for entry, alone in self._each_alone(name, value):
                setattr(self._authenticator, name, alone)
                if await self._admits(without_admin):
                    found.append(self._fired(name, entry))
            setattr(self._authenticator, name, type(value)())
        if await self._admits(without_admin):
            found.append(self._fired_for_idp())
        for name, value in kept.items():
            setattr(self._authenticator, name, value)
        return found or [Reason(f"c.{self._login.classes[0]}", "It admits this person.")]

    def nearest(self) -> list[Reason]:
        """Whom the rules of the class are for, and how near this person is to that."""
        found = [self._nearest(self._places.entry(self._login, name), rule) for name, rule in self._as_rules()]
        if getattr(self._authenticator, "allow_existing_users", False):
            place = self._places.entry(self._login, "allow_existing_users")
            found.append(Reason(place, "Whoever has been a user of this hub before gets in; that is not known here."))
        return found or [Reason(f"c.{self._login.classes[0]}", "No rule says who may log in, so nobody may.")]

    @property
    def _model(self) -> dict[str, Any]:
        return {
            "name": self._identity.user_name,
            "admin": True if self.admin_rule else None,
            "groups": self._groups,
            "auth_state": self._said,
        }

    async def _admits(self, model: Mapping[str, Any]) -> bool:
        try:
            return bool(await maybe_future(self._class.check_allowed(self._identity.user_name, model)))
        except HTTPError:
            return False

    def _each_alone(self, name: str, value: Any) -> Iterable[tuple[str, Any]]:
        """Each entry of a list that may be this person's, as a list of its own."""
        if name == "allow_all":
            return [("", True)] if value else []
        if name == "allowed_users":
            return [
                (each, {each})
                for each in value
                if each == self._identity.user_name and each not in self._authenticator.admin_users
            ]
        if name == "allowed_google_groups":
            return [(each, {domain: {each}}) for domain, groups in value.items() for each in groups]
        if name == "allowed_scopes":
            return [("", value)] if value else []
        return [(each, {each}) for each in sorted(value)]

    def _fired(self, name: str, entry: str) -> Reason:
        if name == "allow_all":
            return Reason(self._places.entry(self._login, name), "This hub is open to everybody who can log in.")
        what = (
            f"{self._identity.user_name} is named there." if name == "allowed_users" else f"Members of {entry} get in."
        )
        if name == "allowed_scopes":
            what = "Whoever is granted these scopes gets in."
        return Reason(self._places.entry(self._login, name, entry), what)

    def _fired_for_idp(self) -> Reason:
        idp = self._identity.idp
        entry = self._login.idps.get(idp, {})
        key = "allow_all" if entry.get("allow_all") else "allowed_domains"
        who = "Everybody" if key == "allow_all" else f"Whoever is of {' or '.join(map(str, entry.get(key, ())))}"
        return Reason(inside(self._place_of_idps(), idp, key), f"{who} gets in through {idp_name(idp)}.")

    def _place_of_idps(self) -> str:
        return self._places.entry(self._login, "idps" if self._login.value("idps") else "allowed_idps")

    def _in_domain(self, groups: Any) -> Collection[str]:
        mine = groups.get(self._identity.email_domain, ()) if isinstance(groups, Mapping) else groups
        return listed(mine)

    def _as_rules(self) -> Iterable[tuple[str, Rule]]:
        """The rules of the class as those of a community, for the words."""
        conditions = {"allowed_organizations": "github", "allowed_users": "users", "allowed_groups": "groups"}
        conditions |= {"allowed_globus_groups": "groups", "allowed_scopes": "groups"}
        conditions |= {"admin_users": "users"}
        for name, condition in conditions.items():
            entries = getattr(self._authenticator, name, ())
            yield from _rule(name, {condition: tuple(sorted(entries))})
        google = getattr(self._authenticator, "allowed_google_groups", {})
        yield from _rule("allowed_google_groups", {"groups": tuple(sorted(self._in_domain(google)))})
        for idp, entry in self._login.idps.items() if "cilogon" in self._login.providers else ():
            name = "idps" if self._login.value("idps") else "allowed_idps"
            domains = tuple(entry.get("allowed_domains") or ())
            if domains or entry.get("allow_all"):
                yield from _rule(name, {"idp": (idp,)} | ({"domains": domains} if domains else {}))

    def _nearest(self, place: str, rule: Rule) -> Reason:
        who = "people who run this hub" if place.endswith("admin_users") else rule.whom()
        sentence, nearness = f"Admits {who}.", rule.nearness(self._identity)
        if nearness:
            sentence += f" You are near, but {' and '.join(rule.lacking(self._identity))}."
        return Reason(place, sentence, nearness)


def _without_questions(authenticator: Any) -> Any:
    """The rules of the class behind ours; of others on OAuthenticator, whose own would ask a provider, only its."""
    bases = type(authenticator).__mro__
    names = [base.__name__ for base in bases]
    if "CommunityAuthenticator" in names:
        return super(bases[names.index("CommunityAuthenticator")], authenticator)
    if "OAuthenticator" in names[1:]:
        return super(bases[names.index("OAuthenticator") - 1], authenticator)
    return authenticator


def _rule(name: str, conditions: Mapping[str, Any]) -> Iterable[tuple[str, Rule]]:
    if not all(conditions.values()):
        return
    try:
        yield name, Rule.model_validate(conditions)
    except ValidationError:  # what the class takes and no community would, which the check of the login tells
        return


def _told(refused: HTTPError) -> str:
    message = getattr(refused, "jupyterhub_message", "") or refused.log_message or "This account is refused."
    return str(message % refused.args if refused.args and "%" in message else message)
