"""Servers that are processes: what of a profile they can honour."""

from ..hub import running_hub

PROFILES = [
    {
        "display_name": "Ocean",
        "kubespawner_override": {"mem_limit": "2G", "environment": {"A": "1"}, "default_url": "/lab"},
        "profile_options": {
            "image": {
                "choices": {"a": {"display_name": "A", "kubespawner_override": {"image": "a:1"}}},
                "unlisted_choice": {"enabled": True, "kubespawner_override": {"image_pull_policy": "{value}"}},
            }
        },
    },
    {"display_name": "Ice", "kubespawner_override": {"node_selector": {"a": "b"}, "image": "b:1"}},
]


async def log_of_a_hub(caplog, profile_list, **spawner):
    config = {
        "JupyterHub": {"spawner_class": "profile-local"},
        "ProfileLocalSpawner": {"profile_list": profile_list, **spawner},
    }
    async with running_hub(config) as hub:
        for name in ("ada", "ben"):
            await (await hub.login(name)).get("home")
    return [record.getMessage() for record in caplog.records if "processes" in record.getMessage()]


async def test_what_only_kubernetes_can_honour_is_told_once_for_the_whole_hub(caplog):
    assert await log_of_a_hub(caplog, PROFILES) == [
        "ProfileLocalSpawner starts processes, and does not apply "
        "image, image_pull_policy, mem_limit, node_selector of the profiles."
    ]


async def test_nothing_is_told_where_everything_is_applied(caplog):
    profiles = [{"display_name": "A", "kubespawner_override": {"environment": {"A": "1"}}}]
    assert await log_of_a_hub(caplog, profiles) == []
    assert await log_of_a_hub(caplog, lambda spawner: PROFILES) == []
