"""The example that `make demo` runs, as people meet it: its process at a terminal, its pages in a browser."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import yaml
from aiohttp import ClientSession
from playwright.async_api import expect

from ..browser import assert_pleasant

LAPTOP = Path(__file__).parents[2] / "examples" / "laptop"


@dataclass
class Demo:
    process: subprocess.Popen
    folder: Path
    url: str

    @property
    def log(self) -> str:
        return (self.folder / "hub.log").read_text()

    def sessions(self):
        with sqlite3.connect(self.folder / "usage.sqlite") as ledger:
            return ledger.execute("select user_name, profile, ended_at, end_reason from sessions").fetchall()

    def end(self):
        """Ctrl-C; answers what is still running afterwards of all that was started."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        assert started
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        _, alive = psutil.wait_procs(started, timeout=5)
        return alive


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def run_demo(folder):
    """Run the example and wait until its hub answers, as a person at a terminal does."""
    port = free_port()
    process = subprocess.Popen(  # noqa: ASYNC220 - it only starts
        [sys.executable, LAPTOP / "demo.py"],
        env={**os.environ, "PORT": str(port), "DEMO_FOLDER": str(folder)},
        stderr=(folder.parent / "terminal").open("w"),
    )
    demo = Demo(process, folder, f"http://127.0.0.1:{port}")
    async with ClientSession() as session:
        for _ in range(240):
            assert process.poll() is None, (folder.parent / "terminal").read_text()
            try:
                async with session.get(f"{demo.url}/hub/health") as answer:
                    if answer.status == 200:
                        return demo
            except OSError:
                pass
            await asyncio.sleep(0.25)
    raise AssertionError(f"no answer at {demo.url}\n{demo.log}")


@pytest.fixture(scope="module")
async def demo(tmp_path_factory):
    running = await run_demo(tmp_path_factory.mktemp("demo") / "kept")
    yield running
    if running.process.poll() is None:
        running.end()


async def sign_in(chromium, demo, name):
    context = await chromium.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(30_000)
    await page.goto(demo.url)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name=name, exact=True).click()
    await page.wait_for_url(f"{demo.url}/**")
    return page


async def offered(page, demo):
    await page.goto(f"{demo.url}/hub/spawn")
    return await page.locator("input[name=profile]").evaluate_all("inputs => inputs.map(input => input.value)")


@pytest.mark.parametrize(
    ("name", "profiles", "brand"),
    [
        ("ada", ["small", "ocean"], "Ocean Lab"),
        ("ben", ["small", "ocean", "forest"], None),
        ("cleo", ["small", "ocean"], "Ocean Lab"),
        ("lin", ["small", "forest"], "Forest Network"),
    ],
)
async def test_each_person_sees_what_they_may_choose_and_their_community_s_brand(name, profiles, brand, chromium, demo):
    page = await sign_in(chromium, demo, name)
    assert await offered(page, demo) == profiles
    shown = page.locator(".hub-community")
    assert await shown.all_inner_texts() == ([brand] if brand else [])
    await page.context.close()


async def test_someone_of_no_community_is_refused_with_the_reason(chromium, demo, screenshots):
    page = await sign_in(chromium, demo, "dan")
    await expect(page.locator("main")).to_contain_text("the account dan (dan@fieldstation.example)")
    await expect(page.locator("main")).to_contain_text("It belongs to no community of this hub.")
    await expect(page.locator("main")).to_contain_text("Ocean Lab is for members of ocean-leads or members of ocean.")
    await assert_pleasant(page, screenshots / "laptop-refused")
    await page.context.close()


async def counted(page, name):
    """Load a page of usage until it shows the person: it is counted once a minute, and says until when."""
    for _ in range(90):
        if await page.get_by_role("row").filter(has_text=name).count():
            return
        await asyncio.sleep(1)
        await page.reload()
    raise AssertionError(f"{name} is not on {page.url}: {await page.locator('main').inner_text()}")


