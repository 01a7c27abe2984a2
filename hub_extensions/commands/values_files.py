"""Reading Helm values files, as Helm reads them."""

from pathlib import Path
from typing import Any

import click
import yaml

from .mistaken_call import CalledWrongly

_TEXT = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")


class _HelmLoader(yaml.CSafeLoader):
    """YAML as Helm reads it: an unquoted date, such as the tag of an image, is text, and so is a lone `=`."""


_HelmLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _TEXT]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read_values(path: Path) -> dict[str, Any]:
    """The values in a file, `-` being the standard input.

    Raises CalledWrongly, with the place of what is no YAML.
    """
    try:
        with click.open_file(str(path), encoding="utf-8") as file:
            values = yaml.load(file, Loader=_HelmLoader)  # noqa: S506 - a subclass of the safe loader
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise _wrong(path, "is not text in UTF-8.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise _wrong(path, f"is not valid YAML{place}: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise _wrong(path, f"is not valid YAML: {str(error).splitlines()[0]}.") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise _wrong(path, "holds no mapping of values at its top.")
    return {_key(key): _as_json(value) for key, value in values.items()}


def _wrong(path: Path, what: str) -> CalledWrongly:
    return CalledWrongly(f"{path} {what}")


def _as_json(value: Any) -> Any:
    """The value with the keys that it has in JSON, through which Helm passes it: all of them are text."""
    if isinstance(value, dict):
        return {_key(key): _as_json(inner) for key, inner in value.items()}
    return [_as_json(inner) for inner in value] if isinstance(value, list) else value


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
