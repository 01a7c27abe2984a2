"""The profile form: from the catalogue to HTML, and from what the browser sends back to options."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from jinja2 import Environment, FileSystemLoader

from hub_extensions.profiles import WRITE_IN, VisibleProfile
from hub_extensions.share import TEMPLATES

WRITTEN_IN = "unlisted-choice"  # the value of a list that says: take what is in the text field beside it


def render(profiles: Sequence[VisibleProfile], notices: Sequence[str], template_paths: Sequence[str] = ()) -> str:
    """The fields of the profile form, without the surrounding `<form>` and its button, which JupyterHub provides."""
    template = _environment(tuple(template_paths)).get_template("hub_extensions/profile_form.html")
    return template.render(profiles=profiles, notices=notices)


@lru_cache(maxsize=8)
def _environment(template_paths: tuple[str, ...]) -> Environment:
    return Environment(loader=FileSystemLoader([*template_paths, TEMPLATES]), autoescape=True)


def options_of(form: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The options that a submitted form asks for; fields of profiles other than the chosen one do not count."""
    slug = next(iter(form.get("profile", ())), "")
    if not slug:
        return {}
    options = {"profile": slug}
    prefix = f"profile-option-{slug}--"
    for field, values in form.items():
        if not field.startswith(prefix) or not values:
            continue
        name = field.removeprefix(prefix)
        if name.endswith(WRITE_IN):
            continue
        written = form.get(field + WRITE_IN, [""])[0]
        if values[0] == WRITTEN_IN:
            options[name + WRITE_IN] = written
        else:
            options[name] = values[0]
    # An option without a list has only the text field.
    for field, values in form.items():
        if field.startswith(prefix) and field.endswith(WRITE_IN) and values:
            name = field.removeprefix(prefix)
            if f"{prefix}{name.removesuffix(WRITE_IN)}" not in form:
                options[name] = values[0]
    return options
