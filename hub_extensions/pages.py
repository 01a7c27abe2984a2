"""What every page of the hub is given: the template variable `hub_extensions`.

`c.JupyterHub.template_vars["hub_extensions"] = PageContext(…)`: JupyterHub calls it for each page with the person who
is logged in, or None, before it renders. All there is to compute is computed beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from . import groups
from .branding import Brand, Branding, Contact, brand_for

if TYPE_CHECKING:
    from collections.abc import Sequence


class Announcement(BaseModel):
    """A sentence for everybody on every page, as plain text; `level` chooses its colour."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    text: str
    """The sentence, as plain text."""
    level: Literal["info", "success", "warning", "danger"] = "info"
    """Which colour it has."""


@dataclass(frozen=True, slots=True)
class PageCommunity:
    """A community as the login page shows it."""

    name: str
    title: str
    logo: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """What a template finds under the name `hub_extensions`."""

    title: str
    brand: Brand
    communities: tuple[PageCommunity, ...]
    announcements: tuple[Announcement, ...]
    contact: Contact | None


class PageContext:
    """Gives each person's pages their brand.

    `communities` are (name, title, branding), in the order in which the login page shows them. A person is anything
    that has `groups`, an iterable of names or of objects with a `name`; one without (a service, nobody) sees the hub's
    brand.
    """

    def __init__(
        self,
        hub_title: str,
        branding: Branding | None = None,
        communities: Sequence[tuple[str, str, Branding]] = (),
        announcements: Sequence[Announcement] = (),
    ) -> None:
        hub_branding = branding or Branding()
        shown = tuple(PageCommunity(name, title, own.logo) for name, title, own in communities)
        told = tuple(announcements)

        def page(*person_groups: str) -> Page:
            brand = brand_for(hub_title, hub_branding, communities, person_groups)
            return Page(hub_title, brand, shown, told, brand.contact)

        self._hub_page = page()
        self._community_pages = {groups.key(name): page(name) for name, _, _ in communities}

    def __call__(self, user: Any) -> Page:
        """The page's variables for `user`, or for nobody when None."""
        if not self._community_pages:
            return self._hub_page
        names = (getattr(group, "name", group) for group in getattr(user, "groups", None) or ())
        mine = groups.keys(names) & self._community_pages.keys()
        if len(mine) != 1:
            return self._hub_page
        return self._community_pages[next(iter(mine))]
