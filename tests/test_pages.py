from __future__ import annotations

from dataclasses import dataclass

import pytest

from hub_extensions.announcements import Announcement
from hub_extensions.branding import Branding
from hub_extensions.pages import PageContext

COMMUNITIES = [
    ("ocean-lab", "Ocean Lab", Branding(logo="/ocean.svg", contact="ocean@example.org")),
    ("land", "Land Group", Branding()),
]


@dataclass
class Group:
    name: str


@dataclass
class User:
    groups: list[Group] | list[str]


@pytest.mark.parametrize(
    ("user", "community"),
    [
        (None, None),
        (object(), None),
        (User([]), None),
        (User([Group("OCEAN-lab"), Group("elsewhere")]), "Ocean Lab"),
        (User(["land"]), "Land Group"),
        (User(["land", "Ocean-Lab"]), None),
    ],
)
def test_each_person_s_pages_have_the_brand_of_their_one_community(user: object, community: str | None) -> None:
    page = PageContext("The Hub", Branding(contact="hub@example.org"), COMMUNITIES)(user)
    assert page.brand.community == community
    assert page.title == page.brand.title == "The Hub"
    assert page.contact is not None
    assert page.contact.text == ("ocean@example.org" if community == "Ocean Lab" else "hub@example.org")


def test_every_page_can_name_the_communities_and_the_announcements() -> None:
    page = PageContext("The Hub", None, COMMUNITIES, lambda: [Announcement(text="Soon.", level="warning")])(None)
    assert [(c.name, c.title, c.logo) for c in page.communities] == [
        ("ocean-lab", "Ocean Lab", "/ocean.svg"),
        ("land", "Land Group", None),
    ]
    assert page.announcements == (Announcement(text="Soon.", level="warning"),)
    assert PageContext("The Hub")(None).contact is None
