"""The profile machinery of a spawner, whatever it starts servers with."""

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from jupyterhub.utils import maybe_future
from sqlalchemy.orm import object_session
from traitlets import Any as AnyValue
from traitlets import Bool, Callable, Dict, List, TraitError, Unicode, Union, default, validate

from hub_extensions import catalogue, catalogue_check, changes, groups, profiles
from hub_extensions.checked_traits import TimeZone
from hub_extensions.findings import told_once
from hub_extensions.group_metrics import GROUP_SIZES
from hub_extensions.mistakes import SettingsError
from hub_extensions.offer import offer
from hub_extensions.override_check import Traits
from hub_extensions.patterns import compiled
from hub_extensions.quota_words import uses_of
from hub_extensions.spawner_traits import traits_of
from hub_extensions.usage_service import time_zone as zone

from . import form
from .endings import Endings
from .personal_environment import PersonalEnvironment
from .quota_watch import QuotaWatch
from .refusal import knows_refusals, refusal
from .running_metrics import RUNNING_SERVERS
from .session import SessionRecord, records
from .trait_overrides import TraitOverrides

_READER = "hub_extensions_catalogue_reader"  # among the hub's settings
_TOLD = "hub_extensions_told"  # likewise


class ProfileSpawner(TraitOverrides, QuotaWatch, PersonalEnvironment, Endings):
    """Put this before a Spawner class, to let people choose from profiles that are scoped by group.

    Whatever way options reach the spawner (form, link, REST API, an admin, saved options), `apply_user_options` is the
    one place that checks them against what the server's owner may use and turns them into traits.
    """

    profile_list = Union(
        [List(), Dict(), Callable()],
        config=True,
        help="""
        The profiles that people choose from, in KubeSpawner's grammar, plus `allowed_groups`.

        `allowed_groups` may stand on a profile, on a choice of one of its options, and on `unlisted_choice`: a list of
        JupyterHub groups, compared without regard to case, of which a person must be in at least one. Without it, the
        part is for everyone::

            c.ProfileKubeSpawner.profile_list = [
                {
                    "display_name": "Ocean analysis",
                    "slug": "ocean",
                    "allowed_groups": ["ocean-lab"],
                    "profile_options": {"image": {"display_name": "Image", "choices": {...}}},
                    "kubespawner_override": {"mem_limit": "4G"},
                }
            ]

        A list; or a mapping, whose values are used in the order of their keys; or a function that takes the spawner and
        returns either, and may be async. An empty list switches profiles off. With profiles, nobody can start a server
        that is none of them: someone to whom no profile is open is refused.

        A list or mapping is checked whole, by the settings of this spawner, when JupyterHub makes the first spawner: at
        its start if servers are running, else when the first person logs in, who then gets an error. With
        `hub_extensions.configure(c, {})` at the end of your configuration (which also brings this package's pages)
        every start ends with what is wrong instead. What a function returns is only read.
        """,
    )

    time_zone = TimeZone(
        "UTC",
        config=True,
        help="Where days begin and end, as those of profiles and of quotas: an IANA name such as Europe/Berlin.",
    )

    communities = Dict(
        Unicode(),
        config=True,
        help="""
        This hub's communities, name → title; the name of each is the name of a group too.

        A session counts for one of them: one whose group opens the chosen profile, else one that the person belongs to.
        Where there are several, the person says which on the page, and it is remembered with their other choices.
        """,
    )

    write_ins_from_links = Bool(
        False,
        config=True,
        help="""
        Whether a link to the start page may fill in a write-in, such as the name of an image.

        Links never start a server, but what they fill in is easily overlooked: leave this off unless every image that
        the write-in's pattern takes is one that you would let anybody suggest to your users.
        """,
    )

    binder_service = Unicode(
        "binder",
        config=True,
        help="""
        The name of the hub's service that builds images: a BinderHub, which answers at `/services/<this name>/`.

        An option with `dynamic_image_building: {"enabled": True}` and an enabled `unlisted_choice` then lets people
        have an image built from a repository on GitHub. The service must run with `enable_api_only_mode = True`, and
        people need the scope `access:services!service=<this name>`. Where the hub has no such service, or this is
        empty, nothing is offered for building.
        """,
    )

    built_images = Unicode(
        "",
        config=True,
        help="""
        A regular expression which the names of all images fit that the builder makes, and no other image does.

        What was built is told to the hub by the person's browser, so without this it is a write-in like any other: the
        option's `unlisted_choice` must be enabled, and its `validation_regex` is what protects you. With it, people may
        build also where `unlisted_choice` is not enabled, and start what fits the whole expression::

            c.ProfileKubeSpawner.built_images = r"quay[.]io/my-org/built-[a-z0-9-]+:[0-9a-f]{40}"
        """,
    )

    # Whatever JSON somebody sent: JupyterHub 5 stores it unseen, and is to get as far as our refusal with it.
    user_options = AnyValue(help="What was asked for of this server.")

    resolved: profiles.Resolved | None = None
    _linked: Mapping[str, Any]
    _good_options: Any

    def __init__(self, **kwargs: Any):
        self._linked = {}
        super().__init__(**kwargs)
        self._good_options = self.user_options  # those of the last start, which JupyterHub has kept
        self.session = SessionRecord(self)
        if self.user:
            GROUP_SIZES.follow(self.user.db)
            RUNNING_SERVERS.follow(records(self.user.settings))
            self._tell_what_was_overwritten()

    def _tell_what_was_overwritten(self) -> None:
        """Say once in the hub's log what its configuration has lost, where no authenticator of ours has said so."""
        settings = self.user.settings
        if _TOLD in settings:
            return
        settings[_TOLD] = True
        lines = changes.overwritten(self.config)
        for line in lines if lines and not changes.has_our_login(self.config) else ():
            self.log.warning("%s", line)

    @default("user_options")
    def _user_options_default(self) -> dict[str, Any]:
        return {}

    # What a person sees

    @default("options_form")
    def _options_form_default(self) -> Any:
        # Every page of a logged-in user reads this trait, so it must be cheap; the form itself is made when asked for.
        return type(self)._profile_form if self.profile_list else ""

    async def _profile_form(self) -> str:
        known = await self._catalogue()
        linked, self._linked = self._linked, {}
        notices = []
        if not self.write_ins_from_links and any(name.endswith(profiles.WRITE_IN) for name in linked):
            linked = {name: value for name, value in linked.items() if not name.endswith(profiles.WRITE_IN)}
            notices.append("The link would have filled in a field. If you trust it, copy the value yourself.")
        person = self._person()
        told = await self.quota_told(person, self.communities)
        uses = uses_of(told.countings, self.session.snapshot()) if told.countings else None
        offered = offer(known, person, linked or self.user_options, uses)
        if offered.is_empty:
            raise refusal(profiles.nothing_offered(known, person), code="nothing_offered", status=403)
        return form.render(offered, self.communities, notices, self._builder(), told.lines)

    # What a person sends

    async def run_auth_state_hook(self, auth_state: Any) -> None:
        """Before JupyterHub looks at a link, take out of it what it asks for, then run the operator's hook.

        JupyterHub would start a server at once, with whatever somebody else's link asks for. What is taken out selects
        the choices on the page, and the person decides.
        """
        if self.handler and self.handler.request.method == "GET" and self.profile_list:
            query = self.handler.request.query_arguments
            taken = {name: query.pop(name) for name in list(query) if name not in ("next", "display_name")}
            self._linked = form.options_of_link(
                {name: [value.decode("utf-8", "replace") for value in values] for name, values in taken.items()}
            )
        await super().run_auth_state_hook(auth_state)

    @default("options_from_form")
    def _options_from_form_default(self) -> Any:
        return form.options_of

    @validate("profile_list")
    def _is_checked(self, proposal: Any) -> Any:
        listed = proposal["value"]
        try:
            if not callable(listed):
                self._reader().read(listed)
        except SettingsError as error:
            raise TraitError(str(error)) from None
        return listed

    @validate("built_images")
    def _compiles(self, proposal: Any) -> str:
        try:
            compiled(proposal["value"])
        except ValueError as error:
            raise TraitError(f"built_images {error}") from None
        return str(proposal["value"])

    def _builder(self) -> str:
        """The name of the service that builds images, "" if this hub has none."""
        service = self.user.settings.get("services", {}).get(self.binder_service)
        return self.binder_service if service and service.url else ""

    # What comes of it

    @default("apply_user_options")
    def _apply_user_options_default(self) -> Any:
        return type(self)._apply_profile

    @validate("apply_user_options")
    def _profile_first(self, proposal: Any) -> Any:
        """Keep an operator's own hook, after ours: replacing ours would let any options through."""
        theirs = proposal["value"]
        if theirs is None or theirs is type(self)._apply_profile:
            return type(self)._apply_profile
        if not callable(theirs):
            raise TraitError("apply_user_options must be a function: profiles already turn options into traits.")

        async def profile_then_theirs(spawner: Any, options: Any) -> None:
            await spawner._apply_profile(options)
            await maybe_future(theirs(spawner, options))

        return profile_then_theirs

    async def _apply_profile(self, options: Any) -> None:
        self.session.request()
        if not self.profile_list:
            return
        if isinstance(options, Mapping) and set(options) == {"user_options"}:
            # JupyterHub 6 takes the options out of such a request's body, JupyterHub 5 passes on the body as it is.
            options = options["user_options"]
            self.user_options = options if isinstance(options, Mapping) else {}
            self._save_options(self.user_options)
        known = await self._catalogue()
        resolved = profiles.resolve(known, self._person(), options)
        if isinstance(resolved, profiles.Refused):
            self._forget_options(known)
            self._not_a_failure_of_the_hub()
            raise refusal(
                resolved.reason, code=resolved.code, status=403 if resolved.code == "nothing_offered" else 400
            )
        self.resolved = resolved
        self._good_options = options or {}
        for override in resolved.overrides:
            await self._apply_override(override)

    async def run_pre_spawn_hook(self) -> None:
        """Run the chain; then all that the server gets is known, and a quota may refuse it."""
        await super().run_pre_spawn_hook()
        spent = await self.why_spent(self._person(), self.session.snapshot(), self.communities)
        if spent:
            self._not_a_failure_of_the_hub()
            raise refusal(spent, code="quota", status=403)

    async def load_user_options(self) -> None:
        """Do nothing: KubeSpawner calls this in `start`, when the profile has been applied already."""

    async def _apply_override(self, override: Mapping[str, Any]) -> None:
        for name, wanted in override.items():
            value = await maybe_future(wanted(self)) if callable(wanted) and self.has_trait(name) else wanted
            self.override_trait(name, value, f"profile {self._profile()}")

    def clear_state(self) -> None:
        """Forget the last start, also its profile: the next one may be of another."""
        super().clear_state()
        self.resolved = None

    def _forget_options(self, known: catalogue.Catalogue) -> None:
        """Undo the saving of refused options: JupyterHub keeps options for the next start before they are checked."""
        still_good = isinstance(profiles.resolve(known, self._person(), self._good_options), profiles.Resolved)
        self.user_options = self._good_options if still_good else {}
        self._save_options(self.user_options)

    def _save_options(self, options: Any) -> None:
        if self.orm_spawner is None:
            return
        self.orm_spawner.user_options = options
        session = object_session(self.orm_spawner)
        if session:
            session.commit()

    def _not_a_failure_of_the_hub(self) -> None:
        """Take back what JupyterHub 5 is about to count: it ends itself after some failed starts in a row.

        JupyterHub 6 counts only errors, not refusals.
        """
        if self.handler and not knows_refusals():
            counts = self.handler.settings
            counts["failure_count"] = counts.get("failure_count", 0) - 1

    # What is remembered of it

    def get_state(self) -> dict[str, Any]:
        """Keep the session too, so that a hub that was restarted knows it."""
        state: dict[str, Any] = super().get_state()
        session = self.session.state()
        return {**state, "session": session} if session else state

    def load_state(self, state: dict[str, Any]) -> None:
        """Find the session again after the hub was restarted."""
        super().load_state(state)
        self.session.resume(state.get("session"))

    # Whose server it is

    def _person(self) -> profiles.Person:
        """The server's owner: an admin who starts it for them adds nothing."""
        names = frozenset(group.name for group in self.user.groups)
        belongs = groups.keys(names)
        return profiles.Person(
            groups=names,
            today=datetime.now(zone(self.time_zone)).date(),
            user_name=self.user.name,
            communities=tuple(name for name in self.communities if groups.key(name) in belongs),
            is_program=self.is_of_program,
        )

    def community(self) -> str:
        """The community that a session of this server counts for, "" if none."""
        if self.resolved:
            return self.resolved.community
        return next(iter(self._person().communities), "")

    def _profile(self) -> str:
        return self.resolved.profile if self.resolved else ""

    def _reader(self) -> catalogue.Reader:
        """What reads and checks a list once for a hub: each spawner has a copy of the configured one.

        The settings are what all spawners of a hub have in common; a spawner without a user has none.
        """
        shared = self.user.settings if self.user else {}
        if _READER not in shared:
            shared[_READER] = catalogue.Reader(partial(_read_checked, traits_of(type(self)), self.log))
        return shared[_READER]  # type: ignore[no-any-return]

    async def _catalogue(self) -> catalogue.Catalogue:
        listed = self.profile_list
        with self.named("profile_list"):
            # A function may answer differently for each spawner, and each time.
            read = catalogue.read(await maybe_future(listed(self))) if callable(listed) else self._reader().read(listed)
        return read.model_copy(update={"built_images": self.built_images if self._builder() else ""})


def _read_checked(traits: Traits | None, log: logging.Logger, profile_list: Any) -> catalogue.Catalogue:
    read, doubts = catalogue_check.read_checked(profile_list, "profile_list", traits)
    for doubt in told_once(doubts):
        log.warning("%s", doubt)
    return read
