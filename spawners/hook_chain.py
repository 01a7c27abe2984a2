"""Hooks of a spawner: any number of each kind, with names, in an order, and the operator's own one always too."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from jupyterhub.utils import maybe_future
from tornado import web
from traitlets import Callable as CallableTrait
from traitlets import Dict, Unicode
from traitlets.config import LoggingConfigurable

from .refusal import refusal

if TYPE_CHECKING:
    from jupyterhub.spawner import Spawner as Base  # what this is put before
else:
    Base = LoggingConfigurable


def named_hooks(stage: str, arguments: str, when: str) -> Any:
    """A trait for the hooks of one stage."""
    return Dict(
        key_trait=Unicode(),
        value_trait=CallableTrait(allow_none=True),
        config=True,
        help=f"""
        Functions to run {when}, name → function, in the order of their names.

        Each is called with {arguments}, and may be async. None switches off the one of that name. They run before
        `{stage}_hook`, which stays for one function more::

            c.ProfileSpawner.{stage}_hooks.update({{"10-check-disk": check_disk}})

        An error in one is logged with its name.
        """,
    )


class HookChain(Base):
    """Put this before a Spawner class, to give each of its hooks a chain of named ones.

    The chain is in the methods that run a hook, not in the hook's trait: whatever is assigned to `pre_spawn_hook` and
    the like, and whenever, runs in addition.
    """

    auth_state_hooks = named_hooks(
        "auth_state", "the spawner and the auth_state of the owner, which may be None", "before each start and form"
    )
    pre_spawn_hooks = named_hooks("pre_spawn", "the spawner", "before each start, when the profile has been applied")
    post_stop_hooks = named_hooks("post_stop", "the spawner", "after each stop")

    async def run_auth_state_hook(self, auth_state: Any) -> None:
        """Run the chain; also JupyterHub's start page does, so hooks run several times for one start."""
        for name, hook in in_order(self.auth_state_hooks):
            with self.named(f"auth_state_hooks[{name!r}]"):
                await maybe_future(hook(self, auth_state))
        with self.named("auth_state_hook"):
            await super().run_auth_state_hook(auth_state)

    async def run_pre_spawn_hook(self) -> None:
        """Run the chain; an error ends the start."""
        for name, hook in in_order(self.pre_spawn_hooks):
            with self.named(f"pre_spawn_hooks[{name!r}]"):
                await maybe_future(hook(self))
        with self.named("pre_spawn_hook"):
            await maybe_future(super().run_pre_spawn_hook())

    async def run_post_stop_hook(self) -> None:
        """Run the chain to its end: the server is gone, so an error in one hook is no reason to leave out the next."""
        for name, hook in in_order(self.post_stop_hooks):
            await self._after_the_end(f"post_stop_hooks[{name!r}]", partial(hook, self))
        await self._after_the_end("post_stop_hook", super().run_post_stop_hook)

    async def _after_the_end(self, name: str, hook: Callable[[], Any]) -> None:
        try:
            await maybe_future(hook())
        except Exception:
            self.log.exception("%s failed after the server %s stopped", name, self._log_name)

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """Say in the log, and to the person, which step it was that failed.

        A refusal (an HTTPError, of which JupyterHub's SpawnException is one) passes as it is: it has its own words.
        """
        try:
            yield
        except web.HTTPError as error:
            self.log.warning("%s refused the server %s: %s", name, self._log_name, error)
            raise
        except Exception as error:
            self.log.exception("%s failed for the server %s", name, self._log_name)
            sentence = f"Your server cannot start: {name}, a step of this hub, failed. Please tell those who run it."
            raise refusal(sentence, code="hook_failed", status=500) from error


class NamedHook:
    """A hook that says its name when it fails, and is otherwise as it was, async or not."""

    def __init__(self, spawner: HookChain, name: str, hook: Callable[..., Any]):
        self._spawner = spawner
        self._name = name
        self.__wrapped__ = hook

    def __call__(self, *args: Any) -> Any:
        """What the hook returns."""
        with self._spawner.named(self._name):
            result = self.__wrapped__(*args)
        return self._awaited(result) if isawaitable(result) else result

    async def _awaited(self, result: Any) -> Any:
        with self._spawner.named(self._name):
            return await result


def in_order(hooks: Mapping[str, Callable[..., Any] | None]) -> list[tuple[str, Callable[..., Any]]]:
    """The hooks that are not switched off, in the order of their names."""
    return [(name, hook) for name, hook in sorted(hooks.items()) if hook is not None]
