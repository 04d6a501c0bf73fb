"""The one door for bytes: which address opens which bytes, for how long, and under which name.

An address is a signed statement: it names one row, the digest that row must hold, and for whom, and with which token,
it was made. It works while the row still stands, holds exactly those bytes, and they may still see it with that token,
from where it is opened: so nothing that was replaced, removed or taken from them is delivered, and no address outlives
or outreaches the token it was made with. A stable address, and what it leads to, needs more: that also the organisation
of whoever made it sees the asset approved; it goes on with the successors of its token, and from a session it is the
person's own. Addresses made by one token within the same hour are the same text, so that browsers and proxies can keep
what they fetched.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any, NamedTuple

import sqlalchemy as sa

from domain import assets, changes, identity, signing, tailoring
from domain.assets import reading
from domain.holdings import WITHHELD, Holdings, Reach, Tree
from domain.identity.bounds import Bounds
from domain.permissions import Permission
from domain.recipes import Format
from domain.refusals import Gone
from domain.work import BRAND_ORG_ID, Viewer, Work
from storage.tables import ApprovalRow, AssetRow, AssetVersionRow, BulkExportRow, RenditionPresetRow, RenditionRow
from storage.types import EPOCH

_HOUR = timedelta(hours=1)
_FILES, _LATEST = "files", "latest"
_ORIGINAL, _RENDITION, _EXPORT = "o", "r", "x"


class SignedUrl(NamedTuple):
    url: str
    valid_until: datetime


@dataclass(frozen=True)
class Way:
    """Where a stable address leads now; `is_public` says that caches may share the answer."""

    url: str
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


@dataclass(frozen=True)
class Admitted:
    """Who must all see what an address opens, until when it works, and whether it works from anywhere."""

    parties: list[Work]
    valid_until: datetime
    is_anywhere: bool


def original_url(work: Work, version: AssetVersionRow) -> SignedUrl:
    """Where the version's own bytes are fetched. Whether the viewer may is the caller's question."""
    return original_urls(work)(version.id, version.sha256)


def rendition_url(work: Work, rendition: RenditionRow) -> SignedUrl | None:
    """Where the rendition is fetched, or its marked twin where the viewer is shown that; None unless it is READY."""
    owner = None if rendition.marked_sha256 is None else _owner(work, rendition.version_id)
    return rendition_urls(work)(rendition.id, rendition.state, rendition.sha256, rendition.marked_sha256, owner)


def original_urls(work: Work) -> Callable[[int, str], SignedUrl]:
    """`original_url` of a version's id and digest."""
    return _signing(work, _ORIGINAL)


def rendition_urls(work: Work) -> Callable[[int, str, str | None, str | None, int | None], SignedUrl | None]:
    """`rendition_url` of a rendition's id, state, digest, its marked twin's, and then the asset's organisation."""
    signed, held = _signing(work, _RENDITION), work.viewer.holdings

    def made(
        rendition_id: int, state: str, sha256: str | None, marked: str | None, owner: int | None
    ) -> SignedUrl | None:
        if state != "READY" or sha256 is None:
            return None
        if marked is None or owner is None or tailoring.sees_bare(held, owner):
            return signed(rendition_id, sha256)
        return signed(rendition_id, marked)

    return made


def export_url(work: Work, export: BulkExportRow) -> SignedUrl | None:
    """Where the viewer's own export is fetched; None unless it is there, and opens to what they hold now."""
    if export.sha256 is None or not _opens(work, export):
        return None
    return _signed(work, _EXPORT, export.id, export.sha256)


def latest_url(work: Work, asset_id: int, preset: str) -> str:
    """The stable address of the latest approved version of an asset in a preset; it never expires by itself.

    Whether the viewer may be given one is the caller's question (`may_last`).
    """
    claims = {"k": _LATEST, "i": asset_id, "p": preset, "g": work.viewer.org_id, "w": work.viewer.principal_id}
    if not work.viewer.by_session:
        claims |= _by(work.viewer)
    return f"{work.public_url}/{_LATEST}/{signing.sign(work.secret, _LATEST, claims)}"


