"""Python in Helm values, `hub.extraConfig`: read, and never run.

The chart runs these programs by the order of their names, each with the same `c`; what one assigns, a later one may
replace without a word.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .. import changes
from ..findings import Finding, error, inside, warning
from ..planned_hub import PlannedHub
from ..z2jh.custom import NESTED, OURS
from ..z2jh.values import look_up, programs
from .hooks import HOOKS

_PATH = "hub.extraConfig"
_SECRETS = ("auth_state", "access_token", "id_token", "refresh_token", "api_token", "client_secret")
# Trait → the values that the chart has put there before any of these programs runs.
_FROM_VALUES = {
    "JupyterHub.services": "hub.services",
    "JupyterHub.load_roles": "hub.loadRoles",
    "JupyterHub.template_paths": "hub.templatePaths",
    "JupyterHub.template_vars": "hub.templateVars",
}


@dataclass(frozen=True)
class _Assignment:
    """`c.Section.name = …` in a program; `keeps`: what it assigns is made of what was there."""

    program: str
    order: tuple[int, int]
    trait: str
    keeps: bool

    @property
    def place(self) -> str:
        return f"{self.program}, line {self.order[1]}"


def check_programs(hub: PlannedHub) -> Iterator[Finding]:
    """What can be told of programs in values without running them."""
    values = hub.values or {}
    trees: list[tuple[str, ast.Module]] = []
    for key, text in programs(values).items():
        name = inside(_PATH, key) if key else _PATH
        try:
            trees.append((name, ast.parse(text)))
        except (SyntaxError, ValueError, RecursionError) as mistake:
            line = f", line {mistake.lineno}" if isinstance(mistake, SyntaxError) and mistake.lineno else ""
            message = mistake.msg if isinstance(mistake, SyntaxError) else str(mistake)
            yield error(f"{name}{line}", f"is no Python: {message}.", "Correct it.", "The hub would not start.")
    assigned = [each for order, (name, tree) in enumerate(trees) for each in _assignments(name, tree, order)]
    calls = [(order, line) for order, (_, tree) in enumerate(trees) for line in _calls_of_configure(tree)]
    yield from _hooks(assigned)
    yield from _chosen_here(assigned)
    yield from _replaced(assigned, values)
    yield from _after_the_call(assigned, calls, hub)
    yield from _never_called(values, trees)
    for name, tree in trees:
        yield from _told_to_the_log(name, tree)


def _assignments(program: str, tree: ast.Module, order: int) -> Iterator[_Assignment]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                trait = _trait(target)
                if trait:
                    yield _Assignment(program, (order, node.lineno), trait, _reads(tree, node, trait))


def _trait(node: ast.AST) -> str:
    """`c.Section.name` as `Section.name`; "" for anything else."""
    match node:
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="c"), attr=section), attr=name):
            return f"{section}.{name}"
        case ast.Subscript(
            value=ast.Subscript(value=ast.Name(id="c"), slice=ast.Constant(value=str(section))),
            slice=ast.Constant(value=str(name)),
        ):
            return f"{section}.{name}"
        case ast.Subscript(
            value=ast.Attribute(value=ast.Name(id="c"), attr=section), slice=ast.Constant(value=str(name))
        ):
            return f"{section}.{name}"
    return ""


def _reads(tree: ast.Module, assignment: ast.Assign, trait: str) -> bool:
    """Whether a program looks at what was there: by the trait, or by its name as text, as `get` has it."""
    name = trait.partition(".")[2]
    own = {id(node) for target in assignment.targets for node in ast.walk(target)}
    for node in ast.walk(tree):
        if id(node) in own:
            continue
        if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, ast.Constant) and node.value == name:
            return True
    return False


def _calls_of_configure(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="configure") | ast.Attribute(attr="configure")):
                yield node.lineno


def _hooks(assigned: list[_Assignment]) -> Iterator[Finding]:
    """Hooks that a later program replaces; those of a class and of its subclass are one."""
    last: dict[str, _Assignment] = {}
    for each in sorted(assigned, key=lambda found: found.order):
        hook = each.trait.partition(".")[2]
        if hook not in HOOKS:
            continue
        earlier = last.get(hook)
        if earlier and earlier.program != each.program and not each.keeps:
            yield warning(
                earlier.place,
                f"assigns c.{earlier.trait}, which {each.place} replaces.",
                f"Add both to c.ProfileSpawner.{hook}s by a name, or call the first from the second."
                if hook in ("auth_state_hook", "pre_spawn_hook", "post_stop_hook", "modify_pod_hook")
                else "Call the first from the second.",
                "A hook holds one function: the first one never runs.",
            )
        last[hook] = each


def _chosen_here(assigned: list[_Assignment]) -> Iterator[Finding]:
    """Classes that only a program knows."""
    for each in assigned:
        if each.trait in ("JupyterHub.spawner_class", "JupyterHub.authenticator_class"):
            what = f"assigns c.{each.trait}, which is not known to this check: it runs no Python of values."
            advice = "Name the class in hub.config, or check the file that the hub runs, with --config."
            yield warning(each.place, what, advice, "What depends on the class is checked for another one.")


def _replaced(assigned: list[_Assignment], values: Mapping[str, Any]) -> Iterator[Finding]:
    for each in assigned:
        path = _FROM_VALUES.get(each.trait)
        if path and look_up(values, path) and not each.keeps:
            what = f"assigns c.{each.trait}, and so replaces all of {path}."
            advice = f"Add to it, or write it in {path}."
            yield warning(each.place, what, advice, "What the values say there has no effect.")


def _after_the_call(assigned: list[_Assignment], calls: list[tuple[int, int]], hub: PlannedHub) -> Iterator[Finding]:
    changed = hub.config.get(changes.RECORD, {}).get("changes", {})
    if not calls:
        return
    for each in assigned:
        if each.order > max(calls) and each.trait in changed and not each.keeps:
            what = f"assigns c.{each.trait}, which configure has set before."
            advice = "Give it a name that comes before, or add to the trait."
            yield warning(each.place, what, advice, "What the settings say of it is lost.")
    profiles = "KubeSpawner.profile_list"
    for each in assigned:
        if each.trait == profiles and hub.settings is not None and hub.settings.profiles:
            what = f"assigns c.{profiles}, which has no effect."
            yield warning(each.place, what, "Keep one of them.", "The profiles under custom: hold.")


def _never_called(values: Mapping[str, Any], trees: list[tuple[str, ast.Module]]) -> Iterator[Finding]:
    """Settings of ours, and nothing that reads them."""
    custom = look_up(values, "custom", {})
    ours = sorted({*OURS, NESTED} & custom.keys()) if isinstance(custom, Mapping) else []
    imported = any(
        (isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "hub_extensions")
        or (
            isinstance(node, ast.Import) and any(name.name.partition(".")[0] == "hub_extensions" for name in node.names)
        )
        for _, tree in trees
        for node in ast.walk(tree)
    )
    if ours and not imported:
        what = f"nothing calls configure(c), which reads {', '.join(f'custom.{name}' for name in ours[:4])}."
        advice = "Add a program: from hub_extensions import configure; configure(c)."
        why = "Unless the image of the hub calls it in jupyterhub_config.d, these settings have no effect."
        yield warning(_PATH, what, advice, why)


def _told_to_the_log(name: str, tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"):
            continue
        words = {_word(inner) for argument in node.args for inner in ast.walk(argument)}
        secret = next((word for word in _SECRETS if word in words), "")
        if secret:
            why = "Whoever may read the log may read what people's logins are made of."
            yield warning(f"{name}, line {node.lineno}", f"prints {secret} to the hub's log.", "Remove it.", why)


def _word(node: ast.AST) -> str:
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.Constant(value=str(word)):
            return word
    return ""
