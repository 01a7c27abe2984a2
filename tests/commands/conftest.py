"""Commands that work with the ledger do so on each kind of database."""

from ..ledger.conftest import ledger, new_database, postgres, url

__all__ = ["ledger", "new_database", "postgres", "url"]
