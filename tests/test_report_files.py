"""Files of reports: what spreadsheets, programs and browsers make of them."""

import csv
import io
import json
import re
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hub_extensions.branding import Branding
from hub_extensions.prices import Prices
from hub_extensions.report_files import as_csv, as_json, file_of
from hub_extensions.reports import Asked, Gap, report
from hub_extensions.sessions import Month
from hub_extensions.sums import Kept, Lengths

from . import browser
from .test_reports import NOW, figures, part

chromium, screenshots = browser.chromium, browser.screenshots

SCHEMA = json.loads((files("hub_extensions") / "report.schema.json").read_text(encoding="utf-8"))
CIRCLE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4"/></svg>'
PICTURE = f"data:image/svg+xml;base64,{b64encode(CIRCLE).decode()}"
BRANDING = Branding.model_validate(
    {
        "logo": PICTURE,
        "primary_color": "#0b6e99",
        "organisation": {"name": "Ocean Institute", "url": "https://ocean.example.org"},
        "funders": [{"name": "Science Fund", "logo": "https://fund.example.org/logo.svg"}],
        "contact": "help@example.org",
    }
)


def asked(**given):
    return Asked(
        **{
            "hub": "hub",
            "title": "Ocean Data Hub",
            "time_zone": "Europe/Berlin",
            "month": Month(2026, 10),
            "by": (("community",), ("community", "profile"), ("group",)),
            "prices": Prices(currency="EUR", cpu_hour="0.031"),
            **given,
        }
    )


def usual(community="ocean-lab", **given):
    parts = [
        part(range(30), 1234.5, community=community, groups=("members", community)),
        part(range(30, 33), 7, community="ice-lab", profile="large", groups=("members",)),
        part(range(40, 47), 70, community="ice-lab", profile="small"),
    ]
    month = figures(
        *parts,
        kept=Kept(3, 4, 33, 2),
        active_per_day={date(2026, 10, day): day for day in range(1, 32)},
        active_per_week={"2026-W40": 9, "2026-W41": 4},
        active_7=12,
        active_30=40,
        lengths=Lengths(80, timedelta(hours=2), timedelta(hours=9)),
        ended=40,
        gaps=(
            Gap("end_not_seen", since=date(2026, 10, 3), until=date(2026, 10, 4), sessions=9, people=7),
            Gap("not_over", until=date(2026, 10, 31)),
        ),
    )
    return report(asked(**given), month, NOW)


def read(text):
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert {len(row) for row in rows} == {len(header)}
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_csv_is_one_rectangle_with_every_table_its_definitions_and_gaps():
    rows = read(as_csv(usual()))
    tables = list(dict.fromkeys(row["table"] for row in rows))
    assert tables == [
        "about", "total", "people", "sessions", "by_community", "by_community_profile", "by_group", "active_per_day",
        "active_per_week",
        "definitions", "gaps",
    ]  # fmt: skip
    [ocean] = [row for row in rows if row["table"] == "by_community" and row["community"] == "ocean-lab"]
    assert (ocean["people"], ocean["hours"], ocean["estimated_cost"]) == ("30", "1234.50", "76.54")
    assert [row["text"] for row in rows if row["table"] == "gaps"][1].startswith("The month is not over")


def test_csv_lines_end_as_the_standard_has_it_and_figures_are_numbers():
    text = as_csv(usual())
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert re.search(r'^"total",,,,.*,40,', text, re.MULTILINE)
    assert not text.encode().startswith(b"\xef\xbb\xbf")


STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
HOSTILE = [*(f"{start}1" for start in STARTS), "\t=1", "\r=1", "  =1", "\n=1", "\xa0=1", "\tx", 'a"b', "ä\u2028,", "'x"]
INSIDE = ["a;=1;", "a;;@SUM(1)", "a\t+1", "a\n=1", "a\r\n-1", 'a";=1', "a; \uff1d1", "a;\t=1", 'a\n"=1', 'a\t"@1']


@pytest.mark.parametrize("name", [*HOSTILE, *INSIDE])
def test_no_text_is_a_formula(name):
    text = as_csv(usual(community=name))
    found = [row["community"] for row in read(text) if row["table"] == "by_community"]
    assert found[0].replace("'", "") == name.replace("'", "")
    assert not found[0].lstrip(" ").startswith((*STARTS, "\t", "\r", "\n"))


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("name", [*HOSTILE, *INSIDE])
def test_no_text_is_a_formula_where_spreadsheets_part_lines_elsewhere(name, delimiter):
    lines = io.StringIO(as_csv(usual(community=name)), newline="")
    cells = [cell.lstrip() for row in csv.reader(lines, delimiter=delimiter) for cell in row]
    assert not [cell for cell in cells if cell.startswith(STARTS)]


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_text_comes_back_from_csv(name):
    rows = read(as_csv(usual(community=name)))
    assert name.replace("'", "") in {row["community"].replace("'", "") for row in rows}
    assert not [cell for row in rows for cell in row.values() if cell.startswith((*STARTS, "\t", "\r"))]