async def test_from_login_to_jupyterlab_to_the_usage_page_and_the_lead_s(chromium, demo, screenshots):
    page = await sign_in(chromium, demo, "ada")
    await page.goto(f"{demo.url}/hub/spawn")
    await page.get_by_text("Ocean analysis", exact=True).click()
    await page.get_by_label("PyTorch").check()
    await assert_pleasant(page, screenshots / "laptop-spawn")
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url(f"{demo.url}/user/ada/lab**")
    await expect(page.locator("#jp-main-dock-panel")).to_be_visible()
    await page.screenshot(path=f"{screenshots}/laptop-lab.png")

    await page.goto(f"{demo.url}/services/usage/")
    session = page.get_by_role("row").filter(has_text="pytorch")
    await expect(session).to_contain_text("running")
    await assert_pleasant(page, screenshots / "laptop-usage")

    lead = await sign_in(chromium, demo, "cleo")
    await lead.goto(f"{demo.url}/services/usage/")
    await lead.get_by_role("link", name="Ocean Lab", exact=True).click()
    await counted(lead, "ada")
    await assert_pleasant(lead, screenshots / "laptop-community")

    admin = await sign_in(chromium, demo, "lin")
    await admin.goto(f"{demo.url}/services/usage/hub")
    await counted(admin, "ada")

    await page.goto(f"{demo.url}/hub/home", wait_until="networkidle")  # JupyterHub's button works by its script
    await page.get_by_role("button", name="Stop My Server").click()
    await expect(page.get_by_role("button", name="Stop My Server")).to_be_hidden(timeout=30_000)
    await page.goto(f"{demo.url}/services/usage/")
    await expect(session).not_to_contain_text("running")
    assert re.search(r"cannot honour 'node_selector' of profile ocean: not applied", demo.log)
    for each in (page, lead, admin):
        await each.context.close()


async def test_a_copied_link_selects_the_same_choice_for_somebody_else_and_starts_nothing(chromium, demo):
    page = await sign_in(chromium, demo, "ben")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto(f"{demo.url}/hub/spawn")
    await page.get_by_text("Ocean analysis", exact=True).click()
    await page.get_by_label("PyTorch").check()
    await page.get_by_role("button", name="Copy link to this choice").click()
    await expect(page.get_by_text("Copied.")).to_be_visible()
    link = await page.evaluate("navigator.clipboard.readText()")
    await page.context.close()

    other = await sign_in(chromium, demo, "cleo")
    await other.goto(link)
    await expect(other.get_by_role("radio", name="Ocean analysis")).to_be_checked()
    await expect(other.get_by_label("PyTorch")).to_be_checked()
    await other.goto(f"{demo.url}/hub/home")
    await expect(other.get_by_role("button", name="Start")).to_be_visible()
    await other.context.close()


def run(folder, port, **options):
    """Run the example in the foreground, until it ends by itself."""
    return subprocess.run(
        [sys.executable, LAPTOP / "demo.py"],
        env={**os.environ, "PORT": str(port), "DEMO_FOLDER": str(folder)},
        capture_output=True, text=True, timeout=60, check=False, **options,
    )  # fmt: skip


