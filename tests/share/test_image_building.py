"""From a repository on GitHub to a server of its image: in Chromium, on a real hub with a builder."""

from __future__ import annotations

import hashlib
import re
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from playwright.async_api import expect
from yarl import URL

from hub_extensions.share import TEMPLATES

from ..browser import assert_pleasant
from ..front import in_front_of
from ..hub import running_hub
from ..services.process_hub import free_ports
from .hubs import page_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Locator, Page, Route

    from ..hub import RunningHub

# A server that tells in a file of its home which image it was given.
SERVER = """
import os, pathlib, runpy
pathlib.Path("image").write_text(os.environ["IMAGE"])
runpy.run_module("jupyterhub.tests.mocksu", run_name="__main__")
"""
BUILT = "registry[.]example[.]org/built-.*"
SOFTWARE = {
    "display_name": "Software",
    "choices": {
        "python": {"display_name": "Python", "description": "NumPy and friends.", "kubespawner_override": {}},
        "r": {"display_name": "R", "description": "The tidyverse."},
    },
    "unlisted_choice": {"kubespawner_override": {"environment": {"IMAGE": "{value}"}}},
    "dynamic_image_building": {"enabled": True},
}
PROFILES = [
    {"display_name": "Own software", "slug": "own", "profile_options": {"image": SOFTWARE}},
    {"display_name": "Plain", "slug": "plain"},
]


ENTRY = "Build from a repository…"


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(scope="module")
async def hub(homes: Path) -> AsyncIterator[RunningHub]:
    [port] = free_ports(1)
    settings = {
        "JupyterHub": {
            "spawner_class": "profile-local",
            "template_paths": [str(TEMPLATES)],
            "template_vars": {"hub_extensions": page_context()},
            "services": [
                {
                    "name": "binder",
                    "url": f"http://127.0.0.1:{port}",
                    "command": [sys.executable, str(Path(__file__).with_name("binder_server.py"))],
                }
            ],
            "load_roles": [{"name": "builders", "scopes": ["access:services!service=binder"], "groups": ["builders"]}],
        },
        "ProfileLocalSpawner": {
            "profile_list": PROFILES,
            "built_images": BUILT,
            "cmd": [sys.executable, "-c", SERVER],
            "home_dir_template": str(homes / "{username}"),
        },
    }
    async with running_hub(settings) as running:
        yield running


class Builder:
    """The form's fields for building, as a person finds them."""

    def __init__(self, page: Page, person: str) -> None:
        self.page, self.person = page, person
        self.repository = page.get_by_label("GitHub repository")
        self.ref = page.get_by_label("Branch, tag or commit")
        self.log = page.get_by_role("log", name="Build log")
        self.status = page.locator(".hub-build").get_by_role("status")
        self.start_server = page.get_by_role("button", name="Start")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    async def complaint(self) -> str:
        """What the browser says at the field when the form is sent."""
        said: str = await self.repository.evaluate("field => field.validationMessage")
        return said

    async def build(self, repository: str, ref: str | None = None) -> None:
        await self.repository.fill(repository)
        if ref is not None:
            await self.ref.fill(ref)
        await self.page.get_by_role("button", name=re.compile("^(Build|Try again)$")).click()


@pytest.fixture(scope="module")
async def address(hub: RunningHub) -> AsyncIterator[str]:
    async with in_front_of(hub) as address:
        yield address


async def open_form(chromium: Browser, hub: RunningHub, address: str, *groups: str) -> Builder:
    """The start page of a new person who belongs to `groups`, with building chosen."""
    name = f"ada-{secrets.token_hex(3)}"
    hub.user(name, groups=groups)
    context = await chromium.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(10_000)
    await page.goto(f"{address}login")
    await page.get_by_label("Username:").fill(name)
    await page.get_by_label("Password:", exact=True).fill(name)
    await page.get_by_role("button", name="Sign in").click()
    await page.goto(f"{address}spawn")
    await page.get_by_role("radio", name="Own software").check()
    await page.get_by_label(ENTRY).check()
    return Builder(page, name)


