"""The pages of the reference that are made of the code: settings, and traits of the plug-ins."""

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from inspect import cleandoc, getdoc
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

from traitlets import Undefined
from traitlets.config import Configurable

import hub_extensions
from hub_extensions.schema import settings_schema

_GROUPS = ("jupyterhub.spawners", "jupyterhub.authenticators")
_NAMES = {"SizedProfile": "Profile", "SizedOption": "Option", "SizedChoice": "Choice"}
_KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "",
    "object": "mapping",
    "array": "list",
}


def write(folder: Path) -> None:
    """Write the pages, each only if it is another than before, so that Sphinx need not read it again."""
    folder.mkdir(exist_ok=True)
    for name, text in {"settings": settings_page(), "traits": traits_page()}.items():
        page = folder / f"{name}.md"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def settings_page() -> str:
    """All settings, with types and defaults, as the schema has them."""
    schema = settings_schema()
    definitions = schema.pop("definitions")
    parts = [
        "# Settings\n",
        "What `configure` reads: a YAML file, a mapping, or what stands under `custom:` in Helm values. "
        "`hub-extensions` prints the same for editors, by its command `schema`. A key that is not listed here stops "
        "the start, with the name that was probably meant.\n",
        _table(schema),
    ]
    for name in _in_order(schema, definitions):
        parts += [f"({_anchor(name)})=\n## {_title(name)}\n", definitions[name]["description"] + "\n"]
        parts.append(_table(definitions[name]))
    return "\n".join(parts)


def traits_page() -> str:
    """All traits of the plug-ins, by the class that has them."""
    parts = [
        "# Plug-ins and their traits\n",
        "Each plug-in can be used without `configure`, by its name, and has the traits of the classes beside it. A "
        "trait is set for any of these classes: `c.PodFeatures.blocked_ports`, or "
        "`c.ProfileKubeSpawner.blocked_ports`.\n",
        "| plug-in | class | traits of |\n|---|---|---|",
    ]
    known = configurables()
    for group in _GROUPS:
        for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
            if entry.value.startswith("hub_extensions."):
                kind = entry.load()
                of = [f"[{each.__name__}](#{each.__name__.lower()})" for each in kind.__mro__ if each in known]
                parts.append(f"| `{entry.name}` | `{kind.__name__}` | {', '.join(of)} |")
    parts.append("")
    for kind in known:
        parts += [f"## {kind.__name__}\n", _prose(getdoc(kind) or "") + "\n"]
        for name, trait in sorted(kind.class_own_traits(config=True).items()):
            default = _default(trait)
            parts += [
                f"### c.{kind.__name__}.{name}\n",
                f"*{_kind(trait)}*{f', by default `{default}`' if default else ''}\n",
                _prose(cleandoc(trait.help)) + "\n",
            ]
    return "\n".join(parts)


def configurables() -> list[type[Configurable]]:
    """The classes of this package that have traits of their own to configure, by name."""
    found = set()
    for module in walk_packages(hub_extensions.__path__, "hub_extensions."):
        if module.name.endswith((".__main__", ".env")):  # a program, and what Alembic runs inside itself
            continue
        for kind in vars(import_module(module.name)).values():
            if isinstance(kind, type) and issubclass(kind, Configurable) and kind.__module__.startswith("hub_ext"):
                found.add(kind)
    return sorted((kind for kind in found if kind.class_own_traits(config=True)), key=lambda kind: kind.__name__)


def _kind(trait: Any) -> str:
    return str(type(trait).__name__)


def _default(trait: Any) -> str:
    """The default as Python writes it; nothing where it is computed."""
    value = trait.default_args[0] if getattr(trait, "default_args", None) else trait.default_value
    if value is Undefined or value is None or callable(value):
        return ""
    return repr(value)


def _prose(text: str) -> str:
    """Help as Markdown: what follows a `::` is indented, which is code in both."""
    return text.replace("::\n", ":\n")


def _in_order(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    """The definitions in the order in which they are first referred to."""
    seen: dict[str, None] = {}

    def walk(part: Any) -> None:
        if isinstance(part, list):
            for each in part:
                walk(each)
        if isinstance(part, dict):
            name = part.get("$ref", "").rpartition("/")[2]
            if name and name not in seen:
                seen[name] = None
                walk(definitions[name])
            for each in part.values():
                walk(each)

    walk(schema)
    return iter(seen)


def _title(name: str) -> str:
    """A heading for a definition; two that are called alike are told apart by where they are."""
    if "__" in name:
        _, module, name = name.rsplit("__", 2)
        return f"{name} ({module})"
    return _NAMES.get(name, name)


def _anchor(name: str) -> str:
    return f"settings-{name.lower().replace('_', '-')}"


def _table(schema: dict[str, Any]) -> str:
    rows = ["| key | type | default | what it does |", "|---|---|---|---|"]
    for key, value in schema["properties"].items():
        needed = "**needed**" if key in schema.get("required", ()) else ""
        default = f"`{_written(value['default'])}`" if value.get("default") not in (None, "", False) else needed
        rows.append(f"| `{key}` | {_type(value)} | {default} | {value['description'].replace('|', '&#124;')} |")
    return "\n".join(rows) + "\n"


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _type(value: dict[str, Any]) -> str:
    """The type of a value in words, with links to the sections of the page."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{_title(name)}](#{_anchor(name)})"
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(filter(None, map(_type, value["anyOf"]))))
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"])
    if value.get("format") == "date":
        return "date"
    kind = _KINDS[value["type"]]
    inner = (
        value.get("items")
        or value.get("additionalProperties")
        or next(iter(value.get("patternProperties", {}).values()), 0)
    )
    if isinstance(inner, dict) and value["type"] in ("array", "object"):
        return f"{'list of' if value['type'] == 'array' else 'mapping of names to'} {_type(inner)}"
    return kind
