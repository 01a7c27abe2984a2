"""Variables of a server's environment that are filled in from its owner's auth_state.

- A template looks things up by key, `{auth_state[github_user][login]}`, in plain mappings and lists, and nowhere else.
- What is missing leaves its variable out; a variable is never half filled in.
- What was looked up is taken as it is: no brace, percent or dollar sign in it has a meaning.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator

from .placeholders import Placeholder, parsed

LONGEST_VALUE = 2**17 - 1  # bytes of `NAME=value` that Linux passes to a process
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_NOTHING = object()


def _template(text: str) -> str:
    for part in parsed(text):
        if isinstance(part, Placeholder) and (part.name != "auth_state" or not part.keys):
            raise ValueError(f"unknown placeholder {part}. Look up a key: {{auth_state[github_user][login]}}.")
    return text


def _variables(templates: dict[str, str]) -> dict[str, str]:
    for name in templates:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a variable: letters, digits and _ only.")
        if name.startswith("JUPYTERHUB_"):
            raise ValueError(f"{name!r} is a variable that the hub itself sets.")
    return templates


# Name of a variable → template.
Templates = Annotated[dict[str, Annotated[str, AfterValidator(_template)]], AfterValidator(_variables)]


@dataclass(frozen=True)
class Filled:
    """The variables, and for each that was left out the reason, which holds nothing of what auth_state says."""

    variables: Mapping[str, str]
    left_out: Mapping[str, str]


def fill_in(
    templates: Mapping[str, str], auth_state: Any, quoted: Callable[[str], str] = lambda value: value
) -> Filled:
    """The variables of someone whose auth_state this is, which may be None.

    `quoted` turns what was looked up into what keeps it unchanged where the environment is expanded once more.
    """
    variables: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for name, template in templates.items():
        value = ""
        for part in parsed(template):
            if isinstance(part, str):
                value += part
                continue
            found = _look_up(auth_state, part.keys)
            if found is _NOTHING:
                left_out[name] = f"there is no {part}"
                break
            value += quoted(_as_text(found))
        else:
            if "\0" in value or len(name) + 1 + len(value.encode()) > LONGEST_VALUE:
                left_out[name] = "its value cannot stand in an environment: it is too long, or has a null character"
            else:
                variables[name] = value
    return Filled(variables, left_out)


def _look_up(found: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        if isinstance(found, Mapping) and key in found:
            found = found[key]
        elif isinstance(found, (list, tuple)) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            return _NOTHING
    return _NOTHING if found is None else found


def _as_text(value: Any) -> str:
    """Text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
