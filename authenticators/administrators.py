"""Who becomes an administrator of the hub is out of the reach of leads at once, whoever made them one, and where.

The hub's own page and API change administrators without asking the authenticator, which would otherwise only hear of it
when that person comes the next time.
"""

from collections.abc import Collection, Iterable
from typing import Any

from jupyterhub import orm
from sqlalchemy import event

from hub_extensions import groups


def keep_out_of(closed: Collection[str], database: Any) -> None:
    """See to it that no administrator is in one of these groups: now, and whenever the hub writes to its database."""
    keys = groups.keys(closed)
    if not keys:
        return
    _take_out(database.query(orm.User).filter_by(admin=True), keys)
    database.commit()

    def before_flush(session: Any, *_: Any) -> None:
        _take_out((each for each in (*session.new, *session.dirty) if isinstance(each, orm.User) and each.admin), keys)

    event.listen(database, "before_flush", before_flush)


def _take_out(administrators: Iterable[Any], keys: Collection[str]) -> None:
    for user in administrators:
        for group in [group for group in user.groups if groups.key(group.name) in keys]:
            user.groups.remove(group)
