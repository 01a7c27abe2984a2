"""OAuthenticator's own CILogon class logs people in through this CILogon: what ours is compared with."""

import pytest

from hub_extensions.authenticators.community import CommunityAuthenticator

from .cilogon import GITHUB, GOOGLE, UNIVERSITY, CILogon, Person
from .login import arrive, hub_with, refresh

PEOPLE = [
    Person(
        "ada",
        claims={"eppn": "ada@example.edu", "email": "ada@example.edu", "affiliation": "staff@example.edu", "ou": ""},
    ),
    Person("ben", GOOGLE, "Google", {"email": "ben@Partner.org", "oidc": "106198179643554287195"}),
    Person("cleo", GOOGLE, "Google", {"email": "cleo@elsewhere.org"}),
    Person("dan", GITHUB, "GitHub", {"preferred_username": "dan", "email": "dan@example.edu"}),
    Person("eve", claims={"email": "eve@example.edu"}),
    Person("finn", "", "", {"eppn": "finn@example.edu"}),
    Person("gail", claims={"eppn": "gail@partner.org"}),
    Person("mallory", GOOGLE, "Google", {"email": "ada@example.edu"}),
]
STRIP = {"action": "strip_idp_domain", "domain": "example.edu"}
IDPS = {
    UNIVERSITY: {"username_derivation": {"username_claim": "eppn", **STRIP}, "allow_all": True},
    GOOGLE: {
        "username_derivation": {"username_claim": "email", "action": "prefix", "prefix": "google"},
        "allowed_domains": ["partner.org"],
        "default": True,
    },
}


@pytest.fixture(scope="module")
async def cilogon():
    async with CILogon(PEOPLE) as running:
        yield running


@pytest.fixture(scope="module", params=["cilogon", "community-cilogon"])
async def either(cilogon, request):
    async with hub_with(cilogon, request.param, {"idps": IDPS}) as running:
        yield running


@pytest.mark.parametrize(
    ("person", "name"), [("ada", "ada"), ("ben", "google:ben@partner.org"), ("gail", "gail@partner.org")]
)
async def test_people_of_an_allowed_identity_provider_and_domain_are_admitted(person, name, either):
    assert (await arrive(either, person)).name == name


@pytest.mark.parametrize(
    ("person", "stock_status", "why"),
    [
        ("cleo", 403, "the domain is not allowed"),
        ("dan", 403, "the identity provider is not allowed"),
        ("eve", 500, "the claim that names people is missing"),
        ("finn", 500, "the identity provider is not told"),
    ],
)
async def test_everyone_else_is_refused(person, stock_status, why, either):
    arrival = await arrive(either, person)
    assert not arrival.admitted
    ours = isinstance(either.app.authenticator, CommunityAuthenticator)
    assert arrival.page.status == (403 if ours else stock_status)


async def test_the_stock_class_admits_two_people_under_one_name_when_the_operator_strips_both_domains(cilogon):
    idps = {
        idp: {"username_derivation": {"username_claim": "email", **STRIP}, "allow_all": True}
        for idp in (UNIVERSITY, GOOGLE)
    }
    async with hub_with(cilogon, "cilogon", {"idps": idps}) as hub:
        assert (await arrive(hub, "ada")).name == "ada"
        ada = await hub.app.users["ada"].get_auth_state()
        assert (await arrive(hub, "mallory")).name == "ada"
        mallory = await hub.app.users["ada"].get_auth_state()
        assert mallory["cilogon_user"]["sub"] != ada["cilogon_user"]["sub"]


async def test_the_login_page_is_asked_for_the_allowed_identity_providers_the_default_one_first(either, cilogon):
    cilogon.forget_calls()
    await arrive(either, "ada")
    assert cilogon.calls[0].query["selected_idp"] == f"{GOOGLE},{UNIVERSITY}"


async def test_claims_come_with_the_scopes_that_tell_them(either):
    await arrive(either, "ada")
    claims = (await either.app.users["ada"].get_auth_state())["cilogon_user"]
    assert claims.pop("sub").startswith("http://cilogon.org/serverA/users/")
    assert claims == {
        "idp": UNIVERSITY,
        "idp_name": "Example University",
        "eppn": "ada@example.edu",
        "email": "ada@example.edu",
        "affiliation": "staff@example.edu",
    }


async def test_a_client_that_is_not_registered_for_refresh_tokens_has_to_send_people_to_the_login_when_one_expires():
    async with (
        CILogon(PEOPLE, gives_refresh_tokens=False) as cilogon,
        hub_with(cilogon, "cilogon", {"idps": IDPS}) as hub,
    ):
        await arrive(hub, "ada")
        cilogon.expire("ada")
        assert await refresh(hub, "ada") is False
