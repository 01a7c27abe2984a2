"""The examples for the charts: what their values say fits together, is checked, rendered, and configures a hub."""

from __future__ import annotations

import re
import shlex
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from click.testing import CliRunner
from jupyterhub.app import JupyterHub

from hub_extensions.commands import main
from hub_extensions.commands.values_files import read_values
from hub_extensions.z2jh import merge_values
from hub_extensions.z2jh.values import chart_values

from .. import z2jh_loader

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = {
    "z2jh": [EXAMPLES / "z2jh" / name for name in ("values.yaml", "secrets.yaml")],
    "basehub": [EXAMPLES / "basehub" / name for name in ("values.yaml", "hub-extensions.yaml")],
}
examples = pytest.mark.parametrize("name", FILES)
# Values of the chart as somebody has them who has never heard of this package.
PLAIN = """
hub:
  config:
    JupyterHub: {authenticator_class: github}
    GitHubOAuthenticator: {client_id: reef, client_secret: x, allowed_organizations: [reef], scope: [read:org]}
singleuser:
  profileList:
    - {display_name: Small, default: true, kubespawner_override: {mem_limit: 2G}}
    - {display_name: Large, kubespawner_override: {mem_limit: 16G}}
"""


def values_of(name: str) -> dict[str, Any]:
    return chart_values(merge_values(*map(read_values, FILES[name])))


def call(command: str, name: str, *arguments: str) -> Any:
    files = [word for file in FILES[name] for word in ("--values", str(file))]
    return CliRunner().invoke(main, [command, *files, *arguments])


@examples
def test_nothing_is_wrong_with_it(name: str) -> None:
    done = call("check", name, "--strict")
    assert (done.exit_code, done.stdout) == (0, "Nothing is wrong.\n")


@pytest.mark.parametrize(
    ("name", "groups", "profile"),
    [
        ("z2jh", "", "basic"),
        ("z2jh", "ocean-lab", "ocean"),
        ("z2jh", "ice-lab", "ice"),
        ("z2jh", "ice-and-ocean:gpu", "gpu"),
        ("basehub", "", "reef"),
        ("basehub", "Reef-Institute:modellers", "large"),
    ],
)
def test_every_profile_comes_to_a_pod_for_whom_it_is_meant(name: str, groups: str, profile: str) -> None:
    done = call("render", name, "--user", "ada", "--groups", groups, "--profile", profile)
    assert done.exit_code == 0, done.stderr
    assert yaml.safe_load(done.stdout)["kind"] == "Pod"
    if groups:
        assert call("render", name, "--user", "ada", "--profile", profile).exit_code == 1


@examples
def test_a_hub_is_made_of_it_whose_usage_service_the_proxy_reaches(name: str, tmp_path: Path) -> None:
    values = values_of(name)
    hub = JupyterHub(config=z2jh_loader.load(values, tmp_path, {}))
    named = {"z2jh": "CommunityMultiAuthenticator", "basehub": "CommunityGitHubAuthenticator"}
    assert hub.authenticator_class.__name__ == named[name]
    assert hub.spawner_class.__name__ == "ProfileKubeSpawner"
    [usage] = [service for service in hub.services if service["name"] == "usage"]
    where = urlsplit(usage["url"])
    assert where.hostname == "hub"  # as the chart calls the hub's Service
    [port] = values["hub"]["service"]["extraPorts"]
    assert port["port"] == port["targetPort"] == where.port


def test_the_proxy_may_call_the_usage_service() -> None:
    values = values_of("z2jh")
    [rule] = values["hub"]["networkPolicy"]["ingress"]
    pods = [each["podSelector"]["matchLabels"]["component"] for each in rule["from"]]
    assert pods == ["proxy", "hub"]
    assert [each["port"] for each in rule["ports"]] == [urlsplit(values["custom"]["usage"]["url"]).port]


@examples
def test_what_is_written_is_on_the_hubs_volume_or_temporary(name: str) -> None:
    hub = values_of(name)["hub"]
    assert hub["containerSecurityContext"] == {"runAsNonRoot": True, "readOnlyRootFilesystem": True}
    assert [(each["name"], each["mountPath"]) for each in hub["extraVolumeMounts"]] == [("tmp", "/tmp")]
    assert hub.get("db", {"type": "sqlite-pvc"})["type"] == "sqlite-pvc"
    if name == "z2jh":
        assert values_of(name)["custom"]["usage"]["database"].startswith("sqlite:////srv/jupyterhub/")


def test_basehub_has_no_python_but_the_call() -> None:
    programs = values_of("basehub")["hub"]["extraConfig"]
    assert [key for key, program in programs.items() if program] == ["hub-extensions"]
    named = {key.partition("-")[0] for key in programs}
    page = (EXAMPLES.parent / "docs" / "basehub.md").read_text()
    assert {"0", "01", "02", "03", "04", "05", "06", "07", "08"} <= named
    assert all(f"`{number}" in page for number in named - {"hub", "daskhub"})


@examples
def test_the_image_has_this_version_and_changes_of_the_charts_only_fixes_of_jupyterhub(name: str) -> None:
    lines = (EXAMPLES / name / "Dockerfile").read_text()
    assert f"ARG HUB_EXTENSIONS={version('hub-extensions')}\n" in lines
    assert values_of(name)["hub"]["image"]["tag"] == version("hub-extensions")
    assert "--constraint /tmp/of-the-" in lines
    [line] = re.findall(r"sed '(s/[^']*/)'", lines)
    sed = subprocess.run(
        ["sed", line], input="jupyterhub==5.5.0\njupyterhub-kubespawner==7.0.0\n", text=True, stdout=-1
    )
    assert sed.stdout == "jupyterhub~=5.5.0\njupyterhub-kubespawner==7.0.0\n"
    assert '"hub-extensions[kube]==${HUB_EXTENSIONS}"' in lines
    assert lines.rstrip().splitlines()[-1] == "USER 1000"


# The commands that the pages tell a newcomer


def commands_of(name: str) -> list[str]:
    """All commands of the first two blocks, each with the text that it is given."""
    blocks = re.findall(r"```sh\n(.*?)```", (EXAMPLES / name / "README.md").read_text(), flags=re.DOTALL)
    joined = "".join(blocks[:2])
    return re.findall(r"^(?:cat .*?^END$|.+?$)", joined, flags=re.DOTALL | re.MULTILINE)


@examples
def test_a_newcomer_gets_to_a_checked_configuration_in_ten_commands(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = commands_of(name)
    assert len(commands) <= 10
    ours = [each for each in commands if each.startswith(("cat ", "hub-extensions "))]
    assert {each.split()[0] for each in commands if each not in ours} <= {"python3", "pip", "docker", "helm"}
    assert sum(each.startswith("hub-extensions check") for each in ours) == 2
    monkeypatch.chdir(tmp_path)
    Path("values.yaml").write_text(PLAIN)
    if name == "basehub":
        for file in FILES[name]:
            Path(file.name).write_text(file.read_text())
    for each in ours:
        if each.startswith("cat "):
            subprocess.run(["sh", "-ec", each], check=True)
            continue
        done = CliRunner().invoke(main, shlex.split(each)[1:])
        assert done.exit_code == 0, (each, done.output)
        if " check " in each:
            assert done.stdout == "Nothing is wrong.\n"
    assert yaml.safe_load(done.stdout)["metadata"]["name"] == "jupyter-ada"
