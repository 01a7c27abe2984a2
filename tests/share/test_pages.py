from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

import pytest
from jinja2 import DictLoader, Environment, nodes
from traitlets.config import Config

from hub_extensions import configure
from hub_extensions.announcements import Announcement
from hub_extensions.branding import Branding
from hub_extensions.pages import PageContext
from hub_extensions.share import TEMPLATES

from ..hub import running_hub
from .hubs import HUB_TITLE, LEAF, SAYS_REFUSED, WAVE

if TYPE_CHECKING:
    from pathlib import Path

    from ..hub import RunningHub

TITLE = escape(HUB_TITLE)
DASH = "\N{EN DASH}"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("login", "Sign in"),
        ("home", "Home"),
        ("spawn", "Choose an environment"),
        ("token", "Tokens"),
        ("nowhere", "Page not found"),
        ("spawn-pending/ada", "Server not running"),
    ],
)
async def test_every_page_has_its_name_and_the_hub_s_title_in_the_tab(hub: RunningHub, path: str, name: str) -> None:
    browser = hub.browser() if path == "login" else await hub.login("ada")
    page = await browser.get(path)
    assert f"<title>{name} {DASH} {TITLE}</title>" in page.text
    assert page.text.count("<main>") == page.text.count("</main>") == 1
    assert 'id="dark-theme-toggle"' in page.text


async def test_someone_in_one_community_sees_its_name_logo_and_colour(hub: RunningHub) -> None:
    page = (await (await hub.login("ada")).get("home")).text
    assert '<span class="hub-community">Ocean Lab</span>' in page
    assert f'src="{WAVE}"' in page
    assert "--hub-accent: #0b6e99" in page


@pytest.mark.parametrize("name", ["ben", "max"])
async def test_someone_in_several_communities_or_none_sees_the_hub_s_brand(hub: RunningHub, name: str) -> None:
    page = (await (await hub.login(name)).get("home")).text
    assert 'hub-community">' not in page
    assert "--hub-accent: #7a3b9c" in page


async def test_the_login_page_names_the_communities(hub: RunningHub) -> None:
    page = (await hub.browser().get("login")).text
    for shown in (TITLE, "Ocean Lab", "Land Use Group of the Northern Universities", f'src="{LEAF}"'):
        assert shown in page


async def test_a_wrong_password_is_said_on_the_login_page(hub: RunningHub) -> None:
    browser = hub.browser()
    await browser.get("login")
    page = await browser.post("login", {"username": "ada", "password": "wrong"})
    assert page.status == 403
    assert "Invalid username or password" in page.text
    assert "Ocean Lab" in page.text


@pytest.mark.parametrize("path", ["login", "nowhere"])
async def test_every_page_says_who_runs_and_pays_for_the_hub_and_whom_to_ask(hub: RunningHub, path: str) -> None:
    page = (await hub.browser().get(path)).text
    assert '<a href="https://example.edu">Example University</a>' in page
    assert "Example Foundation" in page
    assert "The Trust" in page
    assert '<a href="https://example.org/terms">Terms of use</a>' in page
    assert '<a href="mailto:help@example.org">' in page
    assert "the hub is down for &lt;maintenance&gt;." in page


@pytest.mark.parametrize(
    ("way", "shown"),
    [
        (
            "refused-account",
            [
                "This account may not use this hub",
                "<strong>&lt;b&gt;eve&lt;/b&gt;</strong> (eve@example.org)",
                "from <strong>GitHub</strong>",
                "You are near, but you are a member of",
                '<a href="mailto:access@example.org">',
                "/hub/logout",
            ],
        ),
        (
            "refused",
            ["You are not signed in", "Sorry, you are not currently authorized to use this hub.", "/hub/logout"],
        ),
        ("bare", ["You are not signed in", "This account may not see this page."]),
        ("html", ["That did not work", "Your hours are <em>spent</em>.", "Go to the start page"]),
        ("crash", ["Something went wrong", "It is not your doing", "If it happens again, ask"]),
        ("status-503", ["Not available at the moment"]),
        ("status-404", ["Page not found", "The link may be old"]),
        ("status-405", ["That did not work", "Error 405"]),
    ],
)
async def test_an_error_page_says_what_happened_and_what_to_do(hub: RunningHub, way: str, shown: list[str]) -> None:
    page = (await hub.browser().get(f"fails/{way}")).text
    for text in shown:
        assert text in page
    assert "not shown" not in page
    assert "secret detail" not in page
    assert way == "refused-account" or not SAYS_REFUSED.search(page)


@pytest.mark.parametrize(
    ("way", "shown"),
    [
        ("refused", ["You may not do this", "You are signed in as <strong>ada</strong>", "Use another account"]),
        ("bare", ["You may not do this", "This account may not see this page.", "Use another account"]),
        ("status-404", ["Page not found", "Go to the start page"]),
    ],
)
async def test_someone_signed_in_is_not_told_to_sign_in(hub: RunningHub, way: str, shown: list[str]) -> None:
    page = (await (await hub.login("ada")).get(f"fails/{way}")).text
    for text in shown:
        assert text in page
    assert "You are not signed in" not in page


