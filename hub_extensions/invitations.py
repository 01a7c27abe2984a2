"""Invitations: links by which leads let people into a community, and why one does not count.

A link carries a token: random, so that nobody guesses one, and signed, so that a link that was not made here is told
from one that was without a look into the database, and nobody who can write there but lacks the key can make one.
The database knows the token by its SHA-256 alone.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import jwt

from .communities import Community
from .identities import Identity

MOST_USES = 10_000
MOST_DAYS = 366
LONGEST_NOTE = 200
USUAL_DAYS = 14
KEY_VARIABLE = "HUB_EXTENSIONS_INVITATION_KEY"
LEAST_SECRET = 32  # bytes, as HS256 asks for

_LONGEST_TOKEN = 512
_SPAN = re.compile(r"([0-9]{1,5})([hdw])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

NOT_OURS = (
    "This link is no invitation to this hub: it is damaged, or was made elsewhere. Ask whoever gave it to you for a "
    "new one."
)


@dataclass(frozen=True)
class Person:
    """Who used an invitation: `subject` is the provider's own lasting name, or the user name where it has none."""

    provider: str
    subject: str
    user_name: str

    @classmethod
    def of(cls, identity: Identity) -> "Person":
        """The person of an identity."""
        return cls(identity.provider, identity.subject or identity.user_name, identity.user_name)


@dataclass(frozen=True)
class Use:
    """That a person joined, and when; `user_name` is what they were called then."""

    person: Person
    used_at: datetime


@dataclass(frozen=True)
class Invitation:
    """An invitation to a community of a hub, for `uses_allowed` people, until `expires_at`; all times are aware.

    `id` is 0 until it is stored. `uses`: who has come by it, the first one first.
    """

    hub: str
    community: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    uses_allowed: int = 1
    note: str = ""
    id: int = 0
    revoked_at: datetime | None = None
    revoked_by: str = ""
    uses: tuple[Use, ...] = ()

    def refusal(self, now: datetime) -> str:
        """Why nobody else can join by it, with whom to ask, in sentences; "" if somebody can."""
        if self.revoked_at:
            why = "has been withdrawn"
        elif now >= self.expires_at:
            why = f"ended on {self.expires_at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC"
        elif len(self.uses) < self.uses_allowed:
            return ""
        elif self.uses_allowed == 1:
            why = "was for one person, and has been used"
        else:
            why = f"was for {self.uses_allowed} people, and so many have come"
        return f"This invitation {why}. Ask {self.made_by[:64] or 'whoever gave it to you'} for a new one."

    def refusal_of(self, person: Person, now: datetime) -> str:
        """Why this person cannot join by it; "" if they can, or have: clicking again is not joining again."""
        if self.used_by(person) and not self.revoked_at:
            return ""
        return self.refusal(now)

    def used_by(self, person: Person) -> bool:
        """Whether the person has come by it."""
        return any((use.person.provider, use.person.subject) == (person.provider, person.subject) for use in self.uses)

    def status(self, now: datetime) -> str:
        """One word for lists: open, withdrawn, expired or used."""
        if not self.refusal(now):
            return "open"
        return "withdrawn" if self.revoked_at else "expired" if now >= self.expires_at else "used"


def proposed(
    hub: str, community: str, made_by: str, now: datetime, *, expires_at: datetime, uses: int = 1, note: str = ""
) -> Invitation:
    """An invitation as somebody asks for one; raises ValueError, in words for them, if it cannot be one."""
    if not 1 <= uses <= MOST_USES:
        raise ValueError(f"An invitation is for 1 to {MOST_USES} people.")
    if not now < expires_at <= now + timedelta(days=MOST_DAYS):
        raise ValueError(f"An invitation ends in the future, at most {MOST_DAYS} days from now.")
    note = " ".join(note.split())
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise ValueError(f"A note has at most {LONGEST_NOTE} characters that can be printed.")
    return Invitation(hub, community, made_by, now, expires_at, uses, note)


def expiry_of(text: str, now: datetime) -> datetime:
    """When something ends that is to last `12h`, `14d` or `2w`, or through a day `2026-12-31` (in UTC).

    Raises ValueError, with what can be written.
    """
    span = _SPAN.fullmatch(text.strip())
    if span:
        return now + int(span[1]) * _UNITS[span[2]]
    try:
        return datetime.combine(date.fromisoformat(text.strip()) + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        wrong = f"{text[:64]!r} is neither a time such as 12h, 14d or 2w nor a day such as 2026-12-31."
        raise ValueError(wrong) from None


def inviting(communities: Mapping[str, Community]) -> tuple[str, ...]:
    """The communities that admit people by invitation."""
    return tuple(name for name, community in communities.items() if any(rule.invitation for rule in community.rules))


def with_invitations(identity: Identity, joined: Iterable[str], refused: str = "") -> Identity:
    """What is known of a person, with the communities that they joined by invitation."""
    return replace(identity, invited_to=frozenset(joined), refused_invitation=refused)


def signing_key(secret: str) -> bytes:
    """The key that signs invitations, derived from a secret that may serve for other things too.

    Raises ValueError if the secret is shorter than 32 bytes.
    """
    if len(secret.encode()) < LEAST_SECRET:
        raise ValueError(
            f"the secret that signs invitations has fewer than {LEAST_SECRET} bytes; take for instance what "
            "`openssl rand -hex 32` prints."
        )
    return hashlib.blake2b(secret.encode(), digest_size=32, person=b"hub-invitations").digest()


def new_token(key: bytes, hub: str) -> str:
    """A token for an invitation to a hub that nobody has had before."""
    return jwt.encode({"aud": hub, "jti": secrets.token_urlsafe(24)}, key, algorithm="HS256")


def is_genuine(token: str, key: bytes, hub: str) -> bool:
    """Whether a token was made for this hub with this key; raises nothing, whatever the token is."""
    if len(token) > _LONGEST_TOKEN:
        return False
    required: Any = {"require": ["aud", "jti"]}
    try:
        jwt.decode(token, key, algorithms=["HS256"], audience=hub, options=required)
    except (jwt.InvalidTokenError, ValueError):
        return False
    return True


def digest_of(token: str) -> str:
    """What the database knows a token by."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
