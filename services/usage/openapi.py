"""The OpenAPI document, made from the operations and their models, so that it says what they do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from pydantic.json_schema import models_json_schema

from .api_models import Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import BaseModel

    from .api import Operation

_REFERENCES = "#/components/schemas/{model}"
_DESCRIPTION = """What people used on this hub, as its pages show it, for programs.

Every call needs a token of the hub, sent as `Authorization: Bearer TOKEN`, that has the scope
`access:services!service={service}`. What it shows depends on the token's other scopes: everybody sees themselves;
`custom:usage:read!group=NAME` shows a community to its leads; `custom:usage:read`, or what JupyterHub's admins have,
shows the hub. Cookies are not accepted. Nothing can be changed here."""
_PROBLEMS = {
    "400": "A parameter is wrong; the message says which.",
    "401": "There is no token, or it is not valid.",
    "403": "The token does not show this.",
    "404": "What the parameters name does not exist.",
    "503": "The hub or the ledger does not answer just now.",
}


def document(
    operations: Iterable[type[Operation[Any]]], title: str, version: str, server: str, service: str
) -> dict[str, Any]:
    """Return the document of the operations; ``server`` is the path below which they are."""
    operations = list(operations)
    models: list[type[BaseModel]] = [Error, *(each.Answer for each in operations if each.Answer)]
    references, definitions = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_REFERENCES
    )
    schemas = {**definitions["$defs"]}
    for each in operations:
        schemas.update(_named(each.name, each.answer_schema))
    problem = {"application/json": {"schema": references[Error, "serialization"]}}

    def operation(each: type[Operation[Any]]) -> dict[str, Any]:
        answered: dict[str, Any] = {"schema": {"$ref": _REFERENCES.format(model=each.name)}}
        if each.Answer:
            answered = {"schema": references[each.Answer, "serialization"]}
        content = {"application/json": answered, **{kind: {"schema": {"type": "string"}} for kind in each.also}}
        return {
            "operationId": each.name,
            "summary": each.summary,
            "parameters": [*_path_parameters(each), *_parameters(each.Query)],
            "responses": {
                "200": {"description": each.summary, "content": content},
                **{status: {"description": told, "content": problem} for status, told in _PROBLEMS.items()},
            },
        }

    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": _DESCRIPTION.replace("{service}", service)},
        "servers": [{"url": server.rstrip("/")}],
        "security": [{"token": []}],
        "paths": {f"/{each.path}": {"get": operation(each)} for each in operations},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "A token of the hub"}},
            "schemas": schemas,
        },
    }


def _path_parameters(operation: type[Operation[Any]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in operation.path_parameters.items()
    ]


def _parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    """Return the fields of a query as parameters; a list is one that may stand there several times."""
    found = []
    for name, schema in query.model_json_schema().get("properties", {}).items():
        plain = _not_null(schema)
        told = {key: plain.pop(key) for key in ("description",) if key in plain}
        found.append({"name": name, "in": "query", "required": False, **told, "schema": plain})
    return found


def _not_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema without the null that stands for a parameter that is left out: no address can say it."""
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    if rest.get("default", ...) is None:
        del rest["default"]
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return {**rest, **(kinds[0] if kinds else {})}


def _named(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that is no model's, and its definitions, as components whose names begin with that name."""
    if not schema:
        return {}
    moved = json.dumps(schema).replace("#/$defs/", _REFERENCES.format(model=f"{name}_"))
    whole = cast("dict[str, Any]", json.loads(moved))
    definitions = whole.pop("$defs", {})
    rest = {key: value for key, value in whole.items() if key not in ("$schema", "$id")}
    return {name: rest, **{f"{name}_{key}": value for key, value in definitions.items()}}
