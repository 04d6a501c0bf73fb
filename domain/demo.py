"""A small brand to try things out on: its tags, assets, versions, approvals and lightboxes.

Laying it out again adds nothing. What is there already, whoever brought it, stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from domain import assets, lightboxes, taxonomy, workflow
from domain.assets import Content, NewAsset, OnDuplicate
from domain.texts import fold
from domain.work import BRAND_ORG_ID, Work
from storage.tables import AssetRow, LightboxRow, TagSynonymRow


@dataclass(frozen=True)
class Tag:
    name: str
    below: str | None = None
    synonyms: Sequence[str] = ()


@dataclass(frozen=True)
class Newer:
    """A second version: its file, and the note on what changed."""

    file: str
    note: str


@dataclass(frozen=True)
class Asset:
    file: str
    title: str
    description: str
    tags: Sequence[str]
    newer: Newer | None = None
    #: The note of the approval; without one it stays a draft.
    approved: str | None = None


@dataclass(frozen=True)
class Lightbox:
    title: str
    description: str
    assets: Sequence[str]


@dataclass(frozen=True)
class Brand:
    """Files are named as in `contents`; a tag stands after the one it is below."""

    tags: Sequence[Tag]
    assets: Sequence[Asset]
    lightboxes: Sequence[Lightbox]


@dataclass(frozen=True)
class Added:
    """How many of each were not there before."""

    tags: int
    assets: int
    versions: int
    approvals: int
    lightboxes: int


def lay_out(work: Work, brand: Brand, contents: Mapping[str, Content]) -> Added:
    """Makes what of `brand` is missing, from bytes that stand in the blob store."""
    tags = sum(_add_tag(work, tag) for tag in brand.tags)
    by_file: dict[str, AssetRow] = {}
    fresh: list[Asset] = []
    for asset in brand.assets:
        wanted = NewAsset(
            asset.title,
            asset.description,
            asset.tags,
            on_duplicate=OnDuplicate.REUSE,
            is_own_work=asset.approved is not None,
        )
        created = assets.create(work, contents[asset.file], wanted)
        by_file[asset.file] = created.asset
        if created.duplicate_of is None:
            fresh.append(asset)
    for asset in fresh:
        _complete(work, asset, by_file[asset.file], contents)
    return Added(
        tags=tags,
        assets=len(fresh),
        versions=sum(asset.newer is not None for asset in fresh),
        approvals=sum(asset.approved is not None for asset in fresh),
        lightboxes=sum(_add_lightbox(work, lightbox, by_file) for lightbox in brand.lightboxes),
    )


def _add_tag(work: Work, tag: Tag) -> bool:
    spelled = [fold(text) for text in (tag.name, *tag.synonyms)]
    taken = sa.select(TagSynonymRow.id).where(TagSynonymRow.org_id == BRAND_ORG_ID, TagSynonymRow.folded.in_(spelled))
    if work.session.scalar(taken.limit(1)) is not None:
        return False
    parent = None if tag.below is None else taxonomy.named(work, [tag.below])[0]
    taxonomy.create(work, tag.name, parent, tag.synonyms)
    return True


def _complete(work: Work, asset: Asset, row: AssetRow, contents: Mapping[str, Content]) -> None:
    if asset.approved is not None:
        assert row.current_version_id is not None
        workflow.approve(work, row.current_version_id, contents[asset.file].sha256, asset.approved)
    if asset.newer is not None:
        assets.add_version(
            work,
            row.id,
            contents[asset.newer.file],
            row.revision,
            change_note=asset.newer.note,
            on_duplicate=OnDuplicate.DISTINCT,
            reason="The demo shows it as a version.",
        )


def _add_lightbox(work: Work, lightbox: Lightbox, by_file: Mapping[str, AssetRow]) -> bool:
    same = sa.select(LightboxRow.id).where(
        LightboxRow.org_id == work.viewer.org_id, LightboxRow.title == lightbox.title
    )
    if work.session.scalar(same.limit(1)) is not None:
        return False
    row = lightboxes.create(work, lightbox.title, lightbox.description)
    lightboxes.add(work, row.id, [by_file[file].id for file in lightbox.assets], row.revision)
    return True
