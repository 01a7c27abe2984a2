"""Someone who was refused comes with another account, although the provider remembers the first one."""

import re
from contextlib import asynccontextmanager
from html import unescape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyterhub import orm
from playwright.async_api import expect
from traitlets import TraitError
from traitlets.config import Config
from yarl import URL

from hub_extensions.authenticators.another_account import logout_url, returns, with_prompt
from hub_extensions.authenticators.cilogon import CommunityCILogonAuthenticator
from hub_extensions.authenticators.github import CommunityGitHubAuthenticator
from hub_extensions.authenticators.globus import CommunityGlobusAuthenticator
from hub_extensions.authenticators.google import CommunityGoogleAuthenticator
from hub_extensions.authenticators.oidc import CommunityOIDCAuthenticator
from hub_extensions.share import TEMPLATES

from ..providers.cilogon import UNIVERSITY, CILogon
from ..providers.cilogon import Person as CILogonPerson
from ..providers.github import GitHub
from ..providers.github import Person as GitHubPerson
from ..providers.globus import Globus
from ..providers.globus import Person as GlobusPerson
from ..providers.google import Google
from ..providers.google import Person as GooglePerson
from ..providers.login import hub_with, sign_in

IDPS = {UNIVERSITY: {"username_derivation": {"username_claim": "eppn"}}}
OCEAN_LAB = {"title": "Ocean Lab", "members": [{"users": ["ada", "ada@example.edu"]}]}
HOME = "/@/space%20word/hub/home"


def github():
    return GitHub([GitHubPerson("ada"), GitHubPerson("eve")]), "community-github", {}


def google():
    people = [GooglePerson("ada@example.edu"), GooglePerson("eve@example.org")]
    return Google(people), "community-google", {"strip_domain": False}


def globus():
    people = [GlobusPerson("ada@example.edu"), GlobusPerson("eve@example.org")]
    return Globus(people), "community-globus", {}


def cilogon():
    people = [CILogonPerson(name, claims={"eppn": name}) for name in ("ada@example.edu", "eve@example.edu")]
    return CILogon(people), "community-cilogon", {"idps": IDPS, "another_account_prompt": ""}


WAYS = [(github, ""), (google, ""), (globus, "?redirect_uri={return_url}"), (cilogon, "?back={return_url}")]
PROVIDERS = [pytest.param(made, query, id=made.__name__) for made, query in WAYS]


@asynccontextmanager
async def refusing_hub(made, query="", **traits):
    """A hub that admits ada and nobody else, and its provider."""
    provider, authenticator, needed = made()
    provider.returns_by = "back" if "back" in query else provider.returns_by
    async with provider:
        config = {
            "JupyterHub": {"template_paths": [str(TEMPLATES)], "default_url": HOME},
            "CommunityAuthenticator": {
                "communities": {
                    "ocean-lab": {"title": "Ocean Lab", "members": [{"users": ["ada", "ada@example.edu"]}]}
                },
                "contact": "help@example.org",
            },
        }
        leaves = {"provider_logout_url": f"{provider.url}{provider.logout_path}{query}", **needed, **traits}
        async with hub_with(provider, authenticator, leaves, config) as hub:
            yield hub, provider


@pytest.mark.parametrize(("made", "query"), PROVIDERS)
async def test_the_provider_asks_again_after_that_and_would_not_have_otherwise(made, query, chromium):
    async with refusing_hub(made, query) as (hub, provider):
        first, second = sorted(provider.names(), reverse=True)
        context = await chromium.new_context()
        page = await context.new_page()
        button = page.get_by_role("button", name="Sign in with")
        await page.goto(f"{hub.url}login")
        await button.click()
        await page.get_by_role("button", name=f"Log in as {first}").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("This account may not use this hub")
        await expect(page.get_by_text("eve").first).to_be_visible()

        await page.goto(f"{hub.url}login")
        await button.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("This account may not use this hub")

        await page.get_by_role("link", name="Use another account").click()
        await expect(button).to_be_visible()
        await expect(page.get_by_role("main")).to_be_visible()
        assert page.url.startswith(hub.url), "they are back at the hub"
        await button.click()
        await page.get_by_role("button", name=f"Log in as {second}").click()
        await page.wait_for_url(f"**{HOME.partition('word')[2]}")
        known = [user.name for user in hub.app.db.query(orm.User)]
        assert any(name.startswith("ada") for name in known)
        assert not any(name.startswith("eve") for name in known)
        await context.close()