async def test_a_reason_that_says_whom_to_ask_is_not_followed_by_the_same_again(hub: RunningHub) -> None:
    page = (await hub.browser().get("fails/refused-ask")).text
    assert "You belong to no community. Ask help@example.org." in page
    assert "If you think that this is a mistake" not in page


async def test_a_404_with_a_reason_gives_it(hub: RunningHub) -> None:
    page = await (await hub.login("admin")).get("spawn/nobody")
    assert page.status == 404
    assert "No such user: nobody" in page.text


async def test_a_failed_start_shows_the_form_again_with_the_reason(hub: RunningHub) -> None:
    browser = await hub.login("ada")
    await browser.get("spawn")
    page = await browser.post("spawn", {"profile": "broken"})
    assert "There is no &lt;free&gt; place on this hub." in page.text
    assert 'name="profile"' in page.text or "Your server did not start" in page.text


HOSTILE = "</title></style><script>alert(1)</script>{{7*7}}\"'><img src=x onerror=alert(1)>"


async def test_what_an_operator_wrote_is_never_markup() -> None:
    context = PageContext(
        HOSTILE,
        Branding.model_validate(
            {
                "organisation": {"name": HOSTILE},
                "funders": [{"name": HOSTILE}],
                "links": [{"text": HOSTILE, "url": "https://example.org/?a=1&b=2"}],
            }
        ),
        [("ocean-lab", HOSTILE, Branding())],
        lambda: [Announcement(text=HOSTILE)],
    )
    settings = {"template_paths": [str(TEMPLATES)], "template_vars": {"hub_extensions": context}}
    async with running_hub({"JupyterHub": settings}) as hub:
        hub.user("ada", groups=("ocean-lab",))
        for page in (await hub.browser().get("login"), await (await hub.login("ada")).get("home")):
            assert "alert(1)</script>" not in page.text
            assert "<img src=x" not in page.text
            assert page.text.count(escape(HOSTILE).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")) >= 5


async def test_pages_work_without_the_variable() -> None:
    async with running_hub({"JupyterHub": {"template_paths": [str(TEMPLATES)]}}) as hub:
        page = await (await hub.login("ada")).get("home")
        assert page.status == 200
        assert f"<title>Home {DASH} JupyterHub</title>" in page.text
        assert (await hub.browser().get("nowhere")).status == 404


async def test_an_operator_s_own_template_overrides_one_block(tmp_path: Path) -> None:
    own = '{% extends "hub_extensions/page.html" %}{% block footer %}OURS {{ super() }}{% endblock %}'
    (tmp_path / "page.html").write_text(own)
    variables = {"hub_extensions": PageContext("Our hub", Branding(contact="https://example.org/help/"))}
    settings = {"template_paths": [str(tmp_path), str(TEMPLATES)], "template_vars": variables}
    async with running_hub({"JupyterHub": settings}) as hub:
        page = (await hub.browser().get("login")).text
        assert "OURS" in page
        assert '<a href="https://example.org/help/">example.org/help</a>' in page
        assert "<h1>Sign in</h1>" in page


async def test_who_may_start_nothing_reads_once_whom_to_ask() -> None:
    config = Config({"JupyterHub": {"spawner_class": "profile-local"}})
    profiles = [{"display_name": "Ocean", "allowed_groups": ["ocean-lab"]}]
    configure(config, {"profiles": profiles, "branding": {"contact": "help@example.org"}})
    async with running_hub(config) as hub:
        page = await (await hub.login("ada")).get("spawn")
    [main] = re.findall(r"<main>.*</main>", page.text, re.DOTALL)
    assert page.status == 403
    assert 'They are for members of ocean-lab. If you should have one, ask <a href="mailto:help@example.org">' in main
    assert main.count("help@example.org</a>") == 1
    assert " ask " not in main.partition("help@example.org</a>")[2]


HUB_PAGES = sorted([*TEMPLATES.glob("*.html"), *TEMPLATES.glob("hub_extensions/*.html")])
PARTS = {
    *("brand.html", "contact.html", "footer.html", "image_builder.html", "profile_form.html", "refusal.html"),
    "style.html",
}


@pytest.mark.parametrize("path", HUB_PAGES, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_a_page_extends_another_one_and_trusts_no_value(path: Path) -> None:
    source = path.read_text()
    assert "|safe" not in source.replace(" ", "")
    assert "autoescape" not in source
    tree = Environment(loader=DictLoader({}), autoescape=True).parse(source)
    extended = [node.template.value for node in tree.find_all(nodes.Extends)]
    assert len(extended) == 1 or path.name in PARTS


def test_each_page_s_own_markup_style_and_script_stay_small() -> None:
    sizes = {path.name: path.stat().st_size for path in HUB_PAGES}
    assert sizes["style.html"] <= 4096
    assert max(sizes.values()) <= 16_384
