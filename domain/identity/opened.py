"""What stands shared with the organisations in which a viewer holds something: most often nothing.

Always true here:
- A unit of work that reads sees one snapshot, so it is asked once there. Of one that writes nothing is kept: it may
  have shared something just now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from domain import reads
from domain.work import Work
from storage import snapshots, statements
from storage.tables import AssetRow, OrganisationRow, ShareRow
from storage.tables.sharing import SHARE_ACCESSES

T = TypeVar("T")

#: Of 100,000 assets; measured: one that is found by its organisation costs five times one that is passed by.
MANY = 1_500
WEIGHED_FOR = timedelta(minutes=15)
KEPT = 1_000

#: The moment at which a statement that is kept for many is run.
NOW: sa.BindParameter[datetime] = sa.bindparam("now", type_=ShareRow.ends_at.type)

#: When it was counted whether some organisations own many, by connection pool.
_weighed: dict[tuple[int, frozenset[int]], tuple[datetime, bool]] = {}


class Opened(NamedTuple):
    """One share of a lightbox, or all alike of single assets."""

    to_org_id: int
    access: str
    #: None: of assets one by one.
    lightbox_id: int | None
    #: Of a lightbox: the organisation that shares it.
    from_org_id: int | None
    #: Of single assets: when the first of them does that ever ends.
    ends_at: datetime | None


def to_viewer(work: Work) -> tuple[Opened, ...]:
    """What stands shared with the viewer's organisations, always in the same order; in at most one statement."""
    org_ids = work.viewer.holdings.shared_to
    return kept(work, ("opened", org_ids), lambda: _to_orgs(work, org_ids)) if org_ids else ()


def to_viewer_by_end(work: Work) -> tuple[Opened, ...]:
    """The same, of single assets one for each end that any of them has: for who has to name them all."""
    ways = to_viewer(work)
    boxes = tuple(way for way in ways if way.lightbox_id is not None)
    org_ids = frozenset(way.to_org_id for way in ways if way.lightbox_id is None)
    return (*boxes, *kept(work, ("ends", org_ids), lambda: _ends(work, org_ids))) if org_ids else boxes


def first_end(work: Work) -> datetime | None:
    """When the first of these ends by itself; None: none does."""
    return min((way.ends_at for way in to_viewer(work) if way.ends_at is not None), default=None)


def tree(work: Work, org_id: int) -> frozenset[int]:
    """The organisation and everything below it."""
    return kept(work, ("tree", org_id), lambda: frozenset(work.session.scalars(_below(org_id))))


def are_many(work: Work, org_ids: frozenset[int]) -> bool:
    """Whether a database had better read everybody's assets in order and skip the others' than sort what these own.

    Counted anew every quarter of an hour: no answer depends on it, only how long it takes.
    """
    key = (id(work.session.get_bind().engine.pool), org_ids)
    known = _weighed.get(key)
    if known is None or not known[0] <= work.now < known[0] + WEIGHED_FOR:
        if len(_weighed) >= KEPT:
            _weighed.clear()
        asked = {"org_ids": sorted(org_ids), "most": MANY}
        known = _weighed[key] = (work.now, work.session.scalar(_COUNTED, asked) == MANY)
    return known[1]


def one_of(column: Any, ids: Collection[int], *, in_array: bool) -> sa.ColumnElement[bool]:
    """That the id in `column` is among these; PostgreSQL takes an array faster than many parameters."""
    if in_array:
        return column == sa.any_(sa.bindparam(None, sorted(ids), type_=sa.ARRAY(sa.BigInteger)))  # type: ignore[no-any-return]
    return column.in_(sorted(ids))  # type: ignore[no-any-return]


def is_postgres(work: Work) -> bool:
    return work.session.get_bind().dialect.name == "postgresql"


def is_snapshot(work: Work) -> bool:
    """Whether nothing that is read can change until the unit of work ends."""
    return snapshots.is_reading(work.session)


def kept(work: Work, key: Hashable, make: Callable[[], T]) -> T:
    """What was made under this key before in the same reading unit of work, else made now."""
    if not is_snapshot(work):
        return make()
    known = work.session.info
    if key not in known:
        known[key] = make()
    found: T = known[key]
    return found


