"""A hub with the bundle's pages, two communities, and a spawner whose form and failures are chosen by a profile."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyterhub.handlers import BaseHandler
from jupyterhub.tests.mocking import MockPAMAuthenticator, MockSpawner
from tornado import web

from hub_extensions.announcements import Announcement
from hub_extensions.branding import Branding, contact_of
from hub_extensions.catalogue import VisibleChoice
from hub_extensions.communities import Refusal
from hub_extensions.offer import Offer, VisibleOption, VisibleProfile, VisibleUnlisted
from hub_extensions.pages import PageContext
from hub_extensions.spawners import form

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


def drawn(colour: str, path: str) -> str:
    """A round logo, as an address."""
    return "data:image/svg+xml," + quote(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'>"
        f"<circle cx='12' cy='12' r='12' fill='{colour}'/>"
        f"<path d='{path}' stroke='#fff' stroke-width='3' fill='none'/></svg>"
    )


WAVE = drawn("#0b6e99", "M2 13q5-6 10 0t10 0")
LEAF = drawn("#3a7d2c", "M5 19Q6 6 19 5Q18 18 5 19")
HUB_TITLE = "Ocean & Land Data Hub"
OCEAN = Branding(logo=WAVE, primary_color="#0b6e99")
LAND = Branding(logo=LEAF, primary_color="#ffd400")
HUB_BRANDING = Branding.model_validate(
    {
        "primary_color": "#7a3b9c",
        "organisation": {"name": "Example University", "url": "https://example.edu"},
        "funders": [{"name": "Example Foundation", "url": "https://example.org", "logo": WAVE}, {"name": "The Trust"}],
        "links": [{"text": "Terms of use", "url": "https://example.org/terms"}],
        "contact": "help@example.org",
    }
)


def page_context(title: str = HUB_TITLE) -> PageContext:
    return PageContext(
        title,
        HUB_BRANDING,
        [("ocean-lab", "Ocean Lab", OCEAN), ("land-group", "Land Use Group of the Northern Universities", LAND)],
        lambda: [Announcement(text="On Tuesday from 9 to 10 the hub is down for <maintenance>.", level="warning")],
    )


def choice(
    key: str, display_name: str, *, description: str = "", size: str = "", selected: bool = False
) -> VisibleChoice:
    return VisibleChoice(key, display_name, description, size, "", selected)


def profile(slug: str, display_name: str, **values: Any) -> VisibleProfile:
    fields = {
        "description": "",
        "icon": "",
        "tags": (),
        "size": "",
        "image": "",
        "selected": False,
        "options": (),
        **values,
    }
    return VisibleProfile(slug=slug, display_name=display_name, **fields)


OWN_IMAGE = VisibleUnlisted(
    display_name="Name of your image",
    display_name_in_choices="Another image…",
    description="A container image that has JupyterLab in it.",
    pattern="quay[.]io/.+:.+",
    pattern_message="It begins with quay.io/ and ends with a tag, as in quay.io/me/image:2026.",
    value="",
    selected=False,
)
IMAGE = VisibleOption(
    "image",
    "Software",
    "What is installed when you start.",
    (
        choice("python", "Python", description="NumPy, xarray, Dask and friends.", selected=True),
        choice("r", "R", description="R 4.5 with RStudio and the tidyverse."),
    ),
    OWN_IMAGE,
)
SIZE = VisibleOption(
    "size",
    "Size",
    "Start small: you can come back for more.",
    (
        choice("small", "Small", size="4 GB memory, up to 2 CPUs", selected=True),
        choice("large", "Large", size="16 GB memory, 8 CPUs"),
    ),
    None,
)
PROFILES = (
    profile(
        "ocean",
        "Ocean analysis",
        description="Notebooks for model output and satellite data, with the lab's shared folder.",
        icon=WAVE,
        selected=True,
        options=(IMAGE, SIZE),
    ),
    profile(
        "land",
        "Land use",
        description="For maps and surveys.",
        icon=LEAF,
        size="8 GB memory, up to 4 CPUs",
        options=(SIZE,),
    ),
    profile("broken", "Broken", description="This one fails at once."),
    profile("late", "Late", description="This one fails after a while."),
    profile("slow", "Slow", description="This one takes its time.", size="2 GB memory"),
    profile("gpu", "GPU", description="One NVIDIA T4.", locked="Your group has used its GPU hours for this month."),
)


def render_form(profiles: Sequence[VisibleProfile], notices: Sequence[str] = (), builder: str = "") -> str:
    return form.render(Offer(tuple(profiles)), {}, notices, builder)


# What a page says only of a refused login.
SAYS_REFUSED = re.compile("(allowed to|may not) (log|sign) in|may not use this hub|no community", re.IGNORECASE)
REFUSAL = Refusal(
    "<b>eve</b>",
    (
        "Ocean Lab is for members of the team reef of example-organisation. You are near, but you are a member of "
        "example-organisation and not of its team reef.",
        "example-organisation has not approved this hub's application on GitHub: https://example.org/<approve>",
    ),
    tuple(f"Community {number} is for people who log in through idp-{number}.example.edu." for number in range(12)),
    email="eve@example.org",
    service="GitHub",
    belongs_nowhere=True,
    contact=contact_of("access@example.org"),
)


class PagesAuthenticator(MockPAMAuthenticator):
    """Lets people log in by a form, and has an address for each way in which a request can fail."""

    def get_handlers(self, app: Any) -> list[tuple[str, type[BaseHandler]]]:
        return [*super().get_handlers(app), (r"/fails/([a-z0-9-]+)", FailingHandler)]


class FailingHandler(BaseHandler):
    """Fails in the way that the address names."""

    async def get(self, way: str) -> None:
        if way == "crash":
            raise RuntimeError("secret detail")
        if way == "html":
            error = web.HTTPError(422, "not shown")
            error.jupyterhub_html_message = "Your hours are <em>spent</em>."
            raise error
        if way == "refused-account":
            error = web.HTTPError(403, "not shown")
            error.jupyterhub_message = "You are in no <community> of this hub."
            error.refusal = REFUSAL
            raise error
        if way == "refused":
            raise web.HTTPError(403, "Sorry, you are not currently authorized to use this hub.")
        if way == "refused-ask":
            raise web.HTTPError(403, "You belong to no community. Ask help@example.org.")
        if way == "bare":
            raise web.HTTPError(403)
        raise web.HTTPError(int(way.removeprefix("status-")))


class FormSpawner(MockSpawner):
    """Offers PROFILES, and starts by the profile that was chosen."""

    notices = ("Your last environment, “Ocean 2025”, is gone. “Ocean analysis” took its place.",)
    let_go: asyncio.Event

    def _options_form_default(self) -> str:
        return render_form(PROFILES, self.notices)

    def options_from_form(self, formdata: dict[str, list[str]]) -> dict[str, str]:
        return {name: values[0] for name, values in formdata.items()}

    async def start(self) -> Any:
        match self.user_options.get("profile"):
            case "broken":
                error = web.HTTPError(409, "broken")
                error.jupyterhub_message = "There is no <free> place on this hub."
                raise error
            case "late":
                await asyncio.sleep(2)
                raise RuntimeError("no place")
            case "slow":
                await asyncio.sleep(60)
        return await super().start()

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        yield {
            "progress": 20,
            "message": "2026-03-01T10:00:00Z [Normal] Successfully assigned hub/jupyter-ada to node-1",
        }
        await asyncio.sleep(0.2)
        yield {"progress": 40, "message": '2026-03-01T10:00:01Z [Normal] Pulling image "quay.io/x/y:1"'}
        await asyncio.sleep(2)
        yield {
            "progress": 60,
            "message": "The environment is here. Starting your server.",
        }
        await asyncio.sleep(60)
