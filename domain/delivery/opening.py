"""What an address opens now, and for whom."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import Any

import sqlalchemy as sa

from domain import assets, identity, signing, tailoring
from domain.assets import reading
from domain.delivery import bars, deciding, leave, minting
from domain.delivery.leave import AT_WORK, Leave
from domain.holdings import WITHHELD
from domain.identity.bounds import Bounds
from domain.permissions import Permission
from domain.recipes import Format
from domain.refusals import Gone
from domain.work import Viewer, Work
from storage.tables import ApprovalRow, AssetRow, AssetVersionRow, BulkExportRow, RenditionPresetRow, RenditionRow
from storage.types import EPOCH


@dataclass(frozen=True)
class Way:
    """Where a stable address leads now, until when that opens, and whether caches may share the answer."""

    url: str
    valid_until: datetime
    asset_id: int
    is_public: bool


@dataclass(frozen=True)
class Delivery:
    """What an address opens; `inline` says that a browser may show it, else it is only to be saved, and `is_public`
    that caches may share it: a rendition of what is approved, by an address that works from anywhere.

    The rest is for the record: whose file it is, and for whom the address was made.
    """

    sha256: str
    byte_size: int
    media_type: str
    file_name: str
    inline: bool
    valid_until: datetime
    viewer: Viewer
    org_id: int
    #: None exactly for an export.
    asset_id: int | None
    version_id: int | None
    rendition_id: int | None = None
    export_id: int | None = None
    is_public: bool = False
    #: By what it was given out.
    by: Leave = AT_WORK


@dataclass(frozen=True)
class Admitted:
    """Who must all see what an address opens, by what it was given to them, until when it works, and whether it works
    from anywhere.
    """

    parties: list[Work]
    valid_until: datetime
    is_anywhere: bool
    by: Leave
    #: It was made at a moment that is still to come: the clock was set back.
    is_early: bool = False


@dataclass(frozen=True)
class Taken:
    """A version that all who are let in may take away, with its asset's organisation, and whether caches may share what
    is made of it.
    """

    let_in: Admitted
    version: AssetVersionRow
    org_id: int
    is_public: bool


def open_door(work: Work, token: str, address: str | None = None) -> Delivery:
    """What the token opens now from `address` (an IP address): `NotFound` for a text we did not sign or bytes that are
    no more, `Gone` afterwards; `Barred` where all but a bar would open it, then `Unlicensed` where all but the rights.
    """
    claims = signing.verified(work.secret, minting.FILES, token)
    let_in = admitted(work, claims, address)
    if claims["k"] == minting.EXPORT:
        found = _export(let_in.parties, claims, let_in.valid_until)
    else:
        found = (_original if claims["k"] == minting.ORIGINAL else _rendition)(let_in, claims)
    if found is None:
        raise signing.nothing()
    return found if let_in.is_anywhere else replace(found, is_public=False)


def latest(work: Work, token: str, address: str | None = None) -> Way:
    """The immutable address behind a stable one that is opened from `address`; `NotFound` while there is no approved,
    finished rendition, or its maker or their organisation does not see the asset; then `Barred` where it is, and
    refused as `deciding.only` refuses the organisation as such the use.
    """
    claims = signing.verified(work.secret, minting.LATEST, token)
    parties, bounds = _parties(work, claims, address, lasting=True)
    asset_id = assets.survivors(work, [claims["i"]]).get(claims["i"], claims["i"])
    version_id = work.session.scalar(_latest_approved(parties, asset_id))
    rendition = None if version_id is None else work.session.scalar(_finished(version_id, claims["p"]))
    if rendition is None or rendition.sha256 is None:
        raise signing.nothing()
    bars.check(work, rendition.version_id)
    by = deciding.only(parties[-1], rendition.version_id, deciding.use_of(work, leave.claimed(claims)))
    # An organisation as such holds nothing that shows what is marked without the mark.
    shown = rendition.marked_sha256 or rendition.sha256
    signed = minting.signed_url(parties[0], minting.RENDITION, rendition.id, shown, {"g": claims["g"]}, by=by)
    return Way(signed.url, signed.valid_until, asset_id, is_public=bounds.networks is None)


def admitted(work: Work, claims: dict[str, Any], address: str | None) -> Admitted:
    """Whoever an address with these claims was made for, if it is opened from `address` now; `Gone` afterwards. What it
    opens is kept by nobody for longer than if it were made now, whatever the clock showed when it was.
    """
    parties, bounds = _parties(work, claims, address)
    by, ends, longest = leave.claimed(claims), EPOCH + claims["e"] * minting.STEP, minting.lasts_until(work)
    valid_until = min(ends, by.until, longest)
    if valid_until <= work.now:
        raise Gone("This address has expired: ask for a new one.")
    if bounds.until is not None:
        valid_until = min(valid_until, bounds.until)
    return Admitted(parties, valid_until, is_anywhere=bounds.networks is None, by=by, is_early=ends > longest)


def downloadable(let_in: Admitted, version_id: int, sha256: str) -> Taken | None:
    """None where one of them may not take it away, or it holds other bytes. `Barred` where all but a bar would open it,
    then `Unlicensed` where all but the rights.
    """
    parties = let_in.parties
    found = parties[0].session.execute(_downloadable(parties, version_id, sha256)).one_or_none()
    if found is None:
        return None
    version, asset, is_public = found
    licensed = _licensed(let_in, version.id, asset)
    return Taken(licensed, version, asset.org_id, bool(is_public) and let_in.is_anywhere)


def digest_of(claims: dict[str, Any]) -> str:
    return base64.b64decode(claims["d"]).hex()


def _parties(
    work: Work, claims: dict[str, Any], address: str | None, *, lasting: bool = False
) -> tuple[list[Work], Bounds]:
    """Who must all see what the address opens, with what they hold now: whoever it was made for, by the token it was
    made with, and, where it is or comes from a stable one, their organisation as such. And how far that token goes.
    """
    if claims.get("w") is None:
        raise signing.nothing()
    viewer, bounds = identity.viewer_by(work, claims["w"], claims.get("t"), address, lasting=lasting)
    maker = replace(work, viewer=viewer)
    return [maker, minting.as_organisation(work, claims["g"])] if "g" in claims else [maker], bounds


def _licensed(let_in: Admitted, version_id: int, asset: AssetRow) -> Admitted:
    """The same until its licence ends, if that is before; refused where it may not leave."""
    work, by = let_in.parties[0], let_in.by
    bars.check(work, version_id)
    if by.decision_id is None:
        if not leave.is_at_work(let_in.parties[-1], asset):
            raise signing.nothing()
        return let_in
    until = deciding.until(work, by, version_id, asset.rights_epoch, anew=let_in.is_early)
    return replace(let_in, valid_until=min(let_in.valid_until, until))


def _original(let_in: Admitted, claims: dict[str, Any]) -> Delivery | None:
    found = downloadable(let_in, claims["i"], digest_of(claims))
    if found is None:
        return None
    version, licensed = found.version, found.let_in
    return Delivery(
        sha256=version.sha256,
        byte_size=version.byte_size,
        media_type=version.media_type,
        file_name=version.file_name,
        inline=False,
        valid_until=licensed.valid_until,
        viewer=licensed.parties[-1].viewer,
        org_id=found.org_id,
        asset_id=version.asset_id,
        version_id=version.id,
        by=licensed.by,
    )


def _downloadable(parties: list[Work], version_id: int, sha256: str) -> sa.Select[AssetVersionRow, AssetRow, bool]:
    return (
        sa.select(AssetVersionRow, AssetRow, _is_public())
        .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
        .where(
            AssetVersionRow.id == version_id,
            AssetVersionRow.sha256 == sha256,
            reading.is_kept(AssetVersionRow.asset_id),
            *map(identity.sees_version, parties),
            *(identity.holds_asset(party, Permission.ASSET_DOWNLOAD) for party in parties),
        )
    )


def _rendition(let_in: Admitted, claims: dict[str, Any]) -> Delivery | None:
    parties = let_in.parties
    found = (
        parties[0]
        .session.execute(
            sa.select(RenditionRow, RenditionPresetRow, AssetVersionRow, AssetRow, _is_public())
            .join(RenditionPresetRow, RenditionPresetRow.id == RenditionRow.preset_id)
            .join(AssetVersionRow, AssetVersionRow.id == RenditionRow.version_id)
            .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
            .where(
                RenditionRow.id == claims["i"],
                RenditionRow.state == "READY",
                sa.or_(RenditionRow.sha256 == digest_of(claims), RenditionRow.marked_sha256 == digest_of(claims)),
                *map(identity.sees_version, parties),
            ),
        )
        .one_or_none()
    )
    if found is None:
        return None
    rendition, preset, version, asset, is_public = found
    is_marked = digest_of(claims) == rendition.marked_sha256
    held = [party.viewer.holdings for party in parties]
    if not is_marked and not tailoring.may_be_bare(parties[0], held, rendition, version, asset.org_id):
        return None
    licensed = _licensed(let_in, version.id, asset)
    byte_size = rendition.marked_byte_size if is_marked else rendition.byte_size
    assert byte_size is not None, "a READY rendition has bytes, as has its twin, and knows how many"
    made_as = Format[preset.format]
    return Delivery(
        sha256=digest_of(claims),
        byte_size=byte_size,
        media_type=rendition.media_type or made_as.media_type,
        file_name=f"{PurePath(version.file_name).stem}-{preset.name}{made_as.extension}",
        inline=True,
        valid_until=licensed.valid_until,
        viewer=parties[-1].viewer,
        org_id=asset.org_id,
        asset_id=version.asset_id,
        version_id=version.id,
        rendition_id=rendition.id,
        is_public=is_public and rendition.marked_sha256 is None,
        by=licensed.by,
    )


def _export(parties: list[Work], claims: dict[str, Any], valid_until: datetime) -> Delivery | None:
    work = parties[0]
    row = work.session.get(BulkExportRow, claims["i"])
    if row is None or row.sha256 != digest_of(claims) or not minting.opens(work, row):
        return None
    assert row.byte_size is not None, "a finished export knows its size"
    assert row.expires_at is not None, "and when it goes"
    return Delivery(
        sha256=digest_of(claims),
        byte_size=row.byte_size,
        media_type="application/jsonl",
        file_name=f"export-{row.id}.jsonl",
        inline=False,
        valid_until=min(valid_until, row.expires_at),
        viewer=work.viewer,
        org_id=row.org_id,
        asset_id=None,
        version_id=None,
        export_id=row.id,
    )


def _is_public() -> sa.ColumnElement[bool]:
    """Whether an `AssetVersionRow`, joined with its `AssetRow`, is approved and not withheld."""
    standing = sa.exists().where(ApprovalRow.version_id == AssetVersionRow.id, ApprovalRow.revoked_at.is_(None))
    return sa.and_(AssetRow.lifecycle.not_in(WITHHELD), standing)


def _latest_approved(parties: list[Work], asset_id: int) -> sa.Select[int | None]:
    return sa.select(AssetRow.approved_version_id).where(
        AssetRow.id == asset_id,
        AssetRow.approved_version_id.is_not(None),
        AssetRow.lifecycle.not_in(WITHHELD),
        *map(identity.sees_asset, parties),
    )


def _finished(version_id: int, preset: str) -> sa.Select[RenditionRow]:
    """The READY rendition, as the preset is now; one of its earlier recipes stands in while that is being made."""
    as_it_is_now = RenditionRow.params_digest == RenditionPresetRow.params_digest
    return (
        sa.select(RenditionRow)
        .join(RenditionPresetRow, RenditionPresetRow.id == RenditionRow.preset_id)
        .where(
            RenditionRow.version_id == version_id,
            RenditionRow.state == "READY",
            RenditionPresetRow.name == preset,
            RenditionPresetRow.archived_at.is_(None),
        )
        .order_by(sa.case((as_it_is_now, 0), else_=1), RenditionRow.id.desc())
        .limit(1)
    )
