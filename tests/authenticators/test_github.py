"""Communities and GitHub: organisations and teams, what a login costs, what a refused person is told."""

import pytest
import yaml
from traitlets.config import Config

from hub_extensions import configure

from ..providers.github import GitHub, Organization, Person
from ..providers.login import arrive, hub_with

PEOPLE = [Person(name) for name in ("ada", "Ben", "cleo", "dan", "eve", "finn", "gil", "sam")]


def organizations():
    return [
        Organization("Ocean-Lab", members={"ada"}, teams={"leads": {"Ben"}, "gpu": {"ada"}}),
        Organization("pangeo-data", members={"dan"}, teams={"ocean": {"cleo"}}),
        Organization("big", teams={f"team-{number}": {"finn"} for number in range(250)}),
        Organization("closed", members={"eve"}, restricted=True),
        Organization("signed", members={"gil"}, single_sign_on=True),
        Organization("elsewhere", teams={"staff": {"ada"}}),
        Organization("our-org", teams={"staff": {"sam"}}),
    ]


COMMUNITIES = {
    "ocean-lab": {
        "title": "Ocean Lab",
        "members": [{"github": ["ocean-lab", "pangeo-data:ocean"]}],
        "leads": [{"github": ["ocean-lab:leads"]}],
    },
    "big": {"members": [{"github": [f"big:team-{number}" for number in range(200, 250)]}]},
    "others": {"members": [{"github": ["closed"]}, {"github": ["signed"]}]},
}
CONFIG = {
    "CommunityAuthenticator": {
        "communities": COMMUNITIES,
        "admins": [{"github": ["our-org:staff"]}],
        "contact": "help@example.org",
    }
}


@pytest.fixture(scope="module")
async def github():
    async with GitHub(PEOPLE, organizations()) as running:
        yield running


@pytest.fixture(scope="module")
async def hub(github):
    async with hub_with(github, "community-github", config=CONFIG) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("ada", {"ocean-lab", "Ocean-Lab:gpu"}),
        ("Ben", {"ocean-lab", "ocean-lab:leads"}),
        ("cleo", {"ocean-lab", "pangeo-data:ocean"}),
        ("finn", {"big", *(f"big:team-{number}" for number in range(250))}),
    ],
)
async def test_members_of_organisations_and_teams_are_in_with_all_teams_of_those_that_are_named(name, groups, hub):
    arrival = await arrive(hub, name)
    assert arrival.admitted
    assert arrival.groups == groups
    assert not arrival.admin


async def test_a_staff_team_administers_the_hub_until_it_is_left(hub, github):
    assert (await arrive(hub, "sam")).admin
    github.organizations["our-org"].teams["staff"].remove("sam")
    github.organizations["Ocean-Lab"].members.add("sam")
    assert not (await arrive(hub, "sam")).admin


@pytest.mark.parametrize("name", ["ada", "dan"])
async def test_a_login_asks_twice_for_memberships_however_many_teams_are_listed(name, hub, github):
    github.forget_calls()
    await arrive(hub, name)
    asked = {path: count for path, count in github.counts().items() if path.startswith(("/user/", "/orgs/"))}
    hidden = {path for path in asked if path.startswith("/user/memberships/orgs/")}
    assert {path: count for path, count in asked.items() if path not in hidden} == {"/user/orgs": 1, "/user/teams": 1}
    assert len(hidden) == (0 if name == "ada" else 4), "only who is refused is asked about, and little"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("dan", ["Ocean Lab is for", "You are near, but you are in the organisation on GitHub, but not in its team."]),
        ("eve", ["closed has not approved this hub", "/settings/connections/applications/", "help@example.org"]),
        ("gil", ["signed asks you to log in to it at GitHub first"]),
    ],
)
async def test_who_is_refused_learns_whether_they_are_no_member_or_cannot_be_seen_to_be_one(name, told, hub):
    page = (await arrive(hub, name)).page
    assert page.status == 403
    for words in told:
        assert words in page.text


async def test_once_the_organisation_approves_the_application_its_member_is_in(hub, github):
    github.organizations["closed"].restricted = False
    try:
        assert (await arrive(hub, "eve")).groups == {"others"}
        assert "has not approved" not in (await arrive(hub, "dan")).page.text
    finally:
        github.organizations["closed"].restricted = True


async def test_an_account_that_takes_over_a_login_does_not_become_its_former_owner(hub, github):
    assert (await arrive(hub, "cleo")).admitted
    before = github.people["cleo"]
    github.people["cleo"] = Person("cleo")  # the same login, another number
    try:
        page = (await arrive(hub, "cleo")).page
        assert page.status == 403
        assert "belongs to another account" in page.text
    finally:
        github.people["cleo"] = before


async def test_teams_of_an_organisation_that_only_profiles_name_become_groups(github):
    traits = {"allowed_organizations": {"pangeo-data:ocean", "ocean-lab"}, "group_organizations": {"elsewhere"}}
    config = {"CommunityGitHubAuthenticator": traits}
    async with hub_with(github, "community-github", config=config) as hub:
        assert (await arrive(hub, "ada")).groups == {"elsewhere:staff", "Ocean-Lab:gpu"}
        assert (await arrive(hub, "dan")).page.status == 403


async def test_teams_that_a_new_version_of_the_profiles_names_become_groups_without_a_restart(github, tmp_path):
    def profiles(*groups):
        file.write_text(yaml.safe_dump({"profiles": [{"display_name": "A", "allowed_groups": list(groups)}]}))

    file = tmp_path / "hub.yaml"
    profiles("Ocean-Lab:gpu")
    c = Config({"JupyterHub": {"spawner_class": "profile-local"}, "GitHubOAuthenticator": {"allow_all": True}})
    configure(c, file)
    async with hub_with(github, "community-github", config=c) as hub:
        assert (await arrive(hub, "ada")).groups == {"Ocean-Lab:gpu"}
        profiles("Ocean-Lab:gpu", "elsewhere:all")
        for _ in range(2):
            hub.app.config.ProfileSpawner.profile_list.file.look()
        assert (await arrive(hub, "ada")).groups == {"elsewhere:staff", "Ocean-Lab:gpu"}
