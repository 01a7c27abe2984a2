"""How much the profile form sends, and how soon a person can choose, beside jupyterhub-fancy-profiles.

    .venv/bin/python benchmarks/form.py [loads]

Each form is on the page of a real hub, and is loaded in Chromium by a browser that has just logged in: it has the hub's
own styles and scripts already, and nothing of the form. Counted is what the page and all that it loads have more than
the page of a stock hub whose form is empty: the bodies of the answers, as the hub sends them, which is without
compression, and as a proxy with gzip would send them.

Ready is ours when its script has run, which is after its controls can be used, and fancy-profiles when its first
control is there. The time is from the beginning of the navigation, so the hub's own page and work are in it; it is also
told without what the page with the empty form takes. The hub is on the same machine; one line is slowed down to what
people may have.
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
from playwright.async_api import Browser, BrowserContext, Response, async_playwright
from traitlets.config import Config

from hub_extensions import configure

sys.path.append(str(Path(__file__).parents[1]))  # after the installed package

from tests.hub import RunningHub
from tests.kube.cluster import NAMESPACE, Cluster, cluster, hub_on
from tests.kube.fake_api import fake_api

ROUNDS = 3  # in each, every form is loaded as often
MOST_BYTES, LEAST_RATIO = 60_000, 10
# Bytes in a second and milliseconds; -1 is as fast as it can be.
LINES = {
    "on the same machine": {"downloadThroughput": -1, "uploadThroughput": -1, "latency": 0},
    "at 10 Mbit/s": {"downloadThroughput": 1_250_000, "uploadThroughput": 1_250_000, "latency": 40},
}
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
    times: dict[str, list[float]] = field(default_factory=lambda: {line: [] for line in LINES})
    answers: dict[str, bytes] = field(default_factory=dict)

    def time(self, line: str) -> float:
        """The median of all loads."""
        return statistics.median(self.times[line])

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


async def load(context: BrowserContext, address: str, form: Form, line: str) -> float:
    """One load of the start page: how long it took."""
    page = await context.new_page()
    await page.goto(f"{address}home", wait_until="networkidle")
    session = await context.new_cdp_session(page)
    await session.send("Network.emulateNetworkConditions", {"offline": False, **LINES[line]})
    await page.add_init_script(WATCH % form.ready)
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    await page.goto(f"{address}spawn")
    await page.wait_for_function("window.readyAfter", timeout=60_000)
    taken: float = await page.evaluate("window.readyAfter")
    await page.wait_for_load_state("networkidle")
    form.answers = {response.url: await response.body() for response in responses if response.ok}
    return taken


async def measure(kube: Cluster, chromium: Browser, forms: Sequence[Form], loads: int) -> None:
    """Load every form over every line, in turns."""
    for _ in range(ROUNDS):
        for form in forms:
            config = Config({"JupyterHub": {"base_url": "/"}})  # fancy-profiles knows no other
            config.merge(form.config)
            async with hub_on(kube, config) as hub:
                state = await logged_in(hub, chromium)

                async def once(line: str, form: Form = form, hub: RunningHub = hub, state: Any = state) -> float:
                    context = await chromium.new_context(storage_state=state)
                    try:
                        return await load(context, hub.url, form, line)
                    finally:
                        await context.close()

                await once(next(iter(LINES)))  # a hub reads its templates and settings once
                for _ in range(loads):
                    for line in LINES:
                        form.times[line].append(await once(line))


def report(forms: Sequence[Form], nothing: Form) -> None:
    """A line on each form."""
    for form in forms:
        plain, packed = form.more_than(nothing)
        times = ", ".join(f"{form.time(line):5.0f} ms {line}" for line in LINES)
        sys.stdout.write(
            f"{form.name:<28} {plain / 1000:7.1f} kB, {packed / 1000:6.1f} with gzip; ready after {times}\n"
        )


async def main(loads: int) -> None:
    """Run the hubs and print what was measured."""
    nothing, small, theirs, _ = forms = [empty(), ours(20), fancy(20), ours(300)]
    with tempfile.TemporaryDirectory() as folder, fake_api(NAMESPACE) as api, cluster(api, Path(folder)) as kube:
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            await measure(kube, chromium, forms, loads)
            await chromium.close()
    report(forms, nothing)
    plain, _ = small.more_than(nothing)
    sys.stdout.write(f"bytes of ours over the wire: {plain}; limit {MOST_BYTES}\n")
    for line in LINES:
        ours_takes, theirs_takes, base = (form.time(line) for form in (small, theirs, nothing))
        sys.stdout.write(
            f"{line}, fancy-profiles to ours: {theirs_takes / ours_takes:.1f}; "
            f"without the hub's own page: {(theirs_takes - base) / (ours_takes - base):.1f}; wanted {LEAST_RATIO}\n"
        )


if __name__ == "__main__":
    logging.disable()
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
