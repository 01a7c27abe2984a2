"""The ledger: the table of sessions, who writes it and who reads it."""

from .configurable import UsageLedger
from .recorder import Recorder
from .store import LOST, Ledger

__all__ = ["LOST", "Ledger", "Recorder", "UsageLedger"]
