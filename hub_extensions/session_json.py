"""A session as JSON, as hubs tell it to services and keep it in a server's state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from .sessions import Session

_Moment = AwareDatetime | None
_Amount = Annotated[int, Field(ge=0)]
_Cores = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Written(BaseModel):
    """Fields that are not known are ignored: the hub may be of a newer version than the service."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(min_length=1)]
    hub: str
    user_name: str
    server_name: str = ""
    community: str = ""
    profile: str = ""
    choices: dict[str, str] = {}
    image: str = ""
    memory_limit: _Amount | None = None
    memory_guarantee: _Amount | None = None
    cpu_limit: _Cores | None = None
    cpu_guarantee: _Cores | None = None
    gpus: _Amount = 0
    requested_at: _Moment = None
    ready_at: _Moment = None
    groups: frozenset[str] = frozenset()


def written(session: Session) -> dict[str, Any]:
    """A session as plain values, with what is known of it from its start on: neither when it was seen nor its end."""
    values: dict[str, Any] = {name: getattr(session, name) for name in _Written.model_fields}
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = value.isoformat()
    return {**values, "choices": dict(session.choices), "groups": sorted(session.groups)}


def read(values: Any) -> Session:
    """The session that was written; raises ValueError for anything else."""
    try:
        known = _Written.model_validate(values if isinstance(values, Mapping) else {})
    except ValidationError as error:
        raise ValueError(f"not a session: {error.errors(include_url=False, include_input=False)[0]['msg']}") from None
    return Session(**dict(known))
