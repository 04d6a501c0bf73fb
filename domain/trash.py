"""The trash: assets thrown away, brought back, and purged when their time there is over.

Always true here:
- What lies in the trash is archived all the while; whoever was shown it is told, by the change feed, that it is gone.
- What is used is thrown away only with the confirmation that the refusal named, which is good for exactly these uses.
- What is purged keeps its number, its history and the digests of its versions; its bytes, its words, those of what was
  merged into it, and whatever was made or found out of it are gone.
- Nothing under a legal hold is thrown away or purged: the database refuses.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from domain import blobs, custom_fields, history, holds, identity, relations, uses
from domain.assets import reading
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.refusals import Conflict, Refusal
from domain.texts import MAX_NOTE, fold, paragraphs
from domain.uses import Use
from domain.work import Work
from storage.tables import (
    AssetFieldRow,
    AssetRow,
    AssetTrashRow,
    AssetVersionRow,
    LegalHoldRow,
    LightboxAssetRow,
    LightboxRow,
    NearDuplicateRow,
    Row,
)

#: Assets that one look finds due.
DUE_AT_ONCE: Final = 100
#: Tables that point at an asset, or a version of one, and keep doing so when it is purged: its record, and what others
#: once decided about it. Every other such table is a description of what is gone, and goes with it.
KEPT_TABLES: Final = frozenset(
    {
        # What was licensed, barred, decided, used and bought: the database lets nobody delete it.
        "asset_rights",
        "embargo",
        "exclusivity",
        "license",
        "release",
        "rights_decision",
        "stock_purchase",
        "takedown",
        "usage",
        "usage_record",
        "component",  # or a composite would become freer by the purge of its part
        "access_grant",
        "approval",
        "asset",
        "asset_relation",  # taken back one by one, with an event each
        "asset_stamp",
        "asset_trash",
        "asset_version",
        "guest_link",
        "legal_hold",
        "lightbox_asset",  # likewise
        "near_duplicate",  # what was decided: a merged asset leads to the one that was kept
        "share",
        "upload_item",
    }
)


class InUse(Refusal):
    """It is used; `confirmation` says, given back, that it is to be thrown away all the same."""

    code = "IN_USE"

    def __init__(self, found: Sequence[Use], confirmation: str) -> None:
        super().__init__(
            "This asset is used: look at where, then repeat with the confirmation if it is to go all the same.",
            ("confirmation",),
        )
        self.uses = tuple(found)
        self.confirmation = confirmation


def throw_away(
    work: Work, asset_id: int, expected_revision: int, *, confirmation: str | None = None, reason: str | None = None
) -> AssetRow:
    """The asset lies in the trash for as many days as the operator says. Refused: `InUse` without the confirmation of
    the uses that the viewer sees, and `Conflict` under a legal hold.
    """
    asset = reading.held(work, asset_id, expected_revision, "TRASH")
    if holds.of_assets(work, [asset.id])[asset.id]:
        raise Conflict("This asset is under legal hold: it is not thrown away.", ("asset",))
    found = uses.of_assets(work, [asset.id], blocking=True)[asset.id]
    wanted = _confirmation(work, asset, found)
    if found and not hmac.compare_digest((confirmation or "").encode(), wanted.encode()):
        raise InUse(found, wanted)
    why = paragraphs(reason, MAX_NOTE, ("reason",))
    was_archived = asset.lifecycle == "ARCHIVED"
    if not was_archived:
        asset.lifecycle_before_archive, asset.lifecycle = asset.lifecycle, "ARCHIVED"
    asset.updated_at = work.now
    assert work.viewer.principal_id is not None
    work.session.add(
        AssetTrashRow(
            asset_id=asset.id,
            org_id=asset.org_id,
            trashed_at=work.now,
            trashed_by=work.viewer.principal_id,
            was_archived=was_archived,
            purge_after=work.now + timedelta(days=work.limits.trash_days),
        )
    )
    work.session.flush()
    _record(work, "asset.trashed", asset, {"wasArchived": was_archived}, why)
    return asset


def restore(work: Work, asset_id: int, expected_revision: int) -> AssetRow:
    """Brings the asset back as it was before it was thrown away. `Conflict` once it is purged."""
    asset = reading.held(work, asset_id, expected_revision, "RESTORE_FROM_TRASH")
    thrown = work.session.get_one(AssetTrashRow, asset.id)
    was_archived = thrown.was_archived
    if not was_archived:
        asset.lifecycle, asset.lifecycle_before_archive = asset.lifecycle_before_archive or "DRAFT", None
    asset.updated_at = work.now
    work.session.delete(thrown)
    work.session.flush()
    _record(work, "asset.restored_from_trash", asset, {"wasArchived": was_archived})
    return asset


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, AssetTrashRow]:
    """Per asset its place in the trash. Whether the viewer may know of the asset is the caller's question."""
    rows = sa.select(AssetTrashRow).where(AssetTrashRow.asset_id.in_(set(asset_ids)))
    return {row.asset_id: row for row in work.session.scalars(rows)}


