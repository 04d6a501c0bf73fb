"""Changing what is said of an asset, and putting it away and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import Enum
from typing import Final

from domain import brands, custom_fields, history, localised, public_face, refreshing, taxonomy
from domain.assets import reading
from domain.refusals import Invalid, NotFound
from domain.texts import MAX_DESCRIPTION, MAX_TITLE, fold, line, paragraphs
from domain.work import Work
from storage.tables import AssetRow


class _Unset(Enum):
    UNSET = 0


UNSET: Final = _Unset.UNSET


@dataclass(frozen=True)
class Changes:
    """What is to change; whatever is left out stays. `tags` replaces all of them, as does `tag_ids`; a description or a
    brand that is None goes. `said` is what fields are to say, and `words` what it is to be called elsewhere.
    """

    title: str | None = None
    description: str | _Unset | None = UNSET
    tags: Sequence[str] | None = None
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[int] = ()
    brand_id: int | _Unset | None = UNSET
    tag_ids: Sequence[int] | None = None
    add_tag_ids: Sequence[int] = ()
    said: Sequence[custom_fields.Wanted] = ()
    words: localised.Changes = dataclass_field(default_factory=localised.Changes)


def update(work: Work, asset_id: int, changes: Changes, expected_revision: int | None) -> AssetRow:
    """At the revision that the viewer was shown; None: whatever stands now."""
    if changes.tags is not None and (changes.add_tags or changes.remove_tags):
        raise Invalid("Give `tags`, or `addTags` and `removeTags`, not both.", ("tags",))
    asset = reading.held(work, asset_id, expected_revision, "UPDATE")
    asset.updated_at = work.now  # first of all, so that one change counts as one revision
    if changes.title is not None:
        asset.title, asset.title_origin = line(changes.title, MAX_TITLE, ("title",)), "USER"
        asset.title_folded = fold(asset.title)
    if changes.description is not UNSET:
        asset.description = paragraphs(changes.description, MAX_DESCRIPTION, ("description",))
        asset.description_origin = "USER"
    if changes.brand_id is not UNSET:
        asset.brand_id = (
            None if changes.brand_id is None else brands.for_assets_of(work, changes.brand_id, asset.org_id)
        )
    retagged = _retag(work, asset, changes)
    written = custom_fields.put(work, asset, changes.said)
    worded = localised.put(work, asset, changes.words)
    told(work, asset, written, retagged=retagged, shows=worded)
    return asset


def told(
    work: Work, asset: AssetRow, written: custom_fields.Written, *, retagged: bool = False, shows: bool = False
) -> None:
    """Counts and records a change of an asset whose `updated_at` tells of it already."""
    if retagged or shows or written.shows:
        public_face.retagged(work, asset)
    if retagged:
        history.record(work, "asset.tags_changed", ("Asset", asset.id), org_id=asset.org_id)
    work.session.flush()
    payload: dict[str, object] = {"revision": asset.revision}
    if written.field_ids:
        payload["fields"] = sorted(written.field_ids)
    history.record(work, "asset.updated", ("Asset", asset.id), payload, org_id=asset.org_id)
    refreshing.if_told(work, asset)


def archive(work: Work, asset_id: int, expected_revision: int | None) -> AssetRow:
    """Puts the asset away: no list shows it unless asked for, and its bytes are still known as duplicates."""
    asset = reading.held(work, asset_id, expected_revision, "ARCHIVE")
    asset.lifecycle_before_archive, asset.lifecycle = asset.lifecycle, "ARCHIVED"
    asset.updated_at = work.now
    work.session.flush()
    history.record(work, "asset.archived", ("Asset", asset.id), {"revision": asset.revision}, org_id=asset.org_id)
    return asset


def restore(work: Work, asset_id: int, expected_revision: int | None) -> AssetRow:
    """Brings an archived asset back in the lifecycle it had."""
    asset = reading.held(work, asset_id, expected_revision, "RESTORE")
    asset.lifecycle, asset.lifecycle_before_archive = asset.lifecycle_before_archive or "DRAFT", None
    asset.updated_at = work.now
    work.session.flush()
    history.record(work, "asset.restored", ("Asset", asset.id), {"revision": asset.revision}, org_id=asset.org_id)
    return asset


def _retag(work: Work, asset: AssetRow, changes: Changes) -> bool:
    if changes.tags is not None:
        wanted = set(taxonomy.named(work, changes.tags))
        present = {tag.id for tag in taxonomy.of_assets(work, [asset.id])[asset.id]}
        removed = taxonomy.detach(work, asset.id, present - wanted)
        return taxonomy.attach(work, asset.id, wanted - present, "USER") or removed
    if changes.tag_ids is not None:
        present = {tag.id for tag in taxonomy.of_assets(work, [asset.id])[asset.id]}
        removed = taxonomy.detach(work, asset.id, present - set(changes.tag_ids))
        return taxonomy.attach(work, asset.id, set(changes.tag_ids) - present, "USER") or removed
    removed = bool(changes.remove_tags) and taxonomy.detach(work, asset.id, _meant(work, changes.remove_tags))
    added = taxonomy.named(work, changes.add_tags, ("addTags",))
    return taxonomy.attach(work, asset.id, [*added, *changes.add_tag_ids], "USER") or removed


def _meant(work: Work, tag_ids: Sequence[int]) -> set[int]:
    """The living tags behind these ids: a merged one stands for what it became."""
    meant = taxonomy.by_id(work, tag_ids)
    if len(meant) != len(set(tag_ids)):
        raise NotFound("There is no Tag with this id.", ("removeTags",))
    return {row.id for row in meant.values()}
