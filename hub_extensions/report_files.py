"""A report as a file: CSV for spreadsheets, JSON for programs, one HTML page for people.

CSV is one rectangle, as spreadsheets and programs want it: every line has all columns, and the first says of which
table it is, to filter by. Several tables below one another would be several rectangles that nothing reads; a file for
each could be parted from its definitions.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .report_page import page
from .report_settings import FORMATS
from .report_words import gap_sentence

if TYPE_CHECKING:
    from .branding import Branding
    from .report_settings import Format
    from .reports import Gap, Report, Row, Table, Value

JSON_VERSION = 1
"""It grows when something in the JSON is renamed, removed or means something else; what is added changes nothing."""

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
}

# Where a spreadsheet may begin a cell whose text makes it calculate; the last four are the wide forms, which some read
# alike. A cell may begin inside of text, too: where the comma is the decimal sign, spreadsheets part lines at
# semicolons, and then quotes (\x22) that do not stand around a whole field keep nothing together.
_FORMULA = re.compile(r"^(?=[\t\r\n])|(^|[;\t\r\n])([^\S\t\r\n]|[\0\ufeff\x22])*(?=[-=+@\uff1d\uff0b\uff0d\uff20])")


def file_of(report: Report, format_: Format, branding: Branding | None = None) -> bytes:
    """Return the report as a file in a format; `branding` is that of the hub or of the community it is of."""
    if format_ not in FORMATS:
        raise ValueError(f"there are no reports as {format_}")
    if format_ == "html":
        return page(report, branding).encode()
    return (as_csv(report) if format_ == "csv" else as_json(report)).encode()


def as_csv(report: Report) -> str:
    """Return the report as RFC 4180 has it: lines end in CRLF, text is quoted, figures are not.

    Text that a spreadsheet would take for a formula begins with an apostrophe, also behind a semicolon in other text.
    """
    dimensions = _of_all(report, lambda table: table.dimensions)
    figures = _of_all(report, lambda table: [column.name for column in table.columns])
    header = ["table", "name", "text", *dimensions, "rows_together", *figures]
    lines: list[dict[str, str | Value]] = [{name: name for name in header}]
    lines += [{"table": "about", "name": name, "text": text} for name, text in _about(report)]
    for table in report.tables:
        names = [column.name for column in table.columns]
        for row in table.rows:
            labels = dict(zip(table.dimensions, map(_label, row.labels), strict=True))
            values = dict(zip(names, row.values, strict=True))
            lines.append({"table": table.name, **labels, "rows_together": row.together or None, **values})
        lines += [{"table": table.name, "name": "note", "text": note} for note in table.notes]
    lines += [{"table": "definitions", "name": term, "text": meaning} for term, meaning in report.definitions]
    lines += [{"table": "gaps", "name": gap.kind, "text": gap_sentence(gap)} for gap in report.gaps]
    return "".join(",".join(_field(line.get(name)) for name in header) + "\r\n" for line in lines)


def _field(value: str | Value) -> str:
    """A field of CSV. Text is always quoted: with a comma as decimal sign spreadsheets part it at semicolons, too."""
    if isinstance(value, str):
        defused = _FORMULA.sub(_defused, value)
        return '"' + defused.replace('"', '""') + '"'
    return "" if value is None else str(value)


def _defused(start: re.Match[str]) -> str:
    separator = start[1] or ""
    return f"{separator}'{start[0].removeprefix(separator)}"


def as_json(report: Report) -> str:
    """Return the report as `report.schema.json` describes it."""
    asked = report.asked
    value = {
        "format": "hub-extensions/report",
        "version": JSON_VERSION,
        "hub": asked.hub,
        "title": asked.title,
        "month": str(asked.month),
        "time_zone": asked.time_zone,
        "made_at": report.made_at.isoformat(timespec="seconds"),
        "counted_until": report.counted_until.isoformat(timespec="seconds") if report.counted_until else None,
        "communities": None if asked.communities is None else list(asked.communities),
        "without": {"users": asked.without_users, "groups": list(asked.without_groups)},
        "attribution": asked.attribution,
        "fewest_people": asked.fewest,
        "withheld": report.withheld,
        "currency": report.currency or None,
        "tables": [_table(table) for table in report.tables],
        "definitions": [{"term": term, "meaning": meaning} for term, meaning in report.definitions],
        "gaps": [_gap(gap) for gap in report.gaps],
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _of_all(report: Report, names: Any) -> list[str]:
    return list(dict.fromkeys(name for table in report.tables for name in names(table)))


def _about(report: Report) -> list[tuple[str, str]]:
    asked = report.asked
    found = {
        "hub": asked.title,
        "month": str(asked.month),
        "time_zone": asked.time_zone,
        "made_at": report.made_at.isoformat(timespec="seconds"),
        "counted_until": report.counted_until.isoformat(timespec="seconds") if report.counted_until else "",
        "communities": "all" if asked.communities is None else ", ".join(asked.communities),
        "attribution": asked.attribution,
        "fewest_people": str(asked.fewest),
    }
    if report.currency:
        found["currency"] = report.currency
    if report.withheld:
        found["withheld"] = f"There were fewer than {asked.fewest} people: nothing is shown."
    return list(found.items())


def _label(label: str | None) -> str:
    return "(others)" if label is None else label or "(none)"


def _table(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "title": table.title,
        "dimensions": list(table.dimensions),
        "columns": [{"name": column.name, "title": column.title} for column in table.columns],
        "rows": [_row(table, row) for row in table.rows],
        "notes": list(table.notes),
    }


def _row(table: Table, row: Row) -> dict[str, Any]:
    return {
        "labels": dict(zip(table.dimensions, row.labels, strict=True)),
        "rows_together": row.together,
        "values": {column.name: _number(value) for column, value in zip(table.columns, row.values, strict=True)},
    }


def _number(value: Value) -> int | float | None:
    return float(value) if isinstance(value, Decimal) else value


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "kind": gap.kind,
        "since": gap.since.isoformat() if gap.since else None,
        "until": gap.until.isoformat() if gap.until else None,
        "sessions": gap.sessions,
        "text": gap_sentence(gap),
    }