async def test_a_refusal_tells_the_account_where_it_came_from_what_would_help_and_whom_to_ask():
    async with refusing_hub(google) as (hub, _):
        page = await sign_in(hub, "eve@example.org")
    assert page.status == 403
    words = " ".join(unescape(re.sub("<[^>]*>", "", page.text)).split())
    assert "You used the account eve@example.org from Google. It belongs to no community of this hub." in words
    assert "Ocean Lab is for people who were named." in words
    assert '<a href="mailto:help@example.org">help@example.org</a>' in page.text


async def test_a_refusal_by_the_stock_class_is_told_in_the_same_way():
    async with refusing_hub(globus, identity_provider="elsewhere.org", allow_all=True) as (hub, _):
        page = await sign_in(hub, "eve@example.org")
    assert page.status == 403
    assert "This account may not use this hub" in page.text
    assert "restricted to elsewhere.org accounts" in page.text
    assert "/hub/another-account" in page.text


@pytest.mark.parametrize(
    "query",
    [
        "next=https://evil.example/",
        "return_url=//evil.example",
        "redirect_uri=https://evil.example&next=%2F%2Fevil.example&logout_redirect_url=https%3A%2F%2Fevil.example",
    ],
)
@pytest.mark.parametrize("made", [globus, google])
async def test_nobody_can_make_it_lead_to_another_place(made, query):
    """There are two places: the one that the operator set, and the login page."""
    template = "?redirect_uri={return_url}" if made is globus else ""
    async with refusing_hub(made, template) as (hub, provider):
        plain = await hub.browser().get("another-account", follow=False)
        with_query = await hub.browser().get(f"another-account?{query}", follow=False)
        assert with_query.status == plain.status
        assert with_query.headers.get("Location") == plain.headers.get("Location")
        if made is globus:
            back = quote(f"{URL(hub.url).origin()}{URL(hub.url).raw_path}login", safe="")
            assert plain.headers["Location"] == f"{provider.url}/v2/web/logout?redirect_uri={back}"
        else:
            assert plain.status == 200
            assert f'href="{provider.url}/Logout"' in plain.text


async def test_what_the_operator_set_as_the_logout_page_is_taken_where_nothing_else_is():
    traits = {"provider_logout_url": "", "logout_redirect_url": "https://idp.example.edu/{out}?to=here"}
    async with refusing_hub(github, **traits) as (hub, _):
        reply = await hub.browser().get("another-account", follow=False)
        assert reply.headers["Location"] == traits["logout_redirect_url"]


async def test_with_several_providers_each_has_its_own_way_out_to_the_one_login_page():
    at_github, _, _ = github()
    at_globus, _, _ = globus()
    async with at_github, at_globus:
        leaves = f"{at_globus.url}/v2/web/logout?redirect_uri={{return_url}}"
        providers = {
            "github": {"authenticator": "community-github", "title": "Our GitHub", "config": at_github.traits},
            "globus": {
                "authenticator": "community-globus",
                "config": {**at_globus.traits, "provider_logout_url": leaves},
            },
        }
        config = {
            "JupyterHub": {"template_paths": [str(TEMPLATES)]},
            "CommunityMultiAuthenticator": {"providers": providers},
            "CommunityAuthenticator": {"communities": {"ocean-lab": OCEAN_LAB}},
        }
        async with hub_with(at_github, "community-multi", config=config) as hub:
            browser = hub.browser()
            refused = await sign_in(hub, "eve", browser, button="github/oauth_login")
            assert "from <strong>Our GitHub</strong>" in refused.text
            assert "/hub/github/another-account" in refused.text
            page = await browser.get("github/another-account")
            assert page.text.count("/oauth_login?next=") == 2
            assert "Sign out of Our GitHub" in page.text
            for button, prompt in (("github", "select_account"), ("globus", "login")):
                to_provider = await browser.get(f"{button}/oauth_login", follow=False)
                assert URL(to_provider.headers["Location"]).query["prompt"] == prompt
            away = await browser.get("globus/another-account", follow=False)
            assert URL(away.headers["Location"]).query["redirect_uri"] == str(URL(hub.url).join(URL("login")))
            assert (await browser.get("another-account")).status == 404


