"""Policies of the package jupyterhub-usage-quotas, `c.UsageQuotaManager`, read as quotas without a change to them.

Its limit is a number of byte-hours or CPU-hours, or a whole number with K, M, G or T: `5000G` of memory is 5000
GiB-hours. Its window is a number of days that rolls. `scope_fallback_strategy` says how several policies come together,
and what holds for those to whom no policy applies.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from .mistakes import Mistake, SettingsError, mistakes_in, shown
from .quotas import LONGEST_WINDOW, UNITS, Intersection

SECTION = "UsageQuotaManager"
_LIMIT = re.compile(r"(\d{1,15})([KMGT])", re.ASCII | re.IGNORECASE)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Fallback(_Part):
    resource: Literal["memory", "cpu"]
    limit: int | str
    window: float = Field(gt=0, le=LONGEST_WINDOW.days)

    @field_validator("limit")
    @classmethod
    def _is_an_amount(cls, limit: int | str) -> int | str:
        if isinstance(limit, str) and not _LIMIT.fullmatch(limit):
            raise ValueError(f"expected a whole number, or one with K, M, G or T such as 5000G; found {shown(limit)}.")
        return limit

    def amount(self) -> str:
        base, unit = (2**10, 2**30) if self.resource == "memory" else (10**3, 1)
        found = _LIMIT.fullmatch(str(self.limit))
        value = int(found[1]) * base ** _POWERS[found[2].upper()] if found else int(self.limit)
        return f"{_decimal(Fraction(value, unit))} {UNITS[self.resource]}"

    def quota(self) -> dict[str, Any]:
        days, hours = divmod(max(round(24 * self.window), 1), 24)
        window = f"{24 * days + hours} hours" if hours else f"{days} days"
        return {"resource": self.resource, "limit": self.amount(), "window": window}


class _Scope(_Part):
    group: list[str] = []


class _Policy(_Fallback):
    scope: _Scope


class _Strategy(_Part):
    intersection: Intersection = "min"
    empty: _Fallback | None = None


def quotas_of(policy: Sequence[Mapping[str, Any]], strategy: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The entries of the setting `quotas` that say the same. Raises SettingsError with every mistake."""
    mistakes: list[Mistake] = []
    policies = _checked(list[_Policy], policy, "policy", mistakes) or []
    fallback = _checked(_Strategy, strategy or {}, "scope_fallback_strategy", mistakes) or _Strategy()
    if mistakes:
        raise SettingsError(mistakes, f"c.{SECTION}")
    found = [
        {"groups": each.scope.group, **each.quota(), "intersection": fallback.intersection}
        for each in policies
        if each.scope.group  # one without groups applies to nobody there
    ]
    return found + ([{"otherwise": True, **fallback.empty.quota()}] if fallback.empty else [])


def _checked(kind: Any, value: Any, name: str, mistakes: list[Mistake]) -> Any:
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        for each in mistakes_in(error, kind):
            place = "" if each.path == "(top level)" else each.path if each.path.startswith("[") else f".{each.path}"
            mistakes.append(Mistake(f"c.{SECTION}.{name}{place}", each.what, each.advice))
        return None


def _decimal(amount: Fraction) -> str:
    """An amount with up to six digits behind the point."""
    return f"{(Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(Decimal('0.000001')).normalize():f}"
