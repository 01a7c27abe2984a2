from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from hub_extensions.catalogue import VisibleChoice
from hub_extensions.offer import VisibleBuild, VisibleOption, VisibleUnlisted

from .hubs import IMAGE, OWN_IMAGE, PROFILES, choice, profile, render_form

HOSTILE = "</style><script>alert(1)</script>{{7*7}}\"'><img src=x onerror=alert(1)>"


class Form(HTMLParser):
    """The tags of a form with their attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.tags if name == tag and all(found.get(k) == v for k, v in wanted.items())]


def test_one_profile_needs_no_click() -> None:
    form = Form(render_form([profile("only", "Only")]))
    assert [field["value"] for field in form.all("input", type="hidden", name="profile")] == ["only"]
    assert not form.all("input", type="radio")


def test_one_profile_that_is_locked_is_not_sent() -> None:
    [radio] = Form(render_form([profile("only", "Only", locked="Spent.")])).all("input", name="profile")
    assert radio["type"] == "radio"
    assert "disabled" in radio


def test_of_several_profiles_the_selected_one_is_checked_and_a_locked_one_cannot_be_chosen() -> None:
    radios = Form(render_form(PROFILES)).all("input", type="radio", name="profile")
    assert [radio["value"] for radio in radios] == [profile.slug for profile in PROFILES]
    assert [radio["value"] for radio in radios if "checked" in radio] == ["ocean"]
    assert [radio["value"] for radio in radios if "disabled" in radio] == ["gpu"]


def test_no_profile_is_said_in_a_sentence() -> None:
    assert "There is no environment here that you may choose." in render_form([])


def test_few_choices_with_descriptions_are_radios_and_many_are_a_list() -> None:
    few = Form(render_form([profile("a", "A", options=(IMAGE,))]))
    assert [field["value"] for field in few.all("input", type="radio", name="profile-option-a--image")] == [
        "python",
        "r",
        "unlisted-choice",
    ]
    choices = tuple(choice(f"c{n}", f"Choice {n}", size=f"{n} GB memory", selected=n == 3) for n in range(6))
    many = Form(render_form([profile("a", "A", options=(VisibleOption("size", "Size", "", choices, None),))]))
    assert many.all("select", name="profile-option-a--size")
    assert [option["value"] for option in many.all("option") if "selected" in option] == ["c3"]
    assert "Choice 3 \N{EN DASH} 3 GB memory" in render_form(
        [profile("a", "A", options=(VisibleOption("size", "Size", "", choices, None),))]
    )


@pytest.mark.parametrize("count", [2, 6])
def test_a_size_that_is_the_name_of_its_choice_is_not_said_twice(count: int) -> None:
    sizes = [f"{n} GB memory, up to 2 CPUs" for n in range(1, count + 1)]
    for description in ("", "A node of your own"):
        choices = tuple(choice(f"c{n}", size, description=description, size=size) for n, size in enumerate(sizes))
        html = render_form([profile("a", "A", options=(VisibleOption("size", "Size", "", choices, None),))])
        assert all(html.count(size) == 1 for size in sizes)
        Form(html)
        assert html.count("A node of your own") == (count if description else 0)


def test_a_write_in_has_kubespawner_s_field_names_its_saved_value_and_its_rule() -> None:
    saved = VisibleUnlisted(
        "Image", "Other…", "", "quay[.]io/.+", "Begin with quay.io/", "quay.io/me/x:1", selected=True
    )
    form = Form(render_form([profile("a", "A", options=(VisibleOption("image", "Image", "", IMAGE.choices, saved),))]))
    [text] = form.all("input", name="profile-option-a--image--unlisted-choice")
    assert text["value"] == "quay.io/me/x:1"
    assert text["data-pattern"] == "quay[.]io/.+"
    [entry] = form.all("input", name="profile-option-a--image", value="unlisted-choice")
    assert "checked" in entry


def test_an_option_with_nothing_but_a_write_in_asks_for_it_alone() -> None:
    form = Form(render_form([profile("a", "A", options=(VisibleOption("image", "Image", "", (), OWN_IMAGE),))]))
    [hidden] = form.all("input", name="profile-option-a--image")
    assert (hidden["type"], hidden["value"]) == ("hidden", "unlisted-choice")


def test_every_field_has_a_label_and_every_description_exists() -> None:
    form = Form(render_form(PROFILES))
    ids = [found["id"] for _, found in form.tags if "id" in found]
    assert len(ids) == len(set(ids))
    labelled = {label["for"] for label in form.all("label")}
    for field in form.all("input") + form.all("select"):
        assert field.get("type") == "hidden" or field["id"] in labelled
        assert (field.get("aria-describedby") or field.get("id")) in ids


def test_what_a_profile_says_is_never_markup() -> None:
    hostile = VisibleOption(
        HOSTILE,
        HOSTILE,
        HOSTILE,
        (choice(HOSTILE, HOSTILE, description=HOSTILE, size=HOSTILE),),
        VisibleUnlisted(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, selected=True),
    )
    fields = {"description": HOSTILE, "size": HOSTILE, "options": (hostile,)}
    html = render_form([profile(HOSTILE, HOSTILE, **fields), profile("b", "B", locked=HOSTILE)], [HOSTILE])
    form = Form(html)
    assert "{{7*7}}" in html
    assert len(form.all("script")) == 1
    assert not form.all("img")
    assert not [found for _, found in form.tags if any(name.startswith("on") for name in found)]
    assert form.all("input", name="profile", value=HOSTILE)


@pytest.mark.parametrize(
    ("icon", "shown"),
    [
        ("https://example.org/a.svg", True),
        ("/hub/static/a.png", True),
        ("data:image/png;base64,AA==", True),
        ("javascript:alert(1)", False),
        ("data:text/html,<script>", False),
        (None, False),
        ("", False),
    ],
)
def test_an_icon_is_an_image_or_nothing(icon: str | None, shown: bool) -> None:
    assert bool(Form(render_form([profile("a", "A", icon=icon)])).all("img")) == shown


@pytest.mark.parametrize(("count", "searchable"), [(7, False), (8, True)])
def test_from_eight_profiles_on_there_is_a_search_box(count: int, searchable: bool) -> None:
    form = Form(render_form([profile(f"p{n}", f"Profile {n}") for n in range(count)]))
    assert bool(form.all("input", type="search")) == searchable


def test_the_form_s_script_and_style_stay_small() -> None:
    assert len(render_form([])) < 8_000


def buildable(*, value: str = "", selected: bool = False, choices: int = 2, unlisted: bool = False) -> str:
    option = VisibleOption(
        "image",
        "Image",
        "",
        tuple(choice(f"c{n}", f"Choice {n}", description=HOSTILE) for n in range(choices)),
        OWN_IMAGE if unlisted else None,
        VisibleBuild(value, selected),
    )
    return render_form([profile("a", "A", options=(option,))], builder="binder")


@pytest.mark.parametrize("choices", [0, 2, 9])
@pytest.mark.parametrize("unlisted", [False, True])
def test_building_is_one_more_entry_of_the_list_and_its_image_a_field_that_nobody_types(
    choices: int, unlisted: bool
) -> None:
    form = Form(buildable(value=HOSTILE, selected=True, choices=choices, unlisted=unlisted))
    [entry] = form.all("input", value="built-image") or form.all("option", value="built-image")
    assert "checked" in entry or "selected" in entry
    [image] = form.all("input", name="profile-option-a--image--built-image")
    assert (image["type"], image["value"]) == ("hidden", HOSTILE)
    assert len([f for f in form.all("input") + form.all("select") if f.get("name") == "profile-option-a--image"])


def test_a_page_without_building_carries_none_of_it() -> None:
    option = VisibleOption("image", "Image", "", (choice("c", "C"),), None, VisibleBuild("", selected=False))
    for html in (render_form([profile("a", "A", options=(option,))]), render_form(PROFILES)):
        assert "hub-build" not in html
        assert "built-image" not in html.partition("<style>")[0] + html.partition("</style>")[2]


def test_all_scripts_together_stay_below_15_kilobytes() -> None:
    scripts = re.findall("<script>(.*?)</script>", buildable(), re.DOTALL)
    assert len(scripts) == 2
    assert sum(len(script.encode()) for script in scripts) < 15_000


def test_twenty_profiles_of_three_options_of_eight_choices_are_at_most_60_kilobytes() -> None:
    images = tuple(VisibleChoice(f"c{n}", f"Software {n}", "", "", f"quay.io/example/{n}:1", n == 0) for n in range(8))
    sizes = tuple(choice(f"c{n}", f"Size {n}", size=f"{n} GB memory, up to {n} CPUs") for n in range(8))
    options = tuple(
        VisibleOption(name, name, "", choices, None)
        for name, choices in {"image": images, "size": sizes, "data": sizes}.items()
    )
    form = render_form([profile(f"profile-{n}", f"Profile {n}", options=options) for n in range(20)])
    assert form.count("<option") == 480
    assert len(form.encode()) < 60_000
