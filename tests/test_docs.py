"""What docs/ shows works as it stands."""

import json
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from click import Context
from click.testing import CliRunner
from traitlets.config import Config

from hub_extensions import configure, settings
from hub_extensions.announcements import Announcement
from hub_extensions.authenticators.multi import CommunityMultiAuthenticator
from hub_extensions.commands import main
from hub_extensions.commands.identity_file import read_identity
from hub_extensions.report_settings import ReportSettings

LOGINS = Path(__file__).parents[1] / "docs" / "logins.md"
USAGE = {"database": "sqlite:///usage.sqlite"}


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", LOGINS.read_text(), flags=re.DOTALL)


@pytest.fixture
def shown():
    [block] = blocks("yaml")
    return {**yaml.safe_load(block), "usage": USAGE}


def test_the_rules_have_no_mistake_and_show_every_condition(shown):
    lab = settings.load(shown).communities["ocean-lab"]
    used = {condition for rule in lab.members for condition in rule.model_dump(exclude_defaults=True)}
    assert used == set(type(lab.members[0]).model_fields) - {"provider"}


def test_the_providers_can_be_put_on_one_page(monkeypatch):
    [block] = blocks("python")
    monkeypatch.setenv("CILOGON_CLIENT_SECRET", "x")
    c = Config()
    exec(block, {"c": c})
    idps = {"https://idp.example.edu": {"username_derivation": {"username_claim": "eppn"}}}
    c.CommunityMultiAuthenticator.providers["uni"]["config"]["idps"] = idps
    assert [*CommunityMultiAuthenticator(config=c).providers] == ["github", "uni"]


def test_the_command_prints_a_link(shown, tmp_path):
    (tmp_path / "hub.yaml").write_text(yaml.safe_dump(yaml.safe_load(yaml.safe_dump(shown, default_flow_style=False))))
    [block] = blocks("sh")
    program, *arguments = shlex.split(block)
    printed = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "https://hub.example.org/hub/invitation?token=" in printed.stdout


def test_the_settings_of_reports_have_no_mistake_and_show_every_one():
    text = (LOGINS.parent / "usage.md").read_text()
    block, *_ = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    usage = settings.load(yaml.safe_load(block)).usage
    assert set(ReportSettings.model_fields) <= set(yaml.safe_load(block)["usage"])
    assert set(type(usage.prices).model_fields) == set(yaml.safe_load(block)["usage"]["prices"])


def test_the_commands_about_usage_can_be_called_as_they_are_shown():
    text = (LOGINS.parent / "usage.md").read_text()
    called = []
    for call in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
        program, name, *arguments = shlex.split(call)
        command = main.get_command(Context(main), name)
        command.make_context(name, arguments)
        called.append((program, name))
    assert called == [("hub-extensions", name) for name in ("report", "forget", "import")]


def test_the_pod_of_the_helm_page_is_printed(tmp_path, monkeypatch):
    text = (LOGINS.parent / "helm.md").read_text()
    values = next(block for block in re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL) if "profileList" in block)
    (tmp_path / "values.yaml").write_text(values)
    monkeypatch.chdir(tmp_path)
    [call] = re.findall(r"^hub-extensions (render .*)$", text, flags=re.MULTILINE)
    printed = CliRunner().invoke(main, shlex.split(call))
    assert printed.exit_code == 0, printed.output
    [notebook] = yaml.safe_load(printed.output)["spec"]["containers"]
    assert notebook["resources"]["limits"]["memory"] == 4 * 2**30


def test_what_changes_without_a_restart_has_no_mistake_and_shows_every_setting_of_an_announcement(tmp_path):
    text = (LOGINS.parent / "running.md").read_text()
    values, live = re.findall(r"```yaml\n(?=# (?:values|live))(.*?)```", text, flags=re.DOTALL)
    custom = yaml.safe_load(values)["custom"]
    [mount] = yaml.safe_load(values)["hub"]["extraVolumeMounts"]
    assert custom["live_file"].startswith(f"{mount['mountPath']}/")
    (tmp_path / "live.yaml").write_text(live)
    communities = {"ocean-lab": {"members": [{"users": ["ada"]}]}}
    c = Config({"JupyterHub": {"spawner_class": "profile-kube"}})
    configure(c, {"communities": communities, "live_file": str(tmp_path / "live.yaml")})
    assert [profile.slug for profile in c.ProfileSpawner.profile_list().profiles] == ["small"]
    [announcement] = yaml.safe_load(live)["announcements"]
    assert set(announcement) == {field.alias or name for name, field in Announcement.model_fields.items()}


def test_what_is_explained_is_printed_as_it_is_shown(tmp_path, monkeypatch):
    text = (LOGINS.parent / "explaining.md").read_text()
    [values] = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "values.yaml").write_text(values)
    (tmp_path / "new-values.yaml").write_text(values.replace("4G", "8G"))
    monkeypatch.chdir(tmp_path)
    shown = re.findall(r"```console\n\$ hub-extensions (.*?)\n(.*?)```", text, flags=re.DOTALL)
    assert [arguments.split()[0] for arguments, _ in shown] == ["explain", "render"]
    for arguments, printed in shown:
        assert CliRunner().invoke(main, shlex.split(arguments)).stdout == printed


def test_the_identity_that_is_shown_has_every_key(tmp_path):
    text = (LOGINS.parent / "explaining.md").read_text()
    [shown] = re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "ada.json").write_text(shown)
    known = {field.name for field in fields(read_identity(tmp_path / "ada.json", "ada"))}
    made_by_the_hub = {"user_name", "named_by_email", "needs_verified_email", "refused_invitation"}
    assert set(json.loads(shown)) == known - made_by_the_hub
