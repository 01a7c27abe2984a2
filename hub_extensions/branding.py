"""Brands: the title, logo, colours and credits that a person sees on the hub's pages.

Requirements:

- any colour a community may have is readable as text and as a button, in light and in dark mode;
- what an operator wrote can be put into an attribute: an address is http(s), a path on this host, or an image itself;
- someone in exactly one community sees that community's brand; everybody else, and the login page, the hub's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from . import groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NOT_IN_AN_ADDRESS = re.compile(r"[\s\\<>\"'`\x00-\x1f\x7f]")
_IMAGE = re.compile(
    r"data:image/(?:png|jpeg|gif|webp|avif|svg\+xml)(?:;[a-z0-9=-]+)*,[A-Za-z0-9+/=%._~!$&()*,;:@?-]*\Z"
)
_E_MAIL = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\Z")
_RGB = re.compile(r"#[0-9a-f]{6}\Z")

# What colours are laid on: of Bootstrap's backgrounds (page, navigation bar, card) the one with the least contrast.
_BACKGROUND = {"light": "#f8f9fa", "dark": "#343a40"}
_AWAY = {"light": "#000000", "dark": "#ffffff"}
AA_TEXT = 4.5
DEFAULT_COLOUR = "#1f6aa5"


def _is_web_address(value: str) -> bool:
    if _NOT_IN_AN_ADDRESS.search(value):
        return False
    try:
        address = urlsplit(value)
    except ValueError:
        return False
    return address.scheme in {"http", "https"} and bool(address.hostname)


def _is_path(value: str) -> bool:
    # `//host/…` is another host's address, and browsers read `/\host/…` as one too.
    return value.startswith("/") and not value.startswith("//") and not _NOT_IN_AN_ADDRESS.search(value)


def _link_address(value: str) -> str:
    if _is_web_address(value) or _is_path(value):
        return value
    raise ValueError("expected an address that begins with https:// or http://, or a path that begins with one /")


def _image_address(value: str) -> str:
    if _IMAGE.match(value) or _is_web_address(value) or _is_path(value):
        return value
    raise ValueError(
        "expected an image's address that begins with https:// or http://, a path that begins with one /, "
        "or the image itself as data:image/…"
    )


def _colour(value: str) -> str:
    colour = value.lower()
    if _RGB.match(colour):
        return colour
    raise ValueError('expected a colour as six hexadecimal digits in quotes, such as "#0b6e99"')


def _contact_address(value: str) -> str:
    if _E_MAIL.match(value) or _is_web_address(value) or _is_path(value):
        return value
    raise ValueError("expected an e-mail address, or a page's address that begins with https://")


Text = Annotated[str, Field(min_length=1, max_length=200)]
LinkAddress = Annotated[str, AfterValidator(_link_address)]
ImageAddress = Annotated[str, AfterValidator(_image_address)]
Colour = Annotated[str, AfterValidator(_colour)]
ContactAddress = Annotated[str, AfterValidator(_contact_address)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Organisation(_Settings):
    """Who runs the hub, or a community."""

    name: Text
    """What it is called."""
    url: LinkAddress | None = None
    """Where its name leads."""


class Funder(_Settings):
    """Who pays, with a logo where they want one shown."""

    name: Text
    """What it is called."""
    url: LinkAddress | None = None
    """Where its name leads."""
    logo: ImageAddress | None = None
    """Its logo."""


class FooterLink(_Settings):
    """A link at the foot of every page, such as the terms of use."""

    text: Text
    """What people read."""
    url: LinkAddress
    """Where it leads."""


class Branding(_Settings):
    """The `branding` of a hub or of a community; a community has the hub's value for what it leaves out.

    `terms`: the page with the terms of use, which the login page and the foot of every page lead to.
    """

    logo: ImageAddress | None = None
    """An image: its address, a path on this host, or the image itself as `data:image/…`."""
    primary_color: Colour | None = None
    """The colour of links and buttons, such as `"#0b6e99"`; made lighter or darker where it could not be read."""
    organisation: Organisation | None = None
    """Who runs it."""
    funders: tuple[Funder, ...] = ()
    """Who pays."""
    links: tuple[FooterLink, ...] = ()
    """Links at the foot of every page."""
    contact: ContactAddress | None = None
    """Whom to ask: an e-mail address, or the address of a page."""
    terms: LinkAddress | None = None
    """The page with the terms of use."""


@dataclass(frozen=True, slots=True)
class Palette:
    """A brand's colour in one mode: as text or a button (`accent`), the text on it, and the button under a pointer."""

    accent: str
    on_accent: str
    hover: str

    @property
    def accent_rgb(self) -> str:
        """The accent as `red, green, blue`, which is how Bootstrap's link variables want it."""
        return ", ".join(str(part) for part in _parts(self.accent))

    @property
    def hover_rgb(self) -> str:
        """The hover colour as `red, green, blue`."""
        return ", ".join(str(part) for part in _parts(self.hover))


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ask: what to show, and where the link leads ("" for nowhere)."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Brand:
    """What a page shows of a hub to one person; `community` is a title, and None where the hub's own brand is shown."""

    title: str
    community: str | None
    logo: str | None
    light: Palette
    dark: Palette
    organisation: Organisation | None
    funders: tuple[Funder, ...]
    links: tuple[FooterLink, ...]
    contact: Contact | None
    terms: str | None


