"""Who may see what: read from the scopes of a person's token, and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_extensions.usage_service import ADMINISTER, INVITE, READ, READ_EVERYBODY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Access:
    """What the holder of a token may see: their own sessions, those of communities, those of the hub.

    ``user`` is empty for a service: one that is called like a person is not that person. ``invites_to``: communities
    into which they may let people; ``admin``: into all of them.
    """

    user: str
    communities: tuple[str, ...]
    hub: bool
    invites_to: tuple[str, ...] = ()
    admin: bool = False

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> Access:
        """Read what the hub says of a token's owner."""
        scopes = {str(scope) for scope in model.get("scopes", ())}
        return cls(
            user=str(model["name"]) if model.get("kind") == "user" else "",
            communities=_groups_of(READ, scopes),
            hub=READ in scopes or READ_EVERYBODY in scopes,
            invites_to=_groups_of(INVITE, scopes),
            admin=ADMINISTER in scopes,
        )

    def sees(self, community: str) -> bool:
        """Whether this community's usage may be shown."""
        return self.hub or community in self.communities

    def invites(self, community: str) -> bool:
        """Whether they may make invitations to this community. Only a person does: others are told whom to ask."""
        return bool(self.user) and (self.admin or community in self.invites_to)


def _groups_of(scope: str, scopes: Iterable[str]) -> tuple[str, ...]:
    prefix = f"{scope}!group="
    return tuple(sorted(each.removeprefix(prefix) for each in scopes if each.startswith(prefix)))
