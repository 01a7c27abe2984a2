"""Run the example hub: a sign-in provider and a stock JupyterHub, on loopback, until Ctrl-C.

PORT is where the hub answers (default 8000); what it keeps goes to the folder DEMO_FOLDER (default .demo).
It ends with status 0 when it was asked to (Ctrl-C, a request to terminate, a terminal that is closed), 1 when it cannot
run or the hub failed, 2 when PORT is no port. Whatever the end, nothing that it started is left running.
"""

import signal
import sys

# From here on, and before anything that takes time, a request to end is followed quietly.
ENDINGS = [signal.SIGINT, signal.SIGTERM]
if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
    ENDINGS.append(signal.SIGHUP)
if __name__ == "__main__":
    for ending in ENDINGS:
        signal.signal(ending, lambda *_: sys.exit(0))

# ruff: noqa: E402
import contextlib
import errno
import fcntl
import http.client
import logging
import os
import queue
import socket
import subprocess
import threading
import time
import warnings
from pathlib import Path

import psutil
import yaml

HERE = Path(__file__).resolve().parent
ASKED = "asked"  # to end
START_SECONDS = 30  # for a hub that is to end while it starts: told at once, it would leave processes behind
END_SECONDS = 60  # for the hub to stop its servers


def main() -> int:
    chosen = os.environ.get("PORT", "8000")
    port = int(chosen) if chosen.isascii() and chosen.isdecimal() else 0
    if not 1 <= port <= 65535:
        say(f"PORT must be a number from 1 to 65535, such as 8000; found {chosen[:64]!r}.")
        return 2
    refused = refusal(port)
    if refused:
        return say(refused)
    folder = Path(os.environ.get("DEMO_FOLDER", ".demo")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    people = yaml.safe_load((HERE / "people.yaml").read_text(encoding="utf-8"))
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return say(
                f"{folder} is in use by another demonstration. End that one, or choose another folder: "
                "make demo DEMO_FOLDER=.demo-2"
            )
        say("Starting; this takes a few seconds.")
        provider = provider_of(people)
        happened = queue.SimpleQueue()  # a signal may come while something is put: this queue allows it
        for number in ENDINGS:
            signal.signal(number, lambda *_: happened.put(ASKED))
        with provider as server:
            return run_hub(port, server.server_port, folder, people, happened)


def provider_of(people):
    """The sign-in provider: a real OpenID Connect server, which runs in a thread of this process when it is entered."""
    from authlib.deprecate import AuthlibDeprecationWarning

    # Authlib asks for its own warnings to be shown always, and the provider's use of it is nothing people can change.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
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


def run_hub(port, provider_port, folder, people, happened):
    """Run JupyterHub until it ends by itself or `happened` has a request to end; answer the exit status."""
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
    if not happened.empty():
        return 0
    log_file = folder / "hub.log"
    with log_file.open("ab") as log:
        begin = log_file.stat().st_size
        # A session of its own, so that Ctrl-C reaches the hub once, through this process, and it can stop its servers.
        hub = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    started = set()
    try:
        status = follow(hub, happened, started, port, people)
    finally:
        end(started, folder / "jupyterhub-proxy.pid")
    if not status:
        return 0
    last = log_file.read_bytes()[begin:].decode(errors="replace").splitlines()[-15:]
    return say("\n".join([*last, "", f"The hub ended with status {status}. Its log: {log_file}"]))


def follow(hub, happened, started, port, people):
    """Wait until the hub ends, and collect in `started` what it starts; answer its status, 0 if it was asked to end.

    JupyterHub ends in order only when it is up. So a request that comes before is handed on when the hub answers.
    """
    threading.Thread(target=lambda: happened.put(hub.wait()), daemon=True).start()
    answered, told, asked_at = False, False, None
    while True:
        with contextlib.suppress(psutil.NoSuchProcess):
            started.update(psutil.Process(hub.pid).children(recursive=True))
        if not answered and answers(port):
            answered = True
            if asked_at is None:
                introduce(port, people)
        waited = time.monotonic() - asked_at if asked_at else 0
        if asked_at and not told and (answered or waited > START_SECONDS):
            hub.terminate()
            told = True
        if waited > START_SECONDS + END_SECONDS:
            hub.kill()
        try:
            event = happened.get(timeout=3 if answered and not asked_at else 0.2)
        except queue.Empty:
            continue
        if event != ASKED:
            return 0 if asked_at else event
        if not asked_at:
            asked_at = time.monotonic()
            say("\nEnding.")


def end(started, proxy_pid_file):
    """End what a hub that failed or was killed has left running, and remove the file that names its proxy."""
    for stop in (psutil.Process.terminate, psutil.Process.kill):
        for process in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                stop(process)
        _, started = psutil.wait_procs(started, timeout=10)
    proxy_pid_file.unlink(missing_ok=True)


def introduce(port, people):
    lines = [f"    {person['sub']:<6} {person['about']}" for person in people]
    say("\n".join([
        "", f"  Open http://127.0.0.1:{port} and sign in as one of:", "", *lines, "",
        "  Ctrl-C ends it; what people did is kept for the next time.", "",
    ]))  # fmt: skip


def answers(port):
    """Whether the hub is up: its own address answers through the proxy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/hub/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def refusal(port):
    """Why the hub cannot listen there and what to do, or None."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                return f"Only root may listen on port {port}. Choose one above 1023: make demo PORT={port + 8000}"
            other = port + 1000 if port + 1000 <= 65535 else port - 1000
            return f"Port {port} is in use. Stop what listens there, or choose another: make demo PORT={other}"
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def say(text):
    """Tell the person at the terminal, if it is still open; answer the exit status of a failure."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
