"""The faces of an asset: its draft and, where that would read otherwise, what is public of it. Each is one document.

Always true here:
- A viewer is shown one face at most: the draft if they may see what is unapproved of the asset, else the public one.
- Where both read alike, one document is both.
- Documents are numbered so that they sort as their assets do.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import orm

from domain.holdings import WITHHELD
from storage.tables import ApprovalRow, AssetRow, AssetVersionRow


def draft_id(asset_id: int) -> int:
    return 2 * asset_id


def public_id(asset_id: int) -> int:
    return 2 * asset_id + 1


def asset_of(document_id: int) -> int:
    return document_id // 2


def is_public() -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that it has something for those who see only what is approved."""
    return sa.and_(AssetRow.approved_version_id.is_not(None), AssetRow.lifecycle.not_in(WITHHELD))


def are_two() -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that it is public and its draft says more: a newer version, or the file name of one
    that nobody approved.
    """
    named, other = orm.aliased(AssetVersionRow), orm.aliased(AssetVersionRow)
    public_name = sa.select(other.id).where(
        other.asset_id == AssetRow.id, other.file_name == named.file_name, _is_approved(other)
    )
    hidden_name = sa.select(named.id).where(named.asset_id == AssetRow.id, sa.not_(public_name.exists()))
    newer = AssetRow.current_version_id != AssetRow.approved_version_id
    return sa.and_(is_public(), sa.or_(newer, hidden_name.exists()))


def public_names() -> sa.ColumnElement[bool]:
    """The condition on `AssetVersionRow` that its file name is one of the public face's."""
    return _is_approved(AssetVersionRow)


def _is_approved(version: type[AssetVersionRow]) -> sa.ColumnElement[bool]:
    standing = sa.select(ApprovalRow.id).where(ApprovalRow.version_id == version.id, ApprovalRow.revoked_at.is_(None))
    return standing.exists()