def standing(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `ShareRow` that it has not ended."""
    return standing_at(work.now)


def standing_at(now: datetime | sa.BindParameter[datetime]) -> sa.ColumnElement[bool]:
    return sa.and_(ShareRow.ended_at.is_(None), sa.or_(ShareRow.ends_at.is_(None), ShareRow.ends_at > now))


def _below(org_id: int) -> sa.Select[int]:
    above = sa.select(OrganisationRow.path).where(OrganisationRow.id == org_id).scalar_subquery()
    return sa.select(OrganisationRow.id).where(OrganisationRow.path.startswith(above))


def _to_orgs(work: Work, org_ids: frozenset[int]) -> tuple[Opened, ...]:
    keys = statements.keys(sorted(org_ids), work.session.get_bind().dialect)
    rows = reads.lasting(work, "opened", _opened, now=work.now, keys=keys)
    return tuple(sorted((Opened(*row) for row in rows), key=repr))


def _ends(work: Work, org_ids: frozenset[int]) -> tuple[Opened, ...]:
    keys = statements.keys(sorted(org_ids), work.session.get_bind().dialect)
    rows = reads.run(work, "ends of what is opened", _by_end, now=work.now, keys=keys)
    return tuple(sorted((Opened(to, access, None, None, end) for to, access, end in rows), key=repr))


def _by_end(dialect: sa.Dialect) -> sa.Select[int, str, datetime | None]:
    single = ShareRow.lightbox_id.is_(None)
    among = statements.among(ShareRow.to_org_id, dialect)
    told = sa.select(ShareRow.to_org_id, ShareRow.access, ShareRow.ends_at)
    return told.where(standing_at(NOW), single, among).distinct()


def _opened(dialect: sa.Dialect) -> sa.CompoundSelect[Any]:
    boxes = (
        sa.select(ShareRow.to_org_id, ShareRow.access, ShareRow.lightbox_id, ShareRow.org_id, ShareRow.ends_at)
        .where(standing_at(NOW), ShareRow.lightbox_id.is_not(None), statements.among(ShareRow.to_org_id, dialect))
        .distinct()
    )
    return sa.union_all(boxes, *(_one_by_one(access, dialect) for access in SHARE_ACCESSES))


def _one_by_one(access: str, dialect: sa.Dialect) -> sa.Select[int, str, int, int, datetime | None]:
    """Whether assets are, and the first end of any: found in an index, however many there are."""
    mine = (ShareRow.to_org_id == OrganisationRow.id, ShareRow.access == access, ShareRow.lightbox_id.is_(None))
    first = _first(ShareRow.ends_at, *mine, ShareRow.ends_at > NOW)
    # EXISTS would read all of them where PostgreSQL thinks that the first one will do.
    lasting = _first(ShareRow.asset_id, *mine, ShareRow.ends_at.is_(None))
    none = sa.literal(None, sa.BigInteger)
    told = sa.select(OrganisationRow.id, sa.literal(access), none, none, first)
    among = statements.among(OrganisationRow.id, dialect)
    return told.where(among, sa.or_(lasting.is_not(None), first.is_not(None)))


def _first(column: sa.orm.InstrumentedAttribute[T], *mine: sa.ColumnElement[bool]) -> sa.ScalarSelect[T]:
    """Of those that were not ended, in the order in which the index has them."""
    rows = sa.select(column).where(*mine, ShareRow.ended_at.is_(None))
    rows = rows.order_by(ShareRow.ends_at, ShareRow.asset_id).limit(1)
    return rows.correlate(OrganisationRow).scalar_subquery()


def _counted() -> sa.Select[int]:
    """How many assets they own, counted no further than `most`."""
    mine = AssetRow.org_id.in_(sa.bindparam("org_ids", expanding=True))
    some = sa.select(sa.literal(1)).where(mine).limit(sa.bindparam("most", type_=sa.Integer))
    return sa.select(sa.func.count()).select_from(some.subquery())


_COUNTED = _counted()
