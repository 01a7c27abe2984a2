"""The ledger: the table of sessions, who writes it and who reads it."""

from .configurable import UsageLedger
from .recorder import Recorder
from .store import Ledger

__all__ = ["Ledger", "Recorder", "UsageLedger"]
