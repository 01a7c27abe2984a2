"""A stock hub with the usage service, in a process of its own. What a test sets comes as JSON in ``TEST_HUB``."""

import json
import os
import sys
from pathlib import Path

from jupyterhub.auth import DummyAuthenticator
from traitlets.config import get_config

from hub_extensions.communities import Community
from hub_extensions.roles import leads_roles
from hub_extensions.usage_service import INVITE, READ, UsageSettings, registration

c = get_config()
given = json.loads(os.environ["TEST_HUB"])
people = given["people"]


class Known(DummyAuthenticator):
    """Lets in whom the test names, with their groups; the groups are managed by the login alone."""

    async def authenticate(self, handler, data):
        """Accept everybody whom the test names."""
        person = people.get(data["username"])
        return person and {"name": data["username"], "admin": person["admin"], "groups": person["groups"]}


c.JupyterHub.authenticator_class = Known
c.Authenticator.manage_groups = True
c.Authenticator.allow_all = True
c.JupyterHub.base_url = given["base_url"]
c.JupyterHub.ip = "127.0.0.1"
c.JupyterHub.port = given["port"]
c.JupyterHub.hub_port = given["hub_port"]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{given['proxy_port']}"
c.ConfigurableHTTPProxy.command = [str(Path(sys.executable).with_name("configurable-http-proxy"))]
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.allow_named_servers = True

usage = registration(
    UsageSettings(
        database=given["database"],
        hub=given["hub"],
        title="Ocean Data <Hub>",
        time_zone="Europe/Berlin",
        communities={"ocean-lab": "Ocean Lab", "ice-lab": "Ice Lab"},
        branding={"primary_color": "#0b6e99", "contact": "help@ocean.example.org"},
        inviting=("ocean-lab",),
        community_branding={"ice-lab": {"logo": "https://ice.example.org/logo.svg"}},
        quotas=tuple(given.get("quotas", ())),
        service_users=("tui",),
        profiles={"None of a community": "Open to all"},
    ),
    url=f"http://127.0.0.1:{given['service_port']}",
)
c.JupyterHub.services = [
    usage.service,
    {"name": "prometheus", "api_token": "token-of-prometheus"},
    {"name": "curious", "api_token": "token-of-the-curious"},
]
c.JupyterHub.custom_scopes = usage.custom_scopes
c.JupyterHub.load_roles = [
    *leads_roles({"ocean-lab": Community(), "ice-lab": Community()}, [READ, INVITE]),
    {"name": "user", "scopes": ["self", *usage.user_scopes]},
    {"name": "reports", "scopes": ["custom:usage:read"], "groups": ["reporters"]},
    {"name": "prometheus", "scopes": ["read:metrics"], "services": ["prometheus"]},
    {"name": "curious", "scopes": [*usage.user_scopes, "custom:usage:read"], "services": ["curious"]},
    usage.role,
    {"name": "tutors", "scopes": ["read:users:activity!group=ocean-lab"], "groups": ["tutors"]},
]
