"""What makes an authenticator community-scoped, whatever people log in with."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from jupyterhub.utils import maybe_future
from tornado import web
from traitlets import Dict, Integer, List, Set, Unicode, default, validate
from traitlets.config.loader import LazyConfigValue

from hub_extensions import changes, communities, groups, user_names
from hub_extensions.branding import contact_of
from hub_extensions.checked_traits import TimeZone, model_of
from hub_extensions.communities import MOST_GROUPS, Communities, Community, Decision, Policy, Refusal
from hub_extensions.group_metrics import GROUP_SIZES
from hub_extensions.identities import Identity
from hub_extensions.membership import Rule
from hub_extensions.usage_service import time_zone as zone
from hub_extensions.user_names import RefusedName, TakenNames

from .administrators import keep_out_of
from .inviting import InvitingAuthenticator
from .slugs import slug_of

RECORD = "hub_extensions"  # what of auth_state is ours: who owns the name, and when the provider last confirmed it


class CommunityAuthenticator(InvitingAuthenticator):
    """Put this before an authenticator class, to admit the members of communities and to make each one a group.

    What the class itself allows (`admin_users`, `allowed_users`, `allow_all`, …) is admitted as well; what refuses is
    final for both.
    """

    communities = Dict(
        config=True,
        help="""
        The communities of this hub: name → title, members, leads, from, until, branding.

        Whoever a rule of a community's members or leads means may log in, and is put into a group of the community's
        name (and into `NAME:leads`)::

            c.CommunityAuthenticator.communities = {
                "ocean-lab": {"members": [{"groups": ["staff:ocean"]}], "leads": [{"users": ["lin"]}]},
            }

        Needs `manage_groups`, which is then on by default.
        """,
    ).tag(allow_config=True)

    admins = List(
        Dict(),
        config=True,
        help="""
        Who administers the hub, besides `admin_users`: rules as those of a community's members, for instance
        `[{"github": ["our-org:staff"]}, {"provider": "google", "users": ["lin@example.org"]}]`.
        """,
    ).tag(allow_config=True)

    service_users = Set(
        Unicode(),
        config=True,
        help="""
        Users that are programs, such as a health check. Nobody can log in with such a name; nothing is refreshed for
        them, and windows do not concern them.
        """,
    )

    reserved_names = Set(
        Unicode(),
        set(user_names.RESERVED),
        config=True,
        help="Names that nobody gets from a provider, unless `admin_users` or `allowed_users` names the person.",
    )

    shared_user_names = Set(
        Unicode(),
        config=True,
        help="""
        Providers that give one person the same name, for instance `{"github", "cilogon"}` after a change of provider.

        Otherwise a name that was made with one provider is refused to an account of another, and to another account of
        the same provider. Known from `auth_state`, so it needs `enable_auth_state`.
        """,
    )

    most_groups = Integer(
        MOST_GROUPS,
        min=1,
        config=True,
        help="""
        How many groups and teams one person may have at the provider. Whoever has more is refused and told so: the hub
        writes each of them into its database at a login, and with some of them left out nobody would know which.
        """,
    )

    contact = Unicode(
        config=True,
        help="Whom people may ask for access, as the page that refuses them shows it: an e-mail address or a URL.",
    )

    time_zone = TimeZone(
        "UTC",
        config=True,
        help="Where the first and the last day of a community begin and end: an IANA name such as Europe/Berlin.",
    )

    provider = Unicode(help="What a rule's `provider` calls this: github, cilogon, google, globus, oidc, …")

    def __init__(self, **kwargs: Any) -> None:
        self._checked_communities: Mapping[str, Community] = {}
        self._checked_admins: tuple[Rule, ...] = ()
        self._taken = TakenNames(slug_of)
        self._known: set[str] = set()
        self._owners: dict[str, Mapping[str, Any]] = {}  # of names that somebody logs in with, before auth_state has it
        super().__init__(**kwargs)
        if getattr(self.parent, "db", None) is not None:
            GROUP_SIZES.follow(self.parent.db)
            for line in changes.overwritten(self.config):  # what the hub is configured with is settled now
                self.log.warning("%s", line)
        # A trait set for the class of the provider hides the same trait of Authenticator; lists of people are added up.
        for name in ("admin_users", "blocked_users"):
            setattr(self, name, set(getattr(self, name)).union(*self._configured(name)))
        for name in ("admin_users", "blocked_users", "allowed_users", "service_users"):
            setattr(self, name, {self.normalize_username(each) for each in getattr(self, name)})

    @default("manage_groups")
    def _manage_groups_default(self) -> bool:
        # Groups that were made by hand are lost with it, so it is on only where this knows groups.
        return self.knows_groups and not self.config.JupyterHub.get("load_groups")  # the hub does not start with both

    @property
    def knows_groups(self) -> bool:
        """Whether there are groups that people could be put into."""
        return bool(self._checked_communities) or any(self._configured("communities"))

    @default("auth_refresh_strict")
    def _auth_refresh_strict_default(self) -> bool:
        # Outages are survived before JupyterHub hears of them, so that what is left is a definite no.
        return True

    @validate("communities")
    def _check_communities(self, proposal: Any) -> Any:
        self._checked_communities = model_of(Communities, proposal)
        return proposal["value"]

    @validate("admins")
    def _check_admins(self, proposal: Any) -> Any:
        self._checked_admins = model_of(tuple[Rule, ...], proposal)
        return proposal["value"]

    @property
    def policy(self) -> Policy:
        """Everything of the settings that decides who may log in."""
        named = (Rule(users=tuple(self.admin_users)),) if self.admin_users else ()
        return Policy(
            self._checked_communities,
            admins=(*self._checked_admins, *named),
            blocked_users=self.blocked_users,
            service_users=self.service_users,
            allow_all=self.allow_all,
            most_groups=self.most_groups,
        )

    def now(self) -> datetime:
        """The time, in the time zone in which days begin."""
        return datetime.now(zone(self.time_zone))

    async def identity_of(self, user_name: str, auth_state: Any) -> Identity:
        """What is known of the person; `auth_state` is None where the provider says nothing but a name."""
        return Identity(user_name, provider=self.provider)

    async def decide(self, user_name: str, auth_state: Any) -> tuple[Identity, Decision]:
        """Who this is, and what follows from it by our rules alone."""
        identity = await self.identity_of(user_name, auth_state)
        identity = await self.invitations.added_to(identity, self.inviting)
        return identity, communities.decide(self.policy, identity, self.now())

    async def admits(self, user_name: str, auth_model: Mapping[str, Any]) -> bool:
        """Whether the person may still be here, by our rules and by those of the class; raises nothing for a no."""
        _, decision = await self.decide(user_name, auth_model["auth_state"])
        try:
            if decision.refused or not await maybe_future(super().check_blocked_users(user_name, auth_model)):
                return False
            if decision.allowed or self.allow_all:
                return True
            return bool(await maybe_future(super().check_allowed(user_name, auth_model)))
        except web.HTTPError as error:
            self.log.info("Not admitted any more: %s. %s", user_name[:64], error.log_message)
            return False

    async def check_blocked_users(self, username: str, auth_model: Any = None) -> bool:
        """Refuse before anything can admit: by our rules, names that are another's, by the rules of the class."""
        identity, decision = await self.decide(username, auth_model["auth_state"])
        if decision.refused:
            raise await self._refused(identity, decision, None)
        try:
            self._refuse_name(username)
        except RefusedName as refused:
            raise self.refusal(username, str(refused)) from None
        if not await maybe_future(super().check_blocked_users(username, auth_model)):
            raise self.refusal(username, "This account is blocked on this hub.")
        return True

    async def check_allowed(self, username: str, auth_model: Any) -> bool:
        """Admit whom the class or a community admits; tell everyone else why not."""
        if await maybe_future(super().check_allowed(username, auth_model)):
            return True
        identity, decision = await self.decide(username, auth_model["auth_state"])
        if decision.allowed:
            return True
        raise await self._refused(identity, decision, auth_model["auth_state"])

    async def is_admin(self, handler: Any, authentication: Mapping[str, Any]) -> bool | None:
        """Whether the person administers the hub; None leaves it as it is, where no rule says who does."""
        _, decision = await self.decide(authentication["name"], authentication["auth_state"])
        return decision.admin or (False if self._checked_admins else None)

    async def run_post_auth_hook(self, handler: Any, auth_model: Any) -> Any:
        """Refuse a name that belongs to another account, before anything is done for the person who came with it."""
        name = auth_model["name"]
        user = handler.find_user(name) if handler else None
        kept = (await user.get_auth_state() or {}).get(RECORD, {}) if user else {}
        # Nothing is awaited from here on: of two who come at once with one name, the second one meets the first.
        comes = (auth_model["auth_state"] or {}).get(RECORD, {})
        self._refuse_other_account(name, self._owners.get(name) or kept, comes)
        try:
            self._refuse_twin(name)
        except RefusedName as refused:
            raise self.refusal(name, str(refused)) from None
        self._owners[name] = comes
        self._taken.add(name)
        if auth_model.get("admin") is False:
            auth_model["admin"] = await self.is_admin(handler, auth_model) or False
        if user is not None:
            self.keep_leads_out(user, auth_model)
        return await super().run_post_auth_hook(handler, auth_model)

    def keep_leads_out(self, user: Any, auth_model: dict[str, Any]) -> None:
        """Leads may not access the server of someone who administers the hub, also if the hub's own page says so."""
        if user.admin and auth_model.get("admin") is not False and auth_model.get("groups"):
            closed = groups.keys(map(communities.accessible_group, self._checked_communities))
            auth_model["groups"] = [name for name in auth_model["groups"] if groups.key(name) not in closed]

    def add_user(self, user: Any) -> Any:
        """Remember a name that is in use."""
        self._taken.add(user.name)
        self._known.add(user.name)
        return super().add_user(user)

    def delete_user(self, user: Any) -> Any:
        """Forget a name that is no longer in use."""
        self._taken.discard(user.name)
        self._known.discard(user.name)
        self._owners.pop(user.name, None)
        return super().delete_user(user)

    def get_handlers(self, app: Any) -> list[Any]:
        """The class's own; the hub's database is there by then, in which administrators are looked after."""
        keep_out_of([*map(communities.accessible_group, self._checked_communities)], app.db)
        return list(super().get_handlers(app))

    @property
    def another_account_path(self) -> str:
        """Where someone who was refused can come with another account; below the hub's address."""
        return "login"

    def refusal(self, user_name: str, reason: str) -> web.HTTPError:
        """The answer to someone who may not log in, for one reason; `user_name` is "" if there is none."""
        contact = contact_of(self.contact) if self.contact else None
        return self.answer(Refusal(user_name[:64], (reason,), service=self.login_service, contact=contact))

    def answer(self, refusal: Refusal) -> web.HTTPError:
        """The answer to someone who may not log in: in words for them, and with no more than that in the log."""
        self.log.info("Not admitted: %s", refusal.account or "an account without a name")
        error = web.HTTPError(403, "not admitted: %s", refusal.text)
        # What JupyterHub's own pages and its API show, and what ours do.
        error.jupyterhub_message = refusal.text  # type: ignore[attr-defined]
        error.refusal = refusal  # type: ignore[attr-defined]
        error.another_account_path = self.another_account_path  # type: ignore[attr-defined]
        return error

    async def further_reasons(self, identity: Identity, decision: Decision, auth_state: Any) -> list[str]:
        """Sentences for a person whom nothing admits, on what the provider may know of why."""
        return []

    async def _refused(self, identity: Identity, decision: Decision, auth_state: Any) -> web.HTTPError:
        rules = ", ".join(reason.rule for reason in decision.reasons)
        self.log.info("What refused %s or was nearest to admitting: %s", identity.user_name[:64], rules)
        further = await self.further_reasons(identity, decision, auth_state) if auth_state else []
        return self.answer(communities.refusal(identity, decision, self.contact, further, self.login_service))

    def _refuse_name(self, name: str) -> None:
        user_names.refuse_unfit(name, self.reserved_names, self.admin_users | self.allowed_users)
        self._refuse_twin(name)

    def _refuse_twin(self, name: str) -> None:
        if name in self._known:
            return
        twin = self._taken.twin_of(name) or self._named.twin_of(name)
        if twin is not None:
            self.log.warning("The name %r can be taken for %r, which is in use.", name[:64], twin[:64])
            raise RefusedName(
                "Another person here has a name that could be taken for that of your account. The people who run this "
                "hub can give you another name."
            )

    @property
    def _named(self) -> TakenNames:
        """Names of people whom a rule or a list means; they are theirs before they come for the first time."""
        rules = [*self._checked_admins, *(rule for each in self._checked_communities.values() for rule in each.rules)]
        named = TakenNames(slug_of)
        for name in {*self.admin_users, *self.allowed_users, *(user for rule in rules for user in rule.users)}:
            named.add(self.normalize_username(name))
        return named

    def _refuse_other_account(self, name: str, owner: Mapping[str, Any], comes: Mapping[str, Any]) -> None:
        if not owner or not comes:
            return
        same_provider = owner["provider"] == comes["provider"]
        if same_provider and owner["subject"] == comes["subject"]:
            return
        if not same_provider and {owner["provider"], comes["provider"]} <= self.shared_user_names:
            return
        provider = owner["provider"]
        self.log.warning("%r belongs to another account of %s; see shared_user_names.", name[:64], provider)
        raise self.refusal(
            name,
            f"The name {name[:64]} belongs to another account on this hub, which logs in with {provider}. "
            "Log in with that account.",
        )

    def _configured(self, trait: str) -> list[Collection[str]]:
        """What each class that this one is made of is configured with for a trait."""
        sections = [self.config[cls.__name__] for cls in type(self).__mro__ if cls.__name__ in self.config]
        values = [section[trait] for section in sections if trait in section]
        values = [value.get_value(set()) if isinstance(value, LazyConfigValue) else value for value in values]
        return [value for value in values if isinstance(value, (set, list, tuple, frozenset, dict))]
