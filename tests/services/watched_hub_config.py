"""A hub that starts servers, wired by its settings alone. What a test sets comes as JSON in ``TEST_HUB``."""

import json
import os
import sys
from pathlib import Path

from traitlets.config import get_config

from hub_extensions import configure
from hub_extensions.usage_service import SERVICE

c = get_config()
given = json.loads(os.environ["TEST_HUB"])

c.JupyterHub.spawner_class = "profile-local"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.base_url = given["base_url"]
c.JupyterHub.ip = "127.0.0.1"
c.JupyterHub.port = given["port"]
c.JupyterHub.hub_port = given["hub_port"]
c.JupyterHub.cleanup_servers = False
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{given['proxy_port']}"
c.ConfigurableHTTPProxy.command = [str(Path(sys.executable).with_name("configurable-http-proxy"))]
c.ProfileLocalSpawner.home_dir_template = f"{Path.cwd()}/homes/{{username}}"
c.ProfileLocalSpawner.cmd = given["cmd"]
c.ProfileLocalSpawner.poll_interval = 1
c.JupyterHub.services = [
    {"name": "test", "api_token": "token-of-the-test"},
    {"name": "curious", "api_token": "token-of-the-curious"},
    *given.get("services", []),
]
c.JupyterHub.load_roles = [
    {"name": "test", "scopes": ["admin:users", "admin:servers", "admin:groups"], "services": ["test"]},
    {
        "name": "curious",
        "scopes": ["list:users", "read:servers!group=ocean", "read:users:groups"],
        "services": ["curious"],
    },
    *given.get("roles", []),
]

configure(c, given["settings"])
for service in c.JupyterHub.services:
    if service["name"] == SERVICE and "environment" in service:
        told = json.loads(service["environment"]["HUB_EXTENSIONS_USAGE"])
        service["environment"]["HUB_EXTENSIONS_USAGE"] = json.dumps({**told, "beat_seconds": given["beat_seconds"]})
