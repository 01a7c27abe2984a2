"""The profile form: from the catalogue to HTML, and from what the browser sends back to options."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from jinja2 import Environment, FunctionLoader

from hub_extensions.offer import Offer
from hub_extensions.profiles import WRITE_IN
from hub_extensions.share import TEMPLATES

WRITTEN_IN = "unlisted-choice"  # the value of a list that says: take what is in the text field beside it
BUILT = "built-image"  # the value of a list that says: take the image that was built, a write-in that nobody types


def render(
    offer: Offer,
    titles: Mapping[str, str],
    notices: Sequence[str] = (),
    builder: str = "",
    quotas: Sequence[tuple[str, bool]] = (),
) -> str:
    """The fields of the profile form, without the surrounding `<form>` and its button, which JupyterHub provides.

    `titles` are those of communities, by name; `notices` are told before those of the offer; `builder` is the name of
    the hub's service that builds images, "" if there is none. `quotas` are sentences of what the person has left, each
    with whether it is little.
    """
    template = _templates().get_template("hub_extensions/profile_form.html")
    used = any(option.build for profile in offer.profiles for option in profile.options)
    return template.render(
        profiles=offer.profiles,
        notices=[*notices, *offer.notices],
        community_titles=titles,
        builder=builder if used else "",
        quotas=quotas,
    )


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(loader=FunctionLoader(_without_indentation), autoescape=True)


def _without_indentation(name: str) -> str:
    """The text of a template. What indents a choice would be sent a thousand times in a page of a thousand choices."""
    lines = (TEMPLATES / name).read_text(encoding="utf-8").split("\n")
    return "\n".join(line.lstrip() for line in lines)


def options_of(form: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The options that a submitted form asks for; fields of profiles other than the chosen one do not count.

    Without a profile they are its fields as they are, which nobody offers: only a form without any of them is empty.
    """
    slug = next(iter(form.get("profile", ())), "")
    if not slug:
        return {field: next(iter(values), "") for field, values in form.items() if field.startswith("profile")}
    options = {"profile": slug}
    prefix = f"profile-option-{slug}--"
    for field, values in form.items():
        if not field.startswith(prefix) or not values:
            continue
        name = field.removeprefix(prefix)
        if name.endswith((WRITE_IN, f"--{BUILT}")):
            continue
        if values[0] in (WRITTEN_IN, BUILT):
            options[name + WRITE_IN] = form.get(f"{field}--{values[0]}", [""])[0]
        else:
            options[name] = values[0]
    # An option without a list has only the text field.
    for field, values in form.items():
        if field.startswith(prefix) and field.endswith(WRITE_IN) and values:
            name = field.removeprefix(prefix)
            if f"{prefix}{name.removesuffix(WRITE_IN)}" not in form:
                options[name] = values[0]
    return options


def options_of_link(query: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The options that a link asks for: `?opt-profile=ocean&opt-image=xarray`, or with the names of the form's fields.

    The prefix `opt-` may be left out, as in JupyterHub 5.
    """
    fields = {name.removeprefix("opt-"): values for name, values in query.items() if values}
    short = {name: values[0] for name, values in fields.items() if not name.startswith("profile-option-")}
    return {**short, **options_of(fields)} if "profile" in fields else {}
