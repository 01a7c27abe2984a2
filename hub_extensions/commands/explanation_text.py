"""An explanation for people to read: short lines, indented by what they belong to."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..explained_hub import Explanation
    from ..explanations import ExplainedOption, ExplainedProfile
    from ..planned_login import LoginAnswer
    from ..planned_server import PlannedServer

_WRITE_IN = "writing one's own"


def told(answer: "Explanation") -> str:
    """All of an explanation."""
    return "\n".join([*_login(answer.login), "", *_profiles(answer), *_server(answer.server), *_notes(answer)]) + "\n"


def _login(login: "LoginAnswer") -> Iterator[str]:
    yield f"{login.user} {'may' if login.allowed else 'may not'} log in{', and administers the hub' * login.admin}."
    yield from (f"  {reason.rule}: {reason.sentence}" for reason in login.reasons)
    yield from (f"  Assumed: {sentence}" for sentence in login.assumed)
    if login.communities:
        leads = [f"{name} (leads it)" if name in login.lead_of else name for name in login.communities]
        yield f"Communities: {', '.join(leads)}"
    yield f"Groups: {', '.join(login.groups) or 'none'}"


def _profiles(answer: "Explanation") -> Iterator[str]:
    if not answer.profiles:
        yield "This hub has no profiles: everybody gets the same server."
        return
    yield "Profiles" if answer.login.allowed else "Profiles, as they would be after a login"
    for profile in answer.profiles:
        yield from _profile(profile)


def _profile(profile: "ExplainedProfile") -> Iterator[str]:
    yield f"  {profile.slug}: {profile.state}. {profile.display_name}. {profile.why}"
    for option in profile.options:
        yield from _option(option)


def _option(option: "ExplainedOption") -> Iterator[str]:
    open_ones = [*option.choices, *([_WRITE_IN] if option.unlisted else [])]
    if open_ones:
        yield f"    {option.name}: {', '.join(open_ones)}"
    for why, keys in _by_reason(option).items():
        yield f"    {option.name}: not {', '.join(keys)}. {why}"


def _by_reason(option: "ExplainedOption") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, why in option.closed.items():
        found.setdefault(why, []).append(_WRITE_IN if key.startswith("--") else key)
    return found


def _server(server: "PlannedServer | None") -> Iterator[str]:
    if server is None:
        return
    yield ""
    if server.refused:
        yield f"No server: {server.refused}"
        return
    yield "Server"
    for name, entry in server.plain.items():
        yield f"  {name}: {json.dumps(entry['value'], ensure_ascii=False)}"
        yield f"    from {', '.join(entry['from'])}"


def _notes(answer: "Explanation") -> Iterator[str]:
    if answer.notes:
        yield ""
        yield from (f"Note: {note}" for note in answer.notes)
