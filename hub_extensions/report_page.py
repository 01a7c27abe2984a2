"""A report as one HTML page that needs nothing but itself: no style sheet, image or script is fetched."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .branding import Branding, brand
from .report_words import TITLES, called, gap_sentence
from .share import TEMPLATES
from .usage_service import time_zone

if TYPE_CHECKING:
    from datetime import datetime

    from .reports import Report, Value


def page(report: Report, branding: Branding | None = None) -> str:
    """Return the page. Of the brand's logos only those that are written out as `data:` are in it."""
    zone = time_zone(report.asked.time_zone)

    def clock(moment: datetime) -> str:
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")

    def name(name: str, dimension: str) -> str:
        return called(name, report.asked.titles.get(dimension, {}))

    return (
        _templates()
        .get_template("usage/report_file.html")
        .render(
            report=report,
            asked=report.asked,
            brand=brand(report.asked.title, branding or Branding()),
            clock=clock,
            called=name,
        )
    )


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=_number, sentence=gap_sentence)
    environment.globals.update(titles=TITLES)
    return environment


def _number(value: Value) -> str:
    if value is None:
        return "\N{EN DASH}"
    return f"{value:,.2f}" if isinstance(value, Decimal) else f"{value:,}"
