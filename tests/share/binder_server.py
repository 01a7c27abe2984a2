"""A hub's service that answers as BinderHub's build API does; what happens is chosen by the repository's name.

A build of `slow` waits until somebody asks for `release`. A build of `cut` loses its connection, once.
"""

import asyncio
import hashlib
import json
import os
from typing import ClassVar
from urllib.parse import urlparse

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado.web import Application, RequestHandler, authenticated

PREFIX = os.environ["JUPYTERHUB_SERVICE_PREFIX"]


class Build(HubOAuthenticated, RequestHandler):
    """Streams the events of a build."""

    let_go = asyncio.Event()
    were_cut: ClassVar[set[str]] = set()

    def set_default_headers(self):
        """Whatever it answers is a stream of events, as with BinderHub."""
        self.set_header("Content-Type", "text/event-stream")

    async def tell(self, phase, message="", **more):
        """Send one event."""
        self.write(f"data: {json.dumps({'phase': phase, 'message': message, **more})}\n\n")
        await self.flush()

    @authenticated
    async def get(self, owner, repository, ref):
        """Act as the repository's name says."""
        if self.get_argument("build_only", "") != "true":
            await self.tell("failed", "It would launch a server.\n")
            return
        if repository.startswith("answers-"):
            self.set_status(int(repository.removeprefix("answers-")))
            return
        match repository:
            case "page":
                self.set_header("Content-Type", "text/html")
                self.write("<h1>Hello</h1>")
                return
            case "nonsense":
                self.write("data: <nonsense>\n\n")
                return
            case "refused":
                await self.tell("failed", "Forbidden\n", status_code=403)
                return
            case "missing":
                await self.tell("failed", f"Could not resolve ref for gh:{owner}/{repository}/{ref}.\n")
                return
        await self.tell("waiting", "Waiting for build to start...\n")
        await self.tell("fetching", f"Cloning {owner}/{repository} at {ref}\n")
        self.write(":keepalive\n\n")
        await self.tell("building", "\x1b[32mStep 1/9\x1b[0m : <b>FROM</b> ubuntu\n")
        if repository == "cut" and ref not in self.were_cut:
            self.were_cut.add(ref)
            self.request.connection.stream.close()
            return
        if repository == "slow":
            self.let_go.clear()
            await self.let_go.wait()
        await self.tell("building", " 10% downloaded\r 60% downloaded\r")
        await self.tell("building", "100% downloaded\nStep 9/9 : CMD jupyterhub-singleuser\n")
        if repository == "broken":
            await self.tell("failed", "ERROR: No matching distribution found for nunpy\n")
            return
        await self.tell("pushing", "Pushing image\n")
        commit = hashlib.sha1(ref.encode()).hexdigest()
        image = (
            f"registry.example.org/{'other' if repository == 'elsewhere' else 'built'}-{owner}-{repository}:{commit}"
        )
        await self.tell("built", "Built image\n", imageName=image)
        await self.tell("ready", f"server {image} is ready\n", imageName=image)
        await asyncio.sleep(60)  # as BinderHub does, for clients that would connect again


class Release(RequestHandler):
    """Lets slow builds go on."""

    async def get(self):
        """Let them."""
        Build.let_go.set()


async def main():
    """Serve until the hub ends it."""
    handlers = [
        (f"{PREFIX}oauth_callback", HubOAuthCallbackHandler),
        (f"{PREFIX}release", Release),
        (rf"{PREFIX}build/gh/([^/]+)/([^/]+)/(.+)", Build),
    ]
    application = Application(handlers, cookie_secret=os.urandom(32))
    address = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
    application.listen(address.port, address.hostname)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
