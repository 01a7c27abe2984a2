"""OAuthenticator's own Google class logs people in through this Google: what ours is compared with."""

import pytest

from .google import Google, Person, rate_limit
from .login import arrive, hub_with, refresh
from .provider import Failure

PEOPLE = [
    Person("ada@example.edu", "example.edu"),
    Person("ben@example.edu"),
    Person("cleo@gmail.example"),
    Person("dan@example.edu", "example.edu", verified=False),
    Person("eve@alias.example", "example.edu"),
    Person("finn@partner.org", "partner.org"),
]
OFFLINE = {"access_type": "offline"}


@pytest.fixture(scope="module")
async def google():
    async with Google(PEOPLE) as running:
        yield running


@pytest.fixture(scope="module", params=["google", "community-google"])
async def either(google, request):
    async with hub_with(google, request.param, {"hosted_domain": ["example.edu"], "allow_all": True}) as running:
        yield running


@pytest.mark.parametrize(("person", "name"), [("ada@example.edu", "ada"), ("eve@alias.example", "eve@alias.example")])
async def test_accounts_of_the_hosted_domain_are_admitted_whatever_their_address(person, name, either):
    assert (await arrive(either, person)).name == name


@pytest.mark.parametrize("person", ["ben@example.edu", "cleo@gmail.example", "finn@partner.org"])
async def test_accounts_of_no_or_another_organisation_are_refused_whatever_their_address(person, either):
    arrival = await arrive(either, person)
    assert arrival.page.status == 403
    assert not arrival.admitted


async def test_of_several_hosted_domains_the_whole_address_is_the_name(google):
    traits = {"hosted_domain": ["example.edu", "partner.org"], "allow_all": True}
    async with hub_with(google, "google", traits) as hub:
        assert (await arrive(hub, "ada@example.edu")).name == "ada@example.edu"
        assert (await arrive(hub, "finn@partner.org")).name == "finn@partner.org"


@pytest.mark.parametrize(("allow", "admitted"), [({"allow_all": True}, True), ({"allowed_users": {"dan"}}, False)])
async def test_the_stock_class_forgets_unverified_addresses_when_it_allows_all(allow, admitted, google):
    async with hub_with(google, "google", {"hosted_domain": ["example.edu"], **allow}) as hub:
        assert (await arrive(hub, "dan@example.edu")).admitted is admitted


async def test_without_the_scope_there_is_no_address_and_so_no_name(google):
    async with hub_with(google, "google", {"scope": ["openid"], "allow_all": True}) as hub:
        assert (await arrive(hub, "ada@example.edu")).page.status == 500


async def test_a_refresh_takes_a_rate_limit_for_the_end_of_the_login(google):
    async with hub_with(google, "google", {"allow_all": True}) as hub:
        name = (await arrive(hub, "ada@example.edu")).name
        with google.failing(rate_limit()):
            assert await refresh(hub, name) is False


async def test_a_refresh_token_comes_only_for_the_asking_and_the_first_time(google):
    google.revoke("ada@example.edu")
    tokens = []
    async with hub_with(google, "google", {"allow_all": True}) as hub:
        for params in ({}, OFFLINE, OFFLINE, {**OFFLINE, "prompt": "consent"}):
            hub.app.authenticator.extra_authorize_params = params
            name = (await arrive(hub, "ada@example.edu")).name
            tokens.append((await hub.app.users[name].get_auth_state())["refresh_token"])
    assert [token is not None for token in tokens] == [False, True, False, True]


async def test_the_stock_class_loses_its_refresh_token_at_the_second_login(google):
    google.revoke("ada@example.edu")
    async with hub_with(google, "google", {"allow_all": True, "extra_authorize_params": OFFLINE}) as hub:
        name = (await arrive(hub, "ada@example.edu")).name
        await arrive(hub, "ada@example.edu")
        google.expire("ada@example.edu")
        assert await refresh(hub, name) is False


NEWER = {"sub": "1001", "email": "ada@example.edu", "email_verified": True, "hd": "example.edu"}


@pytest.mark.parametrize(
    ("told", "admitted"),
    [({}, True), ({"email_verified": False}, False), ({"email_verified": None}, False), ({"email": None}, False)],
    ids=str,
)
async def test_ours_reads_what_newer_addresses_of_google_tell(told, admitted, google):
    traits = {"allowed_users": {"ada@example.edu"}}
    async with hub_with(google, "community-google", traits) as hub:
        with google.failing(Failure("/oauth2/v1/userinfo", 200, {**NEWER, **told})):
            arrival = await arrive(hub, "ada@example.edu")
    assert arrival.admitted is admitted
    assert arrival.page.status == (200 if admitted else 403)


async def test_ours_gives_names_that_do_not_tell_who_people_are(google):
    traits = {"pseudonymous_names": True, "pepper": "a secret of enough bytes", "allowed_users": {"nobody"}}
    async with hub_with(google, "community-google", traits) as hub:
        refused = await arrive(hub, "ada@example.edu")
        hub.app.authenticator.allow_all = True
        admitted = await arrive(hub, "ada@example.edu")
    assert refused.page.status == 403
    assert len(admitted.name) == 24
