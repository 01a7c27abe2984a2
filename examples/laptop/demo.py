"""Run the example hub: a sign-in provider and a stock JupyterHub, on loopback, until Ctrl-C.

PORT is where the hub answers (default 8000); what it keeps goes to the folder DEMO_FOLDER (default .demo).
"""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent


def main() -> int:
    port = int(os.environ.get("PORT", "8000"))
    folder = Path(os.environ.get("DEMO_FOLDER", ".demo")).resolve()
    if is_in_use(port):
        return say(f"Port {port} is in use. Stop what listens there, or choose another: make demo PORT={port + 1000}")
    folder.mkdir(parents=True, exist_ok=True)
    people = yaml.safe_load((HERE / "people.yaml").read_text(encoding="utf-8"))
    with provider_of(people) as provider:
        return run_hub(port, provider.server_port, folder, people)


def provider_of(people):
    """The sign-in provider: a real OpenID Connect server in a thread of this process."""
    warnings.filterwarnings("ignore", module="authlib|oidc_provider_mock")  # of its own dependencies
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # not a line for each request
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # it speaks plain HTTP, on loopback
    from oidc_provider_mock import User, run_server_in_thread

    users = [
        User(
            sub=person["sub"],
            claims={
                "name": person["name"],
                "preferred_username": person["sub"],
                "email": f"{person['sub']}@fieldstation.example",
                "email_verified": True,
                "groups": person["groups"],
            },
        )
        for person in people
    ]
    return run_server_in_thread(port=0, user_claims=users)


def run_hub(port, provider_port, folder, people):
    """Run JupyterHub until it ends by itself, by Ctrl-C or by a request to terminate; answer its exit status."""
    provider = f"http://localhost:{provider_port}"
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "OAUTH2_AUTHORIZE_URL": f"{provider}/oauth2/authorize",
        "OAUTH2_TOKEN_URL": f"{provider}/oauth2/token",
        "OAUTH2_USERDATA_URL": f"{provider}/userinfo",
    }
    command = [
        sys.executable, "-m", "jupyterhub",
        f"--config={HERE / 'jupyterhub_config.py'}",
        f"--JupyterHub.bind_url=http://127.0.0.1:{port}",
        f"--JupyterHub.hub_port={free_port()}",
        f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{free_port()}",
        f"--SimpleLocalProcessSpawner.home_dir_template={folder / 'homes'}/{{username}}",
    ]  # fmt: skip
    say(f"\n  Open http://127.0.0.1:{port} and sign in as one of:\n")
    for person in people:
        say(f"    {person['sub']:<6} {person['about']}")
    say("\n  Ctrl-C ends it; what people did is kept for the next time.\n")
    with (folder / "hub.log").open("a") as log:
        # A session of its own, so that Ctrl-C reaches the hub once, through this process, and it can stop its servers.
        hub = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: hub.send_signal(signal.SIGTERM))
        status = hub.wait()
    if status > 0:
        end_proxy(folder / "jupyterhub-proxy.pid")
        say(f"The hub ended with status {status}. Its log: {folder / 'hub.log'}")
    return max(status, 0)


def end_proxy(pid_file):
    """End the proxy that a hub which failed has left running; a hub that ends well ends it and removes the file."""
    if pid_file.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid_file.read_text()), signal.SIGTERM)
        pid_file.unlink()


def is_in_use(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def say(text):
    """Tell the person at the terminal; answer the exit status of a failure."""
    sys.stderr.write(f"{text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
