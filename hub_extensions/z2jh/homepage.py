"""What basehub's login page says of a hub, as a brand: `custom.homepage`."""

from collections.abc import Iterator
from typing import Any

from ..findings import Finding, warning
from .basehub_values import Homepage, Party
from .markup import said
from .parts import Part

_PATH = "custom.homepage.templateVars"
_TEMPLATES = "/usr/local/share/jupyterhub/custom_templates"
_THEIR_PAGES = "https://github.com/2i2c-org/default-hub-homepage"


def homepage(values: Homepage) -> Part:
    """The hub's title, brand and announcements, with what of the page is not shown."""
    findings = [*_of_repository(values)]
    shown = values.template_vars
    if not shown.enabled:
        return Part(findings=tuple(findings))
    settings: dict[str, Any] = {}
    branding: dict[str, Any] = {}
    places: dict[str, str] = {}

    def place(path: str, key: str) -> None:
        places[path] = f"{_PATH}.{key}"

    if shown.org.name:
        settings["hub"] = {"title": shown.org.name}
        place("hub.title", "org.name")
    if shown.org.logo_url:
        branding["logo"] = shown.org.logo_url
        place("branding.logo", "org.logo_url")
    if shown.operated_by.name:
        branding["organisation"] = _named(shown.operated_by)
        place("branding.organisation", "operated_by")
    funders, doubts = _parties(shown.funded_by, "funded_by")
    findings += doubts
    if funders:
        branding["funders"] = funders
        for index in range(len(funders)):
            place(f"branding.funders[{index}]", "funded_by.custom_html" if shown.funded_by.custom_html else "funded_by")
    links: list[dict[str, str]] = []
    for key, party, words in (
        ("org", shown.org, "{}"),
        ("designed_by", shown.designed_by, "Designed by {}"),
    ):
        if party.name and party.url:
            place(f"branding.links[{len(links)}]", key)
            links.append({"text": words.format(party.name), "url": party.url})
    if shown.redirect_to:
        place(f"branding.links[{len(links)}].url", "redirect_to")
        links.append({"text": f"About {shown.org.name or 'this hub'}", "url": shown.redirect_to})
    more = said(shown.learn_more)
    for words, address in more.links:
        place(f"branding.links[{len(links)}]", "learn_more")
        links.append({"text": words, "url": address})
    if links:
        branding["links"] = links
    announced = [said(text) for text in shown.announcements]
    if announced:
        settings["announcements"] = [{"text": each.text} for each in announced if each.text]
        place("announcements", "announcements")
    findings += _not_shown(values, [each.is_markup for each in announced], bool(more.text) and not more.links)
    if branding:
        settings["branding"] = branding
    # An operator's own templates may still read it.
    variables = {"JupyterHub": {"template_vars": {"custom": shown.model_dump(by_alias=True, exclude_unset=True)}}}
    return Part(settings, places, added=variables, findings=tuple(findings))


def _named(party: Party) -> dict[str, str]:
    return {"name": party.name} | ({"url": party.url} if party.url else {})


def _parties(party: Party, key: str) -> tuple[list[dict[str, str]], list[Finding]]:
    """Funders: the one that is named, and those that are linked in HTML."""
    found = [_named(party)] if party.name and not party.custom_html else []
    if not party.custom_html:
        return found, []
    html = said(party.custom_html)
    found = [{"name": words, "url": address} for words, address in html.links] or [{"name": html.text[:200]}]
    names = ", ".join(each["name"] for each in found)
    what = f"is HTML, of which the pages show these: {names}."
    doubt = warning(f"{_PATH}.{key}.custom_html", what, "Write custom.branding.funders, with a logo if there is one.")
    return [each for each in found if each["name"]], [doubt]


def _of_repository(values: Homepage) -> Iterator[Finding]:
    repository = values.git_repo_url.removesuffix(".git").rstrip("/")
    if repository in ("", _THEIR_PAGES):
        return  # its branches differ in what is part of the pages here
    yield warning(
        "custom.homepage.gitRepoUrl",
        "names pages of your own, which are not shown: the pages of hub-extensions are.",
        f"To show yours before them, keep the container that fetches them and add {_TEMPLATES} to hub.templatePaths.",
    )


def _not_shown(values: Homepage, announced_markup: list[bool], learn_more_without_link: bool) -> Iterator[Finding]:
    shown = values.template_vars
    for index, is_markup in enumerate(announced_markup):
        if is_markup:
            what = "is HTML; it is shown as text, with the addresses of links behind their words."
            yield warning(f"{_PATH}.announcements[{index}]", what, "Write custom.announcements, as plain text.")
    if learn_more_without_link:
        what = "is not shown: it has no link, and the pages have no place for a text of that length."
        yield warning(f"{_PATH}.learn_more", what, "Write it as custom.announcements or custom.branding.links.")
    if shown.redirect_to:
        what = "takes nobody away from the login page; the page links to it instead."
        yield warning(f"{_PATH}.redirect_to", what)
    if shown.interface_selector or shown.default_url:
        key = "interface_selector" if shown.interface_selector else "default_url"
        what = "has no effect: people choose what opens with their environment, not when they log in."
        yield warning(f"{_PATH}.{key}", what, "Set singleuser.defaultUrl, or default_url in a profile.")
