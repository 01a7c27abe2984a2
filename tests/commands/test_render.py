"""`hub-extensions render`: the pod that a person would get, or why there is none."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from hub_extensions import settings
from hub_extensions.commands import main
from hub_extensions.rendering import SPAWNER

EXAMPLE = Path(__file__).parents[2] / "examples" / "z2jh" / "values.yaml"
PROGRAM = Path(sys.executable).with_name("hub-extensions")


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def pod(self) -> Any:
        assert self.code == 0, self.err
        return yaml.safe_load(self.out)

    @property
    def notebook(self) -> Any:
        return self.pod["spec"]["containers"][0]

    def environment(self) -> dict[str, Any]:
        return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in self.notebook["env"]}


def render(*arguments: str, values: str | None = None, user: str = "ada") -> Outcome:
    """Run the command in this process; `values` are the text of a values file, without it the example's."""
    source = ["--values", str(EXAMPLE)] if values is None else ["--values", "-"]
    result = CliRunner().invoke(main, ["render", *source, "--user", user, *arguments], input=values)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


def run(*arguments: str, env: dict[str, str] | None = None) -> Outcome:
    """Run the installed program, on a machine that knows no cluster."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("KUBE")} | (env or {})
    done = subprocess.run(
        [PROGRAM, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


# The program


def test_the_program_prints_a_manifest_on_a_machine_without_a_cluster(tmp_path: Path) -> None:
    done = run("render", "--values", str(EXAMPLE), "--user", "ada", env={"HOME": str(tmp_path)})
    assert done.err == ""
    assert (done.pod["kind"], done.pod["metadata"]["name"]) == ("Pod", "jupyter-ada")


def test_the_program_never_runs_the_login_program_of_a_cluster_it_finds(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    login = {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": [str(tmp_path / "ran")]}
    }
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://cluster.example"}}],
        "users": [{"name": "u", "user": login}],
    }
    kubeconfig.write_text(yaml.safe_dump(config))
    assert run("render", "--values", str(EXAMPLE), "--user", "ada", env={"KUBECONFIG": str(kubeconfig)}).code == 0
    assert not (tmp_path / "ran").exists()


def test_help_shows_an_example_and_needs_neither_hub_nor_spawner() -> None:
    done = run("render", "--help")
    assert done.code == 0
    assert "--groups ocean-lab" in done.out
    script = "import sys; from hub_extensions.commands import main; main(['render', '--help'], standalone_mode=False);"
    heavy = "print([name for name in ('jupyterhub', 'kubespawner', 'tornado', 'pydantic') if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script + heavy], capture_output=True, text=True, check=True)
    assert loaded.stdout.splitlines()[-1] == "[]"


def test_every_command_is_listed_with_what_it_does() -> None:
    assert re.search(r"render +Print the pod", run("--help").out)


# The manifest


def test_the_same_request_gives_the_same_text() -> None:
    first = render("--groups", "ocean-lab", "--profile", "ocean")
    assert first.code == 0
    assert render("--groups", "ocean-lab", "--profile", "ocean").out == first.out


def test_json_says_the_same_as_yaml() -> None:
    assert json.loads(render("--format", "json").out) == render().pod


def test_without_a_profile_it_is_the_persons_default() -> None:
    assert render().notebook["image"] == "quay.io/jupyter/scipy-notebook:2026-01-05"


def test_the_values_of_the_hub_are_in_the_pod() -> None:
    done = render()
    assert done.environment()["SCRATCH_BUCKET"] == "s3://example-scratch/$(JUPYTERHUB_USER)"
    assert done.environment()["DATA_TOKEN"] == {"secretKeyRef": {"name": "data-token", "key": "token"}}
    assert done.environment()["JUPYTERHUB_API_TOKEN"] == "made-at-each-start"
    assert done.environment()["JUPYTERHUB_API_URL"] == "http://hub:8081/hub/api"
    assert done.environment()["JUPYTERHUB_SERVICE_PREFIX"] == "/user/ada/"
    assert {"name": "home", "mountPath": "/home/jovyan", "subPath": "ada"} in done.notebook["volumeMounts"]
    assert {"name": "shm", "mountPath": "/dev/shm"} in done.notebook["volumeMounts"]
    assert done.pod["spec"]["initContainers"][0]["name"] == "block-cloud-metadata"


def test_choices_come_to_an_image_and_a_size() -> None:
    done = render("--groups", "ocean-lab", "--profile", "ocean", "--option", "size=large")
    assert done.notebook["image"] == "quay.io/pangeo/pangeo-notebook:2026.01.10"
    assert done.notebook["resources"]["limits"] == {"cpu": 4, "memory": 16 * 2**30}


def test_a_value_can_be_written_in() -> None:
    done = render("--groups", "ocean-lab", "--profile", "ocean", "--option", "image--unlisted-choice=ghcr.io/a/b:c=d")
    assert done.notebook["image"] == "ghcr.io/a/b:c=d"


def test_an_option_with_nothing_to_choose_from_is_written_in() -> None:
    values = """
      singleuser:
        profileList:
          - display_name: Any image
            profile_options:
              image:
                choices: {}
                unlisted_choice: {enabled: true, kubespawner_override: {image: "{value}"}}
    """
    assert render(values=values).code == 1
    done = render("--profile", "any-image", "--option", "image--unlisted-choice=lab:1", values=values)
    assert done.notebook["image"] == "lab:1"


def test_overrides_for_a_group_are_in_the_pod_of_its_members_below_the_profile() -> None:
    values = """
      hub:
        config:
          KubeSpawner:
            group_overrides:
              data:
                groups: [ice-lab]
                spawner_override: {working_dir: /ice, mem_limit: 1G}
      singleuser:
        profileList: [{display_name: Big, kubespawner_override: {mem_limit: 9G}}]
    """
    member = render("--groups", "ice-lab", values=values).notebook
    assert (member["workingDir"], member["resources"]["limits"]["memory"]) == ("/ice", 9 * 2**30)
    assert "workingDir" not in render("--groups", "ocean-lab", values=values).notebook


def test_a_null_of_a_profile_removes_the_limit() -> None:
    done = render("--groups", "other,Ice-and-Ocean:GPU", "--profile", "gpu")
    assert done.notebook["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert "memory" not in done.notebook["resources"]["limits"]


def test_a_named_server_has_a_pod_and_an_address_of_its_own() -> None:
    done = render("--server", "lab")
    assert done.pod["metadata"]["name"] == "jupyter-ada--lab"
    assert done.environment()["JUPYTERHUB_SERVICE_PREFIX"] == "/user/ada/lab/"


def test_a_later_file_wins(tmp_path: Path) -> None:
    (tmp_path / "staging.yaml").write_text("jupyterhub: {singleuser: {image: {tag: staging}}}")
    assert render("--values", str(tmp_path / "staging.yaml")).notebook["image"].endswith(":staging")


def test_an_unquoted_date_is_the_text_that_was_written() -> None:
    values = "singleuser: {image: {name: lab, tag: 2026-01-05}, extraEnv: {SINCE: 2026-01-05 10:00:00}}"
    done = render(values=values)
    assert done.notebook["image"] == "lab:2026-01-05"
    assert done.environment()["SINCE"] == "2026-01-05 10:00:00"


def test_a_hub_without_any_values_is_the_charts_default() -> None:
    assert render(values="").notebook["image"].startswith("quay.io/jupyterhub/k8s-singleuser-sample:")


def test_the_settings_in_the_example_are_good_ones() -> None:
    values = yaml.safe_load(EXAMPLE.read_text())
    assert settings.load(values["custom"]).hub.title == "Ice and Ocean"
    assert values["hub"]["config"]["JupyterHub"]["spawner_class"] == SPAWNER


# Refusals: exit code 1, one sentence


def test_a_profile_of_another_group_is_refused_in_the_persons_words() -> None:
    done = render("--groups", "ice-lab", "--profile", "gpu")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "Error: ada is refused, and reads: There is no environment 'gpu' for you. Please choose another one.\n"
    )


def test_someone_to_whom_nothing_is_open_is_told_what_would_open_it() -> None:
    values = "singleuser: {profileList: [{display_name: Ice, allowed_groups: [ice-lab]}]}"
    done = render("--groups", "ocean-lab", values=values)
    assert done.code == 1
    assert "ice-lab" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--profile", "ocean", "--option", "size=huge"], "no choice 'huge'"),
        (["--profile", "ocean", "--option", "image--unlisted-choice=x"], "Write the name of a public image and a tag."),
        (["--profile", "ocean", "--option", "colour=red"], "no option 'colour'"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused(arguments: Sequence[str], sentence: str) -> None:
    done = render("--groups", "ocean-lab", *arguments)
    assert done.code == 1
    assert sentence in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ("singleuser: {extraEnv: [1]}", "environment"),
        ("singleuser: {podNameTemplate: '{nobody}'}", "nobody"),
        ("singleuser: {storage: {extraVolumes: [a]}}", "singleuser.storage.extraVolumes: every entry needs a name."),
        ("singleuser: {profileList: [{slug: a}]}", "singleuser.profileList[0].display_name"),
        ("singleuser: {profileList: [{display_name: A, kubespawner_override: {mem_limit: lots}}]}", "lots"),
        ("hub: {config: {kubeSpawner: {}}}", "hub.config.kubeSpawner"),
    ],
)
def test_values_that_a_hub_could_not_use_are_named_and_explained(values: str, sentence: str) -> None:
    done = render(values=values)
    assert (done.code, done.out) == (1, "")
    assert sentence in done.err
    assert "Traceback" not in done.err


def test_a_named_server_is_refused_where_there_are_none() -> None:
    done = render("--server", "lab", values="")
    assert done.code == 1
    assert "hub.allowNamedServers" in done.err


# Wrong calls: exit code 2


def test_a_profile_that_nobody_has_is_a_wrong_call_with_the_nearest_name() -> None:
    done = render("--profile", "ocaen")
    assert (done.code, done.err) == (2, "Error: There is no profile 'ocaen'. Did you mean 'ocean'?\n")


def test_a_file_that_is_no_yaml_is_named_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("hub:\n  config: {\n")
    done = render("--values", str(file))
    assert done.code == 2
    assert f"{file} is not valid YAML in line 3" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--values", "/nowhere/values.yaml"], "/nowhere/values.yaml cannot be read: No such file or directory."),
        (["--values", "/"], "cannot be read: Is a directory."),
        (["--option", "size=large"], "--option needs --profile"),
        (["--profile", "ocean", "--option", "large"], "'large' is not of the form NAME=CHOICE"),
        (["--profile", "ocean", "--option", "=large"], "'=large' is not of the form NAME=CHOICE"),
        (["--format", "toml"], "toml"),
    ],
)
def test_a_wrong_call_says_what_to_write(arguments: Sequence[str], sentence: str) -> None:
    done = render(*arguments)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err


def test_a_list_is_no_file_of_values() -> None:
    assert "no mapping" in render(values="[1]").err


def test_a_person_has_a_name() -> None:
    assert render(user="").code == 2


# Configuration files, and what configure does


def test_a_configuration_file_is_rendered_with_what_configure_does(tmp_path: Path) -> None:
    file = tmp_path / "jupyterhub_config.py"
    file.write_text(
        "from hub_extensions import configure\n"
        "c.JupyterHub.spawner_class = 'profile-kube'\n"
        "configure(c, {'profiles': [{'display_name': 'A', 'kubespawner_override': {'mem_limit': '3G'}}],\n"
        "  'group_directories': [{'groups': ['lab'], 'mount_path': '/x/{group}', 'sub_path': '{group}',\n"
        "    'volume': 'v'}]})\n"
        "c.KubeSpawner.volumes = [{'name': 'v', 'emptyDir': {}}]\n"
    )
    result = CliRunner().invoke(main, ["render", "--config", str(file), "--user", "ada", "--groups", "lab"])
    assert result.exit_code == 0, result.output
    notebook = yaml.safe_load(result.stdout)["spec"]["containers"][0]
    assert notebook["resources"]["limits"]["memory"] == 3 * 2**30
    assert {"name": "v", "mountPath": "/x/lab", "subPath": "lab", "readOnly": False} in notebook["volumeMounts"]


def test_servers_that_are_no_pods_are_told(tmp_path: Path) -> None:
    file = tmp_path / "jupyterhub_config.py"
    file.write_text("c.JupyterHub.spawner_class = 'profile-local'\n")
    result = CliRunner().invoke(main, ["render", "--config", str(file), "--user", "ada"])
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: The servers of this hub are no pods: profile-local starts them.\n",
    )


CUSTOM = """
custom:
  group_directories: [{groups: [lab], mount_path: "/x/{group}", sub_path: "g/{group}", volume: "volume-{user_server}"}]
  singleuserAdmin: {extraEnv: {ADMIN: "1"}}
