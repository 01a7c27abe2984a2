"""What the hub's own ``/hub/metrics`` says of the ledger. Made once, when first imported, as the registry wants it."""

from prometheus_client import Counter

KINDS = ("open", "close")

FAILED_WRITES = Counter(
    "hub_extensions_ledger_failed_writes",
    "Attempts to write to the usage ledger that failed; the write is tried again unless it is lost",
    ["kind"],
)
LOST_WRITES = Counter(
    "hub_extensions_ledger_lost_writes",
    "Starts and stops of servers that the usage ledger will never hold",
    ["kind"],
)
for _kind in KINDS:
    FAILED_WRITES.labels(_kind)
    LOST_WRITES.labels(_kind)
UNCOUNTED_STARTS = Counter(
    "hub_extensions_quota_uncounted_starts",
    "Starts of people with a quota that were let through because the usage ledger did not answer",
)
QUOTA_STOPS = Counter("hub_extensions_quota_stops", "Running servers that were stopped because a quota was spent")