@pytest.fixture
async def form(chromium: Browser, hub: RunningHub, address: str) -> AsyncIterator[Builder]:
    builder = await open_form(chromium, hub, address, "builders")
    yield builder
    await builder.page.context.close()


def commit_of(ref: str) -> str:
    return hashlib.sha1(ref.encode()).hexdigest()


async def start_built(form: Builder) -> str:
    """Build an image and start it; answers its name."""
    await form.build("ocean-lab/ocean")
    await expect(form.status).to_contain_text("The image is built.")
    await form.start_server.click()
    await form.page.wait_for_url("**/user/**")
    return f"registry.example.org/built-ocean-lab-ocean:{commit_of('HEAD')}"


async def test_the_log_comes_as_the_image_is_built_and_start_uses_the_image(
    form: Builder, hub: RunningHub, address: str, homes: Path, screenshots: Path
) -> None:
    await form.build("https://github.com/ocean-lab/slow.git/", "feature/deep")
    await expect(form.log).to_contain_text("Cloning ocean-lab/slow at feature/deep\nStep 1/9 : <b>FROM</b> ubuntu")
    await expect(form.status).to_contain_text("Building the image. You can leave this page")
    await expect(form.page.locator(".hub-build-elapsed")).to_have_text("0:01")
    await expect(form.repository).to_have_value("ocean-lab/slow")
    await form.start_server.click()
    await expect(form.repository).to_be_focused()
    assert await form.complaint() == "Wait until the image is built."
    await assert_pleasant(form.page, screenshots / "image-building")
    await form.page.context.request.get(f"{address}../services/binder/release")
    await expect(form.status).to_contain_text(
        "The image is built. Start uses it: registry.example.org/built-ocean-lab-slow:"
    )
    await expect(form.log).to_contain_text("\n100% downloaded\nStep 9/9")
    await expect(form.log).not_to_contain_text("60%")
    await assert_pleasant(form.page, screenshots / "image-built")
    await form.start_server.click()
    await form.page.wait_for_url("**/user/**")
    assert hub.app.users[form.person].spawners[""].user_options == {
        "profile": "own",
        "image--unlisted-choice": f"registry.example.org/built-ocean-lab-slow:{commit_of('feature/deep')}",
    }
    image = (homes / form.person / "image").read_text()
    assert image == f"registry.example.org/built-ocean-lab-slow:{commit_of('feature/deep')}"


@pytest.mark.parametrize("entry", [ENTRY, "Python"])
async def test_a_copied_link_holds_nothing_of_a_built_image(form: Builder, entry: str) -> None:
    await form.build("ocean-lab/ocean")
    await expect(form.status).to_contain_text("The image is built.")
    await form.page.get_by_label(entry).check()
    await form.button("Copy link to this choice").click()
    link = await form.page.locator("#hub-link-text").input_value()
    assert "opt-profile=own" in link
    assert "built" not in link
    await form.page.goto(link)
    await expect(form.page.get_by_role("radio", name="Own software")).to_be_checked()
    await expect(form.page.locator("#hub-profiles .alert")).to_have_count(0)


async def test_an_image_that_was_built_before_is_offered_again_and_needs_no_script(
    form: Builder, hub: RunningHub, address: str, chromium: Browser
) -> None:
    image = await start_built(form)
    await hub.api("DELETE", f"users/{form.person}/server")
    await form.page.goto(f"{address}spawn")
    await expect(form.page.get_by_label(ENTRY)).to_be_checked()
    await expect(form.status).to_have_text(f"Start uses the image that you built last: {image}")
    scriptless = await chromium.new_context(
        java_script_enabled=False, storage_state=await form.page.context.storage_state()
    )
    page = await scriptless.new_page()
    await page.goto(f"{address}spawn")
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url(
        re.compile("/(spawn-pending|user)/"), wait_until="commit"
    )  # a quick server is not waited for
    assert hub.app.users[form.person].spawners[""].user_options["image--unlisted-choice"] == image
    await scriptless.close()


