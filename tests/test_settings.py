import subprocess
import sys
import textwrap

import pytest
from traitlets.config import Config

from hub_extensions import configure, settings
from hub_extensions.mistakes import SettingsError


def mistakes_of(text, tmp_path):
    path = tmp_path / "hub.yaml"
    path.write_text(textwrap.dedent(text))
    with pytest.raises(SettingsError) as caught:
        settings.load(path)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_all_mistakes_are_reported_at_once_each_with_its_path_and_the_nearest_known_name(tmp_path):
    found = mistakes_of(
        """
        hub: {titel: Field Station}
        communities:
          ocean-lab: {members: [{group: [ocean]}], until: soon}
        profiles:
          - display_name: Small
            alowed_groups: [ocean-lab]
            profile_options: {image: {choices: {a: {display_name: A, kubespawner_overrides: {}}}}}
          - slug: nameless
        usage: {database: 3}
        brandig: {}
        """,
        tmp_path,
    )
    assert found == [
        "hub.titel: unknown key. Did you mean 'title'?",
        "communities.ocean-lab.members[0].group: unknown key. Did you mean 'groups'?",
        "communities.ocean-lab.until: expected a date such as 2026-01-31, found 'soon'.",
        "usage.database: expected text, found 3.",
        "brandig: unknown key. Did you mean 'branding'?",
        "profiles[0].profile_options.image.choices.a.kubespawner_overrides: unknown key. "
        "Did you mean 'kubespawner_override'?",
        "profiles[0].alowed_groups: unknown key. Did you mean 'allowed_groups'?",
        "profiles[1].display_name: is required and missing.",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hub: [", "line 1, column 7"),
        ("profiles: []\nprofiles: []", "the key 'profiles' stands here twice"),
        ("- a list", "expected a mapping of settings"),
        ("profiles: 3", "profiles: expected a list"),
        ("communities: {a: {members: [{}]}}", "communities.a.members[0]: a rule must name somebody"),
        ("communities: {a: {from: 2026-02-01, until: 2026-01-01}}", "until (2026-01-01) is before from (2026-02-01)"),
        (
            "communities: {a: {until: 2026-02-30}}",
            "communities.a.until: expected a date such as 2026-01-31, found '2026",
        ),
        ("announcements: [{text: A, until: 2026-02-30}]", "announcements[0].until: expected a date such as 2026-01-31"),
        ("communities: {a: {members: [{groups: ocean}]}}", "communities.a.members[0].groups: expected a list"),
        ("quotas: [{resource: cpu, limit: 5, window: day}]", "quotas[0].limit: expected text, found 5"),
        (
            "quotas: [{resource: cpu, limt: 5 CPU-hours, window: day}]",
            "quotas[0].limt: unknown key. Did you mean 'limit'",
        ),
        (
            "communities: {sea: {}}\nquotas: [{communities: [see], resource: cpu, limit: 5 CPU-hours, window: day}]",
            "quotas[0].communities: there is no community 'see'. Did you mean 'sea'?",
        ),
        ("communities: {'a b': {}}", "communities['a b']: is not a name"),
        ("communities: {'x:leads': {}}", "communities['x:leads']: is not a name"),
        ("communities: {Ocean: {}, ocean: {}}", "'Ocean' and 'ocean' are one name"),
        ("communities: {a: {leads: [{invitation: true}]}}", "communities.a: invitation: true needs a database"),
        ("usage: {time_zone: Europe/Zuric}", "usage.time_zone: there is no time zone 'Europe/Zuric'; expected a name"),
        ("usage: {database: usage.sqlite}", "usage.database: the ledger's database cannot be used: "),
        ("usage: {database: 'oracle://hub@db/usage'}", "usage.database: the ledger's database must be sqlite:///"),
        (
            "usage: {database: 'postgresql+nosuch://hub:secret@db/usage'}",
            "usage.database: the ledger's database cannot be",
        ),
        ("usage: {keep_sessions: 2 weeks}", "usage.keep_sessions: expected how long sessions are kept, such as 13"),
        (
            "usage: {keep_sessions: 2 months}\nquotas: [{resource: cpu, limit: 5 CPU-hours, window: 60 days}]",
            "quotas[0].window: '60 days' is longer than sessions are kept. Set usage.keep_sessions.",
        ),
        ("usage: {url: 'hub:10101'}", "usage.url: expected an address such as http://hub:10101"),
        ("profiles: [{display_name: A, profile_options: {i: {unlisted_choice: {validation_regex: '('}}}}]", "regular"),
        ("group_directories: [{groups: [a], mount_path: '/a/{gruop}', sub_path: x}]", "Did you mean 'group'?"),
        ("group_directories: [{group: [a], mount_path: /a/b, sub_path: x}]", "group_directories[0].group: unknown key"),
        ("environment_from_auth_state: {A: '{auth_state.__class__}'}", "environment_from_auth_state.A: '{auth_state."),
        ("environment_from_auth_state: {A-B: x}", "'A-B' is not the name of a variable"),
    ],
)
def test_a_mistake_is_told_in_words(text, found, tmp_path):
    assert found in "\n".join(mistakes_of(text, tmp_path))


@pytest.mark.parametrize("kept", ["13 months", "forever", "2 months"])
def test_sessions_may_be_kept_as_long_as_the_longest_window_of_a_quota_or_longer(kept):
    quotas = [{"resource": "cpu", "limit": "5 CPU-hours", "window": window} for window in ("30 days", "month", "day")]
    loaded = settings.load({"usage": {"keep_sessions": kept}, "quotas": quotas})
    assert loaded.usage.keep_sessions == kept


def test_a_missing_file_is_one_mistake_that_names_it():
    with pytest.raises(SettingsError, match=r"nowhere\.yaml: there is no such file\."):
        settings.load("nowhere.yaml")


def test_a_mistake_in_the_address_of_the_database_does_not_tell_its_password():
    for wrong in ("postgresql+nosuch://hub:secret@db/usage", "oracle://hub:secret@db/usage", "hub:secret@db"):
        with pytest.raises(SettingsError) as caught:
            settings.load({"usage": {"database": wrong}})
        assert "secret" not in str(caught.value)


def test_what_somebody_wrote_is_not_repeated_at_length():
    with pytest.raises(SettingsError) as caught:
        settings.load({"usage": {"database": ["x" * 1000]}})
    assert len(str(caught.value)) < 200


def test_mistakes_end_the_hub_before_anything_is_configured(tmp_path):
    (tmp_path / "hub.yaml").write_text("hub: {titel: A}\nprofiles: 3\n")
    (tmp_path / "config.py").write_text("from hub_extensions import configure\nconfigure(c, 'hub.yaml')\n")
    ended = subprocess.run(
        [sys.executable, "-m", "jupyterhub", "-f", "config.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines() == [
        "hub.yaml: 2 mistakes",
        "  hub.titel: unknown key. Did you mean 'title'?",
        "  profiles: expected a list of profiles, found 3.",
    ]


def test_configuring_with_a_mistake_changes_nothing():
    c = Config()
    with pytest.raises(SystemExit):
        configure(c, {"hub": {"title": "A", "config": {"JupyterHub": {"ip": "127.0.0.1"}}}, "profles": []})
    assert c == Config()


def test_a_section_that_is_left_empty_is_one_that_is_not_there():
    assert settings.load({"profiles": None, "hub": None, "usage": {"database": None}}) == settings.load({})