def test_the_page_calls_communities_and_profiles_as_people_know_them_and_other_files_by_their_names():
    titles = {"community": {"ocean-lab": "Ocean <Lab>", "ice-lab": "Ice Lab"}, "profile": {"large": "Huge"}}
    made = usual(fewest=0, titles=titles, communities=("ocean-lab", "ice-lab"))
    page = file_of(made, "html").decode()
    assert "Of Ocean &lt;Lab&gt;, Ice Lab only." in " ".join(page.split())
    assert re.search(r'<th scope="row">Ice Lab</th>\s*<th scope="row">Huge</th>', page)
    assert "started for Ocean &lt;Lab&gt; and Ice Lab are counted" in page
    alone = file_of(usual(titles=titles, communities=("ocean-lab",)), "html").decode()
    assert "<h1>Usage of Ocean &lt;Lab&gt; in 2026-10</h1>" in alone
    by_group = page[page.index('id="by_group"') :]
    assert '<th scope="row">ocean-lab</th>' in by_group  # a group has no title
    rows = [row["community"] for row in read(as_csv(made)) if row["table"] == "by_community"]
    assert set(rows) == {"ocean-lab", "ice-lab"}


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "made",
    [
        usual(),
        usual(fewest=0, attribution="split", prices=None, communities=("ocean-lab",), without_groups=("staff",)),
        report(asked(), figures(part({1}, 5)), NOW),
        report(asked(), figures(counted_until=None), NOW),
    ],
    ids=["usual", "everything else", "withheld", "empty"],
)
def test_json_is_as_its_schema_says(made):
    value = json.loads(as_json(made))
    validator = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert not [error.message for error in validator.iter_errors(value)]
    for table in value["tables"]:
        columns = [column["name"] for column in table["columns"]]
        for row in table["rows"]:
            assert list(row["labels"]) == table["dimensions"]
            assert list(row["values"]) == columns


def test_a_file_that_is_not_as_the_schema_says_is_noticed():
    value = json.loads(as_json(usual()))
    value["tables"][0]["rows"][0]["values"]["people"] = "forty"
    del value["gaps"]
    assert len(list(Draft202012Validator(SCHEMA).iter_errors(value))) == 2


def test_all_formats_say_the_same():
    made = usual()
    value = json.loads(as_json(made))
    text = as_csv(made)
    page = file_of(made, "html", BRANDING).decode()
    for definition in value["definitions"]:
        assert definition["meaning"].replace('"', '""') in text
    for gap in value["gaps"]:
        assert gap["text"] in text
        assert gap["text"] in page
    assert "1,234.50" in page


@pytest.mark.parametrize("format_", ["csv", "json", "html"])
def test_what_is_of_few_people_is_in_no_file(format_):
    """The large profile of ice-lab was used by 3 people for 7 hours."""
    text = file_of(usual(), format_).decode()
    assert "large" not in text
    assert "7.00" not in text.replace("77.00", "")
    assert "large" in file_of(usual(fewest=0), format_).decode()


def test_the_page_escapes_what_people_wrote():
    page = file_of(usual(community="<script>alert(1)</script>", title="A & <b>"), "html").decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "A &amp; &lt;b&gt;" in page


async def test_the_page_needs_nothing_else_and_is_pleasant(chromium, screenshots, tmp_path):
    path = tmp_path / "report.html"
    path.write_bytes(file_of(usual(), "html", BRANDING))
    page = await chromium.new_page()
    asked_for, said = [], []
    page.on("request", lambda request: asked_for.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    await page.goto(path.as_uri())
    assert [url for url in asked_for if not url.startswith("data:")] == [path.as_uri()]
    assert await page.locator("header img").evaluate("image => image.complete && image.naturalWidth > 0")
    await browser.assert_pleasant(page, screenshots / "report-file")
    assert not said
    await page.emulate_media(media="print")
    await page.screenshot(path=f"{screenshots}/report-file.print.png", full_page=True)
    await page.close()


async def test_a_page_of_nothing_is_pleasant_too(chromium, screenshots, tmp_path):
    path = tmp_path / "report.html"
    month = figures(part({1}, 5), active_per_day={date(2026, 10, 3): 1})
    path.write_bytes(file_of(report(asked(), month, datetime(2026, 11, 1, tzinfo=UTC)), "html"))
    page = await chromium.new_page()
    await page.goto(path.as_uri())
    assert "fewer than 5 people" in await page.locator("main").inner_text()
    await browser.assert_pleasant(page, screenshots / "report-file-withheld")
    await page.close()
