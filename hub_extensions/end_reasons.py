"""Why sessions end: the words that the ledger keeps in `end_reason`, and nothing else."""

from enum import StrEnum


class EndReason(StrEnum):
    """Why a session ended. A row is closed exactly once, with one of these.

    Who it was that stopped somebody else's server is in the hub's log, not in the ledger.
    """

    BY_PERSON = "stopped by person"
    """Its owner stopped it, by a page, by logging out, or with a token of theirs."""

    BY_ADMIN = "stopped by admin"
    """Somebody else who may: an admin, a lead, or a service of the hub that is no culler."""

    STOPPED = "stopped"
    """The hub stopped it by itself, as it does with all servers when it shuts down and is told to."""

    CULLED = "culled"
    """A culler stopped it, because it was idle for too long, or too old."""

    QUOTA = "quota"
    """Its owner had used all that they may use."""

    CRASHED = "crashed"
    """Its process or container ended with an error, unasked."""

    EVICTED = "evicted"
    """The cluster took it away: its memory ran out, its node went, or others had precedence."""

    ENDED = "ended"
    """Its process ended without an error, unasked, as with "Shut Down" in JupyterLab."""

    HUB_AWAY = "hub away"
    """Nobody saw the end, for the hub was not running. It counts up to the moment it was last seen."""

    FAILED = "failed"
    """It was ready, but could not be reached."""


_WORDS = {
    EndReason.BY_PERSON: "stopped by its owner",
    EndReason.BY_ADMIN: "stopped by somebody else",
    EndReason.STOPPED: "stopped by the hub",
    EndReason.CULLED: "idle for too long, or too old",
    EndReason.QUOTA: "quota used up",
    EndReason.CRASHED: "crashed",
    EndReason.EVICTED: "taken away by the cluster",
    EndReason.ENDED: "shut down",
    EndReason.HUB_AWAY: "last seen; nobody saw its end",
    EndReason.FAILED: "could not be reached",
}


def in_words(reason: str) -> str:
    """A reason as people read it; what came into the ledger with other words is told in these."""
    return _WORDS[EndReason(reason)] if reason in list(EndReason) else reason
