"""What OAuthenticator's own classes make of a provider that fails, with a login that is due for a refresh."""

import asyncio
import math

import pytest
from tornado.httpclient import HTTPClientError
from yarl import URL

from . import cilogon, github, globus, google
from .login import arrive, callback, hub_with, refresh
from .provider import CLIENT_ID, CLIENT_SECRET, Failure

NO_ANSWER = (HTTPClientError, OSError)  # with pycurl a refused connection is the first, without it the second
OFFLINE = {"access_type": "offline", "prompt": "consent"}
ADA = cilogon.Person("ada", claims={"eppn": "ada@example.edu"})
IDPS = {cilogon.UNIVERSITY: {"username_derivation": {"username_claim": "eppn"}, "allow_all": True}}

PROVIDERS = {
    "github": (lambda: github.GitHub([github.Person("ada")], expiring_tokens=True), {}, "ada", "ada"),
    "cilogon": (lambda: cilogon.CILogon([ADA]), {"idps": IDPS}, "ada", "ada@example.edu"),
    "google": (
        lambda: google.Google([google.Person("ada@example.edu", "example.edu")]),
        {"hosted_domain": ["example.edu"], "extra_authorize_params": OFFLINE},
        "ada@example.edu",
        "ada",
    ),
    "globus": (
        lambda: globus.Globus([globus.Person("ada@example.edu")]),
        {"extra_authorize_params": OFFLINE},
        "ada@example.edu",
        "ada",
    ),
}


@pytest.fixture(scope="module", params=PROVIDERS)
async def place(request):
    """A provider, a hub that uses it, the person's name there and here."""
    make, traits, account, user = PROVIDERS[request.param]
    traits = {"allow_all": True, "http_request_kwargs": {"request_timeout": 0.5}, **traits}
    async with make() as provider, hub_with(provider, request.param, traits) as hub:
        yield provider, hub, account, user


async def test_an_error_and_silence_and_absence_of_the_provider_are_exceptions(place):
    provider, hub, account, user = place
    assert (await arrive(hub, account)).name == user
    with provider.failing(Failure(status=502, body="<title>Bad gateway</title>")), pytest.raises(HTTPClientError):
        await refresh(hub, user)
    with provider.failing(Failure(seconds=math.inf)), pytest.raises(HTTPClientError):
        await refresh(hub, user)
    await provider.stop()
    with pytest.raises(NO_ANSWER):
        await refresh(hub, user)
    await provider.start()
    assert (await refresh(hub, user))["name"] == user


async def test_everybody_who_is_logged_in_is_sent_to_the_login_page_until_the_provider_is_back(place):
    provider, hub, account, _ = place
    browser = (await arrive(hub, account)).browser
    authenticator = hub.app.authenticator
    age, authenticator.auth_refresh_age = authenticator.auth_refresh_age, 1
    try:
        await asyncio.sleep(1.1)
        with provider.failing(Failure(status=503)):
            assert (await browser.get("home")).url.path.endswith("/hub/login")
        assert (await browser.get("home")).url.path.endswith("/hub/home")
    finally:
        authenticator.auth_refresh_age = age


async def test_a_call_that_is_only_slow_gets_its_answer(place):
    provider, hub, account, user = place
    with provider.failing(Failure(seconds=0.05)):
        assert (await arrive(hub, account)).name == user


async def test_an_access_token_that_has_expired_is_renewed_by_the_refresh_token_but_by_globus_class(place):
    provider, hub, account, user = place
    await arrive(hub, account)
    assert provider.grants(account)[-1].refresh_token
    provider.expire(account)
    provider.forget_calls()
    refreshed = await refresh(hub, user)
    if isinstance(provider, globus.Globus):
        assert refreshed is False
        assert provider.count(provider.token_path) == 0
    else:
        assert refreshed["auth_state"]["access_token"] == provider.grants(account)[-1].access_token


async def test_a_person_who_withdraws_their_consent_has_to_log_in_again(place):
    provider, hub, account, user = place
    browser = (await arrive(hub, account)).browser
    provider.revoke(account)
    assert await refresh(hub, user) is False
    assert (await arrive(hub, account, browser)).name == user


async def test_refreshes_at_once_are_calls_at_once(place):
    provider, hub, account, user = place
    await arrive(hub, account)
    provider.forget_calls()
    with provider.failing(Failure(seconds=0.05)):
        await asyncio.gather(*(refresh(hub, user) for _ in range(8)))
    (times,) = provider.counts().values()
    assert times == provider.most_at_once == 8


async def test_a_code_is_good_once_for_the_client_and_the_address_that_it_was_made_for(place):
    provider, hub, account, _ = place
    address = "http://127.0.0.1:1/callback"
    client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    query = {"client_id": CLIENT_ID, "response_type": "code", "redirect_uri": address, "state": "s", "scope": "openid"}
    login = URL(provider.url + provider.authorize_path).with_query(query)

    async def code():
        async with hub.session.post(login, data={"sub": account}, allow_redirects=False) as answer:
            return URL(answer.headers["Location"]).query["code"]

    async def exchange(**form):
        form = {"grant_type": "authorization_code", "redirect_uri": address, **client, **form}
        async with hub.session.post(provider.url + provider.token_path, data=form) as answer:
            return "access_token" in await answer.json()

    assert not await exchange(code="guessed")
    assert not await exchange(code=await code(), redirect_uri="http://127.0.0.1:1/elsewhere")
    good = await code()
    assert not await exchange(code=good, client_secret="guessed")
    assert await exchange(code=good)
    assert not await exchange(code=good)


async def test_a_stolen_code_gets_no_token_and_its_owner_no_login(place):
    provider, hub, account, _ = place
    browser = hub.browser()
    back = await callback(browser, account)
    stolen = {
        "grant_type": "authorization_code",
        "code": URL(back).query["code"],
        "redirect_uri": back.partition("?")[0],
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    async with hub.session.post(provider.url + provider.token_path, data=stolen) as answer:
        assert set(await answer.json()) >= {"error", "error_description"}  # the verifier is in the browser's cookie
    assert (await browser.get(back)).status in {403, 500}  # GitHub tells errors by a 200


async def test_whoever_comes_without_a_script_sees_who_has_an_account(place):
    _, hub, account, _ = place
    to_provider = await hub.browser().get("oauth_login", follow=False)
    async with hub.session.get(to_provider.headers["Location"]) as page:
        assert f'name="sub" value="{account}"' in await page.text()
