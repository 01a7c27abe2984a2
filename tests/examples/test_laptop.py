"""The example that `make demo` runs, as people meet it: its process at a terminal, its pages in a browser."""

import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
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
    await expect(page.locator("main")).to_contain_text("You logged in as dan, who belongs to no community")
    await expect(page.locator("main")).to_contain_text("Ocean Lab is for members of ocean or ocean-leads.")
    await assert_pleasant(page, screenshots / "laptop-refused")
    await page.context.close()


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
    await expect(lead.get_by_role("row").filter(has_text="ada").first).to_be_visible()
    await assert_pleasant(lead, screenshots / "laptop-community")

    admin = await sign_in(chromium, demo, "lin")
    await admin.goto(f"{demo.url}/services/usage/hub")
    await expect(admin.get_by_role("row").filter(has_text="ada").first).to_be_visible()

    await page.goto(f"{demo.url}/hub/home")
    await page.get_by_role("button", name="Stop My Server").click()
    await expect(page.get_by_role("button", name="Stop My Server")).to_be_hidden()
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

    other = await sign_in(chromium, demo, "ada")
    await other.goto(link)
    await expect(other.get_by_role("radio", name="Ocean analysis")).to_be_checked()
    await expect(other.get_by_label("PyTorch")).to_be_checked()
    await other.goto(f"{demo.url}/hub/home")
    await expect(other.get_by_role("button", name="Start")).to_be_visible()
    await other.context.close()


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
        ended = subprocess.run(
            [sys.executable, LAPTOP / "demo.py"],
            env={**os.environ, "PORT": str(port), "DEMO_FOLDER": str(tmp_path)},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr == (
        f"Port {port} is in use. Stop what listens there, or choose another: make demo PORT={port + 1000}\n"
    )


def test_the_configuration_is_three_statements():
    lines = (LAPTOP / "jupyterhub_config.py").read_text().splitlines()
    assert len([line for line in lines if line]) == 3


def test_everyone_who_can_sign_in_is_introduced_at_the_terminal(demo):
    terminal = (demo.folder.parent / "terminal").read_text()
    for person in yaml.safe_load((LAPTOP / "people.yaml").read_text()):
        assert re.search(rf"^ +{person['sub']} +{re.escape(person['about'])}$", terminal, re.MULTILINE)
