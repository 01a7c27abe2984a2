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
    """User names."""
    groups: tuple[str, ...] = ()
    """Groups; `*` stands for any text."""


class ReportSettings(BaseModel):
    """The part of `usage` that is about reports."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    prices: Prices | None = None
    """Prices, which give an estimated cost."""
    without: Without = Without()
    """People who are left out of reports, which say so."""
    fewest_people: Annotated[int, Field(ge=0, le=1000)] = FEWEST_PEOPLE
    """Figures of fewer people are shown together with others; 0 shows all."""
    report_by: tuple[Annotated[str, AfterValidator(_is_by)], ...] = ("community", "profile")
    """The tables of a report, such as `community` or `community,profile`."""
    report_attribution: Attribution = "full"
    """How the hours of somebody in several groups count: `full` for each, `split` among them, `primary` for one."""
    report_folder: str = ""
    """The whole path of a folder that gets the report's files when a month has ended."""
    report_formats: tuple[Format, ...] = ("csv", "html", "json")
    """The files that it gets."""

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
