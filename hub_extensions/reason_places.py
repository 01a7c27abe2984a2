"""The reasons of a login's decision, with the paths at which their rules stand in the hub's files."""

from collections.abc import Mapping
from dataclasses import dataclass

from .communities import Reason
from .file_places import Places
from .login_settings import Login

_OF_THE_CLASS = ("allow_all", "blocked_users")  # traits of JupyterHub's own, not settings of ours


@dataclass(frozen=True)
class ReasonPlaces:
    """Where the rules stand that decided about `user`.

    `admin_rules`: how many rules the settings have for admins; the one after them stands for `admin_users`, which
    `admin` tells better. `assumed`: paths of rules that were made up, each → its community.
    """

    places: Places
    login: Login
    user: str
    admin_rules: int
    admin: Reason | None
    assumed: Mapping[str, str]

    def placed(self, reason: Reason) -> Reason:
        """The reason with the path of its rule in the files."""
        if reason.rule in self.assumed:
            sentence = (
                f"{self.assumed[reason.rule]} is a community of this hub, and is among the groups that were named."
            )
            return reason._replace(rule="--groups", sentence=sentence)
        if self.admin and reason.rule == f"hub.admins[{self.admin_rules}]":
            return self.admin
        if reason.rule in _OF_THE_CLASS:
            entry = self.user if reason.rule == "blocked_users" else ""
            return reason._replace(rule=self.places.entry(self.login, reason.rule, entry))
        if reason.rule.startswith(("communities.", "hub.")):
            return reason._replace(rule=self.places.setting(reason.rule))
        return reason
