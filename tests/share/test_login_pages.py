"""The login page and the page of a refused login, as people see them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect
from pydantic import ValidationError

from hub_extensions.announcements import Announcement
from hub_extensions.branding import Branding
from hub_extensions.pages import PageContext
from hub_extensions.share import TEMPLATES
from hub_extensions.spawners.refusal import refusal

from ..browser import assert_pleasant
from ..hub import running_hub
from ..providers.github import GitHub, Organization
from ..providers.github import Person as GitHubPerson
from ..providers.google import Google
from ..providers.google import Person as GooglePerson
from ..providers.login import hub_with
from .hubs import HUB_BRANDING, LEAF, SAYS_REFUSED, WAVE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser

    from ..hub import RunningHub

HOSTILE = "</li><script>alert(1)</script>{{7*7}}\"'><img src=x onerror=alert(1)>"
LONG = "Interdisciplinary Network for the Long-Term Observation of Coastal Ecosystems of the Northern Hemisphere"
ONE_WORD = "Küstenschutzforschungsgemeinschaftsverwaltungsgebäude"
TITLES = ["Ocean Lab", "Land Use Group", LONG, ONE_WORD, HOSTILE, *(f"Course {number}" for number in range(7))]
TERMS = "https://example.org/terms"
BRANDING = HUB_BRANDING.model_copy(update={"links": (), "terms": TERMS})
PEOPLE = [GitHubPerson("ada"), GitHubPerson("eve", "eve@example.org")]


def communities() -> dict[str, Any]:
    rules = [{"github": ["example-organisation:reef"]}, {"groups": ["land"]}, {"users": ["ada"]}]
    logos = [WAVE, LEAF, None]
    return {
        f"community-{number}": {
            "title": title,
            "members": [rules[number % 3]],
            "branding": {"logo": logos[number % 3]} if logos[number % 3] else {},
        }
        for number, title in enumerate(TITLES)
    }


def pages(shown: dict[str, Any], branding: Branding = BRANDING) -> PageContext:
    return PageContext(
        "Ocean & Land Data Hub",
        branding,
        [(name, each["title"], Branding.model_validate(each["branding"])) for name, each in shown.items()],
        lambda: [Announcement(text="On Tuesday from 9 to 10 the hub is down for <maintenance>.", level="warning")],
    )


def config() -> dict[str, Any]:
    shown = communities()
    return {
        "JupyterHub": {"template_paths": [str(TEMPLATES)], "template_vars": {"hub_extensions": pages(shown)}},
        "CommunityAuthenticator": {"communities": shown, "contact": "help@example.org"},
    }


@asynccontextmanager
async def one_provider(settings: dict[str, Any]) -> AsyncIterator[RunningHub]:
    reef = Organization("example-organisation", members={"eve"}, teams={"reef": {"ada"}})
    async with GitHub(PEOPLE, [reef]) as github, hub_with(github, "community-github", config=settings) as hub:
        yield hub


@asynccontextmanager
async def several_providers(settings: dict[str, Any]) -> AsyncIterator[RunningHub]:
    async with GitHub(PEOPLE) as github, Google([GooglePerson("ada@example.edu")]) as google:
        providers = {
            "github": {"authenticator": "community-github", "title": "GitHub", "config": github.traits},
            "google": {"authenticator": "community-google", "title": HOSTILE, "config": google.traits},
            "university": {"authenticator": "community-google", "title": LONG, "config": google.traits},
        }
        settings = {**settings, "CommunityMultiAuthenticator": {"providers": providers}}
        async with hub_with(github, "community-multi", config=settings) as hub:
            yield hub


@asynccontextmanager
async def names_only(settings: dict[str, Any]) -> AsyncIterator[RunningHub]:
    settings["JupyterHub"]["authenticator_class"] = "community-dummy"
    settings["Authenticator"] = {"allow_all": False}
    async with running_hub(settings) as hub:
        yield hub


HUBS = {"one-provider": one_provider, "several-providers": several_providers, "names-only": names_only}


@pytest.fixture(scope="module", params=HUBS)
async def login_hub(request: pytest.FixtureRequest) -> AsyncIterator[RunningHub]:
    async with HUBS[request.param](config()) as hub:
        yield hub


@pytest.fixture
def picture(request: pytest.FixtureRequest, screenshots: Path) -> Path:
    return screenshots / request.node.name.removeprefix("test_").replace("[", ".").rstrip("]")


async def test_the_login_page_is_pleasant(login_hub: RunningHub, chromium: Browser, picture: Path) -> None:
    page = await chromium.new_page()
    await page.goto(f"{login_hub.url}login")
    await assert_pleasant(page, picture)
    await page.close()


async def test_the_login_page_shows_communities_terms_and_announcements(login_hub: RunningHub) -> None:
    page = (await login_hub.browser().get("login")).text
    for title in TITLES:
        assert escape(title).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page
    assert page.count(f'src="{WAVE}"') >= 4
    assert f'the <a href="{TERMS}">terms of use</a>' in " ".join(page.split())
    assert "the hub is down for &lt;maintenance&gt;." in page
    assert "alert(1)</script>" not in page
    assert "<img src=x" not in page


async def test_nothing_that_an_operator_wrote_runs_or_computes(login_hub: RunningHub, chromium: Browser) -> None:
    page = await chromium.new_page()
    alarms: list[str] = []
    page.on("dialog", lambda dialog: alarms.append(dialog.message))
    page.on("pageerror", lambda error: alarms.append(str(error)))
    await page.goto(f"{login_hub.url}login")
    await expect(page.get_by_text("{{7*7}}").first).to_be_visible()
    assert "49" not in await page.locator("main").inner_text()
    assert alarms == []
    await page.close()


@pytest.mark.parametrize(
    "logo", ["javascript:alert(1)", "//evil.example/x.png", "data:text/html,<script>", 'x" onerror="']
)
def test_a_logo_that_is_no_image_stops_the_start(logo: str) -> None:
    with pytest.raises(ValidationError, match="expected an image's address"):
        Branding(logo=logo)


def test_terms_that_are_no_page_stop_the_start() -> None:
    with pytest.raises(ValidationError, match="expected an address"):
        Branding(terms="javascript:alert(1)")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_provider_is_chosen_with_keys_alone(chromium: Browser, scripts: bool) -> None:
    async with several_providers(config()) as hub:
        context = await chromium.new_context(java_script_enabled=scripts)
        page = await context.new_page()
        await page.goto(f"{hub.url}login")
        button = page.get_by_role("button", name="Sign in with GitHub")
        for _ in range(20):
            await page.keyboard.press("Tab")
            if await button.evaluate("element => element === document.activeElement"):
                break
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Log in as ada")).to_be_visible()
        await context.close()


@pytest.mark.parametrize("name", ["one-provider", "names-only"])
async def test_the_operator_s_own_terms_are_kept(name: str, tmp_path: Path) -> None:
    own = '{% extends "hub_extensions/login.html" %}{% block login_terms_text %}OUR {{ login_term_url }}{% endblock %}'
    (tmp_path / "login.html").write_text(own)
    settings = config()
    settings["JupyterHub"]["template_paths"] = [str(tmp_path), str(TEMPLATES)]
    settings["JupyterHub"]["template_vars"]["login_term_url"] = "https://own.example/terms"
    async with HUBS[name](settings) as hub:
        page = (await hub.browser().get("login")).text
    assert "OUR https://own.example/terms" in page
    assert ("login_terms_checkbox" in page) is (name == "names-only")


async def test_someone_who_is_near_sees_that_first_and_the_rest_on_demand(chromium: Browser, picture: Path) -> None:
    async with one_provider(config()) as hub:
        page = await chromium.new_page()
        await page.goto(f"{hub.url}login")
        await page.get_by_role("button", name="Sign in with GitHub").click()
        await page.get_by_role("button", name="Log in as eve").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("This account may not use this hub")
        near = page.locator(".hub-nearest li")
        await expect(near).to_have_count(4)
        for sentence in await near.all_inner_texts():
            assert "You are near, but" in sentence
        others = page.get_by_text("people who were named").first
        await expect(others).not_to_be_visible()
        await assert_pleasant(page, picture)
        await page.get_by_text("The other communities of this hub (8)").click()
        await expect(others).to_be_visible()
        await expect(page.get_by_role("link", name="help@example.org").first).to_have_attribute(
            "href", "mailto:help@example.org"
        )
        await page.get_by_role("link", name="Use another account").click()
        await expect(page.get_by_role("status")).to_contain_text("You are signed out here.")
        await expect(page.get_by_role("link", name="Sign out of GitHub")).to_have_attribute("target", "_blank")
        await assert_pleasant(page, picture.with_name(picture.name + ".another-account"))
        await page.close()


async def test_someone_who_cancels_at_the_provider_reads_what_to_do(chromium: Browser, picture: Path) -> None:
    async with one_provider(config()) as hub:
        page = await chromium.new_page()
        await page.goto(f"{hub.url}login")
        await page.get_by_role("button", name="Sign in with GitHub").click()
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("You are not signed in")
        await expect(page.get_by_role("main")).to_contain_text("You cancelled the login at GitHub")
        await assert_pleasant(page, picture)
        await page.get_by_role("link", name="Sign in", exact=True).click()
        await expect(page.get_by_role("button", name="Sign in with GitHub")).to_be_visible()
        await page.close()


async def test_a_refusal_of_a_login_form_is_shown_above_it(chromium: Browser, picture: Path) -> None:
    async with names_only(config()) as hub:
        page = await chromium.new_page()
        await page.goto(f"{hub.url}login")
        await page.get_by_label("Username:").fill("<b>eve")
        await page.get_by_label("Password:", exact=True).fill("x")
        await page.get_by_label("I accept the terms of use").check()
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("You used the account <b>eve")
        await expect(page.get_by_role("alert")).to_contain_text("Land Use Group is for members of land.")
        await expect(page.locator(".login_error")).to_have_count(0)
        await assert_pleasant(page, picture)
        await page.close()


async def test_of_all_that_is_forbidden_only_a_refused_login_is_called_one() -> None:
    """No environment, a spent quota, a scope that is missing, a form without its token: each keeps its own words."""

    def spent(spawner: Any) -> None:
        if spawner.user_options.get("profile") == "ocean":
            raise refusal("Your group has used its GPU hours for this month.", code="quota", status=403)

    profiles = [{"display_name": "Ocean", "slug": "ocean", "allowed_groups": ["ocean-lab"]}]
    settings = {
        "JupyterHub": {"template_paths": [str(TEMPLATES)], "spawner_class": "profile-local"},
        "ProfileLocalSpawner": {"profile_list": profiles, "pre_spawn_hook": spent},
    }
    async with running_hub(settings) as hub:
        hub.user("ben", groups=("ocean-lab",))
        ada, ben, nobody = await hub.login("ada"), await hub.login("ben"), hub.browser()
        await ben.get("spawn")
        await nobody.get("login")
        forbidden = {
            "No environment of this hub is open to you.": await ada.get("spawn"),
            "Your group has used its GPU hours": await ben.post("spawn", {"profile": "ocean"}),
            "not authorized with current scopes": await ada.get("admin"),
            "XSRF cookie does not match": await ben.post("spawn", {"profile": "ocean", "_xsrf": "x"}),
            "Login form invalid or expired": await nobody.post("login", {"username": "ada", "_xsrf": "x"}),
        }
    for words, page in forbidden.items():
        assert page.status == 403, words
        assert words.lower() in page.text.lower()
        assert not SAYS_REFUSED.search(page.text), words
