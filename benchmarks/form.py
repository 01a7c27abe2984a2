"""How much the profile form sends, and how soon a person can choose, beside jupyterhub-fancy-profiles.

    .venv/bin/python benchmarks/form.py [rounds]

Each form is on the page of a real hub, with the same list, and is loaded in Chromium. Counted is what the page and all
that it loads have more than the page of a stock hub whose form is empty: the bodies of the answers, as the hub sends
them, which is without compression, and as a proxy with gzip would send them.

Ready is ours when its script has run, which is after its controls can be used, and fancy-profiles when its first
control is there. The time is from the beginning of the navigation, so the hub's own page and work are in it, which both
forms have to wait for; it is also told without what the page with the empty form takes.

The hub is on the same machine. Browsers have what Lighthouse gives them in its presets, put on by Chromium's developer
tools, or no limits. Each is new for each load. It has just logged in: then it has the hub's own styles and scripts,
which the pages of login and start have too, and nothing of the form; or it has nothing at all.
"""

import asyncio
import gzip
import logging
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyterhub_fancy_profiles import setup_ui
from playwright.async_api import Browser, CDPSession, Response, async_playwright
from traitlets.config import Config

from hub_extensions import configure

sys.path.append(str(Path(__file__).parents[1]))  # after the installed package

from tests.hub import RunningHub
from tests.kube.cluster import NAMESPACE, Cluster, cluster, hub_on
from tests.kube.fake_api import fake_api

ROUNDS = 3  # in each, every form is loaded once over every line; medians are told
MOST_BYTES, LEAST_RATIO = 60_000, 10


@dataclass(frozen=True)
class Line:
    """What is between hub and person: kilobits in a second, milliseconds of a round trip, and how slow the CPU is."""

    name: str
    kilobits: int = 0  # 0 is without limit
    milliseconds: int = 0
    slowdown: int = 1

    async def put_on(self, session: CDPSession) -> None:
        """Limit a page of the browser."""
        speed = self.kilobits * 1024 / 8 if self.kilobits else -1
        limits = {
            "offline": False,
            "latency": self.milliseconds,
            "downloadThroughput": speed,
            "uploadThroughput": speed,
        }
        await session.send("Network.emulateNetworkConditions", limits)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": self.slowdown})


LINES = (
    Line("no limits"),
    Line("desktop (40 ms, 10,240 kbit/s)", 10_240, 40),
    Line("mobile (150 ms, 1,638 kbit/s, CPU 4x slower)", 1_638, 150, 4),
)
# Whether the browser has been on another page of the hub.
VISITED = {True: "after login", False: "nothing cached"}
# When an element is there that fits the selector, how long after the beginning of the navigation.
WATCH = """
    new MutationObserver(() => {
        if (window.readyAfter || !document.querySelector(%r)) return;
        window.readyAfter = performance.now();
    }).observe(document, {subtree: true, childList: true, attributes: true});
"""


TOPICS = ("Ocean", "Ice", "Forest", "City", "Rivers", "Weather", "Soil", "Stars", "Genomes", "Texts")
IMAGES = ("Python", "R", "Julia", "Pangeo", "PyTorch", "TensorFlow", "QGIS", "Octave")
SIZES = ("Tiny", "Small", "Modest", "Medium", "Big", "Large", "Huge", "Node")
COLLECTIONS = ("None", "ERA5", "CMIP6", "Sentinel-2", "Landsat", "Argo", "GEBCO", "OpenStreetMap")


def option(title: str, names: Sequence[str], override: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """An option whose choices have these names, and overrides by their number."""
    choices = {
        name.lower(): {"display_name": name, "kubespawner_override": override(number)}
        for number, name in enumerate(names)
    }
    return {"display_name": title, "choices": choices}


def profile(number: int) -> dict[str, Any]:
    """A profile of three options of eight choices, with texts as long as those of real hubs."""
    topic, turn = TOPICS[number % len(TOPICS)], number // len(TOPICS)
    tag = f"2026.03.{number:02}"
    return {
        "display_name": f"{topic} analysis {turn}",
        "slug": f"{topic.lower()}-{turn}",
        "description": f"Notebooks and tools for people who work on {topic.lower()}, with their shared folder.",
        "default": number == 0,
        "profile_options": {
            "image": option("Software", IMAGES, lambda n: {"image": f"quay.io/example/{IMAGES[n].lower()}:{tag}"}),
            "size": option("Size", SIZES, lambda n: {"mem_limit": f"{2**n}G", "cpu_limit": n + 1}),
            "data": option("Data", COLLECTIONS, lambda n: {"environment": {"COLLECTION": COLLECTIONS[n]}}),
        },
    }


def profiles(count: int) -> list[dict[str, Any]]:
    """A list of so many profiles."""
    return [profile(number) for number in range(count)]


@dataclass
class Form:
    """A hub's form: its configuration, what is there when it can be used, and what was measured, in milliseconds."""

    name: str
    config: Config
    ready: str
    times: dict[tuple[Line, bool], list[float]] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)

    def time(self, line: Line, *, visited: bool) -> float:
        """The median of all loads."""
        return statistics.median(self.times[line, visited])

    def more_than(self, other: "Form") -> tuple[int, int]:
        """Bytes of all answers more than another's, as they are and with gzip."""
        plain, packed = (
            [sum(map(size, form.answers.values())) for form in (self, other)]
            for size in (len, lambda body: len(gzip.compress(body, 6)))
        )
        return plain[0] - plain[1], packed[0] - packed[1]


