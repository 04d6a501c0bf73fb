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
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import PurePath
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from domain import changes, identity
from domain.holdings import WITHHELD, Holdings, Reach, Tree
from domain.identity.bounds import Bounds
from domain.permissions import Permission
from domain.recipes import Format
from domain.refusals import Gone, NotFound
from domain.work import BRAND_ORG_ID, Viewer, Work
from storage.tables import ApprovalRow, AssetRow, AssetVersionRow, BulkExportRow, RenditionPresetRow, RenditionRow
from storage.types import EPOCH

#: Longer texts are not ours and are not looked at.
LONGEST_TOKEN = 1024

_HOUR = timedelta(hours=1)
_FILES, _LATEST = "files", "latest"
_ORIGINAL, _RENDITION, _EXPORT = "o", "r", "x"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
#: Stands for an id where claims are spelt before it is known: no other number of theirs is so large.
_MARK = 2**63 - 1
_MAC_BYTES = hashlib.sha256().digest_size


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


def original_url(work: Work, version: AssetVersionRow) -> SignedUrl:
    """Where the version's own bytes are fetched. Whether the viewer may is the caller's question."""
    return original_urls(work)(version.id, version.sha256)


def rendition_url(work: Work, rendition: RenditionRow) -> SignedUrl | None:
    """Where the rendition is fetched; None unless it is READY."""
    return rendition_urls(work)(rendition.id, rendition.state, rendition.sha256)


def original_urls(work: Work) -> Callable[[int, str], SignedUrl]:
    """`original_url` of a version's id and digest."""
    return _signing(work, _ORIGINAL)


def rendition_urls(work: Work) -> Callable[[int, str, str | None], SignedUrl | None]:
    """`rendition_url` of a rendition's id, state and digest."""
    signed = _signing(work, _RENDITION)

    def made(rendition_id: int, state: str, sha256: str | None) -> SignedUrl | None:
        return None if state != "READY" or sha256 is None else signed(rendition_id, sha256)

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
    return f"{work.public_url}/{_LATEST}/{_sign(work.secret, _LATEST, claims)}"


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
    claims = _verified(work.secret, _FILES, token)
    parties, bounds = _parties(work, claims, address)
    valid_until = EPOCH + claims["e"] * _HOUR
    if valid_until <= work.now:
        raise Gone("This address has expired: ask for a new one.")
    if bounds.until is not None:
        valid_until = min(valid_until, bounds.until)
    find = {_ORIGINAL: _original, _RENDITION: _rendition, _EXPORT: _export}[claims["k"]]
    found = find(parties, claims, valid_until)
    if found is None:
        raise _nothing()
    return found if bounds.networks is None else replace(found, is_public=False)


def latest(work: Work, token: str, address: str | None = None) -> Way:
    """The immutable address behind a stable one that is opened from `address`; `NotFound` while there is no approved,
    finished rendition, or its maker or their organisation does not see the asset.
    """
    claims = _verified(work.secret, _LATEST, token)
    parties, bounds = _parties(work, claims, address, lasting=True)
    version_id = work.session.scalar(_latest_approved(parties, claims["i"]))
    rendition = None if version_id is None else work.session.scalar(_finished(version_id, claims["p"]))
    if rendition is None or rendition.sha256 is None:
        raise _nothing()
    signed = _signed(parties[0], _RENDITION, rendition.id, rendition.sha256, {"g": claims["g"]})
    return Way(signed.url, is_public=bounds.networks is None)


def _signed(work: Work, kind: str, row_id: int, sha256: str, more: dict[str, Any] | None = None) -> SignedUrl:
    """Valid for the configured hours and what remains of the present one; the hub's own open nothing."""
    return _signing(work, kind, more)(row_id, sha256)


def _signing(work: Work, kind: str, more: dict[str, Any] | None = None) -> Callable[[int, str], SignedUrl]:
    """What `_signed` makes of many: what is the same in all of them is made once."""
    expires = (work.now - EPOCH) // _HOUR + work.limits.url_hours + 1
    common = {"k": kind, "e": expires, "w": work.viewer.principal_id, **_by(work.viewer), **(more or {})}
    place, valid_until, key = f"{work.public_url}/{_FILES}/", EPOCH + expires * _HOUR, _key(work.secret, _FILES)
    # A page has hundreds of addresses: what is the same in all is spelt once, and the two that differ put between.
    marked = orjson.dumps({**common, "i": _MARK, "d": ""}, option=orjson.OPT_SORT_KEYS)
    before, _, further = marked.partition(b'"d":"')
    middle, _, after = further.partition(b"%d" % _MARK)
    before += b'"d":"'

    def signed(row_id: int, sha256: str) -> SignedUrl:
        digest = binascii.b2a_base64(bytes.fromhex(sha256), newline=False)
        body = b"%b%b%b%d%b" % (before, digest, middle, row_id, after)
        return SignedUrl(place + _spelt(hmac.digest(key, body, "sha256") + body), valid_until)

    return signed


