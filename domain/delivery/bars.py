"""What keeps the bytes of an asset in, whatever anybody may: a takedown that stands, an embargo in force.

A bar binds all that holds the asset: its versions, and what any of them is a part of. It is looked up at every opening;
nothing of it is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from domain import reads
from domain.refusals import Refusal
from domain.work import Work
from storage import statements
from storage.tables import TAKEDOWN_STANDS, AssetVersionRow, ComponentRow, EmbargoRow, RenditionRow, TakedownRow
from storage.types import Instant

#: The moment that the conditions here are asked for; given with every statement that they stand in.
NOW: Final = sa.bindparam("now", type_=Instant())


class Barred(Refusal):
    """It is there, whoever asks could have it, and it is kept in for legal reasons."""

    code: ClassVar[str] = "BARRED"

    def __init__(self) -> None:
        super().__init__("This is withheld for legal reasons: it was taken down, or is not to be out yet.")


def check(work: Work, version_id: int) -> None:
    """`Barred` where the version is. To be asked when it is certain that whoever asks could have it."""
    if barred(work, [version_id])[version_id]:
        raise Barred


def barred(work: Work, version_ids: Iterable[int]) -> dict[int, bool]:
    """Per version whether it is kept in now; one that is not there is not."""
    wanted = set(version_ids)
    keys = statements.keys(wanted, work.session.get_bind().dialect)
    rows = reads.run(work, "barred", _among, now=work.now, keys=keys)
    return dict.fromkeys(wanted, False) | dict.fromkeys((row[0] for row in rows), True)


def _among(dialect: sa.Dialect) -> sa.Select[Any]:
    return sa.select(AssetVersionRow.id).where(statements.among(AssetVersionRow.id, dialect), VERSION)


def _barred(version: Any) -> sa.ColumnElement[bool]:
    """Of a row of versions whether it is kept in: it or any part of it, at whatever depth."""
    parts = sa.select(ComponentRow.part_version_id).where(ComponentRow.composite_version_id == version.id)
    first = sa.select(ComponentRow.part_version_id.label("id")).where(ComponentRow.composite_version_id == version.id)
    top = first.correlate(version).cte("parts", recursive=True, nesting=True)
    below = top.union(sa.select(ComponentRow.part_version_id).join(top, ComponentRow.composite_version_id == top.c.id))
    part = sa.orm.aliased(AssetVersionRow)
    rows = sa.select(sa.literal(1)).select_from(below).join(part, part.id == below.c.id)
    deep = sa.and_(sa.exists(parts.correlate(version)), sa.exists(rows.where(_stands(part.asset_id))))
    return sa.or_(_stands(version.asset_id), deep)


def _of_rendition() -> sa.ColumnElement[bool]:
    version = sa.orm.aliased(AssetVersionRow)
    rows = sa.select(sa.literal(1)).where(version.id == RenditionRow.version_id, _barred(version))
    return sa.exists(rows.correlate(RenditionRow))


def _stands(asset_id: Any) -> sa.ColumnElement[bool]:
    takedown = sa.exists().where(TakedownRow.asset_id == asset_id, TAKEDOWN_STANDS)
    embargo = sa.exists().where(
        EmbargoRow.asset_id == asset_id,
        EmbargoRow.lifted_at.is_(None),
        sa.or_(EmbargoRow.starts_at.is_(None), EmbargoRow.starts_at <= NOW),
        sa.or_(EmbargoRow.ends_at.is_(None), EmbargoRow.ends_at > NOW),
    )
    return sa.or_(takedown, embargo)


def _turn(chosen: Any, *, is_over: bool) -> Any:
    """The first or the last of the moments, before or after now, at which an embargo begins or ends."""
    moments = [
        sa.select(chosen(at).label("at")).where(EmbargoRow.lifted_at.is_(None), at <= NOW if is_over else at > NOW)
        for at in (EmbargoRow.starts_at, EmbargoRow.ends_at)
    ]
    found = sa.union_all(*moments).subquery()
    return sa.select(chosen(found.c.at)).scalar_subquery()


#: Whether a version is barred, beside an `AssetVersionRow`, and beside a `RenditionRow` of it.
VERSION: Final = _barred(AssetVersionRow)
RENDITION: Final = _of_rendition()
#: Moves whenever an embargo has begun or ended by itself.
LAST_TURN: Final = _turn(sa.func.max, is_over=True)
#: When the next embargo begins or ends by itself; NULL: none will.
NEXT_TURN: Final = _turn(sa.func.min, is_over=False)
