"""What a planned hub decides about one person: the login, the groups, and every profile, with the reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traitlets import TraitError

from . import explanations, planned_login, planned_profiles
from .communities import Reason
from .explanations import ExplainedProfile
from .file_places import Places
from .planned_hub import PlannedHub
from .planned_login import Asked, LoginAnswer
from .planned_server import PlannedServer, planned_server
from .profiles import named
from .rendering import UnknownProfileError
from .settings import Settings
from .user_names import behind_kubernetes
from .z2jh.values import programs

_OUR_CALL = ("from hub_extensions import configure", "configure(c)")


@dataclass(frozen=True)
class Explanation:
    """The answer; `server` only where one was asked for. `notes` are sentences on what the files do not tell."""

    login: LoginAnswer
    profiles: tuple[ExplainedProfile, ...]
    server: PlannedServer | None = None
    notes: tuple[str, ...] = ()

    @property
    def plain(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        login = self.login
        reasons = [f"{reason.rule}: {reason.sentence}" for reason in login.reasons]
        return {
            "login": {
                "allowed": login.allowed,
                "communities": list(login.communities),
                "lead_of": list(login.lead_of),
                "admin": login.admin,
                "reasons": [*reasons, *(f"Assumed: {sentence}" for sentence in login.assumed)],
            },
            "groups": list(login.groups),
            "profiles": [profile.plain for profile in self.profiles],
            **({"traits": self.server.plain, "refused": self.server.refused} if self.server else {}),
            "notes": list(self.notes),
        }


async def explain(hub: PlannedHub, asked: Asked, options: Mapping[str, str] | None = None) -> Explanation:
    """What this hub decides about somebody; nothing is started or contacted.

    `options` are those of a start, with the slug of a profile under `profile`; without, no server is asked for.
    Raises UnknownProfileError for a slug that nobody has, and SettingsError for profiles that a hub cannot use.
    """
    places = Places(hub.values)
    login = await _login(hub, asked, places)
    catalogue = await planned_profiles.catalogue_of(hub.config, login)
    person = planned_profiles.person_of(hub.config, login)
    profiles = explanations.explain(catalogue, person)
    server = None
    if options is not None:
        slugs = [profile.name for profile in catalogue.profiles]
        if named(catalogue.profiles, options.get("profile")) is None:
            raise UnknownProfileError(str(options.get("profile")), slugs)
        server = planned_server(hub.config, catalogue, person, login, options, places)
    return Explanation(login, tuple(profiles), server, (*_notes(hub), *_spelling(asked.user), *login.doubts))


async def _login(hub: PlannedHub, asked: Asked, places: Places) -> LoginAnswer:
    """The answer of the login; where it cannot be told, a no that says why: the profiles can be told all the same."""
    try:
        return await planned_login.answer(hub.config, hub.settings or Settings(), asked, places)
    except (planned_login.CannotBeToldError, TraitError, ValueError) as error:
        reason = Reason(places.trait("JupyterHub", "authenticator_class"), f"The login cannot be told. {error}")
        return LoginAnswer(asked.user.lower(), allowed=False, groups=asked.groups, reasons=(reason,))


def _spelling(user: str) -> list[str]:
    """What to say of a name that may be one of Kubernetes' and not one of a person."""
    name = behind_kubernetes(user)
    return (
        [f"If {user} is from the name of a pod or a volume, its owner is {name}: ask about that name."] if name else []
    )


def _notes(hub: PlannedHub) -> list[str]:
    wrong = [finding for finding in hub.findings if finding.severity == "error"]
    notes = []
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        notes.append(
            f"This hub would not start, so what is said here may change: {wrong[0].path}: {wrong[0].what}{more} "
            "(hub-extensions check)."
        )
    if has_python(hub.values or {}):
        notes.append("Python in hub.extraConfig was not executed; what it changes is not in this answer.")
    return notes


def has_python(values: Mapping[str, Any]) -> bool:
    """Whether values have Python for the hub besides the call of `configure`."""
    lines = [line.strip() for program in programs(values).values() for line in program.splitlines()]
    return any(line and not line.startswith("#") and line not in _OUR_CALL for line in lines)
