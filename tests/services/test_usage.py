"""The usage pages, served by a real process beside a real hub, visited over HTTP."""

from __future__ import annotations

import contextlib
import re
import signal
import sqlite3
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from hub_extensions.end_reasons import EndReason, in_words
from hub_extensions.sessions import HOUR

from .process_hub import free_ports, run_hub
from .seeded_hub import BERLIN, Seeded, last_month
from .tokens import new_token

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tables(HTMLParser):
    """Reads tables as lists of rows of words, each under its caption."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self._caption, self._in, self._words = "", "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"h2", "td", "th"}:
            self._in, self._words = tag, ""
        if tag == "tr":
            self.found.setdefault(self._caption, []).append([])

    def handle_data(self, data: str) -> None:
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        words = " ".join(self._words.split())
        if tag == "h2":
            self._caption = words
        elif tag in {"td", "th"} and self._in == tag:
            self.found[self._caption][-1].append(words)


def tables(page: requests.Response) -> dict[str, list[list[str]]]:
    assert page.status_code == 200, page.text
    return Tables(page.text).found


def hours(page: requests.Response, caption: str) -> dict[str, str]:
    head, *rows = tables(page)[caption]
    return {row[0]: row[head.index("Hours")] for row in rows}


def visit(seeded: Seeded, who: str, path: str = "", month: str = "") -> requests.Response:
    query = {"month": month} if month else {}
    return seeded.hub.visitor(who).get(f"{seeded.hub.service}{path}", params=query, timeout=20)


def test_a_person_sees_their_own_hours_by_profile_clipped_to_the_month(seeded: Seeded) -> None:
    page = visit(seeded, "ada", month=str(last_month()))
    assert hours(page, "By profile") == {"Ocean analysis": "5.00", "Ocean small": "2.00", "Ice secret": "1.00"}
    assert "By person" not in tables(page)
    newest = tables(page)["Sessions"][1]
    assert newest[0] == "Ice secret"
    assert newest[-1] == "1.00"
    assert "<dt>GiB-hours</dt><dd>16.00</dd>" in page.text


def quotas(seeded: Seeded, who: str, path: str = "") -> list[list[str]]:
    return tables(visit(seeded, who, path)).get("What you may use", [])[1:]


def test_a_person_sees_what_is_left_of_their_quotas(seeded: Seeded) -> None:
    assert quotas(seeded, "bo") == [
        ["hours of running servers", "100", "0", "100", "over the last 7 days"],
        ["GiB-hours of memory", "1", "24", "25", "over the last 90 days"],
        ["CPU-hours for Ice Lab", "0.5", "0", "0.5", f"since {first_of_this_month()}"],
    ]
    told = "1 of 25 GiB-hours of memory left, counted over the last 90 days."
    assert told in " ".join(visit(seeded, "bo").text.split())
    [running] = quotas(seeded, "ada")
    assert (running[0], running[3]) == ("hours of running servers", "100")
    assert 1 <= float(running[2]) < 2


def test_who_has_no_quota_reads_nothing_of_it_and_nobody_sees_that_of_others(seeded: Seeded) -> None:
    for who in ("root", "zoe", "tui"):
        assert "What you may use" not in visit(seeded, who).text
    for who, path in [("lin", "community/ocean-lab"), ("root", "hub")]:
        assert "What you may use" not in visit(seeded, who, path).text


def first_of_this_month() -> str:
    first = last_month().plus(1).window(BERLIN).start.astimezone(BERLIN)
    return f"1 {first:%B %Y}"


def test_a_running_session_is_shown_as_running_this_month(seeded: Seeded) -> None:
    rows = tables(visit(seeded, "ada"))["Sessions"]
    (running,) = [row for row in rows if row[0] == "Running now"]
    assert running[4] == "running"
    assert not [row for row in rows if row[0] == "Of another hub"]


def test_a_session_that_ended_says_when_and_why(seeded: Seeded) -> None:
    end = (last_month().window(BERLIN).start + 51 * HOUR).astimezone(BERLIN)
    newest = tables(visit(seeded, "ada", month=str(last_month())))["Sessions"][1]
    assert newest[4] == f"{end:%Y-%m-%d %H:%M} stopped by the hub"


@pytest.mark.parametrize("reason", EndReason)
def test_people_read_every_reason_in_words_of_their_own(reason: EndReason) -> None:
    assert in_words(reason) not in list(EndReason) or reason is EndReason.CRASHED
    assert in_words("what an import brought") == "what an import brought"


def test_times_are_those_of_the_hubs_zone_and_the_page_says_which(seeded: Seeded) -> None:
    page = visit(seeded, "ada", month=str(last_month()))
    first = tables(page)["Sessions"][-1]
    start = (last_month().window(BERLIN).start - 2 * HOUR).astimezone(BERLIN)
    assert first[3] == start.strftime("%Y-%m-%d %H:%M")
    assert "time zone Europe/Berlin" in page.text


def test_a_month_without_sessions_says_so(seeded: Seeded) -> None:
    page = visit(seeded, "ada", month="2020-02")
    assert "No server was running in this month." in page.text
    assert '<option value="2020-02" selected>' in page.text


def test_the_last_month_that_there_is_has_a_page(seeded: Seeded) -> None:
    assert '<option value="9998-12" selected>' in visit(seeded, "ada", month="9998-12").text


def test_what_is_no_text_is_refused_in_a_sentence(seeded: Seeded) -> None:
    visitor = seeded.hub.visitor("lin")
    page = visitor.get(f"{seeded.hub.service}?month=%FF", timeout=20)
    assert page.status_code == 400
    assert "That is not a month." in page.text
    service = f"http://127.0.0.1:{seeded.hub.service_port}/deep/hub-a/services/usage/"
    page = requests.get(f"{service}community/%FF", timeout=20)  # without the proxy, which refuses it already
    assert page.status_code == 400
    assert "This address cannot be read." in page.text


@pytest.mark.parametrize("month", ["2026-13", "x", "2026-10' OR 1=1", "<script>", "9999-12"])
def test_what_is_no_month_is_refused_in_a_sentence(seeded: Seeded, month: str) -> None:
    page = visit(seeded, "ada", month=month)
    assert page.status_code == 400
    assert "That is not a month." in page.text
    assert month not in page.text or month == "x"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("", 200),
        ("hub", 403),
        ("community/ocean-lab", 403),
        ("community/ice-lab", 403),
        ("community/", 404),
        ("user/ada", 404),
        ("ada", 404),
    ],
)
def test_a_member_sees_only_themselves_by_any_address(seeded: Seeded, path: str, status: int) -> None:
    visitor = seeded.hub.visitor("ada2")
    for query in ("user=ada", "users=ada", "user_name=ada", "community=ocean-lab", "hub=1", "people=1", "limit=9"):
        page = visitor.get(f"{seeded.hub.service}{path}?{query}&month={last_month()}", timeout=20)
        assert page.status_code == status
        assert "Ocean small" not in page.text
        assert not re.search(r"\b(ada|bo|eve)\b", page.text)


def test_a_lead_sees_their_community_and_nothing_of_another(seeded: Seeded) -> None:
    lin = seeded.hub.visitor("lin")
    page = lin.get(f"{seeded.hub.service}community/ocean-lab?month={last_month()}", timeout=20)
    assert hours(page, "By person") == {"ada": "7.00", "bo": "4.00", "<b>mallory</b>": "1.00", "ada2": "1.00"}
    assert hours(page, "By profile")["Ocean analysis"] == "6.00"
    assert "Ice" not in page.text
    assert "eve" not in {row[0] for row in tables(page)["Sessions"]}
    for path in ("community/ice-lab", "community/ocean-lab/../ice-lab", "community/ocean-lab%2F..%2Fice-lab", "hub"):
        refused = lin.get(f"{seeded.hub.service}{path}?month={last_month()}&community=ice-lab", timeout=20)
        assert refused.status_code == 403
        assert "Ice sheets" not in refused.text
        assert "Only the" in refused.text


def test_a_lead_of_two_communities_sees_each_by_itself(seeded: Seeded) -> None:
    page = visit(seeded, "both", "community/ice-lab", str(last_month()))
    assert hours(page, "By person") == {"bo": "8.00", "ada": "1.00"}
    assert "Ocean analysis" not in page.text
    assert visit(seeded, "both", "community/ocean-lab").status_code == 200
    assert ">Ice Lab</a>" in page.text
    assert ">Ocean Lab</a>" in page.text


def test_somebody_who_leads_one_community_is_a_mere_member_of_another(seeded: Seeded) -> None:
    assert visit(seeded, "ines", "community/ice-lab").status_code == 200
    assert visit(seeded, "ines", "community/ocean-lab").status_code == 403


@pytest.mark.parametrize("who", ["root", "zoe"])
def test_admins_and_who_has_the_whole_scope_see_the_whole_hub_and_each_community(seeded: Seeded, who: str) -> None:
    page = visit(seeded, who, "hub", str(last_month()))
    assert hours(page, "By person") == {
        "eve": "10.00", "bo": "12.00", "ada": "8.00", "<b>mallory</b>": "1.00", "ada2": "1.00",
    }  # fmt: skip
    assert visit(seeded, who, "community/ice-lab").status_code == 200


def test_who_may_read_the_activity_of_some_does_not_see_the_usage_of_all(seeded: Seeded) -> None:
    assert visit(seeded, "tui", "hub").status_code == 403
    assert visit(seeded, "tui", "community/ocean-lab").status_code == 403


def test_the_hubs_flag_admin_alone_does_not_show_other_peoples_usage(seeded: Seeded) -> None:
    narrow = new_token(seeded.hub, "root", ["access:services!service=usage"])
    answer = requests.get(f"{seeded.hub.service}hub", headers={"Authorization": f"Bearer {narrow}"}, timeout=20)
    assert answer.status_code == 403


def test_a_persons_own_token_shows_what_they_may_see(seeded: Seeded) -> None:
    token = new_token(seeded.hub, "lin", ["inherit"])
    headers = {"Authorization": f"Bearer {token}"}
    ours = requests.get(f"{seeded.hub.service}community/ocean-lab", headers=headers, timeout=20)
    theirs = requests.get(f"{seeded.hub.service}community/ice-lab", headers=headers, timeout=20)
    assert (ours.status_code, theirs.status_code) == (200, 403)


def test_a_stranger_is_sent_to_log_in(seeded: Seeded) -> None:
    for path in ("", "hub", "community/ocean-lab", "nothing"):
        answer = requests.get(f"{seeded.hub.service}{path}", timeout=20, allow_redirects=False)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/deep/hub-a/hub/api/oauth2/authorize")


def test_a_made_up_token_shows_nothing(seeded: Seeded) -> None:
    answer = requests.get(seeded.hub.service, headers={"Authorization": "Bearer x"}, timeout=20, allow_redirects=False)
    assert answer.status_code == 302


def test_what_people_and_profiles_are_called_is_never_html(seeded: Seeded) -> None:
    page = visit(seeded, "root", "hub", str(last_month()))
    assert "<script>alert" not in page.text
    assert "<b>mallory" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "<title>Usage of Ocean Data &lt;Hub&gt;" in page.text


def test_nothing_can_be_posted(seeded: Seeded) -> None:
    visitor = seeded.hub.visitor("ada")
    visitor.get(seeded.hub.service, timeout=20)
    assert visitor.post(seeded.hub.service, timeout=20).status_code in {403, 405}


def test_the_address_without_its_last_slash_works(seeded: Seeded) -> None:
    assert requests.get(seeded.hub.service.rstrip("/"), timeout=20, allow_redirects=False).status_code in {301, 302}
    assert seeded.hub.visitor("ada").get(seeded.hub.service.rstrip("/"), timeout=20).status_code == 200


def test_the_log_of_the_service_has_no_login_code(seeded: Seeded) -> None:
    visit(seeded, "ada")
    said = [line for line in seeded.hub.log.read_text().splitlines() if " usage] " in line]
    assert said
    assert not [line for line in said if "code=" in line]


def test_the_log_of_the_service_has_no_query(seeded: Seeded) -> None:
    visitor = seeded.hub.visitor("ada")
    for path in ("?month=x&secret=1", "hub?secret=1", "community/%FF?secret=1", "oauth_callback?secret=1",
                 "oauth_callback?code=secret&state=x", "static/none.css?secret=1"):  # fmt: skip
        visitor.get(f"{seeded.hub.service}{path}", timeout=20)
    # Hub and proxy write to the same file, each in its own form.
    said = [line for line in seeded.hub.log.read_text().splitlines() if " usage] " in line]
    assert said
    assert [line for line in said if "secret" in line] == []


def test_pages_may_not_be_kept_or_framed(seeded: Seeded) -> None:
    headers = visit(seeded, "ada").headers
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "script-src" not in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_a_page_carries_the_brand_of_its_community(seeded: Seeded) -> None:
    assert "/hub/logo" in visit(seeded, "root").text
    assert "https://ice.example.org/logo.svg" in visit(seeded, "root", "community/ice-lab").text
    assert "https://ice.example.org/logo.svg" in visit(seeded, "cy").text


def test_every_page_says_whom_to_ask(seeded: Seeded) -> None:
    for path in ("", "hub"):  # a report, and a refusal
        assert 'href="mailto:help@ocean.example.org"' in visit(seeded, "ada", path).text


def test_every_link_and_file_of_a_page_exists(seeded: Seeded) -> None:
    visitor = seeded.hub.visitor("both")
    page = visitor.get(seeded.hub.service, timeout=20)
    addresses = {
        address
        for address in re.findall(r'(?:href|src)="([^"#]+)"', page.text)
        if not re.search("logout|mailto:", address)
    }
    assert len(addresses) > 6
    root = seeded.hub.url.removesuffix("/deep/hub-a/")
    broken = {a: visitor.get(f"{root}{a}", timeout=20).status_code for a in addresses}
    assert {a: status for a, status in broken.items() if status != 200} == {}


def test_while_the_ledger_is_away_people_read_a_sentence_and_the_page_comes_back(seeded: Seeded) -> None:
    file = Path(seeded.url.removeprefix("sqlite:///"))
    visitor = seeded.hub.visitor("ada")
    assert visitor.get(seeded.hub.service, timeout=20).status_code == 200
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("ALTER TABLE sessions RENAME TO elsewhere")
    try:
        away = visitor.get(seeded.hub.service, timeout=20)
    finally:
        holder.execute("ALTER TABLE elsewhere RENAME TO sessions")
        holder.close()
    assert away.status_code == 503
    assert "please try again" in away.text
    assert "sessions" not in away.text
    assert visitor.get(seeded.hub.service, timeout=20).status_code == 200


def test_the_service_ends_when_its_hub_is_killed(tmp_path: Path) -> None:
    with run_hub(tmp_path, {}, database=f"sqlite:///{tmp_path}/usage.sqlite") as hub:
        hub.process.send_signal(signal.SIGKILL)
        hub.process.wait(10)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                requests.get(f"http://127.0.0.1:{hub.service_port}/", timeout=2, allow_redirects=False)
            except requests.ConnectionError:
                break
            time.sleep(0.5)
        else:
            pytest.fail("the service still answers")


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "hub_extensions.commands", "usage", *arguments],
        env={"PATH": "", **environment}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


BESIDE_A_HUB = {
    "JUPYTERHUB_SERVICE_PREFIX": "/services/usage/",
    "JUPYTERHUB_API_TOKEN": "x",
    "JUPYTERHUB_CLIENT_ID": "service-usage",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api",
}


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ([], {}, "started by JupyterHub"),
        ([], {"JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:1"}, "has no database"),
        (
            ["--database", "sqlite:///x.sqlite", "--time-zone", "Mars/Olympus"],
            {"JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:1"},
            "there is no time zone 'Mars/Olympus'",
        ),
    ],
)
def test_a_wrong_start_ends_in_one_sentence(arguments: list[str], environment: dict[str, str], said: str) -> None:
    ended = command(*arguments, **{**BESIDE_A_HUB, **environment})
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_said_in_one_sentence(seeded: Seeded, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{seeded.hub.service_port}"
    ended = command(
        "--database", f"sqlite:///{tmp_path}/usage.sqlite", **{**BESIDE_A_HUB, "JUPYTERHUB_SERVICE_URL": url}
    )
    assert ended.returncode == 1
    assert f"cannot listen on port {seeded.hub.service_port} of 127.0.0.1" in ended.stderr
    assert "Traceback" not in ended.stderr


@contextlib.contextmanager
def serving(database: str, url: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "hub_extensions.commands", "usage", "--database", database],
        env={"PATH": "", **BESIDE_A_HUB, "JUPYTERHUB_SERVICE_URL": url, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


@pytest.mark.parametrize("database", ["nosuch://x", "usage.sqlite", "postgresql+nosuch://hub:secret@db/usage"])
def test_a_database_that_cannot_be_one_costs_the_reports_not_the_hub(tmp_path: Path, database: str) -> None:
    people = {"ada": {"groups": [], "admin": False}}
    with run_hub(tmp_path, people, database=database) as hub:
        page = hub.visitor("ada").get(hub.service, timeout=20)
        assert page.status_code == 503
        assert "The usage records cannot be read just now." in page.text
        said = [line for line in hub.log.read_text().splitlines() if " usage] " in line]
    assert [line for line in said if "the ledger's database" in line]
    assert not [line for line in said if "secret" in line]


@pytest.mark.parametrize(
    ("host", "listens"), [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("hub.example.org", "all interfaces")]
)
def test_it_listens_on_all_interfaces_when_its_address_is_that_of_another_machine(
    tmp_path: Path, host: str, listens: str
) -> None:
    [port] = free_ports(1)
    with serving(f"sqlite:///{tmp_path}/usage.sqlite", f"http://{host}:{port}") as process:
        assert f"port {port} of {listens}" in first_line(process)
        assert requests.get(f"http://127.0.0.1:{port}/services/usage/static/usage.css", timeout=10).ok


def test_a_service_whose_hub_was_gone_before_it_was_up_ends(tmp_path: Path) -> None:
    [port] = free_ports(1)
    start = """if True:
        import os, subprocess, sys
        command = [sys.executable, "-P", "-m", "hub_extensions.commands", "usage"]
        subprocess.Popen(command, env={**os.environ, "HUB_EXTENSIONS_HUB_PID": str(os.getpid())})
    """
    ended = subprocess.run(
        [sys.executable, "-c", start],
        env={
            **BESIDE_A_HUB,
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
            "HUB_EXTENSIONS_DATABASE": f"sqlite:///{tmp_path}/usage.sqlite",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )  # fmt: skip - it answers when the service has ended too, which holds the pipe
    assert "The hub that started this service is gone." in ended.stderr
