"""The usage pages: what a person used, for leads their community, for admins the hub."""

from .server import run

__all__ = ["run"]
