"""Leads invite people on a page of the usage service, served by a real process beside a real hub."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from hub_extensions.invitations import Person, proposed
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.invitations import InvitationStore

if TYPE_CHECKING:
    from .seeded_hub import Seeded

PAGE = "community/ocean-lab/invitations"


def page_of(seeded: Seeded, who: str, path: str = PAGE) -> tuple[requests.Session, requests.Response]:
    visitor = seeded.hub.visitor(who)
    return visitor, visitor.get(f"{seeded.hub.service}{path}", timeout=20)


def submit(
    seeded: Seeded, visitor: requests.Session, page: requests.Response, path: str = PAGE, **form: str
) -> requests.Response:
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
    fields = {"_xsrf": xsrf[1] if xsrf else "", **form}
    headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
    return visitor.post(f"{seeded.hub.service}{path}", data=fields, headers=headers, timeout=20)


def store_of(seeded: Seeded) -> InvitationStore:
    return InvitationStore(Ledger(seeded.url), "hub")


def make(seeded: Seeded, who: str = "lin", **form: str) -> requests.Response:
    visitor, page = page_of(seeded, who)
    return submit(seeded, visitor, page, action="make", **{"uses": "1", "days": "14", "note": "", **form})


def token_in(page: requests.Response) -> str:
    found = re.search(r'id="link" type="text" value="([^"]+)"', page.text)
    assert found, page.text
    return parse_qs(urlsplit(found[1]).query)["token"][0]


def test_a_lead_makes_an_invitation_whose_link_is_shown_once(seeded: Seeded) -> None:
    made = make(seeded, uses="3", days="2", note="Summer <school>")
    assert made.status_code == 200
    token = token_in(made)
    assert f"{seeded.hub.url}hub/invitation?token=" in made.text
    invitation = store_of(seeded).look_up(token)
    assert invitation is not None
    assert (invitation.community, invitation.made_by, invitation.uses_allowed) == ("ocean-lab", "lin", 3)
    assert round((invitation.expires_at - invitation.made_at).total_seconds() / 3600) == 48
    _, again = page_of(seeded, "lin")
    assert token not in again.text
    assert "Summer &lt;school&gt;" in again.text
    assert token not in seeded.hub.log.read_text()


def test_the_page_shows_who_came_by_which_and_withdraws(seeded: Seeded) -> None:
    store = store_of(seeded)
    made = store.look_up(token_in(make(seeded, note="To be withdrawn")))
    assert made is not None
    store.redeem(made.id, Person("oidc", "7", "<i>Guest</i>"), datetime.now(UTC))
    visitor, page = page_of(seeded, "lin")
    assert "&lt;i&gt;Guest&lt;/i&gt;" in page.text
    assert "1 of 1" in page.text
    after = submit(seeded, visitor, page, action="withdraw", id=str(made.id))
    assert after.status_code == 200
    assert "withdrawn by lin" in after.text
    assert f"Withdraw invitation {made.id}" not in after.text
    assert store.joined(Person("oidc", "7", "x")) == frozenset()


@pytest.mark.parametrize("who", ["ada", "ines", "tui", "zoe"])
def test_only_the_leads_of_a_community_and_admins_invite(seeded: Seeded, who: str) -> None:
    visitor, page = page_of(seeded, who)
    assert page.status_code == 403
    assert "Only the leads of this community may invite" in page.text
    usage = visitor.get(seeded.hub.service, timeout=20)
    before = len(store_of(seeded).listed("ocean-lab"))
    tried = submit(seeded, visitor, usage, action="make", uses="1", days="1", note="")
    assert tried.status_code == 403
    assert len(store_of(seeded).listed("ocean-lab")) == before


def test_an_admin_invites_everywhere(seeded: Seeded) -> None:
    assert token_in(make(seeded, "root"))


def test_a_lead_of_two_communities_invites_to_that_which_takes_invitations(seeded: Seeded) -> None:
    assert token_in(make(seeded, "both"))
    _, page = page_of(seeded, "both", "community/ice-lab/invitations")
    assert page.status_code == 404
    assert "This community does not admit people by invitation." in page.text


def test_a_lead_cannot_withdraw_what_another_community_made(seeded: Seeded) -> None:
    store = store_of(seeded)
    now = datetime.now(UTC)
    other, _ = store.make(proposed("hub", "ice-lab", "ines", now, expires_at=now + timedelta(days=1)))
    visitor, page = page_of(seeded, "lin")
    assert submit(seeded, visitor, page, action="withdraw", id=str(other.id)).status_code == 404
    assert store.listed("ice-lab")[0].revoked_at is None


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"uses": "0"}, "for 1 to 10000 people"),
        ({"uses": "many"}, "Give whole numbers"),
        ({"days": "0"}, "ends in the future"),
        ({"days": "999999999"}, "at most 366 days"),
        ({"days": "-1"}, "Give whole numbers"),
        ({"note": "x" * 201}, "at most 200 characters"),
    ],
)
def test_what_cannot_be_an_invitation_is_said_with_what_was_given_kept(
    seeded: Seeded, form: dict[str, str], said: str
) -> None:
    before = len(store_of(seeded).listed("ocean-lab"))
    answer = make(seeded, **form)
    assert answer.status_code == 400
    assert said in answer.text
    [(name, value)] = form.items()
    assert re.search(rf'name="{name}"[^>]*value="{value}"', answer.text)
    assert len(store_of(seeded).listed("ocean-lab")) == before


def test_nothing_is_made_without_the_pages_own_form(seeded: Seeded) -> None:
    visitor, page = page_of(seeded, "lin")
    before = len(store_of(seeded).listed("ocean-lab"))
    form = {"action": "make", "uses": "1", "days": "1", "note": ""}
    assert submit(seeded, visitor, page, _xsrf="forged", **form).status_code == 403
    assert visitor.get(f"{seeded.hub.service}{PAGE}", params=form, timeout=20).status_code == 200
    assert submit(seeded, visitor, page, action="delete").status_code == 400
    assert submit(seeded, requests.Session(), page, **form).status_code == 403
    assert len(store_of(seeded).listed("ocean-lab")) == before


def test_the_usage_page_of_a_community_leads_to_its_invitations(seeded: Seeded) -> None:
    _, page = page_of(seeded, "lin", "community/ocean-lab")
    assert 'href="/deep/hub-a/services/usage/community/ocean-lab/invitations"' in page.text
    _, page = page_of(seeded, "ines", "community/ice-lab")
    assert "Invite people" not in page.text