@pytest.mark.parametrize(("made", "query"), PROVIDERS)
async def test_with_the_other_account_they_get_where_they_wanted(made, query):
    """Also by way of a provider that sends everybody back to one address."""
    async with refusing_hub(made, query) as (hub, provider):
        first, second = sorted(provider.names(), reverse=True)
        browser = hub.browser()

        async def log_in(as_whom, path="oauth_login"):
            start = await browser.get(path, follow=False)
            form = {"sub": as_whom}
            async with browser.session.post(start.headers["Location"], data=form, allow_redirects=False) as answer:
                return await browser.get(answer.headers["Location"])

        wanted = f"{URL(hub.url).raw_path}token?x=1&y=/"
        refused = await log_in(first, str(URL("oauth_login").with_query(next=wanted)))
        assert refused.status == 403
        path = unescape(re.search(r'href="([^"]*another-account[^"]*)"', refused.text)[1])
        await browser.get(path)  # the provider would lead to the login page next
        page = await log_in(second)
        assert page.status == 200
        assert page.url.path_qs.endswith("/hub/token?x=1&y=/")
        again = await log_in(second)
        assert again.url.path == HOME.replace("%20", " "), "what was wanted then is not what is wanted now"


async def test_someone_who_is_logged_in_to_the_hub_is_logged_out_of_it():
    async with refusing_hub(github) as (hub, _):
        browser = hub.browser()
        await sign_in(hub, "ada", browser)
        assert (await browser.get("home", follow=False)).status == 200
        page = await browser.get("another-account")
        assert "You are signed out here." in page.text
        assert (await browser.get("home", follow=False)).status == 302


@pytest.mark.parametrize("method", ["POST"])
async def test_it_is_a_page_and_no_way_to_log_in(method):
    async with refusing_hub(github) as (hub, _):
        browser = hub.browser()
        await browser.get("login")
        assert (await browser.post("another-account", {"username": "ada"}, follow=False)).status == 405


async def test_the_provider_is_told_to_ask_only_after_someone_asked_for_it():
    traits = {"extra_authorize_params": {"prompt": "consent"}}
    async with refusing_hub(github, **traits) as (hub, _):
        browser = hub.browser()
        before = URL((await browser.get("oauth_login", follow=False)).headers["Location"])
        await browser.get("another-account")
        after = URL((await browser.get("oauth_login", follow=False)).headers["Location"])
        assert before.query["prompt"] == "consent"
        assert after.query["prompt"] == "consent select_account"
        other = URL((await hub.browser().get("oauth_login", follow=False)).headers["Location"])
        assert other.query["prompt"] == "consent", "of another person"


@pytest.mark.parametrize(
    ("prompt", "asked", "both"),
    [
        ("", "login", "login"),
        ("none", "select_account", "select_account"),
        ("consent", "select_account", "consent select_account"),
        ("select_account consent", "select_account", "select_account consent"),
    ],
)
def test_the_prompt_keeps_what_the_operator_asks_for(prompt, asked, both):
    assert with_prompt(prompt, asked) == both


@pytest.mark.parametrize(
    ("authenticator", "url", "comes_back", "prompt"),
    [
        (CommunityGitHubAuthenticator, "https://github.com/logout", False, "select_account"),
        (CommunityGoogleAuthenticator, "https://accounts.google.com/Logout", False, "select_account"),
        (CommunityCILogonAuthenticator, "https://cilogon.org/logout/", False, "login"),
        (CommunityGlobusAuthenticator, "https://auth.globus.org/v2/web/logout", True, "login"),
        (CommunityOIDCAuthenticator, "", False, "login"),
    ],
)
def test_each_provider_s_own_way_out_is_known(authenticator, url, comes_back, prompt):
    made = authenticator(config=Config({"CILogonOAuthenticator": {"idps": IDPS}}))
    assert made.provider_logout_url.partition("?")[0] == url
    assert returns(made.provider_logout_url) is comes_back
    assert made.another_account_prompt == prompt


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("javascript:alert(1)", "begins with https://"),
        ("//idp.example.edu/logout", "begins with https://"),
        ("/logout", "begins with https://"),
        ("https://idp.example.edu/?to={retrun_url}", "Did you mean 'return_url'"),
        ("https://idp.example.edu/?to={return_url.__class__}", "not a placeholder"),
    ],
)
def test_a_mistake_in_the_address_stops_the_start(url, told):
    with pytest.raises(TraitError, match=re.escape(told)):
        CommunityOIDCAuthenticator(provider_logout_url=url)


@given(st.text(), st.text())
def test_what_is_filled_in_stays_one_value_of_the_query(return_url, client_id):
    template = "https://idp.example.edu/logout?client_id={client_id}&to={return_url}&state=1"
    url = URL(logout_url(template, return_url=return_url, client_id=client_id), encoded=True)
    assert url.host == "idp.example.edu"
    assert list(url.query) == ["client_id", "to", "state"]