def page(work: Work, wanted: Paging, *, purged: bool = False) -> Slice[AssetRow]:
    """What lies in the trash and the viewer may bring back, last thrown away first; or what is left of the purged."""
    keys = [Key(AssetTrashRow.trashed_at, True), Key(AssetTrashRow.asset_id, True)]
    return read_slice(work, _listed(work, purged=purged), keys, wanted)


def count(work: Work, *, purged: bool = False) -> int:
    listed = _listed(work, purged=purged).subquery()
    return work.session.scalar(sa.select(sa.func.count()).select_from(listed)) or 0


def due(work: Work) -> list[int]:
    """Assets whose time in the trash is over and that nothing holds, at most 100."""
    held = sa.select(LegalHoldRow.asset_id).where(LegalHoldRow.lifted_at.is_(None))
    rows = sa.select(AssetTrashRow.asset_id).where(
        AssetTrashRow.purged_at.is_(None), AssetTrashRow.purge_after <= work.now, AssetTrashRow.asset_id.not_in(held)
    )
    return list(
        work.session.scalars(rows.order_by(AssetTrashRow.purge_after, AssetTrashRow.asset_id).limit(DUE_AT_ONCE))
    )


def purge(work: Work, asset_id: int) -> set[str]:
    """Digests of bytes that it alone may have pointed at, to be let go of after the commit; none where it is no longer
    due.
    """
    asset, inside = _locked(work, asset_id)
    thrown = work.session.scalars(
        sa.select(AssetTrashRow)
        .where(AssetTrashRow.asset_id == asset_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if thrown is None or thrown.purged_at is not None or thrown.purge_after > work.now:
        return set()
    if holds.of_assets(work, [asset_id])[asset_id]:
        return set()
    versions = list(work.session.scalars(sa.select(AssetVersionRow).where(AssetVersionRow.asset_id == asset_id)))
    _take_out_of_fields(work, asset_id)
    digests = {version.sha256 for version in versions} | _forget_descriptions(work, {asset_id, *inside})
    _take_out(work, asset_id)
    relations.forget_of(work, asset_id)
    _forget_likeness(work, asset_id)
    for name, value in _purged_words(asset_id).items():
        setattr(asset, name, value)
    asset.updated_at = work.now
    for id_ in inside:  # by no event and no revision: nothing else of them changes
        work.session.execute(sa.update(AssetRow).where(AssetRow.id == id_).values(_purged_words(id_)))
    thrown.purged_at = work.now
    work.session.flush()
    told = {"versions": [version.id for version in versions], "bytes": sum(each.byte_size for each in versions)}
    _record(work, "asset.purged", asset, told)
    return digests


def _confirmation(work: Work, asset: AssetRow, found: Sequence[Use]) -> str:
    """Of exactly these uses of the asset, for this viewer."""
    said = ";".join(f"{use.kind}:{use.id}" for use in sorted(found))
    told = f"trash:{work.viewer.principal_id}:{asset.id}:{said}"
    return hmac.new(work.secret, told.encode(), hashlib.sha256).hexdigest()[:40]


def _listed(work: Work, *, purged: bool) -> sa.Select[AssetRow]:
    rows = sa.select(AssetRow).join(AssetTrashRow, AssetTrashRow.asset_id == AssetRow.id)
    state = AssetTrashRow.purged_at.is_not(None) if purged else AssetTrashRow.purged_at.is_(None)
    return rows.where(state, identity.sees_asset(work), identity.holds_asset(work, Permission.ASSET_TRASH))


def _locked(work: Work, asset_id: int) -> tuple[AssetRow, list[int]]:
    """The asset, and the ids of all that became part of it: each leads straight to it, however many merges ago. Locked
    in the order of their ids, as merges and what takes them back lock them.
    """
    which = sa.or_(AssetRow.id == asset_id, AssetRow.merged_into_id == asset_id)
    rows = sa.select(AssetRow).where(which).order_by(AssetRow.id).with_for_update(key_share=True)
    held = {row.id: row for row in work.session.scalars(rows.execution_options(populate_existing=True))}
    return held.pop(asset_id), list(held)


def _purged_words(asset_id: int) -> dict[str, str | None]:
    title = f"Purged asset {asset_id}"
    return {"title": title, "title_folded": fold(title), "title_origin": "USER", "description": None}


def _forget_descriptions(work: Work, asset_ids: set[int]) -> set[str]:
    """Rows that point at the assets or their versions, whose ends are not `KEPT_TABLES`; digests they pointed at. What
    points at such rows goes first.
    """
    versions = sa.select(AssetVersionRow.id).where(AssetVersionRow.asset_id.in_(asset_ids))
    tables = Row.metadata.tables
    pointers = blobs.pointers()
    freed: set[str] = set()
    for table in reversed(Row.metadata.sorted_tables):
        if table.name in KEPT_TABLES:
            continue
        found: list[Any] = []
        for column in table.columns:
            ends = {key.column for key in column.foreign_keys}
            if tables["asset"].c.id in ends:
                found.append(column.in_(asset_ids))
            elif tables["asset_version"].c.id in ends:
                found.append(column.in_(versions))
        if not found:
            continue
        for pointer in pointers:
            if pointer.table is table:
                told = sa.select(pointer).where(sa.or_(*found), pointer.is_not(None))
                freed.update(work.session.scalars(told))
        work.session.execute(sa.delete(table).where(sa.or_(*found)))
    return freed


def _take_out_of_fields(work: Work, asset_id: int) -> None:
    """Out of the fields of other assets, which change by that."""
    named = sa.delete(AssetFieldRow).where(AssetFieldRow.target_id == asset_id).returning(AssetFieldRow.asset_id)
    custom_fields.turned(work, set(work.session.scalars(named)))


def _forget_likeness(work: Work, asset_id: int) -> None:
    """Questions that nobody answered."""
    either = sa.or_(NearDuplicateRow.low_asset_id == asset_id, NearDuplicateRow.high_asset_id == asset_id)
    work.session.execute(sa.delete(NearDuplicateRow).where(either, NearDuplicateRow.decision.is_(None)))


def _take_out(work: Work, asset_id: int) -> None:
    """Out of every lightbox, whoever's it is."""
    inside = sa.select(LightboxRow).where(
        LightboxRow.id.in_(sa.select(LightboxAssetRow.lightbox_id).where(LightboxAssetRow.asset_id == asset_id))
    )
    for box in work.session.scalars(inside.order_by(LightboxRow.id).with_for_update()).all():
        gone = sa.delete(LightboxAssetRow).where(
            LightboxAssetRow.lightbox_id == box.id, LightboxAssetRow.asset_id == asset_id
        )
        work.session.execute(gone)
        box.updated_at = work.now
        work.session.flush()
        story = {"revision": box.revision, "removed": [asset_id]}
        history.record(work, "lightbox.assets_changed", ("Lightbox", box.id), story, org_id=box.org_id)


def _record(work: Work, event: str, asset: AssetRow, told: dict[str, Any], reason: str | None = None) -> None:
    story = {"revision": asset.revision, **told}
    history.record(work, event, ("Asset", asset.id), story, org_id=asset.org_id, reason=reason)
