"""`hub-extensions invite`: invitations to a community, from the command line."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import click

from ..invitations import KEY_VARIABLE, USUAL_DAYS, expiry_of, inviting, proposed
from .database import database_options, ledger_at, settings_in
from .mistaken_call import CalledWrongly
from .output import format_option, printed

if TYPE_CHECKING:
    from ..invitations import Invitation
    from ..ledger import Ledger
    from ..ledger.invitations import InvitationStore
    from ..settings import Settings

_STATEMENT_SECONDS = 10

EPILOG = f"""\b
Example: a link for 30 people of a course, for two weeks:

\b
  hub-extensions invite --settings hub.yaml --community ocean-lab \\
      --uses 30 --expires 2w --hub-url https://hub.example.org/

\b
Run it where the hub's database can be reached. A hub that signs invitations
with a secret of its own has it in {KEY_VARIABLE},
which must then be set here too.
"""


@click.command(name="invite", epilog=EPILOG)
@click.option("--community", metavar="NAME", required=True, help="Which community, by its name in the settings.")
@click.option("--uses", default=1, show_default=True, help="For how many people.")
@click.option(
    "--expires",
    metavar="14d|DATE",
    default=f"{USUAL_DAYS}d",
    show_default=True,
    help="How long: 12h, 14d, 2w, or through a day such as 2026-12-31 (UTC).",
)
@click.option("--note", default="", help="A note for those who lead the community.")
@click.option("--by", metavar="NAME", default="", help="Who invites; people are told to ask them.")
@click.option("--hub-url", metavar="URL", help="Address of the hub, such as https://hub.example.org/.")
@click.option("--list", "list_", is_flag=True, help="Print the community's invitations and who came by each.")
@click.option("--revoke", metavar="ID", type=int, help="Withdraw an invitation, and the membership by it.")
@database_options
@format_option
def command(
    community: str,
    uses: int,
    expires: str,
    note: str,
    by: str,
    hub_url: str | None,
    list_: bool,
    revoke: int | None,
    file: Path | None,
    database: str | None,
    hub: str | None,
    format_: str,
) -> None:
    """Make an invitation to a community and print its link, which cannot be printed again.

    The link leads through the login; it counts for as many people as it says. With --list or --revoke nothing is made.
    """
    if list_ and revoke is not None:
        raise CalledWrongly("--list and --revoke are two things; ask for one.")
    settings = settings_in(file)
    if file is not None:
        _check_community(settings, file, community)
    with ledger_at(settings, database, timeout=_STATEMENT_SECONDS) as ledger:
        store, now = _store(ledger, hub or settings.usage.hub_name), datetime.now(UTC)
        if list_:
            found: Any = [_shown(each, now) for each in store.listed(community)]
        elif revoke is not None:
            if not store.revoke(revoke, community, by, now):
                raise CalledWrongly(
                    f"There is no invitation {revoke} to {community[:64]!r}; --list shows those there are."
                )
            found = {"revoked": revoke}
        else:
            page = _page(hub_url)
            try:
                asked = proposed(
                    store.hub, community, by, now, expires_at=expiry_of(expires, now), uses=uses, note=note
                )
            except ValueError as error:
                raise CalledWrongly(str(error)) from None
            made, token = store.make(asked)
            found = {"link": f"{page}?{urlencode({'token': token})}", **_shown(made, now)}
    click.echo(printed(found, format_), nl=False)


def _check_community(settings: "Settings", file: Path, community: str) -> None:
    """Refuse a community that the settings say would not take an invitation."""
    from ..mistakes import did_you_mean

    if community not in settings.communities:
        advice = did_you_mean(community, settings.communities)
        raise CalledWrongly(f"{file} has no community {community[:64]!r}. {advice}".strip())
    if community not in inviting(settings.communities):
        raise CalledWrongly(
            f"{community} does not admit people by invitation: none of its rules in {file} says `invitation: true`."
        )


def _store(ledger: "Ledger", hub: str) -> "InvitationStore":
    from ..ledger.invitations import InvitationStore

    try:
        return InvitationStore(ledger, hub, os.environ.get(KEY_VARIABLE, ""))
    except ValueError as error:
        raise CalledWrongly(str(error)) from None


def _page(hub_url: str | None) -> str:
    address = urlsplit(hub_url or "")
    if address.scheme not in ("http", "https") or not address.hostname:
        raise CalledWrongly("Where is the hub? Give --hub-url, for instance https://hub.example.org/.")
    path = address.path.rstrip("/").removesuffix("/hub")
    return f"{address.scheme}://{address.netloc}{path}/hub/invitation"


def _shown(invitation: "Invitation", now: datetime) -> dict[str, Any]:
    return {
        "id": invitation.id,
        "community": invitation.community,
        "status": invitation.status(now),
        "note": invitation.note,
        "made_by": invitation.made_by,
        "made_at": _time(invitation.made_at),
        "expires_at": _time(invitation.expires_at),
        "revoked_at": invitation.revoked_at and _time(invitation.revoked_at),
        "uses_allowed": invitation.uses_allowed,
        "uses": [
            {"user_name": use.person.user_name, "provider": use.person.provider, "used_at": _time(use.used_at)}
            for use in invitation.uses
        ],
    }


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
