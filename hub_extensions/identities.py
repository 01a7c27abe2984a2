"""Identities: what a provider said of a person, in one form for every provider.

Claims come from outside and may be missing, of another type, or made to deceive; what reads them here never raises and
never takes a part for the whole.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from . import groups as group_names

# One mailbox at one domain name of letters, digits and hyphens. What e-mail allows beyond that (quotes, comments,
# addresses in brackets, a dot at the end) no provider gives to a person, and each would be a way to look like another.
_EMAIL = re.compile(r"[^@\s\"\\(),:;<>\[\]\x00-\x1f\x7f]+@(?P<domain>[a-z0-9-]+(?:\.[a-z0-9-]+)+)", re.ASCII)


LONGEST_GROUP = 255  # characters; JupyterHub's database keeps no more
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")  # in a database


@dataclass(frozen=True)
class Identity:
    """What a provider said of a person.

    `provider`: github, cilogon, google, globus, oidc, …; `subject`: the provider's own lasting name for the person.
    `user_name` is the name that the hub would use; `named_by_email` tells that it is made of the e-mail address.
    `needs_verified_email` tells that an address which is not verified refuses the person whatever the name is made of.
    `idp`: the entity ID of the identity provider behind CILogon or Globus. `organizations` and `teams` (`org:team`) are
    GitHub's, `groups` the provider's claims, `invited_to` the communities that the person has joined by an invitation.
    `refused_invitation`: why the invitation that the person has just shown does not count; "" if it does, or none was.
    """

    user_name: str
    provider: str = ""
    subject: str = ""
    email: str = ""
    email_verified: bool = False
    named_by_email: bool = False
    needs_verified_email: bool = False
    idp: str = ""
    hosted_domain: str = ""
    organizations: Collection[str] = ()
    teams: Collection[str] = ()
    groups: Collection[str] = ()
    invited_to: Collection[str] = ()
    refused_invitation: str = ""

    @cached_property
    def github_keys(self) -> frozenset[str]:
        """The comparable forms of the organisations and teams."""
        return group_names.keys([*self.organizations, *self.teams])

    @property
    def email_domain(self) -> str:
        """The domain of the e-mail address in lower case; "" if there is no address, or one that cannot be trusted."""
        return domain_of(self.email)

    def on_github(self, organizations: Collection[str], teams: Collection[str]) -> "Identity":
        """The same person, with what they belong to on GitHub."""
        return replace(self, organizations=tuple(organizations), teams=tuple(teams))


def domain_of(email: str) -> str:
    """The domain of an e-mail address in lower case; "" for anything that is not plainly one address.

    A domain that is not ASCII is none: letters that look alike are not alike. Write it as `xn--…`.
    """
    if not email.isascii():
        return ""
    found = _EMAIL.fullmatch(email.lower())
    return found["domain"] if found else ""


def text_of(claim: Any) -> str:
    """A claim that is one text or number, as text; "" for anything else."""
    return str(claim) if isinstance(claim, (str, int)) and not isinstance(claim, bool) else ""


def is_true(claim: Any) -> bool:
    """Whether a claim says yes: `true`, or the text "true", as some providers write it."""
    return claim is True or (isinstance(claim, str) and claim.lower() == "true")


def groups_of(claim: Any) -> frozenset[str]:
    """The groups that a provider's claim names: a list of texts or numbers, or one text.

    Anything else names none; a text is one group, never its letters. What the hub's database cannot keep is no group.
    """
    claimed = [claim] if isinstance(claim, (str, int)) else claim
    if not isinstance(claimed, Iterable) or isinstance(claimed, Mapping):
        return frozenset()
    names = (name for name in map(text_of, claimed) if name.strip() and len(name) <= LONGEST_GROUP)
    return frozenset(name for name in names if not _UNWRITABLE.search(name))


def found_at(said: Any, path: str) -> Any:
    """What stands at a dotted path in what a provider said; of each element, where a list stands on the way.

    None if nothing does. `found_at({"teams": [{"id": 1}, {"id": 2}]}, "teams.id")` is `[1, 2]`.
    """
    for part in filter(None, path.split(".")):
        if isinstance(said, list):
            said = [each[part] for each in said if isinstance(each, Mapping) and part in each]
        else:
            said = said.get(part) if isinstance(said, Mapping) else None
    return said
