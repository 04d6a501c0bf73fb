"""Exclusivity: given away, it keeps everybody but its holder from using the asset so; given to us, it is watched.

It is given and ended, each once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa

from domain import history, identity, organisations, reads
from domain.licensing import groups, owning, territories, uses
from domain.licensing.codes import ExclusivityDirection
from domain.permissions import Permission
from domain.reads import Below, By
from domain.refusals import Conflict, Invalid, NotFound
from domain.texts import line
from domain.work import Work
from storage.tables import AssetRow, ExclusivityRow

#: Of one asset that stand at the same time.
MAX_EXCLUSIVITIES: Final = 50
#: What `of_assets` answers, as a read.
OF_ASSETS: Final = Below(
    sa.select(ExclusivityRow).where(ExclusivityRow.ended_at.is_(None)), ExclusivityRow.asset_id, (ExclusivityRow.id,)
)
MAX_INDUSTRIES: Final = 100
MAX_WORD: Final = 100


@dataclass(frozen=True)
class Wish:
    """Empty lists: all channels, territories and industries. Both days are included."""

    direction: ExclusivityDirection
    holder_org_id: int
    channels: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    zone: str = "UTC"


def give(work: Work, asset_id: int, wish: Wish) -> ExclusivityRow:
    """Needs TAKEDOWN_MANAGE for the asset: it keeps others from using it."""
    asset = owning.asset(work, asset_id, Permission.TAKEDOWN_MANAGE)
    if wish.starts_on is not None and wish.ends_on is not None and wish.ends_on < wish.starts_on:
        raise Invalid("Its last day lies before its first.", ("endsOn",), "window")
    if len(of_assets(work, [asset.id]).get(asset.id, ())) >= MAX_EXCLUSIVITIES:
        raise Conflict(f"At most {MAX_EXCLUSIVITIES} exclusivities of an asset stand at once.", ("asset",))
    if len(wish.industries) > MAX_INDUSTRIES:
        raise Invalid(f"At most {MAX_INDUSTRIES} industries are taken.", ("industries",), "length")
    row = ExclusivityRow(
        org_id=asset.org_id,
        asset_id=asset.id,
        direction=wish.direction.value,
        holder_org_id=organisations.living(work, wish.holder_org_id, ("holder",)).id,
        channels=list(uses.checked(wish.channels)),
        territories=list(territories.checked(wish.territories, groups.known(work))),
        industries=sorted({line(each, MAX_WORD, ("industries",)) for each in wish.industries}),
        starts_on=wish.starts_on,
        ends_on=wish.ends_on,
        zone=owning.zone(wish.zone),
        created_at=work.now,
        created_by=owning.principal(work),
    )
    work.session.add(row)
    work.session.flush()
    _record(work, "exclusivity.given", row)
    return row


def end(work: Work, exclusivity_id: int, reason: str) -> ExclusivityRow:
    row = by_id(work, [exclusivity_id]).get(exclusivity_id)
    if row is None:
        raise NotFound("There is no exclusivity with this id.", ("exclusivity",))
    owning.asset(work, row.asset_id, Permission.TAKEDOWN_MANAGE)
    work.session.refresh(row)
    if row.ended_at is not None:
        raise Conflict("This exclusivity was ended before.", ("exclusivity",))
    why = owning.why(reason)
    row.ended_at, row.ended_by = work.now, owning.principal(work)
    work.session.flush()
    _record(work, "exclusivity.ended", row, why)
    return row


def seen(work: Work) -> By:
    """By id, also ended ones, of assets that the viewer sees and of which they may know the licences."""
    known = sa.and_(identity.sees_asset(work), identity.holds_asset(work, Permission.LICENSE_VIEW))
    return By(
        sa.select(ExclusivityRow).join(AssetRow, AssetRow.id == ExclusivityRow.asset_id).where(known), ExclusivityRow.id
    )


def by_id(work: Work, ids: Iterable[int]) -> dict[int, ExclusivityRow]:
    return reads.by_id(work, seen(work), ids)


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[ExclusivityRow]]:
    """Per asset those that nobody ended, oldest first. Whether the viewer may know is the caller's question."""
    return reads.grouped(work, OF_ASSETS, asset_ids)


def _record(work: Work, event: str, row: ExclusivityRow, reason: str | None = None) -> None:
    told = {"exclusivity": row.id, "direction": row.direction, "holder": row.holder_org_id}
    history.record(work, event, ("Asset", row.asset_id), told, org_id=row.org_id, reason=reason)