def _by(viewer: Viewer) -> dict[str, int]:
    return {} if viewer.token_id is None else {"t": viewer.token_id}


def _sign(secret: bytes, purpose: str, claims: dict[str, Any]) -> str:
    body = orjson.dumps(claims, option=orjson.OPT_SORT_KEYS)
    return _spelt(_mac(secret, purpose, body) + body)


def _spelt(signed: bytes) -> str:
    """base64url without padding, at half the price of base64's own function."""
    return binascii.b2a_base64(signed, newline=False).translate(_URL_SAFE).decode().rstrip("=")


def _verified(secret: bytes, purpose: str, token: str) -> dict[str, Any]:
    try:
        signed = base64.urlsafe_b64decode(token[:LONGEST_TOKEN] + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise _nothing() from None
    mac, body = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
    # Stray characters are ignored by the decoder.
    if _spelt(signed) != token or not hmac.compare_digest(mac, _mac(secret, purpose, body)):
        raise _nothing()
    claims: dict[str, Any] = json.loads(body)
    return claims


def _mac(secret: bytes, purpose: str, body: bytes) -> bytes:
    """A key of its own for each purpose, so that no signature of one kind passes for another."""
    return hmac.digest(_key(secret, purpose), body, "sha256")


@lru_cache(maxsize=64)
def _key(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"imprimatur/{purpose}/1".encode(), "sha256")


def _parties(
    work: Work, claims: dict[str, Any], address: str | None, *, lasting: bool = False
) -> tuple[list[Work], Bounds]:
    """Who must all see what the address opens, with what they hold now: whoever it was made for, by the token it was
    made with, and, where it is or comes from a stable one, their organisation as such. And how far that token goes.
    """
    if claims.get("w") is None:
        raise _nothing()
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
    found = (
        parties[0]
        .session.execute(
            sa.select(AssetVersionRow, AssetRow.org_id)
            .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
            .where(
                AssetVersionRow.id == claims["i"],
                AssetVersionRow.sha256 == _digest(claims),
                *map(identity.sees_version, parties),
                *(identity.holds_asset(party, Permission.ASSET_DOWNLOAD) for party in parties),
            ),
        )
        .one_or_none()
    )
    if found is None:
        return None
    version, org_id = found
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
                RenditionRow.sha256 == _digest(claims),
                *map(identity.sees_version, parties),
            ),
        )
        .one_or_none()
    )
    if found is None:
        return None
    rendition, preset, version, org_id, is_public = found
    assert rendition.sha256 is not None, "a READY rendition has bytes"
    assert rendition.byte_size is not None, "and knows how many"
    made_as = Format[preset.format]
    return Delivery(
        sha256=rendition.sha256,
        byte_size=rendition.byte_size,
        media_type=rendition.media_type or made_as.media_type,
        file_name=f"{PurePath(version.file_name).stem}-{preset.name}{made_as.extension}",
        inline=True,
        valid_until=valid_until,
        viewer=parties[-1].viewer,
        org_id=org_id,
        asset_id=version.asset_id,
        version_id=version.id,
        rendition_id=rendition.id,
        is_public=is_public,
    )


def _export(parties: list[Work], claims: dict[str, Any], valid_until: datetime) -> Delivery | None:
    work = parties[0]
    row = work.session.get(BulkExportRow, claims["i"])
    if row is None or row.sha256 != _digest(claims) or not _opens(work, row):
        return None
    assert row.byte_size is not None, "a finished export knows its size"
    assert row.expires_at is not None, "and when it goes"
    return Delivery(
        sha256=_digest(claims),
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


def _digest(claims: dict[str, Any]) -> str:
    return base64.b64decode(claims["d"]).hex()


def _nothing() -> NotFound:
    return NotFound("There is nothing at this address.")