def running_in(folder):
    """What runs in a folder or is told of it, whoever its parent is by now."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd().startswith(str(folder)) or any(str(folder) in word for word in process.cmdline()):
                found.append(process.cmdline())
    return found


@pytest.mark.parametrize(
    ("seconds", "number"),
    [
        (0, signal.SIGINT),
        (0.5, signal.SIGINT),
        (1, signal.SIGINT),
        (1.5, signal.SIGHUP),
        (2, signal.SIGINT),
        (2.5, signal.SIGTERM),
        (3, signal.SIGINT),
        (4, signal.SIGINT),
    ],
    ids=str,
)
def test_interrupted_at_any_moment_of_its_start_it_leaves_nothing_running(seconds, number, tmp_path):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, LAPTOP / "demo.py"],
        env={**os.environ, "PORT": str(port), "DEMO_FOLDER": str(tmp_path)},
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr.readline().startswith("Starting")
    time.sleep(seconds)
    process.send_signal(number)
    _, terminal = process.communicate(timeout=90)
    assert process.returncode == 0, terminal
    assert "Traceback" not in terminal
    assert running_in(tmp_path) == []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))


async def test_a_hub_that_is_killed_takes_all_it_started_with_it(chromium, tmp_path):
    demo = await run_demo(tmp_path / "kept")
    page = await sign_in(chromium, demo, "ben")
    await page.goto(f"{demo.url}/hub/spawn")
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url(f"{demo.url}/user/ben/lab**")
    await page.context.close()
    [hub] = psutil.Process(demo.process.pid).children()
    hub.kill()
    assert demo.process.wait(60) == 1
    assert running_in(demo.folder) == []


def test_a_terminal_that_is_closed_is_an_end_like_any_other(tmp_path):
    reader, writer = os.openpty()
    process = subprocess.Popen(
        [sys.executable, LAPTOP / "demo.py"],
        env={**os.environ, "PORT": str(free_port()), "DEMO_FOLDER": str(tmp_path)}, stderr=writer,
    )  # fmt: skip
    os.close(writer)
    time.sleep(1)
    os.close(reader)
    process.send_signal(signal.SIGHUP)
    assert process.wait(90) == 0
    assert running_in(tmp_path) == []


def test_a_mistake_in_the_settings_is_told_at_the_terminal(tmp_path):
    shutil.copytree(LAPTOP, tmp_path / "laptop")
    settings = tmp_path / "laptop" / "hub.yaml"
    settings.write_text(settings.read_text().replace("\nprofiles:", "\nprofles:"))
    ended = subprocess.run(
        [sys.executable, tmp_path / "laptop" / "demo.py"],
        env={**os.environ, "PORT": str(free_port()), "DEMO_FOLDER": str(tmp_path / "kept")},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "profles: unknown key. Did you mean 'profiles'?" in ended.stderr
    assert str(tmp_path / "kept" / "hub.log") in ended.stderr
    assert "Open http" not in ended.stderr
    assert running_in(tmp_path) == []


async def test_two_at_once_do_not_share_a_folder(demo):
    ended = await asyncio.to_thread(run, demo.folder, free_port())
    assert ended.returncode == 1
    assert ended.stderr == (
        f"{demo.folder} is in use by another demonstration. End that one, or choose another folder: "
        "make demo DEMO_FOLDER=.demo-2\n"
    )


@pytest.mark.parametrize("port", ["abc", "99999", "", "-1", "0", "8000.5", "\u0668"])
def test_a_port_that_is_none_is_one_sentence(port, tmp_path):
    ended = run(tmp_path, port)
    assert ended.returncode == 2
    assert ended.stderr == f"PORT must be a number from 1 to 65535, such as 8000; found {port!r}.\n"


def test_a_port_that_needs_root_is_not_said_to_be_in_use(tmp_path):
    start = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if start.exists() and int(start.read_text()) < 1024:
        pytest.skip("here everybody may listen on every port")
    ordinary = ["setpriv", "--bounding-set=-net_bind_service"] if os.geteuid() == 0 else []
    if ordinary and not shutil.which("setpriv"):
        pytest.skip("only setpriv takes this right from root")
    ended = subprocess.run(
        [*ordinary, sys.executable, LAPTOP / "demo.py"],
        env={**os.environ, "PORT": "80", "DEMO_FOLDER": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr == "Only root may listen on port 80. Choose one above 1023: make demo PORT=8080\n"


@pytest.mark.parametrize("taken", [range(64800, 65535)])
def test_the_port_that_is_suggested_exists(taken, tmp_path):
    with socket.socket() as holder:
        for port in taken:
            with contextlib.suppress(OSError):
                holder.bind(("127.0.0.1", port))
                break
        holder.listen()
        ended = run(tmp_path, port)
    assert ended.returncode == 1
    assert int(re.search(r"PORT=(\d+)$", ended.stderr)[1]) <= 65535


async def test_ctrl_c_leaves_nothing_running_and_the_next_run_knows_the_sessions(chromium, tmp_path):
    folder = tmp_path / "kept"
    first = await run_demo(folder)
    page = await sign_in(chromium, first, "ben")
    await page.goto(f"{first.url}/hub/spawn")
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url(f"{first.url}/user/ben/lab**")
    await page.context.close()
    assert first.end() == []
    [(name, profile, ended_at, _)] = first.sessions()
    assert (name, profile, bool(ended_at)) == ("ben", "small", True)

    second = await run_demo(folder)
    page = await sign_in(chromium, second, "ben")
    await page.goto(f"{second.url}/services/usage/")
    await expect(page.get_by_role("row").filter(has_text="small").first).to_be_visible()
    await page.context.close()
    assert second.end() == []


def test_a_port_in_use_is_one_sentence_that_says_what_to_do(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run(tmp_path, port)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"Port {port} is in use. Stop what listens there, or choose another: make demo PORT={port + 1000}\n"
    )


def test_the_configuration_is_three_statements():
    lines = (LAPTOP / "jupyterhub_config.py").read_text().splitlines()
    assert len([line for line in lines if line]) == 3


def test_everyone_who_can_sign_in_is_introduced_at_the_terminal(demo):
    terminal = (demo.folder.parent / "terminal").read_text()
    assert "Warning" not in terminal
    assert re.search(r"^Starting.*\n\n  Open http://127", terminal, re.MULTILINE)
    for person in yaml.safe_load((LAPTOP / "people.yaml").read_text()):
        assert re.search(rf"^ +{person['sub']} +{re.escape(person['about'])}$", terminal, re.MULTILINE)
