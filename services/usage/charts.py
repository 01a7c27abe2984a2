"""Charts as SVG inside a page: of one series each, with its figures written on it, so that no colour means anything.

They fetch nothing and hold no script. Lines and text have the colour of the page's text, columns that of the brand.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from types import ModuleType

MOST_BARS = 12
_LONGEST_LABEL = 28
_WIDTH = 800
_STYLE = {
    "background": "transparent",
    "plot_background": "transparent",
    "foreground": "currentColor",
    "foreground_strong": "currentColor",
    "foreground_subtle": "currentColor",
    "guide_stroke_color": "currentColor",
    "major_guide_stroke_color": "currentColor",
    "value_colors": ("currentColor",),
    "colors": ("var(--hub-accent, #1f6aa5)",),
    "opacity": "1",
    "opacity_hover": "1",
    "font_family": "inherit",
    "label_font_size": 12,
    "major_label_font_size": 12,
    "value_font_size": 11,
    "no_data_font_size": 16,
}
_SVG = "{http://www.w3.org/2000/svg}"
# What only pygal's script would show.
_FOR_SCRIPTS = ("script", "desc")
# What no XML document may hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ElementTree.register_namespace("", _SVG[1:-1])


def per_day(name: str, title: str, values: Mapping[date, float], unit: str) -> Markup:
    """Return a column for each of the days of a month; ``name`` is that of no other on the page."""
    chart = _pygal().Bar(height=240, show_y_labels=False, **_common())
    chart.x_labels = [str(day.day) for day in values]
    chart.add(title, list(values.values()))
    highest = max(values, key=lambda day: values[day], default=None)
    told = f"At most {compact(values[highest])} {unit}, on {highest}." if highest else "No day has begun."
    return _svg(chart, name, title, f"{told} The table below has all days.")


def bars(name: str, title: str, description: str, values: Mapping[str, float]) -> Markup:
    """Return a bar for each of the values, the first on top. Of more than ``MOST_BARS`` the last are one."""
    shown = list(values.items())
    if len(shown) > MOST_BARS:
        rest = shown[MOST_BARS - 1 :]
        shown = [*shown[: MOST_BARS - 1], (f"{len(rest)} others", sum(value for _, value in rest))]
    # Room for the figure beyond the longest.
    most = max((value for _, value in shown), default=0)
    chart = _pygal().HorizontalBar(
        height=24 + 32 * len(shown), range=(0, 1.08 * most or 1), show_x_labels=False, **_common()
    )
    # It begins at the bottom.
    chart.x_labels = [_short(label) for label, _ in reversed(shown)]
    chart.add(title, [value for _, value in reversed(shown)])
    return _svg(chart, name, title, description)


def compact(value: float) -> str:
    """Write a figure in at most four characters, as there is room for on a column."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            return f"{value / size:.1f}".removesuffix(".0")[:4].removesuffix(".") + unit
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}".removesuffix(".0")


def _pygal() -> ModuleType:
    """Import it when a chart is drawn: it adds to how this process imports modules, in a way that is out of date."""
    return import_module("pygal")


def _common() -> dict[str, object]:
    # Each figure is written: scales and lines would only repeat them, and are left out.
    return {
        "style": _pygal().style.Style(**_STYLE),
        "js": [],
        "disable_xml_declaration": True,
        "width": _WIDTH,
        "show_legend": False,
        "print_values": True,
        "print_values_position": "top",
        "print_zeroes": False,
        "formatter": compact,
        "show_x_guides": False,
        "show_y_guides": False,
        "margin": 8,
        "include_x_axis": True,
    }


def _short(label: str) -> str:
    whole = _readable(label)
    return whole if len(whole) <= _LONGEST_LABEL else f"{whole[: _LONGEST_LABEL - 1]}\N{HORIZONTAL ELLIPSIS}"


def _readable(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _svg(chart: Any, name: str, title: str, description: str) -> Markup:
    chart.uuid = name  # otherwise another one each time
    root = ElementTree.fromstring(chart.render())  # noqa: S314 - it has just been made here
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in [f"{_SVG}{tag}" for tag in _FOR_SCRIPTS]:
                parent.remove(child)
    if isinstance(chart, _pygal().HorizontalBar):
        for text in root.iter(f"{_SVG}text"):
            if "value" in text.get("class", ""):
                text.set("style", "text-anchor: start")
                text.set("dx", "4")
    for tag, words in (("desc", description), ("title", title)):
        told = ElementTree.Element(f"{_SVG}{tag}", {"id": f"{name}-{tag}"})
        told.text = _readable(words)
        root.insert(0, told)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title")
    root.set("aria-describedby", f"{name}-desc")
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - text in it is escaped