def may_last(work: Work, asset_ids: Iterable[int]) -> dict[int, bool]:
    """Per asset whether a stable address could ever open it: not a guest's, nor one of what waits in quarantine or
    does not reach the viewer's organisation as such. What somebody is to hold besides is the caller's question.
    """
    ids = set(asset_ids)
    if work.viewer.on_behalf_of is not None:
        return dict.fromkeys(ids, False)
    reached = identity.holds_asset(_as_organisation(work, work.viewer.org_id), Permission.ASSET_VIEW)
    rows = sa.select(AssetRow.id).where(AssetRow.id.in_(ids), AssetRow.lifecycle != "QUARANTINED", reached)
    return dict.fromkeys(ids, False) | dict.fromkeys(work.session.scalars(rows), True)


def open_door(work: Work, token: str, address: str | None = None) -> Delivery:
    """What the token opens now from `address` (an IP address): `NotFound` for a text we did not sign or bytes that are
    no more, `Gone` afterwards.
    """
    claims = signing.verified(work.secret, _FILES, token)
    let_in = admitted(work, claims, address)
    find = {_ORIGINAL: _original, _RENDITION: _rendition, _EXPORT: _export}[claims["k"]]
    found = find(let_in.parties, claims, let_in.valid_until)
    if found is None:
        raise signing.nothing()
    return found if let_in.is_anywhere else replace(found, is_public=False)


def latest(work: Work, token: str, address: str | None = None) -> Way:
    """The immutable address behind a stable one that is opened from `address`; `NotFound` while there is no approved,
    finished rendition, or its maker or their organisation does not see the asset.
    """
    claims = signing.verified(work.secret, _LATEST, token)
    parties, bounds = _parties(work, claims, address, lasting=True)
    asset_id = assets.survivors(work, [claims["i"]]).get(claims["i"], claims["i"])
    version_id = work.session.scalar(_latest_approved(parties, asset_id))
    rendition = None if version_id is None else work.session.scalar(_finished(version_id, claims["p"]))
    if rendition is None or rendition.sha256 is None:
        raise signing.nothing()
    # An organisation as such holds nothing that shows what is marked without the mark.
    shown = rendition.marked_sha256 or rendition.sha256
    signed = _signed(parties[0], _RENDITION, rendition.id, shown, {"g": claims["g"]})
    return Way(signed.url, is_public=bounds.networks is None)


def admitted(work: Work, claims: dict[str, Any], address: str | None) -> Admitted:
    """Whoever an address with these claims was made for, if it is opened from `address` now; `Gone` afterwards."""
    parties, bounds = _parties(work, claims, address)
    valid_until = EPOCH + claims["e"] * _HOUR
    if valid_until <= work.now:
        raise Gone("This address has expired: ask for a new one.")
    if bounds.until is not None:
        valid_until = min(valid_until, bounds.until)
    return Admitted(parties, valid_until, is_anywhere=bounds.networks is None)


def downloadable(let_in: Admitted, version_id: int, sha256: str) -> tuple[AssetVersionRow, int, bool] | None:
    """The version with its asset's organisation, and whether caches may share what is made of it; None where one of
    them may not take it away, or it holds other bytes.
    """
    parties = let_in.parties
    found = parties[0].session.execute(_downloadable(parties, version_id, sha256)).one_or_none()
    return None if found is None else (found[0], found[1], bool(found[2]) and let_in.is_anywhere)


def _signed(work: Work, kind: str, row_id: int, sha256: str, more: dict[str, Any] | None = None) -> SignedUrl:
    """Valid for the configured hours and what remains of the present one; the hub's own open nothing."""
    return _signing(work, kind, more)(row_id, sha256)


def _signing(work: Work, kind: str, more: dict[str, Any] | None = None) -> Callable[[int, str], SignedUrl]:
    """What `_signed` makes of many: what is the same in all of them is made once."""
    return addresses(work, _FILES, {"k": kind, **(more or {})})


def addresses(
    work: Work, purpose: str, more: dict[str, Any], below: str | None = None
) -> Callable[[int, str], SignedUrl]:
    """Addresses below `/{purpose}/`, or another path, of rows by id and digest, for the viewer, with these claims."""
    expires = (work.now - EPOCH) // _HOUR + work.limits.url_hours + 1
    common = {"e": expires, "w": work.viewer.principal_id, **_by(work.viewer), **more}
    place, valid_until = f"{work.public_url}/{below or purpose}/", EPOCH + expires * _HOUR
    spelt = signing.series(work.secret, purpose, common)

    def signed(row_id: int, sha256: str) -> SignedUrl:
        return SignedUrl(place + spelt(row_id, sha256), valid_until)

    return signed


