"""Pages of an operator's own: folders that are not there, and pages that hide what people have to read."""

from collections.abc import Iterator
from pathlib import Path

import jinja2
from jinja2 import nodes

from ..additions import listed
from ..findings import Finding, error, warning
from ..planned_hub import PlannedHub
from ..share import TEMPLATES

_MESSAGES = frozenset({"message", "message_html", "exception"})


def check_templates(hub: PlannedHub) -> Iterator[Finding]:
    """What is wrong with folders of pages; those of values are inside an image, where they cannot be looked at."""
    if hub.values is not None:
        return
    ours = {page.name for page in TEMPLATES.glob("*.html")}
    for index, folder in enumerate(listed(hub.config, "template_paths")):
        place = f"c.JupyterHub.template_paths[{index}]"
        if Path(folder) == TEMPLATES:
            return  # the first folder that has a page wins: later ones hide none of ours
        if not Path(folder).is_dir():
            why = "JupyterHub passes over it without a word, and shows other pages."
            yield warning(place, f"{folder} is no folder.", "Correct the path, or remove it.", why)
            continue
        for page in sorted(Path(folder).glob("*.html")):
            yield from _page(page, ours)


def _page(page: Path, ours: set[str]) -> Iterator[Finding]:
    try:
        tree = jinja2.Environment(autoescape=True).parse(page.read_text(encoding="utf-8"))
    except jinja2.TemplateSyntaxError as mistake:
        why = "People see an error in its place."
        yield error(f"{page}, line {mistake.lineno}", f"is no template: {mistake.message}.", "Correct it.", why)
        return
    except (OSError, UnicodeDecodeError) as failure:
        yield error(str(page), f"cannot be read: {failure}.", "Correct it.", "People see an error in its place.")
        return
    if page.name in ours and not any(tree.find_all((nodes.Extends, nodes.Include))):
        yield warning(
            str(page),
            "replaces a page as a whole.",
            f'Begin it with {{% extends "templates/{page.name}" %}}, and write only the blocks that differ.',
            "What later versions mend or add, of JupyterHub or of hub-extensions, is not on it.",
        )
    if page.name in ("error.html", "403.html") and _hides_reason(tree, always=page.name == "403.html"):
        yield warning(
            str(page),
            "says the same of every refusal (403), and not why.",
            "Show {{ message }}, or leave the block error_detail as it is.",
            "Somebody who may log in, but not start a profile, is told that the account is not allowed.",
        )


def _hides_reason(tree: nodes.Template, *, always: bool) -> bool:
    """Whether a refusal is shown without its message: in a block, or in the part of one that is for 403 alone."""
    block: nodes.Node | None = next((each for each in tree.find_all(nodes.Block) if each.name == "error_detail"), None)
    if block is None:
        if any(tree.find_all(nodes.Extends)):
            return False
        block = tree
    if not _tells(block):
        return True
    return not always and any(_hides_in(branches, block) for branches in _conditions(block))


def _conditions(block: nodes.Node) -> Iterator[list[nodes.If]]:
    """The branches of each condition, from its first `if` to its last `elif`."""
    found = list(block.find_all(nodes.If))
    later = {id(branch) for condition in found for branch in condition.elif_}
    yield from ([condition, *condition.elif_] for condition in found if id(condition) not in later)


def _hides_in(branches: list[nodes.If], block: nodes.Node) -> bool:
    """Whether one branch is for 403 and shows no message, before any branch asked whether there is one."""
    inside = sum(_mentions(branch) for branch in branches[:1])
    if inside < _mentions(block):
        return False  # it is shown beside the condition
    for branch in branches:
        if _names(branch.test) & _MESSAGES:
            return False
        asked = [const.value for const in branch.test.find_all(nodes.Const)]
        if 403 in asked and "status_code" in _names(branch.test):
            return not any(map(_tells, branch.body))
    return False


def _tells(node: nodes.Node) -> bool:
    """Whether a message is shown, or what the page below shows."""
    return bool(_names(node) & {*_MESSAGES, "super"})


def _mentions(node: nodes.Node) -> int:
    return sum(name.name in {*_MESSAGES, "super"} for name in node.find_all(nodes.Name))


def _names(node: nodes.Node) -> set[str]:
    own = {node.name} if isinstance(node, nodes.Name) else set()
    return own | {name.name for name in node.find_all(nodes.Name)}
