"""How bytes become an asset or a version of one.

Whoever brings bytes that are here already is told so before anything is written. The row of the bytes is held while
this is decided, so that of two simultaneous arrivals one makes the asset and the other hears of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePath

import sqlalchemy as sa
from sqlalchemy.orm import attributes

from domain import (
    blobs,
    brands,
    custom_fields,
    history,
    identity,
    localised,
    organisations,
    presets,
    renditions,
    taxonomy,
    version_texts,
)
from domain.assets import reading
from domain.assets.contents import Content
from domain.licensing import own_work
from domain.permissions import Permission
from domain.refusals import Conflict, DuplicateAsset, Invalid, NotFound
from domain.texts import MAX_DESCRIPTION, MAX_NOTE, MAX_TITLE, fold, line, paragraphs, tidy_line
from domain.work import Work
from storage.tables import AssetRow, AssetVersionRow, MetadataRow

SHARED_FACTS = ("analysis_state", "width", "height", "captured_at")


class OnDuplicate(Enum):
    """What to do when exactly these bytes are here already."""

    REFUSE = "REFUSE"
    REUSE = "REUSE"
    DISTINCT = "DISTINCT"


@dataclass(frozen=True)
class NewAsset:
    title: str | None = None
    description: str | None = None
    tags: Sequence[str] = ()
    folder_tags: Sequence[str] = ()
    on_duplicate: OnDuplicate = OnDuplicate.REFUSE
    reason: str | None = None
    #: Whose it is: the viewer's own organisation if not said.
    org_id: int | None = None
    brand_id: int | None = None
    #: What fields say of it, and what it is called elsewhere.
    said: Sequence[custom_fields.Wanted] = ()
    words: localised.Changes = field(default_factory=localised.Changes)
    #: Whether it is declared the organisation's own work. Of what was here already nothing is declared.
    is_own_work: bool = False


@dataclass(frozen=True)
class Created:
    """`asset` is the new one, or with REUSE the one that was here; `duplicate_of` holds the same bytes, if any."""

    asset: AssetRow
    duplicate_of: AssetRow | None


def create(work: Work, content: Content, new: NewAsset) -> Created:
    """Makes an asset of `content`, or answers the one that holds these bytes as `new.on_duplicate` says.

    DISTINCT needs a reason, which is recorded. Refused: an organisation that the viewer may bring nothing to,
    `DuplicateAsset`, and texts that break their rules.
    """
    org_id = _home(work, content, new)
    identity.count_asset(work)
    reason = _reason(new.on_duplicate, new.reason)
    blobs.keep(work, content.sha256, content.byte_size)
    twin = _twin(work, content.sha256, new.on_duplicate)
    if twin is not None and new.on_duplicate is OnDuplicate.REUSE:
        return Created(twin, twin)
    asset = _asset(work, content, new, org_id)
    version = _version(work, asset, content, number=1)
    _begin_at(work, asset, version)
    _tag(work, asset, new)
    custom_fields.put(work, asset, new.said)
    localised.put(work, asset, new.words)
    payload: dict[str, object] = {"version": version.id, "sha256": content.sha256}
    if twin is not None:
        payload |= {"distinctFrom": twin.id}
    history.record(work, "asset.created", ("Asset", asset.id), payload, org_id=asset.org_id, reason=reason)
    if new.is_own_work:
        own_work.declare(work, asset, own_work.held(work, org_id))
    renditions.queue_for(work, version, presets.defaults(work))
    return Created(asset, twin)


def check_new(work: Work, sha256: str) -> None:
    """`DuplicateAsset` where some asset holds these bytes now, as `create` would refuse them."""
    _twin(work, sha256, OnDuplicate.REFUSE)


def add_version(
    work: Work,
    asset_id: int,
    content: Content,
    expected_revision: int,
    *,
    change_note: str | None = None,
    on_duplicate: OnDuplicate = OnDuplicate.REFUSE,
    reason: str | None = None,
) -> AssetVersionRow:
    """Makes `content` the newest version of the asset.

    Refused: bytes that are its current version already, bytes of another asset (unless DISTINCT, with a reason),
    another kind of file than the asset's, an archived asset.
    """
    if on_duplicate is OnDuplicate.REUSE:
        raise Invalid("A version cannot reuse another asset: choose REFUSE or DISTINCT.", ("onDuplicate",))
    why = _reason(on_duplicate, reason)
    asset = reading.held(work, asset_id, expected_revision, "ADD_VERSION")
    if content.kind != asset.kind:
        raise Conflict(f"This asset is of kind {asset.kind}; the file is of kind {content.kind}.", ("upload",))
    blobs.keep(work, content.sha256, content.byte_size)
    earlier = _version_with(work, asset, content.sha256)
    if earlier is not None and earlier.id == asset.current_version_id:
        raise Conflict("These bytes are the current version already.", ("upload",))
    twin = None if earlier is not None else _twin(work, content.sha256, on_duplicate)
    extra = {} if twin is None else {"distinctFrom": twin.id}
    return _add(work, asset, content, change_note, earlier, extra, None if twin is None else why)


def make_current_again(
    work: Work,
    version_id: int,
    expected_revision: int,
    change_note: str | None = None,
) -> AssetVersionRow:
    """A new version with the bytes of an earlier one; bytes that are current already are refused."""
    earlier = reading.versions_by_id(work, [version_id]).get(version_id)
    if earlier is None:
        raise NotFound("There is no version with this id.", ("version",))
    asset = reading.held(work, earlier.asset_id, expected_revision, "ADD_VERSION")
    current = _version_with(work, asset, earlier.sha256)
    if current is not None and current.id == asset.current_version_id:
        raise Conflict("The bytes of this version are the current ones already.", ("version",))
    content = Content(earlier.sha256, earlier.byte_size, earlier.file_name, earlier.media_type, asset.kind)
    return _add(work, asset, content, change_note, earlier, {})


def _add(
    work: Work,
    asset: AssetRow,
    content: Content,
    change_note: str | None,
    earlier: AssetVersionRow | None,
    extra: Mapping[str, object],
    reason: str | None = None,
) -> AssetVersionRow:
    newest = sa.select(sa.func.max(AssetVersionRow.number)).where(AssetVersionRow.asset_id == asset.id)
    number = (work.session.scalar(newest) or 0) + 1
    note = paragraphs(change_note, MAX_NOTE, ("changeNote",))
    version = _version(work, asset, content, number, note, earlier)
    _point_at(work, asset, version)
    payload = {"version": version.id, "number": number, "sha256": content.sha256, **extra}
    history.record(
        work, "asset.version_added", ("Asset", asset.id), payload, org_id=asset.org_id, reason=reason or note
    )
    renditions.queue_for(work, version, presets.defaults(work))
    return version


def _home(work: Work, content: Content, new: NewAsset) -> int:
    if new.org_id is None:
        identity.require_in_org(work, Permission.ASSET_CREATE, work.viewer.org_id, content.kind)
        return work.viewer.org_id
    return organisations.open_to(work, Permission.ASSET_CREATE, new.org_id, content.kind, ("organisation",))


def _reason(on_duplicate: OnDuplicate, reason: str | None) -> str | None:
    if on_duplicate is not OnDuplicate.DISTINCT:
        return None
    why = paragraphs(reason, MAX_NOTE, ("reason",))
    if why is None:
        raise Invalid("Say why these bytes are to be an asset of their own.", ("reason",), "required")
    return why


def _twin(work: Work, sha256: str, on_duplicate: OnDuplicate) -> AssetRow | None:
    """The asset of any organisation that holds these bytes in any version, living ones before archived, oldest first.

    One that the viewer may not see refuses all the same, but is not named.
    """
    kept = reading.is_kept(AssetVersionRow.asset_id)
    if not work.session.scalar(sa.select(sa.exists().where(AssetVersionRow.sha256 == sha256, kept))):
        return None
    twin = next(iter(reading.with_digest(work, sha256)), None)
    if on_duplicate is OnDuplicate.REFUSE or (twin is None and on_duplicate is OnDuplicate.REUSE):
        raise DuplicateAsset(twin.id if twin else None)
    return twin


def _version_with(work: Work, asset: AssetRow, sha256: str) -> AssetVersionRow | None:
    rows = sa.select(AssetVersionRow).where(AssetVersionRow.asset_id == asset.id, AssetVersionRow.sha256 == sha256)
    return work.session.scalars(rows.order_by(AssetVersionRow.number.desc()).limit(1)).first()


def _asset(work: Work, content: Content, new: NewAsset, org_id: int) -> AssetRow:
    given = None if new.title is None else line(new.title, MAX_TITLE, ("title",))
    title = given or title_from(content.file_name)
    description = paragraphs(new.description, MAX_DESCRIPTION, ("description",))
    now = work.now
    row = AssetRow(
        org_id=org_id,
        kind=content.kind,
        title=title,
        title_folded=fold(title),
        title_origin="USER" if given else "FILE_NAME",
        description=description,
        description_origin="USER" if description else "FILE_NAME",
        lifecycle="DRAFT" if work.viewer.on_behalf_of is None else "QUARANTINED",
        created_at=now,
        created_by=creator(work),
        updated_at=now,
        brand_id=None if new.brand_id is None else brands.for_assets_of(work, new.brand_id, org_id),
    )
    work.session.add(row)
    work.session.flush()
    return row


def title_from(file_name: str) -> str:
    return (
        tidy_line(PurePath(file_name).stem.replace("_", " "))[:MAX_TITLE]
        or tidy_line(file_name)[:MAX_TITLE]
        or "Untitled"
    )


def creator(work: Work) -> int:
    assert work.viewer.principal_id is not None, "assets are brought by somebody"
    return work.viewer.principal_id


def _version(
    work: Work,
    asset: AssetRow,
    content: Content,
    number: int,
    note: str | None = None,
    earlier: AssetVersionRow | None = None,
) -> AssetVersionRow:
    row = AssetVersionRow(
        asset_id=asset.id,
        number=number,
        sha256=content.sha256,
        byte_size=content.byte_size,
        file_name=content.file_name,
        media_type=content.media_type,
        change_note=note,
        made_from_id=None if earlier is None else earlier.id,
        created_at=work.now,
        created_by=creator(work),
        analysis_state="QUEUED",
    )
    if earlier is not None and earlier.analysis_state == "READY":
        for name in SHARED_FACTS:
            setattr(row, name, getattr(earlier, name))
    work.session.add(row)
    work.session.flush()
    if row.analysis_state == "READY" and earlier is not None:
        _copy_metadata(work, earlier.id, row.id)
    return row


def _copy_metadata(work: Work, from_id: int, to_id: int) -> None:
    columns = ["version_id", "namespace", "name", "value"]
    known = sa.select(sa.literal(to_id), MetadataRow.namespace, MetadataRow.name, MetadataRow.value)
    known = known.where(MetadataRow.version_id == from_id)
    work.session.execute(sa.insert(MetadataRow).from_select(columns, known))
    version_texts.copy(work, from_id, to_id)


def _begin_at(work: Work, asset: AssetRow, version: AssetVersionRow) -> None:
    """The first pointer belongs to the asset's making and is no change of it: the revision stays 1."""
    work.session.execute(sa.update(AssetRow).where(AssetRow.id == asset.id).values(current_version_id=version.id))
    attributes.set_committed_value(asset, "current_version_id", version.id)


def _point_at(work: Work, asset: AssetRow, version: AssetVersionRow) -> None:
    asset.current_version_id = version.id
    asset.updated_at = work.now
    work.session.flush()


def _tag(work: Work, asset: AssetRow, new: NewAsset) -> None:
    if new.tags and new.folder_tags:  # all at once first, so that two writers take their locks in the same order
        taxonomy.named(work, [*new.tags, *new.folder_tags])
    for names, origin in ((new.tags, "USER"), (new.folder_tags, "FOLDER")):
        if names:
            taxonomy.attach(work, asset.id, taxonomy.named(work, names), origin)