def _by(viewer: Viewer) -> dict[str, int]:
    return {} if viewer.token_id is None else {"t": viewer.token_id}


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
    return [maker, _as_organisation(work, claims["g"])] if "g" in claims else [maker], bounds


def _as_organisation(work: Work, org_id: int) -> Work:
    """As an organisation as such, which sees what is approved of its own and of what was shared with it."""
    orgs = None if org_id == BRAND_ORG_ID else identity.tree(work, org_id)
    held = dict.fromkeys((Permission.ASSET_VIEW, Permission.ASSET_DOWNLOAD), Reach((Tree(org_id, orgs),)))
    viewer = Viewer(None, org_id, "an organisation", is_administrator=False, holdings=Holdings(held))
    return replace(work, viewer=viewer)


def _original(parties: list[Work], claims: dict[str, Any], valid_until: datetime) -> Delivery | None:
    found = parties[0].session.execute(_downloadable(parties, claims["i"], digest_of(claims))).one_or_none()
    if found is None:
        return None
    version, org_id, _ = found
    return Delivery(
        sha256=version.sha256,
        byte_size=version.byte_size,
        media_type=version.media_type,
        file_name=version.file_name,
        inline=False,
        valid_until=valid_until,
        viewer=parties[-1].viewer,
        org_id=org_id,
        asset_id=version.asset_id,
        version_id=version.id,
    )


def _downloadable(parties: list[Work], version_id: int, sha256: str) -> sa.Select[AssetVersionRow, int, bool]:
    return (
        sa.select(AssetVersionRow, AssetRow.org_id, _is_public())
        .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
        .where(
            AssetVersionRow.id == version_id,
            AssetVersionRow.sha256 == sha256,
            reading.is_kept(AssetVersionRow.asset_id),
            *map(identity.sees_version, parties),
            *(identity.holds_asset(party, Permission.ASSET_DOWNLOAD) for party in parties),
        )
    )


def _rendition(parties: list[Work], claims: dict[str, Any], valid_until: datetime) -> Delivery | None:
    found = (
        parties[0]
        .session.execute(
            sa.select(RenditionRow, RenditionPresetRow, AssetVersionRow, AssetRow.org_id, _is_public())
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
    rendition, preset, version, org_id, is_public = found
    is_marked = digest_of(claims) == rendition.marked_sha256
    held = [party.viewer.holdings for party in parties]
    if not is_marked and not tailoring.may_be_bare(parties[0], held, rendition, version, org_id):
        return None
    byte_size = rendition.marked_byte_size if is_marked else rendition.byte_size
    assert byte_size is not None, "a READY rendition has bytes, as has its twin, and knows how many"
    made_as = Format[preset.format]
    return Delivery(
        sha256=digest_of(claims),
        byte_size=byte_size,
        media_type=rendition.media_type or made_as.media_type,
        file_name=f"{PurePath(version.file_name).stem}-{preset.name}{made_as.extension}",
        inline=True,
        valid_until=valid_until,
        viewer=parties[-1].viewer,
        org_id=org_id,
        asset_id=version.asset_id,
        version_id=version.id,
        rendition_id=rendition.id,
        is_public=is_public and rendition.marked_sha256 is None,
    )


def _owner(work: Work, version_id: int) -> int | None:
    rows = sa.select(AssetRow.org_id).join(AssetVersionRow, AssetVersionRow.asset_id == AssetRow.id)
    return work.session.scalar(rows.where(AssetVersionRow.id == version_id))


def _export(parties: list[Work], claims: dict[str, Any], valid_until: datetime) -> Delivery | None:
    work = parties[0]
    row = work.session.get(BulkExportRow, claims["i"])
    if row is None or row.sha256 != digest_of(claims) or not _opens(work, row):
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


def _opens(work: Work, export: BulkExportRow) -> bool:
    """Only to whoever asked for it, and while they hold what they held when it was written: it may tell of anything."""
    if export.principal_id != work.viewer.principal_id or export.expires_at is None or export.expires_at <= work.now:
        return False
    may = work.viewer.holdings.anywhere(Permission.ASSET_DOWNLOAD)
    return may and changes.digest(work.viewer) == export.held


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


def digest_of(claims: dict[str, Any]) -> str:
    return base64.b64decode(claims["d"]).hex()
