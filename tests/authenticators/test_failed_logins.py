"""Logins that fail for another reason than a refusal: people read what to do, operators why."""

import logging
import re
from html import unescape
from urllib.parse import urlencode

import pytest
from yarl import URL

from hub_extensions.share import TEMPLATES

from ..claims import ClaimsProvider
from ..providers.github import GitHub, Organization
from ..providers.github import Person as Coder
from ..providers.google import Google
from ..providers.google import Person as Googler
from ..providers.login import arrive, hub_with, refresh
from ..providers.provider import Failure
from ..share.hubs import SAYS_REFUSED

PAGES = {"JupyterHub": {"template_paths": [str(TEMPLATES)]}, "Authenticator": {"allow_all": True}}
MAKERS = {
    "community-github": (lambda: GitHub([Coder("ada")], [Organization("org", {"ada"})]), "ada"),
    "community-google": (lambda: Google([Googler("ada@example.edu")]), "ada@example.edu"),
    "community-oidc": (lambda: ClaimsProvider({"ada": {}}), "ada"),
}
WRONG_SECRET = {"client_secret": "another"}
BY_SUBJECT = {"GenericOAuthenticator": {"username_claim": "sub"}}


@pytest.fixture(scope="module", params=MAKERS)
async def place(request):
    """A provider with a hub, and the same provider with a hub that has a wrong secret; and who logs in."""
    make, person = MAKERS[request.param]
    async with make() as provider:
        config = PAGES | BY_SUBJECT
        traits = {"login_service": "the provider"}
        async with (
            hub_with(provider, request.param, traits, config) as hub,
            hub_with(provider, request.param, traits | WRONG_SECRET, config) as wrong,
        ):
            yield hub, wrong, person


async def test_who_cancels_reads_that_they_did_and_can_sign_in(place, caplog):
    hub, _, _ = place
    page = (await arrive(hub, None)).page
    assert page.status == 403
    assert "You cancelled the login at the provider" in page.text
    assert not SAYS_REFUSED.search(page.text)
    assert "access_denied" in caplog.text


async def test_a_wrong_secret_is_told_to_people_as_nothing_of_theirs_and_to_operators_as_what_it_is(place, caplog):
    _, wrong, person = place
    with caplog.at_level(logging.ERROR):
        page = (await arrive(wrong, person)).page
    assert page.status == 403
    assert "tell the people who run this hub" in page.text
    assert "check client_id, client_secret" in caplog.text
    assert "client_secret passed are incorrect" in caplog.text or "invalid_client" in caplog.text
    assert not SAYS_REFUSED.search(page.text)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("error=access_denied&error_description=Call+evil.example", "You cancelled the login"),
        ("error=temporarily_unavailable&error_description=Call+evil.example", "Try again in a few minutes"),
        ("error=redirect_uri_mismatch&error_description=Call+evil.example", "may not be right"),
        ("error=%3Cb%3Eevil.example%25s", "may not be right"),
        ("error_description=Call+evil.example", "not begun in this browser"),
        ("code=1", "not begun in this browser"),
        ("code=1&state=evil.example", "not begun in this browser"),
        ("code=1&state=e30%3D", "not begun in this browser"),
        ("", "not begun in this browser"),
    ],
)
async def test_what_an_address_says_of_a_login_is_not_what_people_read(query, told, place):
    hub, _, _ = place
    page = await hub.browser().get(f"oauth_callback?{query}")
    assert page.status == 403
    assert told in page.text
    assert "evil" not in page.text


async def test_the_log_gets_little_of_what_an_address_says(place, caplog):
    hub, _, _ = place
    await hub.browser().get(f"oauth_callback?error={'x' * 3000}&error_description={'y' * 3000}%0Aforged")
    ours = [record.getMessage() for record in caplog.records if "hub_extensions" in record.pathname]
    assert ours
    assert all(len(message) < 500 and "\n" not in message for message in ours)


@pytest.mark.parametrize("link", ["Sign in", "Use another account"])
async def test_after_it_fails_people_still_get_where_they_wanted(link, place):
    hub, _, person = place
    browser = hub.browser()
    start = await browser.get("oauth_login?" + urlencode({"next": URL(hub.url).raw_path + "token"}), follow=False)
    cancelled = await browser.get(await at_provider(browser, start, {"action": "deny"}))
    login = await browser.get(link_of(cancelled.text, link))
    button = re.search(r"""href=["']([^"']*oauth_login[^"']*)["']""", login.text)
    onward = await browser.get(unescape(button[1]), follow=False)
    page = await browser.get(await at_provider(browser, onward, {"sub": person}))
    assert page.status == 200
    assert page.url.path.endswith("/hub/token")


async def test_while_the_secret_is_wrong_what_is_known_of_people_holds():
    """A provider that does not take the hub's secret says nothing of a person whose token is to be renewed."""
    async with (
        Google([Googler("ada@example.edu")]) as google,
        hub_with(google, "community-google", {"extra_authorize_params": {"access_type": "offline"}}, PAGES) as hub,
    ):
        name = (await arrive(hub, "ada@example.edu")).name
        google.expire(name)
        hub.app.authenticator.client_secret = "another"
        assert (await refresh(hub, name))["name"] == name


async def test_a_provider_that_does_not_say_who_it_is_is_told_as_that(caplog):
    async with ClaimsProvider({"ada": {}}) as provider, hub_with(provider, "community-oidc", {}, PAGES) as hub:
        with provider.failing(Failure("/userinfo", 403, {"message": "insufficient scope"})):
            page = (await arrive(hub, "ada")).page
    assert page.status == 403
    assert "did not tell this hub who you are" in page.text
    assert "403" in caplog.text
    assert not SAYS_REFUSED.search(page.text)


async def at_provider(browser, start, form):
    """Where the provider sends somebody back to who fills in its form."""
    async with browser.session.post(start.headers["Location"], data=form, allow_redirects=False) as answer:
        return answer.headers["Location"]


def link_of(page, words):
    """The address of the link that says that."""
    found = re.search(rf'href="([^"]*)"[^>]*>\s*{words}', page)
    assert found, page
    return unescape(found[1])