async def test_without_scripts_a_sentence_says_that_building_needs_them(
    form: Builder, address: str, chromium: Browser
) -> None:
    context = await chromium.new_context(
        java_script_enabled=False, storage_state=await form.page.context.storage_state()
    )
    page = await context.new_page()
    await page.goto(f"{address}spawn")
    sentence = page.locator("noscript p", has_text="Building an image from a repository needs JavaScript.")
    await expect(sentence).to_be_visible()
    await expect(page.get_by_label(ENTRY)).not_to_be_visible()
    await expect(page.get_by_label("Python")).to_be_checked()
    await context.close()


@pytest.mark.parametrize(
    ("repository", "told"),
    [
        ("broken", "The build failed. The log says why."),
        ("missing", "The build failed. The log says why."),
        ("answers-404", "There is no image builder at its address. Tell the people who run this hub."),
        ("answers-500", "The image builder has a problem (500). Try again later."),
        ("answers-403", "ask the people who run this hub to give you the permission access:services!service=binder"),
        ("refused", "ask the people who run this hub to give you the permission access:services!service=binder"),
        ("page", "The image builder has a problem (200). Try again later."),
        ("nonsense", "The image builder answered what this page does not understand."),
    ],
)
async def test_a_build_that_comes_to_nothing_says_so_and_keeps_what_was_typed(
    form: Builder, repository: str, told: str
) -> None:
    await form.build(f"ocean-lab/{repository}", "v1.0")
    await expect(form.status).to_contain_text(told)
    await expect(form.repository).to_have_value(f"ocean-lab/{repository}")
    await expect(form.ref).to_have_value("v1.0")
    await expect(form.button("Try again")).to_be_enabled()
    await expect(form.button("Cancel")).not_to_be_visible()
    await form.start_server.click()
    assert await form.complaint() == "Build the image first."


async def test_the_log_of_a_failed_build_stays(form: Builder, screenshots: Path) -> None:
    await form.build("ocean-lab/broken")
    await expect(form.status).to_contain_text("failed")
    await expect(form.log).to_contain_text("No matching distribution found for nunpy")
    await assert_pleasant(form.page, screenshots / "image-failed")


async def test_someone_without_the_permission_learns_which_one_to_ask_for(
    chromium: Browser, hub: RunningHub, address: str, screenshots: Path
) -> None:
    form = await open_form(chromium, hub, address)
    await form.build("ocean-lab/ocean")
    await expect(form.status).to_contain_text("permission access:services!service=binder")
    await assert_pleasant(form.page, screenshots / "image-not-allowed")
    await form.page.context.close()


async def test_a_connection_that_is_cut_is_taken_up_again(form: Builder) -> None:
    await form.build("ocean-lab/cut", f"v-{secrets.token_hex(3)}")
    await expect(form.status).to_contain_text("The connection to the image builder was lost.")
    await form.button("Try again").click()
    await expect(form.status).to_contain_text("The image is built.")
    assert (await form.log.inner_text()).count("Step 1/9") == 1
    await expect(form.button("Build")).to_be_enabled()


async def test_a_builder_that_cannot_be_reached_is_told(form: Builder) -> None:
    await form.page.context.set_offline(True)
    await form.build("ocean-lab/ocean")
    await expect(form.status).to_contain_text("could not be reached")
    await form.page.context.set_offline(False)
    await form.button("Try again").click()
    await expect(form.status).to_contain_text("The image is built.")


async def test_a_build_can_be_cancelled_by_keyboard_and_other_software_started(form: Builder) -> None:
    await form.repository.fill("ocean-lab/slow")
    await form.repository.press("Enter")
    await expect(form.status).to_contain_text("Building the image.")
    await form.button("Cancel").press("Enter")
    await expect(form.status).to_contain_text("Cancelled.")
    await expect(form.button("Try again")).to_be_focused()
    await form.page.get_by_label("Python").check()
    assert await form.page.evaluate("document.querySelector('form').checkValidity()")


async def test_what_was_built_does_not_stand_for_another_repository(form: Builder) -> None:
    await form.build("ocean-lab/ocean")
    await expect(form.status).to_contain_text("The image is built.")
    assert await form.page.evaluate("document.querySelector('form').checkValidity()")
    await form.ref.fill("v2")
    await expect(form.status).to_have_text("")
    await form.start_server.click()
    assert await form.complaint() == "Build the image first."


