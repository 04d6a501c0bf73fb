"""What a viewer may do with an asset now: asked by the mutations before they act, and answered as `viewerCan`.

Both ask the same function, so what `viewerCan` says is what the mutation answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from domain import completeness, holdings, identity
from domain.holdings import Facts
from domain.permissions import Permission
from domain.refusals import Conflict, Refusal
from domain.work import Work
from storage.tables import AssetRow, AssetTrashRow

PERMISSIONS: Final = {
    "UPDATE": Permission.ASSET_UPDATE,
    "ADD_VERSION": Permission.ASSET_VERSION_ADD,
    "APPROVE": Permission.ASSET_APPROVE,
    "ARCHIVE": Permission.ASSET_ARCHIVE,
    "RESTORE": Permission.ASSET_ARCHIVE,
    "DOWNLOAD": Permission.ASSET_DOWNLOAD,
    "SHARE": Permission.ASSET_SHARE,
    "TRASH": Permission.ASSET_TRASH,
    "RESTORE_FROM_TRASH": Permission.ASSET_TRASH,
}


#: What whoever does it must be able to do besides: nobody opens to others what they could not do themselves, and nobody
#: leaves behind what they would not see.
_BESIDES: Final = {
    "SHARE": (Permission.ASSET_DOWNLOAD,),
    "ARCHIVE": (Permission.ASSET_VIEW_UNAPPROVED,),
    "TRASH": (Permission.ASSET_VIEW_UNAPPROVED,),
    "ADD_VERSION": (Permission.ASSET_VIEW_UNAPPROVED,),
}


def viewer_can(work: Work, assets: Iterable[AssetRow]) -> dict[int, list[str]]:
    """Per asset the actions that would not be refused now."""
    rows = list(assets)
    facts, thrown = identity.facts(work, rows), trashed(work, rows)
    able = {
        row.id: [action for action in PERMISSIONS if _refusal(work, facts[row.id], action, thrown.get(row.id)) is None]
        for row in rows
    }
    for asset_id in _held_back(work, [row for row in rows if "APPROVE" in able[row.id]]):
        able[asset_id].remove("APPROVE")
    return able


def check_allowed(work: Work, action: str, asset: AssetRow) -> None:
    """`NotAllowed` where the viewer lacks a permission for this asset, which they see."""
    facts = identity.facts(work, [asset])[asset.id]
    refusal = _lacking(work, facts, action)
    if refusal is not None:
        raise refusal


def check_state(action: str, asset: AssetRow, thrown: AssetTrashRow | None = None) -> None:
    """`Conflict` where the asset's state does not let anybody do this; `thrown` is its place in the trash, if any."""
    refusal = _misfit(action, asset.lifecycle, thrown)
    if refusal is not None:
        raise refusal


def trashed(work: Work, assets: Iterable[AssetRow]) -> dict[int, AssetTrashRow]:
    """Of these, those in the trash; asked only where one is archived."""
    ids = [row.id for row in assets if row.lifecycle == "ARCHIVED"]
    if not ids:
        return {}
    return {row.asset_id: row for row in work.session.scalars(_thrown(ids))}


def _held_back(work: Work, assets: Iterable[AssetRow]) -> set[int]:
    """Of these, those whose template does not let them through and that have no approval to be taken back."""
    waiting = [row for row in assets if row.approved_version_id is None]
    found = completeness.of_assets(work, waiting) if waiting else {}
    return {asset_id for asset_id, each in found.items() if not each.is_enough}


def _thrown(ids: Iterable[int]) -> sa.Select[AssetTrashRow]:
    return sa.select(AssetTrashRow).where(AssetTrashRow.asset_id.in_(ids))


def _refusal(work: Work, facts: Facts, action: str, thrown: AssetTrashRow | None) -> Refusal | None:
    return _lacking(work, facts, action) or _misfit(action, facts.lifecycle, thrown)


def _lacking(work: Work, facts: Facts, action: str) -> Refusal | None:
    for permission in (PERMISSIONS[action], *_BESIDES.get(action, ())):
        if not holdings.holds(work.viewer.holdings, permission, facts):
            return identity.not_allowed(permission)
    return None


def _misfit(action: str, lifecycle: str, thrown: AssetTrashRow | None = None) -> Conflict | None:
    archived = lifecycle == "ARCHIVED"
    match action:
        case "TRASH" | "RESTORE" | "RESTORE_FROM_TRASH":
            return _misfit_in_trash(action, lifecycle, thrown)
        case "UPDATE" | "ADD_VERSION" | "SHARE" if archived:
            return Conflict("This asset is archived: restore it first.", ("asset",))
        case "SHARE" if lifecycle == "QUARANTINED":
            return Conflict("This asset is in quarantine: accept it first.", ("asset",))
        case "ARCHIVE" if archived:
            return Conflict("This asset is archived already.", ("asset",))
        case "APPROVE" if archived or lifecycle == "QUARANTINED":
            return Conflict(f"This asset is {lifecycle}: it cannot be approved.", ("version",))
    return None


def _misfit_in_trash(action: str, lifecycle: str, thrown: AssetTrashRow | None) -> Conflict | None:
    sentence = None
    match action:
        case "TRASH" if thrown is not None:
            sentence = "This asset is in the trash already."
        case "TRASH" if lifecycle == "QUARANTINED":
            sentence = "This asset is in quarantine: accept or reject it first."
        case "RESTORE_FROM_TRASH" if thrown is None:
            sentence = "This asset is not in the trash."
        case "RESTORE" | "RESTORE_FROM_TRASH" if thrown is not None and thrown.purged_at is not None:
            sentence = "This asset is purged: its bytes are gone for good."
        case "RESTORE" if thrown is not None:
            sentence = "This asset is in the trash: bring it back from there."
        case "RESTORE" if lifecycle != "ARCHIVED":
            sentence = "This asset is not archived."
    return None if sentence is None else Conflict(sentence, ("asset",))
