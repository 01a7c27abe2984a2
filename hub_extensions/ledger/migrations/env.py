"""What Alembic runs: the migrations, on the connection and in the transaction that ``Ledger.migrate`` opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="ledger_version",
    # Also on SQLite, where Alembic would not trust it: all of a migration happens, or nothing.
    transactional_ddl=True,
)
context.run_migrations()