READ = {
    "ocean-lab/x": "ocean-lab/x HEAD",
    " Ocean-Lab/X.y_z ": "Ocean-Lab/X.y_z HEAD",
    "github.com/o/r": "o/r HEAD",
    "https://github.com/o/r": "o/r HEAD",
    "http://www.github.com/o/r.git": "o/r HEAD",
    "https://GitHub.com/o/r/": "o/r HEAD",
    "https://github.com/o/r?tab=readme#start": "o/r HEAD",
    "https://github.com/o/r/tree/main": "o/r main",
    "https://github.com/o/r/tree/feature/deep": "o/r feature/deep",
    "https://github.com/o/r/tree/a%20b": None,
    "https://github.com/o/r/tree/caf%C3%A9": "o/r café",
    "https://github.com/o/r/tree/%E9": None,
    "https://github.com/o/r/commit/0123abc": "o/r 0123abc",
    "git@github.com:o/r.git": "o/r HEAD",
    "ssh://git@github.com/o/r.git": "o/r HEAD",
    "git+https://github.com/o/r.git": "o/r HEAD",
    "git://github.com/o/r": "o/r HEAD",
    "": None,
    "ocean-lab": None,
    "o/r/s": None,
    "o/..": None,
    "../r": None,
    "o/..git": None,
    "o/r/tree/../../../x": None,
    "https://github.com/o/r/tree/a..b": None,
    "https://github.com/o/r/blob/main/x.ipynb": None,
    "https://gitlab.com/o/r": None,
    "https://localhost/r": None,
    "https://example.org/github.com/o/r": None,
    "https://github.com.example.org/o/r": None,
    "https://ada:secret@github.com/o/r": None,
    "https://github.com:8080/o/r": None,
    "javascript:alert/1": None,
    "o/r\x00": None,
    "o/р": None,
}


async def test_repositories_are_read_as_people_write_them_and_nothing_else_is(form: Builder) -> None:
    """The browser's own request says what was read."""
    asked: list[str] = []

    async def answer(route: Route) -> None:
        owner, name, ref = URL(route.request.url).raw_path.partition("/build/gh/")[2].split("/", 2)
        asked.append(f"{owner}/{name} {unquote(ref)}")
        await route.fulfill(status=404)

    await form.page.route("**/services/binder/**", answer)
    read = {}
    for typed in READ:
        asked.clear()
        await form.build(typed, "HEAD")
        if READ[typed]:
            await expect(form.button("Try again")).to_be_enabled()
        read[typed] = asked[0] if asked else None
    assert read == READ


async def test_what_git_does_not_take_as_a_ref_is_not_sent(form: Builder) -> None:
    for ref in ["a..b", "-x", "/x", "x/", "x.lock", "a b", "a~1", "a^", "a:b", "x?y", "[x]", "a@{1}", "."]:
        await form.build("ocean-lab/ocean", ref)
        assert "a branch, a tag or a commit" in await form.complaint()
        await expect(form.status).to_have_text("")


async def test_an_image_that_the_builder_does_not_make_is_refused_whatever_the_browser_says(
    form: Builder, hub: RunningHub
) -> None:
    await form.build("ocean-lab/elsewhere")
    await expect(form.status).to_contain_text("The image is built.")
    await form.start_server.click()
    await expect(form.page.get_by_text("Software: choose from the list.")).to_be_visible()
    assert not hub.app.users[form.person].spawners[""].active


async def test_the_token_for_the_builder_opens_nothing_else(form: Builder, hub: RunningHub) -> None:
    sent: list[str] = []
    form.page.on("request", lambda request: sent.append(request.headers.get("authorization", "")))
    await form.build("ocean-lab/ocean")
    await expect(form.status).to_contain_text("The image is built.")
    [token] = {header.removeprefix("token ") for header in sent if header}
    me = (await hub.api("GET", "user", token=token)).json()
    assert "access:services!service=binder" in me["scopes"]
    assert not [scope for scope in me["scopes"] if not scope.startswith(("access:services!", "read:users:"))]
    assert (await hub.api("GET", f"users/{form.person}/tokens", token=token)).status == 403
    assert (await hub.api("POST", f"users/{form.person}/server", token=token)).status == 403
