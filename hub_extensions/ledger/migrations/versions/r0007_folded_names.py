"""Names of people are compared in lower case, as the hub compares them, in which ß is not ss."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_PEOPLE = sa.table("people", sa.column("id"), sa.column("user_name"), sa.column("folded"))
_AT_ONCE = 5000


def upgrade() -> None:
    """Write the names anew that another form of is kept."""
    _write(str.lower)


def downgrade() -> None:
    """Write them as they were."""
    _write(str.casefold)


def _write(fold: Callable[[str], str]) -> None:
    connection, last = op.get_bind(), 0
    change = sa.update(_PEOPLE).where(_PEOPLE.c.id == sa.bindparam("of")).values(folded=sa.bindparam("as"))
    while True:
        some = sa.select(_PEOPLE).where(_PEOPLE.c.id > last).order_by(_PEOPLE.c.id).limit(_AT_ONCE)
        rows = connection.execute(some).all()
        if not rows:
            return
        last = rows[-1].id
        wrong = [{"of": row.id, "as": fold(row.user_name)} for row in rows if row.folded != fold(row.user_name)]
        if wrong:
            connection.execute(change, wrong)
