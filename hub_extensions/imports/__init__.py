"""Sessions from before the ledger: read from JupyterHub's event log and from CSV files. Nothing here writes."""

from .event_log import EventLog
from .lines import BadLine, SessionKeys
from .session_table import COLUMNS, HeaderError, read_table

__all__ = ["COLUMNS", "BadLine", "EventLog", "HeaderError", "SessionKeys", "read_table"]
