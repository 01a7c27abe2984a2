"""What operators say about reports: prices, who is left out, how few people are too few, and where files go."""

from pathlib import PurePath
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from .mistakes import did_you_mean, shown
from .prices import Prices
from .sums import Attribution, Dimension

By = tuple[Dimension, ...]
Format = Literal["csv", "json", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
FEWEST_PEOPLE = 5


def parse_by(text: str) -> By:
    """Read what a table is to be by: ``community``, or ``community,profile`` for each pair. Raises ``ValueError``."""
    found: list[Dimension] = []
    for part in text.split(","):
        name = part.strip().casefold()
        dimension = next((each for each in DIMENSIONS if each == name), None)
        if dimension is None:
            raise ValueError(f"there are no tables by {shown(part.strip())}. {did_you_mean(name, DIMENSIONS)}")
        if dimension in found:
            raise ValueError(f"{shown(text)} has {dimension} twice.")
        found.append(dimension)
    return tuple(found)


def _is_by(text: str) -> str:
    return ",".join(parse_by(text))


class Without(BaseModel):
    """People who are left out of reports, such as staff: by user name, and by group.

    A group means those who were in it at any of their sessions of the month, or of the month before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class ReportSettings(BaseModel):
    """The part of `usage` that is about reports.

    `prices` give an estimated cost. `without` names who is left out. Figures of fewer people than `fewest_people` are
    shown together with others; 0 shows all. In `report_folder` the service puts a file of each of `report_formats` when
    a month has ended, with a table for each of `report_by`, such as `community` or `community,profile`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    prices: Prices | None = None
    without: Without = Without()
    fewest_people: Annotated[int, Field(ge=0, le=1000)] = FEWEST_PEOPLE
    report_by: tuple[Annotated[str, AfterValidator(_is_by)], ...] = ("community", "profile")
    report_attribution: Attribution = "full"
    report_folder: str = ""
    report_formats: tuple[Format, ...] = ("csv", "html", "json")

    @field_validator("report_folder")
    @classmethod
    def _is_absolute(cls, folder: str) -> str:
        # The service runs wherever the hub was started.
        if folder and not PurePath(folder).is_absolute():
            raise ValueError(f"expected the whole path of a folder, such as /srv/reports, found {shown(folder)}.")
        return folder

    @property
    def by(self) -> tuple[By, ...]:
        """The tables of `report_by`."""
        return tuple(parse_by(text) for text in self.report_by)


def plain(settings: ReportSettings) -> dict[str, Any]:
    """Return the settings as what JSON can hold; `ReportSettings` reads it back."""
    return settings.model_dump(mode="json", include=set(ReportSettings.model_fields))
