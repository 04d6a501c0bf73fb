"""The rows of bytes, and how bytes go once nothing points at them.

Always true here:
- While a row says HERE the store has the bytes. They go in two steps, each committed: GOING, then the bytes are removed
  under the row's lock and it says GONE. Whoever is killed in between leaves GOING, which the next sweep ends.
- What points at bytes is every foreign key to them; a version of a purged asset points at nothing. A later feature
  joins by having such a key.
- Whoever brings bytes between their removal and its end is refused and finds them gone when they try again, so they
  bring them anew: nobody ends up pointing at bytes that are not there.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain.refusals import Conflict
from domain.work import Work
from storage.tables import AssetTrashRow, AssetVersionRow, BlobRow, Row

#: Most digests looked up at once.
MOST_AT_ONCE = 500


def keep(work: Work, sha256: str, byte_size: int) -> None:
    """Makes sure that the row of bytes already in the store exists, and holds it until the transaction ends.

    The lock is what makes two simultaneous arrivals of the same bytes see each other. `Conflict` where the bytes were
    removed since they were put.
    """
    on_postgres = work.session.get_bind().dialect.name == "postgresql"
    values = {"sha256": sha256, "byte_size": byte_size, "created_at": work.now}
    if on_postgres:
        work.session.execute(postgresql.insert(BlobRow).values(values).on_conflict_do_nothing())
    else:
        work.session.execute(sqlite.insert(BlobRow).values(values).on_conflict_do_nothing())
    if _state(work, sha256) != "HERE":
        _take_back(work, sha256)


def unused(work: Work, digests: Collection[str]) -> set[str]:
    """Of these, at most 500, the ones that nothing points at, in a statement for each kind of pointer."""
    assert len(digests) <= MOST_AT_ONCE, f"at most {MOST_AT_ONCE} digests at once"
    left = set(digests)
    for column in pointers():
        if left:
            left -= set(work.session.scalars(_pointing(column, left)))
    return left


def let_go(work: Work, sha256: str, before: datetime | None = None) -> bool:
    """Marks bytes that nothing points at, and that came before `before`, as GOING; whether they are now."""
    row = sa.select(BlobRow.state, BlobRow.created_at).where(BlobRow.sha256 == sha256).with_for_update()
    found = work.session.execute(row).one_or_none()
    if found is None or found.state == "GONE":
        return False
    if found.state == "GOING":
        return True
    if (before is not None and found.created_at > before) or not unused(work, [sha256]):
        return False
    work.session.execute(_marked(sha256, "GOING"))
    return True


def remove(work: Work, sha256: str) -> bool:
    """Removes bytes that are GOING from the store; whether it was this call that did."""
    if _state(work, sha256) != "GOING":
        return False
    work.blobs.remove(sha256)
    work.session.execute(_marked(sha256, "GONE"))
    return True


def pointers() -> list[sa.Column[Any]]:
    """Every column that points at bytes."""
    return [
        column
        for table in Row.metadata.sorted_tables
        for column in table.columns
        if any(key.column is BlobRow.__table__.c.sha256 for key in column.foreign_keys)
    ]


def _pointing(column: sa.Column[Any], digests: Collection[str]) -> sa.Select[Any]:
    found = sa.select(column).where(column.in_(sorted(digests))).distinct()
    if column.table is not AssetVersionRow.__table__:
        return found
    gone = sa.exists().where(AssetTrashRow.asset_id == AssetVersionRow.asset_id, AssetTrashRow.purged_at.is_not(None))
    return found.where(sa.not_(gone))


def _take_back(work: Work, sha256: str) -> None:
    """They were removed once, and somebody has put them again."""
    if _state(work, sha256) == "GOING" or work.blobs.stat(sha256) is None:
        raise Conflict("The hub was just letting go of the same bytes: send them again.", ("upload",))
    work.session.execute(_marked(sha256, "HERE").values(created_at=work.now))


_STATE: Final = sa.select(BlobRow.state).where(BlobRow.sha256 == sa.bindparam("sha256")).with_for_update()


def _state(work: Work, sha256: str) -> str | None:
    return work.session.scalar(_STATE, {"sha256": sha256})


def _marked(sha256: str, state: str) -> sa.Update:
    return sa.update(BlobRow).where(BlobRow.sha256 == sha256).values(state=state)
