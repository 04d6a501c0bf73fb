"""What becomes of two assets that look alike: one is used instead of the other, one is a version of the other, they are
one, or they are two for a reason.

A pair is decided once. Two assets that were kept as distinct may be decided about anew, and otherwise. What was decided
can be read by everybody who is shown the pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa

from domain import assets, history, identity
from domain.likeness import merging, review
from domain.likeness.merging import Merge
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import MAX_NOTE, paragraphs
from domain.work import Work
from storage.tables import AssetRow, NearDuplicateRow


class Decision(Enum):
    """REUSE: use the kept one; the other is archived. NEW_VERSION: the other's bytes are the kept one's newest version,
    and it becomes part of it. MERGE: the other becomes part of the kept one. DISTINCT: both stay, for a reason.
    """

    REUSE = "REUSE"
    NEW_VERSION = "NEW_VERSION"
    MERGE = "MERGE"
    DISTINCT = "DISTINCT"


@dataclass(frozen=True)
class Kept:
    """The asset of the pair that is kept, and the revisions of both that the viewer was shown."""

    asset_id: int
    revision: int
    other_revision: int


def decide(
    work: Work, pair_id: int, decision: Decision, kept: Kept | None = None, reason: str | None = None
) -> NearDuplicateRow:
    """Needs what the decision does: ASSET_UPDATE of both to keep them as distinct, ASSET_ARCHIVE of the other to reuse
    one, and what `merging` needs else.
    """
    row = _held(work, pair_id)
    why = paragraphs(reason, MAX_NOTE, ("reason",))
    if row.decision is not None and (row.decision != "DISTINCT" or decision is Decision.DISTINCT):
        raise Conflict("Somebody has decided about these two assets already.", ("nearDuplicate",))
    if decision is Decision.DISTINCT:
        _keep_both(work, row, why)
    else:
        _keep_one(work, row, decision, kept, why)
    row.decision, row.reason = decision.value, why
    row.decided_at, row.decided_by = work.now, work.viewer.principal_id
    work.session.flush()
    _record(work, row, why)
    return row


def merge(work: Work, wanted: Merge) -> AssetRow:
    """`merging.merge` of any two assets; a pair that was found of them is decided."""
    into = merging.merge(work, wanted)
    low, high = sorted((wanted.into_id, wanted.from_id))
    rows = sa.select(NearDuplicateRow).where(
        NearDuplicateRow.low_asset_id == low, NearDuplicateRow.high_asset_id == high
    )
    row = work.session.scalars(rows.with_for_update()).one_or_none()
    if row is not None:
        row.decision = (Decision.NEW_VERSION if wanted.newest else Decision.MERGE).value
        row.kept_asset_id, row.reason = into.id, paragraphs(wanted.reason, MAX_NOTE, ("reason",))
        row.decided_at, row.decided_by = work.now, work.viewer.principal_id
        work.session.flush()
        _record(work, row, row.reason)
    return into


def _held(work: Work, pair_id: int) -> NearDuplicateRow:
    if pair_id not in review.by_id(work, [pair_id]):
        raise NotFound("There is no such pair of assets.", ("nearDuplicate",))
    rows = sa.select(NearDuplicateRow).where(NearDuplicateRow.id == pair_id).with_for_update()
    return work.session.scalars(rows.execution_options(populate_existing=True)).one()


def _keep_both(work: Work, row: NearDuplicateRow, why: str | None) -> None:
    if why is None:
        raise Invalid("Say why these two are to be kept.", ("reason",), "required")
    for asset in assets.by_id(work, [row.low_asset_id, row.high_asset_id]).values():
        identity.require(work, Permission.ASSET_UPDATE, asset)


def _keep_one(work: Work, row: NearDuplicateRow, decision: Decision, kept: Kept | None, why: str | None) -> None:
    if kept is None:
        raise Invalid("Say which of the two assets is kept.", ("keep",), "required")
    if kept.asset_id not in {row.low_asset_id, row.high_asset_id}:
        raise NotFound("The asset to keep is none of these two.", ("keep",))
    other_id = row.low_asset_id + row.high_asset_id - kept.asset_id
    if decision is Decision.REUSE:
        _reuse(work, kept, other_id)
    else:
        newest = decision is Decision.NEW_VERSION
        wanted = Merge(kept.asset_id, other_id, kept.revision, kept.other_revision, newest=newest, reason=why)
        merging.merge(work, wanted)
    row.kept_asset_id = kept.asset_id


def _reuse(work: Work, kept: Kept, other_id: int) -> None:
    """The kept one must be there to be used."""
    asset = assets.by_id(work, [kept.asset_id])[kept.asset_id]
    if asset.revision != kept.revision:
        raise StaleRevision(asset.revision)
    if asset.lifecycle == "ARCHIVED":
        raise Conflict("The asset to keep is archived: restore it first.", ("keep",))
    assets.archive(work, other_id, kept.other_revision)


def _record(work: Work, row: NearDuplicateRow, why: str | None) -> None:
    story = {"decision": row.decision, "assets": [row.low_asset_id, row.high_asset_id], "kept": row.kept_asset_id}
    org_id = work.session.get_one(AssetRow, row.low_asset_id).org_id
    history.record(work, "near_duplicate.decided", ("NearDuplicate", row.id), story, org_id=org_id, reason=why)
