"""`hub-extensions explain`: what a hub decides about one person, and why."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from hub_extensions.commands import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "z2jh" / "values.yaml"
IDP = "https://idp.example.edu/idp/shibboleth"


def called(*arguments: str, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(main, ["explain", *arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def explain(values: dict[str, Any], *arguments: str, user: str = "ada") -> Any:
    """What the command says as JSON of a hub with these values."""
    files = ["--values", "-", "--user", user, "--format", "json"]
    result = called(*files, *arguments, stdin=yaml.safe_dump(values, sort_keys=False))
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def hub(authenticator: str, custom: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    config = {"JupyterHub": {"authenticator_class": authenticator}, **sections}
    return {"hub": {"config": config}, **({"custom": custom} if custom else {})}


# Who may log in, by the rules that hubs have without communities

GITHUB = hub("github", GitHubOAuthenticator={"scope": ["read:org"], "allowed_organizations": ["reef", "lab:divers"]})
CILOGON = hub(
    "cilogon",
    CILogonOAuthenticator={
        "allowed_idps": {
            IDP: {"username_derivation": {"username_claim": "email"}, "allowed_domains": ["example.edu"]},
            "http://google.com/accounts/o8/id": {"username_derivation": {"username_claim": "email"}},
        }
    },
)
OIDC = hub(
    "generic-oauth",
    GenericOAuthenticator={
        "manage_groups": True,
        "auth_state_groups_key": "oauth_user.roles",
        "allowed_groups": ["staff"],
        "admin_groups": ["root"],
    },
)
GOOGLE = hub(
    "google",
    GoogleOAuthenticator={"hosted_domain": ["example.edu"], "strip_domain": False, "allow_all": True},
)
PEOPLE = {"allowed_users": ["ada"], "admin_users": ["lin"], "blocked_users": ["bo"]}
OF = "hub.config"


@pytest.mark.parametrize(
    ("values", "user", "groups", "allowed", "rule"),
    [
        (GITHUB, "ada", "", False, f"{OF}.GitHubOAuthenticator.allowed_organizations"),
        (GITHUB, "ada", "lab:divers", True, f"{OF}.GitHubOAuthenticator.allowed_organizations[1]"),
        (GITHUB, "ada", "Lab:Divers", True, f"{OF}.GitHubOAuthenticator.allowed_organizations[1]"),
        (GITHUB, "ada", "lab:others", False, f"{OF}.GitHubOAuthenticator.allowed_organizations"),
        (GITHUB, "ada", "reef:any", True, f"{OF}.GitHubOAuthenticator.allowed_organizations[0]"),
        (GITHUB, "ada", "reef", True, f"{OF}.GitHubOAuthenticator.allowed_organizations[0]"),
        (CILOGON, "ada@example.edu", "", True, f"{OF}.CILogonOAuthenticator.allowed_idps['{IDP}'].allowed_domains"),
        (CILOGON, "ada@example.org", "", False, f"{OF}.CILogonOAuthenticator.allowed_idps"),
        (CILOGON, "ada", "", False, f"{OF}.CILogonOAuthenticator.allowed_idps"),
        (OIDC, "ada", "staff", True, f"{OF}.GenericOAuthenticator.allowed_groups[0]"),
        (OIDC, "ada", "guests", False, f"{OF}.GenericOAuthenticator.allowed_groups"),
        (OIDC, "ada", "root", True, f"{OF}.GenericOAuthenticator.admin_groups[0]"),
        (GOOGLE, "ada@example.edu", "", True, f"{OF}.GoogleOAuthenticator.allow_all"),
        (GOOGLE, "ada@example.org", "", False, f"{OF}.GoogleOAuthenticator.hosted_domain"),
        (hub("github", Authenticator=PEOPLE), "Ada", "", True, f"{OF}.Authenticator.allowed_users[0]"),
        (hub("github", Authenticator=PEOPLE), "bo", "", False, f"{OF}.Authenticator.blocked_users[0]"),
        (hub("github", Authenticator=PEOPLE), "eve", "", False, f"{OF}.Authenticator.allowed_users"),
        (hub("github", Authenticator={"allow_all": True}), "eve", "", True, f"{OF}.Authenticator.allow_all"),
        (hub("github", Authenticator={"allow_all": True}), "admin", "", False, "reserved_names"),
        (hub("shared-password", Authenticator=PEOPLE), "ada", "", True, f"{OF}.Authenticator.allowed_users[0]"),
        (hub("shared-password", Authenticator=PEOPLE), "eve", "", False, f"{OF}.Authenticator.allowed_users"),
        (hub("tmp", Authenticator={"allow_all": True}), "eve", "", True, f"{OF}.Authenticator.allow_all"),
        (hub("null"), "ada", "", False, f"{OF}.JupyterHub.authenticator_class"),
        (hub("gitlab", Authenticator=PEOPLE), "ada", "", True, f"{OF}.Authenticator.allowed_users[0]"),
        ({}, "ada", "", True, "c.DummyAuthenticator.allow_all"),
    ],
)
def test_the_login_is_decided_by_the_rules_of_the_class(values, user, groups, allowed, rule):
    login = explain(values, "--groups", groups, user=user)["login"]
    assert (login["allowed"], login["reasons"][0].partition(": ")[0]) == (allowed, rule), login


@pytest.mark.parametrize(
    ("values", "user", "groups", "admin"),
    [
        (hub("github", Authenticator=PEOPLE), "lin", "", True),
        (hub("github", Authenticator=PEOPLE), "ada", "", False),
        (hub("github", Authenticator={"admin_users": ["bo"], "blocked_users": ["bo"]}), "bo", "", False),
        (OIDC, "ada", "root", True),
        (hub("shared-password", Authenticator=PEOPLE), "lin", "", True),
    ],
)
def test_who_runs_the_hub_is_told(values, user, groups, admin):
    assert explain(values, "--groups", groups, user=user)["login"]["admin"] is admin


def test_what_was_assumed_is_said():
    assert explain(GITHUB, "--groups", "lab:divers")["login"]["reasons"][-1] == (
        "Assumed: ada is on GitHub in the team lab:divers."
    )


def test_a_hub_that_does_not_ask_for_teams_is_told_of_none():
    values = hub("github", GitHubOAuthenticator={"scope": [], "allowed_organizations": ["lab:divers", "reef"]})
    teammate = explain(values, "--groups", "lab:divers")["login"]
    assert not teammate["allowed"]
    assert "read:org" in teammate["reasons"][-1]
    assert explain(values, "--groups", "reef")["login"]["allowed"]


# Names


BY_ADDRESS = {**CILOGON["hub"]["config"], "Authenticator": {"admin_users": ["Lin@Example.edu"]}}
NAMED = {
    "hub": {"config": BY_ADDRESS},
    "custom": {"communities": {"reef": {"members": [{"users": ["Ada@Example.edu"]}]}}},
    "singleuser": {"profileList": [{"display_name": "A", "slug": "a", "allowed_users": ["ada@example.edu"]}]},
}


@pytest.mark.parametrize("user", ["ada@example.edu", "Ada@Example.EDU"])
def test_an_address_is_a_name_in_any_letter_case(user):
    found = explain(NAMED, user=user)
    assert (found["login"]["communities"], found["profiles"][0]["state"]) == (["reef"], "visible")
    assert explain(NAMED, user=user.replace("ada", "lin").replace("Ada", "LIN"))["login"]["admin"]


@pytest.mark.parametrize(
    ("user", "owner"),
    [
        ("ada-40example-2eedu", "ada@example.edu"),
        ("ada-2db", "ada-b"),
        *((name, "") for name in ("ann-bee", "team-42", "bob-31", "ada", "ada@example.edu")),
    ],
)
def test_the_name_of_a_pod_is_told_from_that_of_its_owner(user, owner):
    notes = explain(NAMED, user=user)["notes"]
    assert [note for note in notes if "pod" in note] == [
        f"If {user} is from the name of a pod or a volume, its owner is {owner}: ask about that name."
    ] * bool(owner)


PSEUDONYM = "abcdefghijklmnopqrstuvw2"


@pytest.mark.parametrize(
    ("user", "allowed", "communities", "state"),
    [
        ("ada@example.edu", True, [], "hidden"),  # by the domain, and not by the name that is nobody's
        ("ada@example.org", False, [], "hidden"),
        (PSEUDONYM, True, ["reef"], "visible"),
    ],
)
def test_where_people_have_pseudonyms_an_address_is_not_a_name(user, allowed, communities, state):
    people = ["ada@example.edu", "ada@example.org", PSEUDONYM]
    values = {
        "hub": NAMED["hub"],
        "custom": {
            "auth": {"anonymizeUsername": True},
            "communities": {"reef": {"members": [{"users": people}]}},
        },
        "singleuser": {"profileList": [{"display_name": "A", "slug": "a", "allowed_users": people}]},
    }
    found = explain(values, user=user)
    assert (found["login"]["allowed"], found["login"]["communities"]) == (allowed, communities)
    assert found["profiles"][0]["state"] == state
    told = any(f"{user} is the account with which somebody logs in." in reason for reason in found["login"]["reasons"])
    assert told == (user != PSEUDONYM)


def test_an_organisation_that_admits_is_no_group():
    custom = {"communities": {"lab": {"members": [{"github": ["lab"]}]}}}
    found = explain(
        hub("community-github", custom, GitHubOAuthenticator=GITHUB["hub"]["config"]["GitHubOAuthenticator"]),
        "--groups",
        "reef,lab,other",
    )
    assert (found["login"]["allowed"], found["groups"]) == (True, ["lab", "other"])
    assert [note.partition(":")[0] for note in found["notes"]] == ["No login puts anybody into other"]


def test_a_login_that_is_refused_is_an_answer():
    done = called("--values", "-", "--user", "ada", stdin=yaml.safe_dump(GITHUB))
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "ada may not log in.")


def test_staff_of_the_chart_are_found_where_they_are_listed():
    custom = {
        "2i2c": {
            "add_staff_user_ids_to_admin_users": True,
            "add_staff_user_ids_of_type": "github",
            "staff_github_ids": ["sta", "ff"],
        }
    }
    by_name = explain(hub("github", custom), user="ff")["login"]
    assert (by_name["admin"], by_name["reasons"][0].partition(": ")[0]) == (True, "custom.2i2c.staff_github_ids[1]")
    by_team = explain(hub("github", custom), "--groups", "2i2c-org:hub-access-for-2i2c-staff")["login"]
    assert by_team["allowed"]
    assert by_team["reasons"][0].startswith("custom.2i2c")


# Communities

COMMUNITIES = {
    "communities": {
        "reef": {
            "title": "Reef Lab",
            "members": [{"groups": ["staff:reef"]}, {"users": ["eve"]}],
            "leads": [{"users": ["lin"]}],
        },
        "old": {"members": [{"groups": ["*"]}], "until": "2020-01-01"},
        "v1.2": {"members": [{"users": ["nobody"]}]},
    },
    "hub": {"admins": [{"users": ["root-user"]}], "service_users": ["robot"]},
}
REEF = hub("community-oidc", COMMUNITIES)


def test_the_rule_of_a_community_that_fired_is_named_by_its_path():
    said = explain(REEF, "--groups", "staff:reef")
    assert said["login"]["allowed"]
    assert said["login"]["communities"] == ["reef"]
    assert "custom.communities.reef.members[0]: Reef Lab admits members of staff:reef." in said["login"]["reasons"]
    assert sorted(said["groups"]) == ["reef", "staff:reef"]


def test_whoever_meets_no_rule_reads_which_was_nearest():
    login = explain(REEF, user="eva")["login"]
    assert (login["allowed"], login["communities"]) == (False, [])
    assert any(reason.startswith("custom.communities.reef.") for reason in login["reasons"])


def test_leads_and_admins_are_told():
    lead = explain(REEF, user="lin")
    assert lead["login"]["lead_of"] == ["reef"]
    assert lead["groups"] == ["reef", "reef:leads"]
    admin = explain(REEF, user="root-user")["login"]
    assert (admin["allowed"], admin["admin"]) == (True, True)
    assert admin["reasons"][0] == "custom.hub.admins[0]: You run this hub."


def test_a_community_that_is_closed_refuses():
    login = explain(REEF, "--groups", "x")["login"]
    assert not login["allowed"]
    assert login["reasons"][0] == "custom.communities.old: old closed on 2020-01-01."


def test_the_name_of_a_program_is_nobody_s():
    assert explain(REEF, user="robot")["login"]["reasons"] == [
        "custom.hub.service_users: This name belongs to a program, and no person can log in with it."
    ]


@pytest.mark.parametrize(("group", "leads"), [("reef", []), ("Reef:Leads", ["reef"]), ("v1.2", [])])
def test_the_group_of_a_community_means_one_of_its_people(group, leads):
    said = explain(REEF, "--groups", group)["login"]
    assert (said["allowed"], said["lead_of"]) == (True, leads)
    assert said["reasons"][0].startswith("--groups: ")


def test_settings_under_the_nested_key_are_named_by_it():
    nested = {"hubExtensions": COMMUNITIES}
    login = explain(hub("community-oidc", nested), user="eve")["login"]
    assert login["reasons"][0].startswith("custom.hubExtensions.communities.reef.members[1]: ")


def test_of_several_providers_the_one_is_meant_that_admits():
    values = hub(
        "community-multi",
        {"communities": {"reef": {"members": [{"provider": ["uni"], "groups": ["staff"]}]}}},
        CommunityMultiAuthenticator={
            "providers": {
                "github": {"authenticator": "community-github", "config": {"client_id": "x"}},
                "uni": {"authenticator": "community-oidc", "config": {"client_id": "x"}},
            }
        },
    )
    assert explain(values, "--groups", "staff", user="uni:ada")["login"]["communities"] == ["reef"]
    assert not explain(values, "--groups", "other", user="uni:ada")["login"]["allowed"]


# An identity in a file


def test_an_identity_is_decided_as_a_provider_would_have_it(tmp_path):
    values = hub(
        "community-cilogon",
        {"communities": {"reef": {"members": [{"idp": IDP, "domains": ["example.edu"]}]}}},
        CILogonOAuthenticator={"allowed_idps": {IDP: {"username_derivation": {"username_claim": "email"}}}},
    )
    said = {"idp": IDP, "email": "ada@example.edu", "email_verified": True}
    outcomes = []
    for change in ({}, {"email": "ada@example.org"}, {"idp": "https://other.example/idp"}):
        (tmp_path / "ada.yaml").write_text(yaml.safe_dump(said | change))
        login = explain(values, "--identity", str(tmp_path / "ada.yaml"), user="ada@example.edu")["login"]
        outcomes.append((login["allowed"], not any(reason.startswith("Assumed") for reason in login["reasons"])))
    assert outcomes == [(True, True), (False, True), (False, True)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"emial": "a@b.c"}, "emial: unknown key. Did you mean 'email'?"),
        ({"groups": "staff"}, "groups: expected a list of texts, found 'staff'."),
        ({"groups": ["a", 1]}, "groups: expected a list of texts"),
        ({"email_verified": "yes"}, "email_verified: expected true or false, found 'yes'."),
        ({"user_name": "lin"}, "user_name: is 'lin', and --user names 'ada'."),
    ],
)
def test_an_identity_with_a_mistake_ends_with_2(tmp_path, said, told):
    file = tmp_path / "ada.json"
    file.write_text(json.dumps(said))
    result = called("--values", str(EXAMPLE), "--user", "ada", "--identity", str(file))
    assert result.exit_code == 2
    assert told in result.output


# Groups and profiles


def test_a_group_that_no_login_gives_is_noted():
    values = hub("github", GitHubOAuthenticator={"manage_groups": True, "allowed_organizations": ["lab"]})
    values["singleuser"] = {"profileList": [{"display_name": "A", "slug": "a", "allowed_groups": ["staff"]}]}
    said = explain(values, "--groups", "staff")
    assert said["groups"] == ["staff"]
    assert said["profiles"][0]["state"] == "visible"
    assert "No login puts anybody into staff" in said["notes"][0]


def test_the_answer_has_the_documented_keys():
    said = explain(SERVER, "--groups", "lab:divers")
    assert {"allowed", "communities", "admin", "reasons"} <= said["login"].keys()
    assert said["groups"] == ["lab:divers"]
    _, ocean = said["profiles"]
    assert {"slug", "display_name", "state", "why", "options"} <= ocean.keys()
    assert ocean["options"] == {
        "size": {"choices": ["large"], "unlisted": False},
        "image": {"choices": [], "unlisted": True},
    }


# The server

SERVER = {
    "hub": {"config": {"JupyterHub": {"authenticator_class": "github"}, "KubeSpawner": {"delete_grace_period": 7}}},
    "singleuser": {
        "memory": {"limit": "1G"},
        "extraEnv": {"A": "1", "MY_TOKEN": "hush"},
        "profileList": [
            {"display_name": "First"},
            {
                "display_name": "Ocean",
                "slug": "ocean",
                "kubespawner_override": {"environment": {"B": "2"}, "cpu_limit": 1},
                "profile_options": {
                    "size": {"choices": {"large": {"display_name": "L", "kubespawner_override": {"cpu_limit": 8}}}},
                    "image": {"unlisted_choice": {"enabled": True, "kubespawner_override": {"image": "{value}"}}},
                },
            },
        ],
    },
    "custom": {
        "group_directories": [{"groups": ["lab:*"], "mount_path": "/x/{group}", "sub_path": "g/{group}"}],
        "singleuserAdmin": {"extraEnv": {"ADMIN": "1"}},
    },
}


def server(*arguments: str, user: str = "ada") -> Any:
    return explain(SERVER, "--profile", "ocean", "--option", "image--unlisted-choice=a/b:1", *arguments, user=user)


@pytest.mark.parametrize(
    ("trait", "value", "places"),
    [
        ("mem_limit", "1G", ["singleuser.memory.limit"]),
        ("mem_guarantee", "1G", ["the chart's default"]),
        ("cpu_guarantee", None, ["the spawner's default"]),
        ("delete_grace_period", 7, ["hub.config.KubeSpawner.delete_grace_period"]),
        (
            "cpu_limit",
            8,
            ["choice size=large (singleuser.profileList[1].profile_options.size.choices.large)"],
        ),
        (
            "image",
            "a/b:1",
            ["written in for image=a/b:1 (singleuser.profileList[1].profile_options.image.unlisted_choice)"],
        ),
        (
            "environment",
            {"A": "1", "MY_TOKEN": "(not shown)", "B": "2"},
            ["singleuser.extraEnv", "profile ocean (singleuser.profileList[1])"],
        ),
    ],
)
def test_each_setting_of_a_server_says_where_it_comes_from(trait, value, places):
    assert server()["traits"][trait] == {"value": value, "from": places}


def test_folders_of_groups_are_among_them():
    found = server("--groups", "lab:divers,other")["traits"]["group_directories"]
    assert [mount["mountPath"] for mount in found["value"]] == ["/x/lab_3adivers"]
    assert found["from"] == ["custom.group_directories[0]"]
    assert "group_directories" not in server("--groups", "other")["traits"]


def test_extras_of_admins_are_among_them_only_for_admins():
    assert "admin_extras" not in server()["traits"]
    values = {**SERVER, "hub": {"config": {**SERVER["hub"]["config"], "Authenticator": {"admin_users": ["lin"]}}}}
    arguments = ("--profile", "ocean", "--option", "image--unlisted-choice=a/b:1")
    assert explain(values, *arguments, user="lin")["traits"]["admin_extras"]["from"] == ["custom.singleuserAdmin"]


def test_a_request_that_is_refused_says_why():
    said = explain(SERVER, "--profile", "ocean", "--option", "size=huge", "--option", "image--unlisted-choice=a")
    assert said["traits"] == {}
    assert said["refused"] == "size: there is no choice 'huge' for you. Choose from the list."


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--profile", "ocaen"], "There is no profile 'ocaen'. Did you mean 'ocean'?"),
        (["--option", "size=large"], "--option needs --profile"),
        (["--groups", "a", "--identity", "x"], "--groups and --identity"),
    ],
)
def test_what_makes_no_sense_ends_with_2(arguments, told):
    result = called("--values", str(EXAMPLE), "--user", "ada", *arguments)
    assert result.exit_code == 2
    assert told in result.output


# What files do not tell


def test_python_in_the_values_is_said_to_be_left_out_once():
    note = "Python in hub.extraConfig was not executed; what it changes is not in this answer."
    ours = {"a": "# ours\nfrom hub_extensions import configure\nconfigure(c)\n"}
    for programs, notes in ((ours, []), ({**ours, "b": "c.Spawner.cmd = 'x'"}, [note])):
        values = hub("github")
        values["hub"]["extraConfig"] = programs
        assert explain(values)["notes"] == notes


def test_a_hub_that_would_not_start_is_explained_as_far_as_it_goes():
    said = explain({**GITHUB, "custom": {"communities": {"x": {"membres": []}}}}, "--groups", "reef")
    assert said["login"]["allowed"]
    assert "would not start" in said["notes"][0]
    assert "custom.communities.x.membres" in said["notes"][0]


def test_a_configuration_file_is_explained_too(tmp_path):
    file = tmp_path / "jupyterhub_config.py"
    file.write_text(
        "from hub_extensions import configure\n"
        "c.JupyterHub.authenticator_class = 'community-oidc'\n"
        "c.JupyterHub.spawner_class = 'profile-local'\n"
        "configure(c, {'communities': {'reef': {'members': [{'groups': ['staff']}]}},\n"
        "  'profiles': [{'display_name': 'R', 'slug': 'r', 'allowed_groups': ['reef']}]})\n"
    )
    result = called("--config", str(file), "--user", "ada", "--groups", "staff", "--format", "json")
    said = json.loads(result.stdout)
    assert said["login"]["reasons"][0] == "communities.reef.members[0]: reef admits members of staff."
    assert [profile["state"] for profile in said["profiles"]] == ["visible"]


def test_an_authenticator_of_somebody_else_is_not_made_and_its_inherited_rules_hold(tmp_path):
    file = tmp_path / "jupyterhub_config.py"
    file.write_text(
        "from jupyterhub.auth import Authenticator\n"
        "class Mine(Authenticator):\n"
        "    def __init__(self, **kwargs):\n"
        "        raise RuntimeError('it was made')\n"
        "c.JupyterHub.authenticator_class = Mine\n"
        "c.Mine.allowed_users = {'ada'}\n"
    )
    allowed = {}
    for user in ("ada", "eve"):
        said = json.loads(called("--config", str(file), "--user", user, "--format", "json").stdout)
        allowed[user] = (said["login"]["allowed"], said["login"]["reasons"][0].partition(": ")[0])
    assert allowed == {"ada": (True, "c.Mine.allowed_users"), "eve": (False, "c.Mine.allowed_users")}


def test_a_function_that_lists_profiles_is_called_for_the_person(tmp_path):
    file = tmp_path / "jupyterhub_config.py"
    file.write_text(
        "def profiles(spawner):\n"
        "    return [{'display_name': f'For {spawner.user.name}', 'slug': each.name} for each in spawner.user.groups]\n"
        "c.JupyterHub.spawner_class = 'profile-kube'\n"
        "c.JupyterHub.authenticator_class = 'dummy'\n"
        "c.KubeSpawner.profile_list = profiles\n"
    )
    result = called("--config", str(file), "--user", "ada", "--groups", "lab", "--format", "json")
    profiles = json.loads(result.stdout)["profiles"]
    assert [(profile["slug"], profile["display_name"]) for profile in profiles] == [("lab", "For ada")]


def test_a_login_without_proof_says_nothing_of_groups():
    custom = {"communities": {"reef": {"members": [{"groups": ["staff"]}, {"users": ["eve"]}]}}}
    said = explain(hub("community-dummy", custom), "--groups", "staff")
    assert not said["login"]["allowed"]
    assert said["notes"] == ["No login puts anybody into staff: this login says nothing of groups."]
    assert explain(hub("community-dummy", custom), user="eve")["groups"] == ["reef"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (hub("no.such.Class"), "no.such.Class is not installed here"),
        (hub("cilogon", CILogonOAuthenticator={"allowed_idps": {"idp.example.edu": {}}}), "username_derivation"),
    ],
)
def test_a_login_that_cannot_be_told_is_a_no_that_says_why_and_the_profiles_are_told(values, told):
    said = explain({**values, "singleuser": SERVER["singleuser"]}, "--groups", "lab")
    assert not said["login"]["allowed"]
    assert told in said["login"]["reasons"][0]
    assert said["groups"] == ["lab"]
    assert [profile["state"] for profile in said["profiles"]] == ["visible", "visible"]


def test_people_read_short_lines():
    arguments = ("--user", "ada", "--groups", "lab:divers", "--profile", "first")
    result = called("--values", "-", *arguments, stdin=yaml.safe_dump(GITHUB | {"singleuser": SERVER["singleuser"]}))
    assert result.stdout.startswith("ada may log in.\n  hub.config.GitHubOAuthenticator.allowed_organizations[1]: ")
    assert "\nGroups: lab:divers\n\nProfiles\n  first: visible. First. For everyone.\n" in result.stdout
    assert "\n    size: large\n" in result.stdout
    assert "\n    image: writing one's own\n" in result.stdout
    assert '\n  mem_limit: "1G"\n    from singleuser.memory.limit\n' in result.stdout
