"""Estimated cost: prices for what servers were given, or for an hour of a profile.

Prices are decimal numbers as they are written, and are multiplied exactly; only what is shown is rounded. An estimate
it is nonetheless: what a provider bills depends on nodes that were up, discounts and traffic, which no hub knows.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _as_written(value: Any) -> Any:
    # YAML makes a binary number of 0.031; its shortest decimal form is what stood in the file.
    return repr(value) if isinstance(value, float) else value


Price = Annotated[
    Decimal, Field(ge=0, le=1_000_000, max_digits=18, decimal_places=10), BeforeValidator(_as_written, float | str)
]


class Prices(BaseModel):
    """What an hour costs: of a core, of a GiB of memory, of a GPU, and of profiles (by slug) as a whole.

    A profile without a price of its own is estimated by what its servers were given. `currency` is only shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """Three letters, such as `EUR`; only shown."""
    cpu_hour: Price = Decimal(0)
    """What a core costs for an hour."""
    gib_hour: Price = Decimal(0)
    """What a GiB of memory costs for an hour."""
    gpu_hour: Price = Decimal(0)
    """What a GPU costs for an hour."""
    profiles: dict[str, Price] = {}
    """What a server of a profile costs for an hour, by the profile's slug, instead of what it was given."""

    def cost(
        self, profile: str, *, hours: Fraction, gib_hours: Fraction, cpu_hours: Fraction, gpu_hours: Fraction
    ) -> Fraction:
        """Return what servers of a profile cost, exactly."""
        of_profile = self.profiles.get(profile)
        if of_profile is not None:
            return hours * Fraction(of_profile)
        return (
            cpu_hours * Fraction(self.cpu_hour)
            + gib_hours * Fraction(self.gib_hour)
            + gpu_hours * Fraction(self.gpu_hour)
        )


def rounded(cost: Fraction) -> Decimal:
    """Return a cost with two decimal places, halves going to the even one."""
    return Decimal(round(100 * cost)).scaleb(-2)