def ours(count: int) -> Form:
    """Our form, on a hub that `configure` wired."""
    config = Config()
    config.JupyterHub.spawner_class = "profile-kube"
    configure(config, {"profiles": profiles(count)})
    return Form(f"ours, {count} profiles", config, "#hub-search:not([hidden])")


def fancy(count: int) -> Form:
    """The form of jupyterhub-fancy-profiles, on a hub with KubeSpawner."""
    config = Config()
    config.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
    config.KubeSpawner.profile_list = profiles(count)
    setup_ui(config)
    return Form(f"fancy-profiles, {count} profiles", config, "#form :is(input:not([type=hidden]), select, button)")


def empty() -> Form:
    """A stock hub's page with nothing in its form but the button."""
    config = Config()
    config.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
    config.KubeSpawner.options_form = "<!-- nothing -->"
    return Form("empty form", config, "#spawn_form [type=submit]")


async def logged_in(hub: RunningHub, chromium: Browser) -> Any:
    """What a browser keeps of a person who has logged in."""
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(f"{hub.url}login?next=/hub/home")
    await page.get_by_label("Username:").fill("ada")
    await page.get_by_label("Password:", exact=True).fill("ada")
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/hub/home")
    state = await context.storage_state()
    await context.close()
    return state


async def load(chromium: Browser, state: Any, address: str, form: Form, line: Line, *, visited: bool) -> float:
    """One load of the start page by a new browser: how long it took."""
    context = await chromium.new_context(storage_state=state)
    page = await context.new_page()
    if visited:
        await page.goto(f"{address}home", wait_until="networkidle")
    await line.put_on(await context.new_cdp_session(page))
    await page.add_init_script(WATCH % form.ready)
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    await page.goto(f"{address}spawn", wait_until="commit")
    await page.wait_for_function("window.readyAfter", timeout=120_000)
    taken: float = await page.evaluate("window.readyAfter")
    if not form.answers:
        await page.wait_for_load_state("networkidle")
        form.answers = {response.url: await response.body() for response in responses if response.ok}
    await context.close()
    return taken


async def measure(kube: Cluster, chromium: Browser, form: Form, lines: Sequence[Line]) -> None:
    """Load a form over each line, with and without what other pages have left."""
    config = Config({"JupyterHub": {"base_url": "/"}})  # fancy-profiles knows no other
    config.merge(form.config)
    async with hub_on(kube, config) as hub:
        state = await logged_in(hub, chromium)
        await load(
            chromium, state, hub.url, form, Line(""), visited=True
        )  # a hub reads its templates and settings once
        for line in lines:
            for visited in VISITED:
                taken = await load(chromium, state, hub.url, form, line, visited=visited)
                form.times.setdefault((line, visited), []).append(taken)


def report(nothing: Form, small: Form, theirs: Form, many: Form) -> None:
    """A line on the bytes of each form, and one on each way to load them."""
    for form in (small, many, theirs):
        plain, packed = form.more_than(nothing)
        sys.stdout.write(f"{form.name:<28} {plain / 1000:7.1f} kB, {packed / 1000:6.1f} with gzip\n")
    sys.stdout.write(f"bytes of ours over the wire: {small.more_than(nothing)[0]}; limit {MOST_BYTES}\n")
    sys.stdout.write(f"ready, ms; ratio of theirs to ours, wanted {LEAST_RATIO}; and without the hub's own page\n")
    for visited, cache in VISITED.items():
        for line in LINES:
            base, ours_takes, theirs_takes = (form.time(line, visited=visited) for form in (nothing, small, theirs))
            alone = (theirs_takes - base) / max(ours_takes - base, 1)
            sys.stdout.write(
                f"{cache + ', ' + line.name:<60} empty {base:6.0f}  ours {ours_takes:6.0f}  "
                f"theirs {theirs_takes:6.0f}  {theirs_takes / ours_takes:5.1f} {alone:7.1f}\n"
            )


async def main(rounds: int) -> None:
    """Run the hubs and print what was measured."""
    nothing, small, theirs, many = forms = empty(), ours(20), fancy(20), ours(300)
    with tempfile.TemporaryDirectory() as folder, fake_api(NAMESPACE) as api, cluster(api, Path(folder)) as kube:
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            await measure(kube, chromium, many, ())
            for _ in range(rounds):
                for form in (nothing, small, theirs):
                    await measure(kube, chromium, form, LINES)
            await chromium.close()
    report(*forms)


if __name__ == "__main__":
    logging.disable()
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
