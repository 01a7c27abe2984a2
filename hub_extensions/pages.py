"""What every page of the hub is given: the template variable `hub_extensions`.

`c.JupyterHub.template_vars["hub_extensions"] = PageContext(…)`: JupyterHub calls it for each page with the person who
is logged in, or None, before it renders. Only what changes with time is computed then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import groups
from .branding import Brand, Branding, Contact, brand_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from .announcements import Announcement


@dataclass(frozen=True, slots=True)
class PageCommunity:
    """A community as the login page shows it."""

    name: str
    title: str
    logo: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """What a template finds under the name `hub_extensions`; `announcements` are those for this person at this time."""

    title: str
    brand: Brand
    communities: tuple[PageCommunity, ...]
    announcements: tuple[Announcement, ...]
    contact: Contact | None

    def announced_on(self, page: str) -> list[Announcement]:
        """The announcements of a page: `login`, `home`, `spawn`, or "" for any other."""
        return [each for each in self.announcements if each.is_on(page)]


class PageContext:
    """Gives each person's pages their brand and their announcements.

    `communities` are (name, title, branding), in the order in which the login page shows them. A person is anything
    that has `groups`, an iterable of names or of objects with a `name`; one without (a service, nobody) sees the hub's
    brand. `announcements` tells those of the moment, which change while the hub runs; times in them are of `zone`, and
    `now` is the clock.
    """

    def __init__(
        self,
        hub_title: str,
        branding: Branding | None = None,
        communities: Sequence[tuple[str, str, Branding]] = (),
        announcements: Callable[[], Sequence[Announcement]] = tuple,
        zone: tzinfo = UTC,
        now: Callable[[tzinfo], datetime] = datetime.now,
    ) -> None:
        hub_branding = branding or Branding()
        shown = tuple(PageCommunity(name, title, own.logo) for name, title, own in communities)

        def page(*person_groups: str) -> Page:
            brand = brand_for(hub_title, hub_branding, communities, person_groups)
            return Page(hub_title, brand, shown, (), brand.contact)

        self.announcements = announcements
        self._zone = zone
        self._now = now
        self._hub_page = page()
        self._community_pages = {groups.key(name): page(name) for name, _, _ in communities}

    def __call__(self, user: Any) -> Page:
        """The page's variables for `user`, or for nobody when None."""
        announced = self.announcements()
        if not self._community_pages and not announced:
            return self._hub_page
        names = [getattr(group, "name", group) for group in getattr(user, "groups", None) or ()]
        mine = groups.keys(names) & self._community_pages.keys()
        page = self._community_pages[next(iter(mine))] if len(mine) == 1 else self._hub_page
        now = self._now(self._zone)
        told = tuple(each for each in announced if each.is_shown_at(now, self._zone) and each.is_for(names))
        return replace(page, announcements=told) if told else page
