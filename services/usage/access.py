"""Who may see what: read from the scopes of a person's token, and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_extensions.usage_service import READ, READ_EVERYBODY

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_GROUP = f"{READ}!group="


@dataclass(frozen=True)
class Access:
    """What the holder of a token may see: their own sessions, those of communities, those of the hub.

    ``user`` is empty for a service: one that is called like a person is not that person.
    """

    user: str
    communities: tuple[str, ...]
    hub: bool

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> Access:
        """Read what the hub says of a token's owner."""
        scopes = {str(scope) for scope in model.get("scopes", ())}
        return cls(
            user=str(model["name"]) if model.get("kind") == "user" else "",
            communities=tuple(sorted(s.removeprefix(_OF_GROUP) for s in scopes if s.startswith(_OF_GROUP))),
            hub=READ in scopes or READ_EVERYBODY in scopes,
        )

    def sees(self, community: str) -> bool:
        """Whether this community's usage may be shown."""
        return self.hub or community in self.communities
