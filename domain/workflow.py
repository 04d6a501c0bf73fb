"""Approval: a person vouches for exactly the bytes they saw.

This is the first, plain form: a permitted person approves a version, named by its digest. Reviews in stages come on
top of it and decide who may call it.
"""

from __future__ import annotations

import sqlalchemy as sa

from domain import approvals, assets, completeness, history, refreshing
from domain.assets import reading
from domain.licensing import assessing, own_work
from domain.refusals import Conflict, NotFound, RightsNotAssessed, StaleSubject
from domain.texts import MAX_NOTE, paragraphs
from domain.work import Work
from storage.tables import ApprovalRow, AssetRow, AssetVersionRow


def approve(
    work: Work, version_id: int, sha256: str, note: str | None = None, *, is_own_work: bool = False
) -> AssetVersionRow:
    """Approves the version, whose bytes must be `sha256`; approving it again changes nothing. With `is_own_work` the
    asset is declared the organisation's own work as well.

    `Incomplete` where the gate of the asset's template does not let it through, `RightsNotAssessed` where nothing that
    stands was said of its rights.
    """
    own = _own_work(work, version_id) if is_own_work else None
    version, asset = _decided_on(work, version_id)
    if version.sha256 != sha256:
        raise StaleSubject(version.sha256)
    assets.check_state("APPROVE", asset)
    if own is not None:
        own_work.declare(work, asset, own)
    if _standing(work, version) is not None:
        return version
    completeness.check(work, asset)
    if not assessing.is_assessed(work, version):
        raise RightsNotAssessed
    work.session.add(
        ApprovalRow(
            org_id=asset.org_id,
            asset_id=asset.id,
            version_id=version.id,
            sha256=sha256,
            note=paragraphs(note, MAX_NOTE, ("note",)),
            approved_at=work.now,
            approved_by=work.viewer.principal_id,
        ),
    )
    work.session.flush()
    _point(work, asset)
    if asset.lifecycle in {"DRAFT", "IN_REVIEW", "CHANGES_REQUESTED"}:
        asset.lifecycle = "APPROVED"
    asset.updated_at = work.now
    work.session.flush()
    payload = {"version": version.id, "sha256": sha256}
    said = paragraphs(note, MAX_NOTE, ("note",))
    history.record(work, "asset.version_approved", ("Asset", asset.id), payload, org_id=asset.org_id, reason=said)
    refreshing.if_marked(work, version.id, asset.org_id)
    return version


def revoke(work: Work, version_id: int) -> AssetVersionRow:
    """Takes the version's approval back; an asset left without any returns to DRAFT, or will when it is restored."""
    version, asset = _decided_on(work, version_id)
    approval = _standing(work, version)
    if approval is None:
        raise Conflict("This version is not approved.", ("version",))
    approval.revoked_at, approval.revoked_by = work.now, work.viewer.principal_id
    work.session.flush()
    _point(work, asset)
    if asset.approved_version_id is None:
        _back_to_draft(asset)
    asset.updated_at = work.now
    work.session.flush()
    history.record(work, "asset.approval_revoked", ("Asset", asset.id), {"version": version.id}, org_id=asset.org_id)
    refreshing.if_marked(work, version.id, asset.org_id)
    return version


def _own_work(work: Work, version_id: int) -> own_work.Held | None:
    version = reading.versions_by_id(work, [version_id]).get(version_id)
    if version is None:
        return None
    org_id = work.session.scalars(sa.select(AssetRow.org_id).where(AssetRow.id == version.asset_id)).one()
    return own_work.held(work, org_id)


def _point(work: Work, asset: AssetRow) -> None:
    newest = approvals.approved_versions(work, [asset.id]).get(asset.id)
    asset.approved_version_id = None if newest is None else newest.id


def _back_to_draft(asset: AssetRow) -> None:
    if asset.lifecycle == "APPROVED":
        asset.lifecycle = "DRAFT"
    if asset.lifecycle_before_archive == "APPROVED":
        asset.lifecycle_before_archive = "DRAFT"


def _decided_on(work: Work, version_id: int) -> tuple[AssetVersionRow, AssetRow]:
    version = reading.versions_by_id(work, [version_id]).get(version_id)
    if version is None:
        raise NotFound("There is no version with this id.", ("version",))
    held = sa.select(AssetRow).where(AssetRow.id == version.asset_id).with_for_update(key_share=True)
    asset = work.session.scalars(held.execution_options(populate_existing=True)).one()
    assets.check_allowed(work, "APPROVE", asset)
    return version, asset


def _standing(work: Work, version: AssetVersionRow) -> ApprovalRow | None:
    rows = sa.select(ApprovalRow).where(ApprovalRow.version_id == version.id, ApprovalRow.revoked_at.is_(None))
    return work.session.scalars(rows).one_or_none()
