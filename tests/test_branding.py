from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub_extensions.branding import (
    AA_TEXT,
    DEFAULT_COLOUR,
    Branding,
    Contact,
    brand,
    brand_for,
    contact_of,
    contrast,
    mix,
    palette,
)

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
PAGES = {"light": ["#ffffff", "#f8f9fa"], "dark": ["#212529", "#2b3035", "#343a40"]}
HUB = Branding.model_validate(
    {"logo": "/hub.png", "primary_color": "#7a3b9c", "organisation": {"name": "University"}, "contact": "a@example.org"}
)
OCEAN = Branding.model_validate({"logo": "https://example.org/ocean.svg", "primary_color": "#0B6E99"})
LAND = Branding.model_validate({"contact": "https://land.example.org/help/"})
COMMUNITIES = [("ocean-lab", "Ocean Lab", OCEAN), ("land", "Land Group", LAND)]


@pytest.mark.parametrize("mode", PAGES)
@given(colour=COLOURS)
def test_any_colour_is_readable_on_every_page_and_under_its_text(mode: str, colour: str) -> None:
    chosen = palette(colour, mode)
    for page in PAGES[mode]:
        assert contrast(chosen.accent, page) >= AA_TEXT
    for button in (chosen.accent, chosen.hover):
        assert contrast(chosen.on_accent, button) >= AA_TEXT


@given(colour=COLOURS)
def test_a_colour_that_passes_already_is_left_alone(colour: str) -> None:
    if contrast(colour, "#f8f9fa") >= AA_TEXT:
        assert palette(colour, "light").accent == colour


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.478),
        ("#767676", "#ffffff", 4.542),
        ("#ff0000", "#ffffff", 3.998),
    ],
)
def test_contrast_is_the_ratio_that_wcag_defines(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.001)


def test_a_mixture_lies_between_its_colours() -> None:
    assert mix("#000000", "#ffffff", 0.5) == "#808080"
    assert mix("#123456", "#ffffff", 0) == "#123456"


@pytest.mark.parametrize(
    ("groups", "community", "logo", "light"),
    [
        ([], None, "/hub.png", "#7a3b9c"),
        (["elsewhere"], None, "/hub.png", "#7a3b9c"),
        (["Ocean-LAB", "elsewhere"], "Ocean Lab", "https://example.org/ocean.svg", "#0b6e99"),
        (["land"], "Land Group", "/hub.png", "#7a3b9c"),
        (["ocean-lab", "land"], None, "/hub.png", "#7a3b9c"),
    ],
)
def test_someone_in_exactly_one_community_sees_its_brand(
    groups: list[str], community: str | None, logo: str, light: str
) -> None:
    shown = brand_for("The Hub", HUB, COMMUNITIES, groups)
    assert (shown.title, shown.community, shown.logo, shown.light.accent) == ("The Hub", community, logo, light)
    assert shown.organisation == HUB.organisation


def test_a_hub_without_branding_is_readable_too() -> None:
    shown = brand("The Hub", Branding())
    assert shown.light.accent == DEFAULT_COLOUR
    assert (shown.logo, shown.organisation, shown.funders, shown.contact) == (None, None, (), None)


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("help@example.org", Contact("help@example.org", "mailto:help@example.org")),
        ("https://example.org/help/", Contact("example.org/help", "https://example.org/help/")),
        ("/hub/help", Contact("/hub/help", "/hub/help")),
    ],
)
def test_whom_to_ask_is_an_e_mail_address_or_a_page(contact: str, shown: Contact) -> None:
    assert brand("The Hub", Branding(contact=contact)).contact == shown


@pytest.mark.parametrize(
    "logo",
    [
        "https://example.org/logo.svg?size=2&theme=dark",
        "http://localhost:8000/logo.png",
        "/hub/static/logo.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "data:image/svg+xml;charset=utf-8,%3Csvg%20xmlns=%27http://www.w3.org/2000/svg%27/%3E",
    ],
)
def test_a_logo_is_an_address_a_path_or_the_image_itself(logo: str) -> None:
    assert Branding(logo=logo).logo == logo


@pytest.mark.parametrize(
    "logo",
    [
        "",
        "logo.png",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " https://example.org/a.png",
        "https://",
        "https://[::1",
        "//elsewhere.example.org/a.png",
        "/\\elsewhere.example.org/a.png",
        "/a.png\n",
        'https://example.org/a.png" onerror="alert(1)',
        "data:text/html,<script>alert(1)</script>",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "data:image/png;base64,AA==\n",
        "ftp://example.org/a.png",
        "file:///etc/passwd",
    ],
)
def test_no_other_logo_is_taken(logo: str) -> None:
    with pytest.raises(ValidationError, match="expected an image's address"):
        Branding(logo=logo)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"primary_color": "red"}, "six hexadecimal digits"),
        ({"primary_color": "#fff"}, "six hexadecimal digits"),
        ({"primary_color": "#1234567"}, "six hexadecimal digits"),
        ({"primary_color": "#123456\n"}, "six hexadecimal digits"),
        ({"primary_color": "#12345g;}"}, "six hexadecimal digits"),
        ({"links": [{"text": "Terms", "url": "javascript:alert(1)"}]}, "begins with https://"),
        ({"links": [{"text": "Terms", "url": "data:image/png;base64,AA=="}]}, "begins with https://"),
        ({"organisation": {"name": "A", "url": "example.org"}}, "begins with https://"),
        ({"organisation": {"name": ""}}, "at least 1 character"),
        ({"contact": "ask ada"}, "an e-mail address"),
        ({"contact": "javascript:alert(1)@example.org"}, "an e-mail address"),
        ({"primary_colour": "#123456"}, "Extra inputs are not permitted"),
    ],
)
def test_a_mistake_says_what_was_expected(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Branding.model_validate(settings)


def test_a_branding_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        HUB.logo = "/other.png"  # type: ignore[misc]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "the help desk", "//evil.example/", "https://"])
def test_whom_to_ask_that_is_no_address_is_shown_and_leads_nowhere(address: str) -> None:
    assert contact_of(address) == Contact(text=address, href="")


def test_the_terms_of_use_are_the_hub_s_where_a_community_has_none() -> None:
    hub = Branding(terms="https://example.org/terms")
    shown = brand_for(
        "Hub", hub, [("ocean", "Ocean", Branding()), ("land", "Land", Branding(terms="/terms"))], ["ocean"]
    )
    assert shown.terms == "https://example.org/terms"