hub: {config: {JupyterHub: {authenticator_class: github}, Authenticator: {admin_users: [lin]}}}
"""


def test_folders_of_groups_and_extras_of_admins_are_in_the_pod() -> None:
    ada = render("--groups", "lab", values=CUSTOM)
    assert "/x/lab" in [mount["mountPath"] for mount in ada.notebook["volumeMounts"]]
    assert "ADMIN" not in ada.environment()
    assert render(values=CUSTOM, user="lin").environment()["ADMIN"] == "1"


def test_a_pod_that_cannot_be_made_is_told_as_the_person_reads_it() -> None:
    done = render("--groups", "lab", values=CUSTOM.replace("volume-{user_server}", "no-such-volume"))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: ada is refused, and reads: The settings of this environment have a mistake.")


# Differences


def compare(tmp_path: Path, before: str, after: str, *arguments: str) -> Outcome:
    files = tmp_path / "old.yaml", tmp_path / "new.yaml"
    for file, text in zip(files, (before, after), strict=True):
        file.write_text(text)
    old, new = map(str, files)
    result = CliRunner().invoke(main, ["render", "--values", old, "--diff", new, *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Outcome(result.exit_code, result.stdout.replace(f"{tmp_path}/", ""), result.stderr)


PLAIN = "singleuser: {memory: {limit: 1G}}"


def changed(done: Outcome) -> list[str]:
    return [line for line in done.out.splitlines() if line.startswith(("+", "-"))]


@pytest.mark.parametrize("who", [["--user", "ada"], []])
def test_what_a_change_does_to_a_pod_is_a_unified_diff(tmp_path: Path, who: list[str]) -> None:
    done = compare(tmp_path, PLAIN, PLAIN.replace("1G", "2G"), *who)
    assert done.code == 1
    assert changed(done)[:2] == ["--- old.yaml", "+++ new.yaml"]
    assert {"-        memory: 1073741824", "+        memory: 2147483648"} <= set(changed(done))


@pytest.mark.parametrize("who", [["--user", "ada"], []])
def test_a_change_that_changes_no_pod_prints_nothing_and_ends_with_0(tmp_path: Path, who: list[str]) -> None:
    done = compare(tmp_path, PLAIN, f"{PLAIN}\nhub: {{config: {{Authenticator: {{allow_all: true}}}}}}", *who)
    assert (done.code, done.out) == (0, "")


LAB = "{display_name: Lab, allowed_groups: [lab], kubespawner_override: {cpu_limit: 1}}"
TWO = f"singleuser: {{profileList: [{{display_name: Basic}}, {LAB}]}}"


def test_without_a_user_each_profile_is_compared(tmp_path: Path) -> None:
    done = compare(tmp_path, TWO, TWO.replace("cpu_limit: 1", "cpu_limit: 2"))
    assert changed(done)[:2] == ["--- old.yaml (profile lab)", "+++ new.yaml (profile lab)"]
    assert "(profile basic)" not in done.out


def test_a_profile_that_comes_or_goes_is_a_difference(tmp_path: Path) -> None:
    done = compare(tmp_path, TWO, "singleuser: {profileList: [{display_name: Basic}]}")
    assert done.code == 1
    assert "+no such profile" in changed(done)


def test_a_pod_that_somebody_does_not_get_any_more_is_a_difference(tmp_path: Path) -> None:
    arguments = ["--user", "ada", "--groups", "lab", "--profile", "lab"]
    done = compare(tmp_path, TWO, TWO.replace("[lab]", "[staff]"), *arguments)
    assert done.code == 1
    assert any(line.startswith("+no pod: ada is refused") for line in changed(done))


def test_all_profiles_are_of_nobody_s_groups(tmp_path: Path) -> None:
    done = compare(tmp_path, TWO, TWO, "--groups", "lab")
    assert done.code == 2
    assert "name a user" in done.err
