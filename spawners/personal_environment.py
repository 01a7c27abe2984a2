"""Environment variables that depend on whose server it is."""

from typing import Any

from traitlets import Dict, validate

from hub_extensions import auth_state_environment
from hub_extensions.checked_traits import checked
from hub_extensions.mounts import AdminExtras

from .hook_chain import HookChain


class PersonalEnvironment(HookChain):
    """Put this before a Spawner class, to fill in its environment from what is known of the server's owner."""

    environment_from_auth_state = Dict(
        config=True,
        help="""
        Variables to fill in from the auth_state of the server's owner, name → template::

            c.ProfileSpawner.environment_from_auth_state = {"GITHUB_USER": "{auth_state[github_user][login]}"}

        A template looks up keys, and nothing else. A variable of which something is missing is left out, so people
        without auth_state start all the same. What was looked up reaches the server as it is, also when it has braces,
        percents or dollars; what is not text becomes JSON. These variables win over those of `environment`, profiles
        and admins. It needs `c.Authenticator.enable_auth_state`. Whoever may read the cluster's pods can read them.
        """,
    )

    environment_defaults = Dict(
        config=True,
        help="""
        Variables that servers have unless something else sets them, name → value, with the placeholders of
        `environment`::

            c.ProfileSpawner.environment_defaults = {"SCRATCH": "s3://scratch/{username}"}

        They hide none of `environment`, of whichever class it is set for: a variable of the same name there, in a
        profile or among those of admins wins. `configure` puts here what a part of the settings brings along.
        """,
    )

    admin_extras = Dict(
        config=True,
        help="""
        What only servers of admins have: variables, mounts and a service account, as Zero to JupyterHub writes them::

            c.ProfileSpawner.admin_extras = {
                "extraEnv": {"DEPLOY_KEY_FILE": "/etc/keys/deploy"},
                "extraVolumeMounts": {
                    "shared": {"name": "home", "mountPath": "/home/jovyan/shared", "subPath": "_shared"}
                },
                "serviceAccountName": "hub-admin",
            }

        `extraVolumeMounts` is a mapping or a list; null anywhere is nothing. A mount takes the place of one at the same
        path, a variable that of one of the same name. It is the owner of the server who must be an admin, not whoever
        starts it. Mounts and service account need Kubernetes.
        """,
    )

    _from_auth_state: dict[str, str] | None = None

    @validate("environment_from_auth_state")
    def _environment_from_auth_state_is_valid(self, proposal: Any) -> Any:
        return checked(auth_state_environment.Templates, proposal)

    @validate("admin_extras")
    def _admin_extras_are_valid(self, proposal: Any) -> Any:
        return checked(AdminExtras, proposal)

    async def run_auth_state_hook(self, auth_state: Any) -> None:
        """Remember the variables for this start, then run the chain."""
        filled = auth_state_environment.fill_in(self.environment_from_auth_state, auth_state, self.quoted)
        for name, reason in filled.left_out.items():
            self.log.info("environment_from_auth_state: no %s for %s: %s", name, self._log_name, reason)
        self._from_auth_state = dict(filled.variables)
        await super().run_auth_state_hook(auth_state)

    def get_env(self) -> dict[str, Any]:
        """The environment, above its defaults and below the variables of admins and those from auth_state."""
        environment: dict[str, Any] = self.expanded(self.environment_defaults) | super().get_env()
        return environment | self.expanded(self.extras_of_owner().environment) | (self._from_auth_state or {})

    def extras_of_owner(self) -> AdminExtras:
        """What the owner has for being an admin."""
        return AdminExtras.model_validate(self.admin_extras if self.user.admin else {})

    def quoted(self, value: str) -> str:
        """A value in the form in which it reaches the server unchanged."""
        return value

    def expanded(self, environment: dict[str, Any]) -> dict[str, Any]:
        """Variables of the operator as this spawner can set them."""
        return {name: value for name, value in environment.items() if isinstance(value, str)}
