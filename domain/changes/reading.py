"""One window of the feed being read: what all its subjects ask of the rows around them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import sqlalchemy as sa

from domain import identity
from domain.changes import moving
from domain.changes.holders import Holder
from domain.changes.moving import Moves
from domain.changes.past import GRANT_TURNED, SHARE_OVER, Happened
from domain.changes.places import Place, Window
from domain.work import BRAND_ORG_ID, Work
from storage.tables import AssetVersionRow, CustomFieldRow, EventRow, ShareRow

#: No transaction lasts longer: what ended longer ago was told.
LONGEST_TRANSACTION: Final = timedelta(days=1)
RENDERED: Final = ("rendition.queued", "rendition.ready", "rendition.failed")


@dataclass(frozen=True)
class Reading:
    """The clock of `work` stands still at `now`. What is asked of the rows is asked once."""

    work: Work
    place: Place
    holder: Holder
    now: datetime

    @property
    def window(self) -> Window:
        assert self.place.window is not None, "a window is open"
        return self.place.window

    @property
    def is_first(self) -> bool:
        """Whether the reader begins with nothing, so that nothing has to be taken from them."""
        return self.place.is_start

    @cached_property
    def box_shares(self) -> list[ShareRow]:
        """Shares of lightboxes with the viewer's organisations that stood at the place or later."""
        return self.shares(ShareRow.lightbox_id.is_not(None))

    @cached_property
    def boxes(self) -> frozenset[int]:
        """Lightboxes that open something to the viewer, or did."""
        return self.holder.boxes | {each.lightbox_id for each in self.box_shares if each.lightbox_id is not None}

    @cached_property
    def events(self) -> list[Happened]:
        """What happened in the window that may change what somebody is shown."""
        inside = sa.and_(EventRow.seq > self.place.after, EventRow.seq <= self.window.until)
        told = sa.or_(
            EventRow.subject_type.in_(("Asset", "CustomField", "Lightbox", "Tag")),
            EventRow.type.in_((*RENDERED, *moving.TERMS)),
        )
        return self.happened(inside, told)

    @cached_property
    def moves(self) -> Moves:
        """What moved in the window what may leave of assets; to whoever begins with nothing everything is new."""
        if self.is_first:
            return Moves()
        return moving.of(self.work, self.events, self.place.at, self.window.to)

    @cached_property
    def tag_ids(self) -> frozenset[int]:
        """Tags that were respelt, or took others in."""
        return frozenset(each.subject_id for each in self.events if each.type in {"tag.updated", "tag.merged"})

    @cached_property
    def field_ids(self) -> frozenset[int]:
        """Fields that ended or began to say what everybody may read of an asset that they see."""
        ids = {
            each.subject_id for each in self.events if each.type in {"custom_field.archived", "custom_field.restored"}
        }
        if not ids:
            return frozenset()
        rows = sa.select(CustomFieldRow.id).where(CustomFieldRow.id.in_(sorted(ids)), CustomFieldRow.needs.is_(None))
        return frozenset(self.work.session.scalars(rows))

    @cached_property
    def rendered(self) -> dict[int, int]:
        """Of versions with whose renditions something happened, the asset."""
        ids = {each.subject_id for each in self.events if each.type in RENDERED}
        if not ids:
            return {}
        rows = sa.select(AssetVersionRow.id, AssetVersionRow.asset_id).where(AssetVersionRow.id.in_(sorted(ids)))
        return dict(self.work.session.execute(rows).all())

    def shares(self, *conditions: sa.ColumnElement[bool]) -> list[ShareRow]:
        """Those with the viewer's organisations that stood at the place or later."""
        if not self.holder.org_ids:
            return []
        rows = sa.select(ShareRow).where(ShareRow.to_org_id.in_(sorted(self.holder.org_ids)), self.stood(), *conditions)
        return list(self.work.session.scalars(rows.order_by(ShareRow.id)))

    def stood(self) -> sa.ColumnElement[bool]:
        """The condition on `ShareRow` that it stood at the place or later, or may have."""
        return sa.and_(
            sa.or_(ShareRow.ended_at.is_(None), ShareRow.ended_at > self.place.at - LONGEST_TRANSACTION),
            sa.or_(ShareRow.ends_at.is_(None), ShareRow.ends_at > self.place.at),
        )

    def happened(self, *conditions: sa.ColumnElement[bool]) -> list[Happened]:
        """Events in their order; those that wait for their number last."""
        columns = [getattr(EventRow, name) for name in Happened._fields]
        waits = sa.case((EventRow.seq.is_(None), 1), else_=0)
        found = sa.select(*columns).where(*conditions).order_by(waits, EventRow.seq, EventRow.id)
        return [Happened(*row) for row in self.work.session.execute(found)]

    def since(self) -> sa.ColumnElement[bool]:
        return sa.or_(EventRow.seq > self.place.after, EventRow.seq.is_(None))

    def ticks(self, shares: Iterable[ShareRow]) -> list[tuple[datetime, str]]:
        ends = [(each.ends_at, SHARE_OVER) for each in shares if each.ends_at is not None]
        return [*ends, *((moment, GRANT_TURNED) for moment in self.holder.moments)]

    def falls_in(self, moment: datetime | None) -> bool:
        return moment is not None and self.place.at < moment <= self.window.to

    def belongs(self, org_id: int, above_id: int) -> bool:
        """Whether an organisation is the other or stands below it."""
        return above_id == BRAND_ORG_ID or org_id in identity.tree(self.work, above_id)


@dataclass(frozen=True)
class Begun:
    """Of shares that stand as rows, which events about them are undone."""

    unbegun: frozenset[int] = frozenset()
    unended: frozenset[int] = frozenset()

    def undone(self, event: Happened) -> Begun:
        share = int(event.payload.get("share", 0))
        match event.type:
            case "share.created":
                return Begun(self.unbegun | {share}, self.unended)
            case "share.ended":
                return Begun(self.unbegun, self.unended | {share})
        return self

    def stands(self, share: ShareRow, moment: datetime) -> bool:
        if share.id in self.unbegun or (share.ended_at is not None and share.id not in self.unended):
            return False
        return share.ends_at is None or share.ends_at > moment


def opened(shares: Iterable[ShareRow], begun: Begun, moment: datetime) -> dict[str, frozenset[int]]:
    """By access the organisations to which these shares open something at that moment."""
    found: dict[str, set[int]] = {"READ": set(), "CONTRIBUTE": set()}
    for each in shares:
        if begun.stands(each, moment):
            found[each.access].add(each.to_org_id)
    return {access: frozenset(org_ids) for access, org_ids in found.items()}


def first_of(ids: Collection[int], beyond: int, limit: int) -> list[int]:
    return sorted(each for each in set(ids) if each > beyond)[:limit]


def ids_of(
    work: Work, column: sa.orm.InstrumentedAttribute[Any], condition: sa.ColumnElement[bool], beyond: int, limit: int
) -> list[int]:
    """The lowest `limit` ids in the column above `beyond`, each once."""
    found = sa.select(column).where(condition, column > beyond).distinct().order_by(column)
    return list(work.session.scalars(found.limit(limit)))
