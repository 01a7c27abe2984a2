"""Hooks: traits that hold one function each, so that of two only one runs."""

from collections.abc import Iterator

from ..additions import sections
from ..findings import Finding, warning
from ..planned_hub import PlannedHub
from ..spawner_traits import class_of

HOOKS = (
    "auth_state_hook",
    "modify_auth_state_hook",
    "modify_pod_hook",
    "after_pod_created_hook",
    "post_auth_hook",
    "post_stop_hook",
    "pre_spawn_hook",
    "progress_ready_hook",
    "reconcile_auth_state_hook",
    "refresh_user_hook",
    "group_overrides",
    "options_form",
)


def check_hooks(hub: PlannedHub) -> Iterator[Finding]:
    """Hooks that are set for two classes of one object: the more specific class wins."""
    there = sections(hub.config)
    jupyterhub = there.get("JupyterHub", {})
    for trait, group in (
        ("spawner_class", "jupyterhub.spawners"),
        ("authenticator_class", "jupyterhub.authenticators"),
    ):
        cls = class_of(jupyterhub.get(trait), group)
        names = [base.__name__ for base in cls.__mro__] if cls else []
        for hook in HOOKS:
            first, *hidden = [name for name in names if there.get(name, {}).get(hook) is not None] or [""]
            for name in hidden:
                yield warning(
                    f"c.{name}.{hook}",
                    f"never runs: c.{first}.{hook} is set too.",
                    "Call one from the other, or add named hooks to c.ProfileSpawner.pre_spawn_hooks and the like.",
                    "Of functions set for two classes of one object, only the one of the more specific class counts.",
                )
