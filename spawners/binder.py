"""Servers of a BinderHub: images that it has built, for people whom it may not even name."""

import re
from collections.abc import Mapping
from typing import Any

from traitlets import Bool, Unicode

from .hook_chain import HookChain
from .kube import ProfileKubeSpawner
from .refusal import refusal

# What BinderHub sends with a start, and servers find in their environment.
_VARIABLES = {
    "repo_url": "BINDER_REPO_URL",
    "binder_ref_url": "BINDER_REF_URL",
    "binder_launch_host": "BINDER_LAUNCH_HOST",
    "binder_persistent_request": "BINDER_PERSISTENT_REQUEST",
    "binder_request": "BINDER_REQUEST",
}
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{8,512}")


class BinderSpawnerMixin(HookChain):
    """Put this before a spawner with an `image`, to start what a BinderHub asks for.

    `image` and `token` come with the options of a start. Whoever may start a server then chooses any image, so give the
    scope `servers` to BinderHub alone, or set `images`.
    """

    auth_enabled = Bool(
        config=True,
        help="""
        Whether people log in to the hub. Their servers then are JupyterHub's, and images need `jupyterhub-singleuser`;
        a start without an image starts that of the settings. Otherwise a server is guarded by the token alone that
        BinderHub makes for it.
        """,
    )
    cors_allow_origin = Unicode(
        config=True,
        help="The origin whose pages may talk to servers without a login, as `https://docs.example.org`; `*` is all.",
    )
    images = Unicode(
        config=True,
        help="""A regular expression that the names of all images fit which BinderHub builds; by default any image may
        be started: `c.BinderSpawnerMixin.images = r"registry[.]example[.]org/binder-[a-z0-9-]+:[0-9a-f]+"`.""",
    )

    async def apply_binder_options(self, options: Any) -> None:
        """Take the image from the options; refuses those of which a server cannot be made."""
        options = options if isinstance(options, Mapping) else {}
        image, token = options.get("image"), options.get("token")
        if image is None and self.auth_enabled:
            return
        allowed = self.images or _IMAGE.pattern
        if not (isinstance(image, str) and _IMAGE.fullmatch(image) and re.fullmatch(allowed, image)):
            raise refusal("A server needs the name of an image, from the BinderHub of this hub.", code="binder_options")
        if not self.auth_enabled and not (isinstance(token, str) and _TOKEN.fullmatch(token)):
            raise refusal("A server needs a token, from the BinderHub of this hub.", code="binder_options")
        self.override_trait("image", image, "BinderHub")

    def get_args(self) -> list[str]:
        """The arguments of a server: without a login, those of a plain Jupyter server with a token."""
        if self.auth_enabled:
            arguments: list[str] = super().get_args()
            return arguments
        settings = {
            "base_url": self.server.base_url,
            "token": self.user_options["token"],
            "trust_xheaders": "True",
            "default_url": self.default_url,
            "allow_origin": self.cors_allow_origin,
            # Files are served by a part of the server that knows only patterns.
            "allow_origin_pat": ".*" if self.cors_allow_origin == "*" else "",
        }
        # Old images run NotebookApp, newer ones ServerApp; each passes over what is the other's.
        classes = ("NotebookApp", "ServerApp")
        given = [f"--{cls}.{name}={value}" for cls in classes for name, value in settings.items() if value]
        return ["--ip=0.0.0.0", f"--port={self.port}", *given, *self.args]

    def get_env(self) -> dict[str, Any]:
        """The environment, with what BinderHub says of the launch."""
        told = self.user_options if isinstance(self.user_options, Mapping) else {}
        said = {variable: told[key] for key, variable in _VARIABLES.items() if isinstance(told.get(key), str)}
        environment: dict[str, Any] = super().get_env()
        return environment | {variable: self.quoted(value) for variable, value in said.items()}


class BinderKubeSpawner(BinderSpawnerMixin, ProfileKubeSpawner):
    """ProfileKubeSpawner for a hub beside a BinderHub. The entry point is `binder-kube`.

    Everything set for `c.KubeSpawner` and `c.BinderSpawnerMixin` holds. It has no profiles: with a `profile_list`, what
    BinderHub asks for is refused as none of them.
    """

    async def _apply_profile(self, options: Any) -> None:
        await super()._apply_profile(options)
        if not self.profile_list:
            await self.apply_binder_options(options)
