"""The check of names in a catalogue: can a form, a link and a request tell apart what they stand for?

A form names its fields `profile-option-SLUG--OPTION`, of which `--` has to be the first.
"""

from collections.abc import Iterator

from .catalogue import Profile
from .findings import Finding, error, inside
from .profiles import COMMUNITY

_OPTIONS = {
    "profile": "it is the key under which the profile itself is asked for",
    COMMUNITY: "it is the key under which the community is asked for",
    "user_options": "JupyterHub takes what stands under this key for all options",
    "display_name": "JupyterHub takes what stands under this key for the name of a server",
    "next": "JupyterHub takes it out of a link, for the page that comes after",
    "_xsrf": "JupyterHub takes it out of a form, which it protects",
}
_CHOICES = {
    "unlisted-choice": "it stands for what is written in",
    "built-image": "it stands for an image that was built",
}


def check_names(profile: Profile, place: str) -> Iterator[Finding]:
    """What is wrong with the slug of a profile, and with the names of its options and of their choices."""
    slug = profile.slug
    if slug:
        at_slug = inside(place, "slug")
        yield from _one_line(slug, at_slug)
        if "--" in slug or slug.endswith("-"):
            yield error(
                at_slug,
                f"{slug!r} has -- in it, or - at its end, so fields of a form would be mistaken for others.",
                "Use single dashes between letters or digits; what it was goes to aliases.",
            )
    for name, option in profile.profile_options.items():
        at_option = inside(place, "profile_options", name)
        yield from _one_line(name, at_option)
        if name in _OPTIONS:
            yield error(at_option, f"an option cannot be called {name!r}: {_OPTIONS[name]}.", "Choose another name.")
        if "--" in name or name.startswith("-"):
            yield error(
                at_option,
                f"{name!r} has -- in it, or - at its beginning, so fields of a form would be mistaken for others.",
                "Use single dashes between letters or digits.",
            )
        for key in option.choices:
            at_choice = inside(at_option, "choices", key)
            yield from _one_line(key, at_choice)
            if key in _CHOICES:
                yield error(at_choice, f"a choice cannot be called {key!r}: {_CHOICES[key]}.", "Choose another name.")


def _one_line(name: str, place: str) -> Iterator[Finding]:
    if not name:
        yield error(place, "has an empty name.", "Write one.")
    elif not name.isprintable():
        yield error(place, f"{name!r} is not one line of text.", "Write it without tabs and line breaks.")
