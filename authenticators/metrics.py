"""What the hub's own ``/hub/metrics`` says of logins. Made once, when first imported, as the registry wants it."""

from prometheus_client import Counter

HELD = "held"
EXPIRED = "expired"

PROVIDER_AWAY = Counter(
    "hub_extensions_login_provider_away",
    "Refreshes of a person that the login provider did not answer, and whether the last known membership still holds",
    ["outcome"],
)
for _outcome in (HELD, EXPIRED):
    PROVIDER_AWAY.labels(_outcome)
