"""The settings as a JSON Schema, for editors, and for the `values.schema.json` of a Helm chart.

It is made of the models that check the settings. It follows draft-07, which every Helm and every editor reads; what it
uses of it means the same in later drafts.
"""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema

from .catalogue import Choice, Option, Profile
from .node_sizes import NodeShares
from .settings import Settings

DRAFT = "http://json-schema.org/draft-07/schema#"
KEPT = Path(__file__).with_name("settings.schema.json")

Schema = dict[str, Any]

# The grammar as it is written: before `node_sizes` puts in the sizes that profiles, options and choices name.

_SIZE = "One of the settings' `sizes`; `kubespawner_override` is laid over it."

# Sizes give the choices of an option their names; without them, each choice has one of its own.
_CHOICES_HAVE_NAMES: Schema = {
    "if": {"not": {"required": ["sizes"]}},
    "then": {"properties": {"choices": {"additionalProperties": {"required": ["display_name"]}}}},
}


class Size(BaseModel):
    """One size: traits of the spawner, such as `mem_limit` and `cpu_limit`, and what people read."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"not": {"required": ["node_type"]}})

    display_name: str = ""
    """What people read; else the size in words."""
    description: str = ""
    """More about it, for people."""


class SizedChoice(Choice):
    """One entry of an option's list."""

    display_name: str = ""
    size_by_name: str = Field("", alias="size", description=_SIZE)


class SizedOption(Option):
    """One thing to choose within a profile, such as the image or the size."""

    model_config = ConfigDict(json_schema_extra=_CHOICES_HAVE_NAMES)

    choices: dict[str, SizedChoice] | None = Field({})  # type: ignore[assignment]
    sizes: str | tuple[str, ...] = ()
    """Names of the settings' `sizes`, whose choices it has."""


class SizedProfile(Profile):
    """One environment that people can start."""

    profile_options: dict[str, SizedOption] | None = Field({})  # type: ignore[assignment]
    size_by_name: str = Field("", alias="size", description=_SIZE)


class WrittenSettings(Settings):
    """The settings of a JupyterHub with hub-extensions."""

    profiles: tuple[SizedProfile, ...] | dict[str, SizedProfile] = ()
    sizes: dict[str, NodeShares | Size] = Field({})


# Values of a chart. Whatever is not named here is another's, and may be anything.


class Custom(WrittenSettings, extra="allow"):
    """The settings, and whatever other tools read."""

    nested: WrittenSettings | None = Field(None, alias="hubExtensions")


class Singleuser(BaseModel):
    """People's servers."""

    profile_list: tuple[Profile, ...] | dict[str, Profile] | None = Field(None, alias="profileList")


class Chart(BaseModel):
    """Values of Zero to JupyterHub."""

    custom: Custom | None = None
    singleuser: Singleuser | None = None


class Values(Chart):
    """Values of Zero to JupyterHub, or of a chart around it."""

    inner: Chart | None = Field(None, alias="jupyterhub")


def settings_schema() -> Schema:
    """The schema of a settings file."""
    return _schema_of(WrittenSettings)


def helm_schema() -> Schema:
    """The schema of a values file of Zero to JupyterHub, or of a chart around it, as far as it is about the settings.

    It forbids no key that is another's: neither beside `custom` nor in it.
    """
    return _schema_of(Values)


def _schema_of(model: type[BaseModel]) -> Schema:
    made = model.model_json_schema(ref_template="#/definitions/{model}", schema_generator=_Described)
    definitions = made.pop("$defs")
    return {"$schema": DRAFT, **made, "definitions": definitions}


class _Described(GenerateJsonSchema):
    """Takes what stands below a field in the source as its description, and leaves out titles, which repeat names."""

    def model_schema(self, schema: Any) -> Schema:
        made = super().model_schema(schema)
        made.pop("title", None)
        # The rest is for readers of the source; of fields, each has a description of its own.
        made["description"] = " ".join(made["description"].partition("\n\n")[0].split())
        model: type[BaseModel] = schema["cls"]
        for name, text in _texts_of(model).items():
            field = model.model_fields[name]
            made["properties"][field.alias or name].setdefault("description", text)
        return made

    def dict_schema(self, schema: Any) -> Schema:
        """A name that does not fit the pattern of names is wrong, not anything."""
        made = super().dict_schema(schema)
        return {**made, "additionalProperties": False} if "patternProperties" in made else made

    def default_schema(self, schema: Any) -> Schema:
        """A default that is a section, a list or null only says that nothing is set."""
        made = super().default_schema(schema)
        if isinstance(made.get("default"), (dict, list)) or made.get("default", "") is None:
            del made["default"]
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic passes it
        return False


def _texts_of(model: type[BaseModel]) -> dict[str, str]:
    """What stands below each field, in the source of the class that has it."""
    told: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        module = inspect.getmodule(kind)
        if module and issubclass(kind, BaseModel) and kind is not BaseModel:
            told |= _texts_in(module).get(kind.__name__, {})
    return {name: " ".join(text.split()) for name, text in told.items() if name in model.model_fields}


@cache
def _texts_in(module: ModuleType) -> dict[str, dict[str, str]]:
    """By class, what stands below its fields. It is read when asked for: a hub that starts has no use for it."""
    classes = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.ClassDef)]
    return {node.name: dict(_texts_below(node)) for node in classes}


def _texts_below(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for each, below in zip(node.body, node.body[1:], strict=False):
        match each, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, text
