"""What a hub is told of the usage service."""

import pytest

from hub_extensions.usage_service import UsageSettings, registration

SETTINGS = UsageSettings(
    database="postgresql://hub:secret@db/usage",
    hub="ocean",
    title="Ocean “Hub”",
    time_zone="Europe/Berlin",
    template_paths=("/etc/pages",),
    communities={"ocean-lab": "Ocean Lab"},
    branding={"primary_color": "#123456"},
    community_branding={"ocean-lab": {"logo": "https://example.org/l.svg"}},
    keep_sessions="2 years",
)


def test_the_service_reads_what_the_hub_wrote() -> None:
    assert UsageSettings.read(SETTINGS.environment()) == SETTINGS


def test_options_win_over_the_environment_and_empty_ones_do_not() -> None:
    read = UsageSettings.read(SETTINGS.environment(), title="Other", hub=None, template_paths=())
    assert (read.title, read.hub, read.template_paths) == ("Other", "ocean", ("/etc/pages",))


def test_settings_of_another_version_are_named_as_such() -> None:
    with pytest.raises(ValueError, match="written by another version"):
        UsageSettings.read({"HUB_EXTENSIONS_DATABASE": "sqlite:///u", "HUB_EXTENSIONS_USAGE": '{"nosuch": 1}'})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"database": ""}, "has no database"),
        ({"time_zone": "x"}, "time zone"),
        ({"keep_sessions": "long"}, "expected how long"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        UsageSettings(**{"database": "sqlite:///u", **wrong})


def test_the_password_of_the_database_is_not_on_the_command_line() -> None:
    service = registration(SETTINGS, url="http://hub:9000").service
    assert not [word for word in service["command"] if "secret" in word]
    assert service["url"] == "http://hub:9000"