def brand_for(
    hub_title: str,
    hub_branding: Branding,
    communities: Sequence[tuple[str, str, Branding]],
    person_groups: Iterable[str],
) -> Brand:
    """The brand that a person in `person_groups` sees: their community's if they are in exactly one, else the hub's.

    `communities` are (name, title, branding); a community's name is the name of its group.
    """
    have = groups.keys(person_groups)
    mine = [(title, branding) for name, title, branding in communities if groups.key(name) in have]
    if len(mine) != 1:
        return brand(hub_title, hub_branding)
    [(title, branding)] = mine
    return brand(hub_title, of_community(branding, hub_branding), community=title)


def brand(hub_title: str, branding: Branding, community: str | None = None) -> Brand:
    """The view of one branding that pages are rendered from."""
    colour = branding.primary_color or DEFAULT_COLOUR
    return Brand(
        title=hub_title,
        community=community,
        logo=branding.logo,
        light=palette(colour, "light"),
        dark=palette(colour, "dark"),
        organisation=branding.organisation,
        funders=branding.funders,
        links=branding.links,
        contact=contact_of(branding.contact) if branding.contact else None,
        terms=branding.terms,
    )


def contact_of(address: str) -> Contact:
    """Whom to ask, from an e-mail address or a page's address; anything else is shown and leads nowhere."""
    if _E_MAIL.match(address):
        return Contact(text=address, href=f"mailto:{address}")
    if not (_is_web_address(address) or _is_path(address)):
        return Contact(text=address, href="")
    return Contact(text=address.removeprefix("https://").rstrip("/") or address, href=address)


def palette(colour: str, mode: str) -> Palette:
    """The nearest mixture of `colour` ("#rrggbb") with black or white that passes WCAG AA in `mode` (light, dark).

    Against the page, and against the text laid on it, its contrast is at least 4.5:1, the threshold of success
    criterion 1.4.3 for text of normal size (https://www.w3.org/TR/WCAG22/#contrast-minimum).
    """
    background, away = _BACKGROUND[mode], _AWAY[mode]
    # Black and white themselves pass, so the last step always does.
    accent = next(mixed for step in range(51) if contrast(mixed := mix(colour, away, step / 50), background) >= AA_TEXT)
    on_accent = max("#ffffff", "#000000", key=lambda text: contrast(text, accent))
    return Palette(accent=accent, on_accent=on_accent, hover=mix(accent, away, 0.2))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """`colour` with a `share` (0 to 1) of `other`, mixed channel by channel in sRGB."""
    mixed = (round(a + (b - a) * share) for a, b in zip(_parts(colour), _parts(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _luminance(colour: str) -> float:
    """Relative luminance, 0 (black) to 1 (white): https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def of_community(community: Branding, hub: Branding) -> Branding:
    """A community's branding, with the hub's value for each field that it leaves empty."""
    return Branding(
        **{name: getattr(community, name) or getattr(hub, name) for name in Branding.model_fields},
    )
