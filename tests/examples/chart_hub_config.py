"""A hub of the example for the chart, as the chart's own file configures it, with what only a cluster has left out.

A test's choices come as JSON in ``TEST_HUB``. People log in by name, and their servers are processes.
"""

import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

import yaml
from traitlets.config import get_config

TESTS = Path(__file__).parents[1]
EXAMPLE = TESTS.parent / "examples" / "z2jh" / "values.yaml"

c = get_config()
given = json.loads(os.environ["TEST_HUB"])
spec = importlib.util.spec_from_file_location("z2jh_loader", TESTS / "z2jh_loader.py")
loader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loader)

values = yaml.safe_load(EXAMPLE.read_text())
values["hub"]["config"] = {"JupyterHub": {"authenticator_class": "community-dummy", "spawner_class": "profile-local"}}
values["custom"]["usage"]["url"] = f"http://127.0.0.1:{given['service_port']}"
values["custom"]["hub"].pop("admins")  # nobody proves who they are here
values["custom"]["profiles"] = values["singleuser"].pop("profileList")  # which the chart gives to KubeSpawner
values["singleuser"].pop("extraEnv")  # has a variable from a secret of the cluster
temporary = tempfile.mkdtemp()
c.merge(loader.load(values, Path(temporary), {}))

c.JupyterHub.db_url = "sqlite:///jupyterhub.sqlite"  # as the chart says it
c.JupyterHub.cookie_secret = b"c" * 32  # the chart has it in a secret
c.JupyterHub.ip = c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_connect_url = f"http://127.0.0.1:{given['hub_port']}"
c.JupyterHub.port = given["port"]
c.JupyterHub.hub_port = given["hub_port"]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{given['proxy_port']}"
c.ConfigurableHTTPProxy.command = [str(Path(sys.executable).with_name("configurable-http-proxy"))]
c.SimpleLocalProcessSpawner.home_dir_template = f"{temporary}/{{username}}"
c.Spawner.cmd = [sys.executable, str(TESTS / "kube" / "quick_server.py")]
