"""Refusals of a start, as JupyterHub shows, logs and counts them."""

from typing import Any

from jupyterhub import spawner as jupyterhub_spawner
from tornado import web


def knows_refusals() -> bool:
    """Whether JupyterHub tells a refused start from a failed one, as it does from 6 on."""
    return hasattr(jupyterhub_spawner, "SpawnException")


def refusal(sentence: str, *, code: str, status: int = 400, log_message: str = "") -> web.HTTPError:
    """The exception that refuses a start.

    `sentence` is for the person, `log_message` (default: the sentence) for the log, `code` for the `reason` label of
    JupyterHub's metrics. On JupyterHub 6 it is a SpawnException, which logs no traceback.
    """
    error: Any
    if knows_refusals():
        error = jupyterhub_spawner.SpawnException(sentence, reason=code, log_message=log_message, status_code=status)
    else:
        # HTTPError formats its message with %, which somebody's input may contain.
        error = web.HTTPError(status, (log_message or sentence).replace("%", "%%"), reason=code)
    # JupyterHub's pages show this; without it they show the text that was meant for the log.
    error.jupyterhub_message = sentence
    return error  # type: ignore[no-any-return]
