"""The faces of an asset: its draft and, where that would read otherwise, what is public of it. Each is one document.

Always true here:
- A viewer is shown one face at most: the draft if they may see what is unapproved of the asset, else the public one.
- Where both read alike, one document is both.
- Documents are numbered so that they sort as their assets do, and stamped with both revisions of their asset, for one
  document may be looked at by viewers who are shown different ones.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import orm

from domain.holdings import WITHHELD
from storage.tables import ApprovalRow, AssetRow, AssetVersionRow

#: Bits of a stamp that hold the asset's revision.
_HALF = 32


def draft_id(asset_id: int) -> int:
    return 2 * asset_id


def public_id(asset_id: int) -> int:
    return 2 * asset_id + 1


def asset_of(document_id: int) -> int:
    return document_id // 2


def place_beside(asset_id: int, *, later: bool) -> int:
    """The document's id to page on from, whichever face of the asset was seen: the later or the earlier of both."""
    return public_id(asset_id) if later else draft_id(asset_id)


def draft_stamp(revision: int, public_revision: int) -> int:
    """Of the draft, which may be the public face too. Without a public face it is the revision itself."""
    return public_stamp(public_revision) + revision


def public_stamp(public_revision: int) -> int:
    return (public_revision - 1) << _HALF


def is_current(stamp: int, asset: AssetRow, *, unapproved: bool) -> bool:
    """Whether a document says what the asset is now, to a viewer who sees what is unapproved of it or does not."""
    if unapproved:
        return stamp & ((1 << _HALF) - 1) == asset.revision
    return stamp >> _HALF == asset.public_revision - 1


def is_public() -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that it has something for those who see only what is approved."""
    return sa.and_(AssetRow.approved_version_id.is_not(None), AssetRow.lifecycle.not_in(WITHHELD))


def are_two() -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that it is public and its draft says more: a newer version, the file name of one
    that nobody approved, or a later change.
    """
    named, other = orm.aliased(AssetVersionRow), orm.aliased(AssetVersionRow)
    public_name = sa.select(other.id).where(
        other.asset_id == AssetRow.id, other.file_name == named.file_name, _is_approved(other)
    )
    hidden_name = sa.select(named.id).where(named.asset_id == AssetRow.id, sa.not_(public_name.exists()))
    newer = AssetRow.current_version_id != AssetRow.approved_version_id
    later = AssetRow.updated_at != AssetRow.public_updated_at
    return sa.and_(is_public(), sa.or_(newer, later, hidden_name.exists()))


def public_names() -> sa.ColumnElement[bool]:
    """The condition on `AssetVersionRow` that its file name is one of the public face's."""
    return _is_approved(AssetVersionRow)


def _is_approved(version: type[AssetVersionRow]) -> sa.ColumnElement[bool]:
    standing = sa.select(ApprovalRow.id).where(ApprovalRow.version_id == version.id, ApprovalRow.revoked_at.is_(None))
    return standing.exists()
