"""What a viewer may do with an asset now: asked by the mutations before they act, and answered as `viewerCan`.

Both ask the same function, so what `viewerCan` says is what the mutation answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from domain import holdings, identity
from domain.holdings import Facts
from domain.permissions import Permission
from domain.refusals import Conflict, Refusal
from domain.work import Work
from storage.tables import AssetRow

PERMISSIONS: Final = {
    "UPDATE": Permission.ASSET_UPDATE,
    "ADD_VERSION": Permission.ASSET_VERSION_ADD,
    "APPROVE": Permission.ASSET_APPROVE,
    "ARCHIVE": Permission.ASSET_ARCHIVE,
    "RESTORE": Permission.ASSET_ARCHIVE,
    "DOWNLOAD": Permission.ASSET_DOWNLOAD,
    "SHARE": Permission.ASSET_SHARE,
}


#: What whoever does it must be able to do besides: nobody opens to others what they could not do themselves, and nobody
#: leaves behind what they would not see.
_BESIDES: Final = {
    "SHARE": (Permission.ASSET_DOWNLOAD,),
    "ARCHIVE": (Permission.ASSET_VIEW_UNAPPROVED,),
    "ADD_VERSION": (Permission.ASSET_VIEW_UNAPPROVED,),
}


def viewer_can(work: Work, assets: Iterable[AssetRow]) -> dict[int, list[str]]:
    """Per asset the actions that would not be refused now."""
    rows = list(assets)
    facts = identity.facts(work, rows)
    return {row.id: [action for action in PERMISSIONS if _refusal(work, facts[row.id], action) is None] for row in rows}


def check_allowed(work: Work, action: str, asset: AssetRow) -> None:
    """`NotAllowed` where the viewer lacks a permission for this asset, which they see."""
    facts = identity.facts(work, [asset])[asset.id]
    refusal = _lacking(work, facts, action)
    if refusal is not None:
        raise refusal


def check_state(action: str, asset: AssetRow) -> None:
    """`Conflict` where the asset's state does not let anybody do this."""
    refusal = _misfit(action, asset.lifecycle)
    if refusal is not None:
        raise refusal


def _refusal(work: Work, facts: Facts, action: str) -> Refusal | None:
    return _lacking(work, facts, action) or _misfit(action, facts.lifecycle)


def _lacking(work: Work, facts: Facts, action: str) -> Refusal | None:
    for permission in (PERMISSIONS[action], *_BESIDES.get(action, ())):
        if not holdings.holds(work.viewer.holdings, permission, facts):
            return identity.not_allowed(permission)
    return None


def _misfit(action: str, lifecycle: str) -> Conflict | None:
    archived = lifecycle == "ARCHIVED"
    match action:
        case "UPDATE" | "ADD_VERSION" | "SHARE" if archived:
            return Conflict("This asset is archived: restore it first.", ("asset",))
        case "SHARE" if lifecycle == "QUARANTINED":
            return Conflict("This asset is in quarantine: accept it first.", ("asset",))
        case "ARCHIVE" if archived:
            return Conflict("This asset is archived already.", ("asset",))
        case "RESTORE" if not archived:
            return Conflict("This asset is not archived.", ("asset",))
        case "APPROVE" if archived or lifecycle == "QUARANTINED":
            return Conflict(f"This asset is {lifecycle}: it cannot be approved.", ("version",))
    return None
