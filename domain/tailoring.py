"""What a preset asks of one version, once all is known that shapes it: its focal point, what is stated of its asset,
and whether a watermark stands across it for those who may not see it bare.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from domain import crediting, focal
from domain.holdings import Holdings
from domain.permissions import Permission
from domain.recipes import Colour, Fit, Format, Recipe
from domain.statements import MetadataPolicy, Statement
from domain.work import Work
from storage.tables import ApprovalRow, AssetVersionRow, RenditionPresetRow, RenditionRow


@dataclass(frozen=True)
class Asked:
    """`bare` is for those who may see it so; `marked` stands for it where others look, None where nothing need be
    marked.
    """

    bare: Recipe
    marked: Recipe | None = None

    @property
    def digest(self) -> str:
        """Over everything that shapes either."""
        return (self.marked or self.bare).params_digest

    def saying(self, statement: Statement) -> Asked:
        """The same with another statement."""
        marked = None if self.marked is None else replace(self.marked, statement=statement)
        return Asked(replace(self.bare, statement=statement), marked)


def of(work: Work, version: AssetVersionRow, presets: Iterable[RenditionPresetRow]) -> dict[int, Asked]:
    """By the preset's id."""
    point = focal.by_hand(work, version.id)
    statement = crediting.statement_of(work, version)
    marks = is_to_be_marked(work, version)
    asked = {}
    for preset in presets:
        whole = replace(recipe_of(preset), focal=point, seeks=True, statement=statement)
        asked[preset.id] = Asked(replace(whole, watermark=None), whole if whole.watermark and marks else None)
    return asked


def recipe_of(row: RenditionPresetRow) -> Recipe:
    return Recipe(
        preset=row.name,
        format=Format[row.format],
        width=row.width,
        height=row.height,
        fit=Fit[row.fit],
        quality=row.quality,
        background=row.background,
        progressive=row.format == "JPEG",
        colour=Colour[row.colour],
        profile=row.profile,
        proof=row.proof,
        page=row.page,
        at_seconds=row.at_seconds,
        animated=row.is_animated,
        clip_seconds=row.clip_seconds,
        dpi=row.dpi,
        metadata=MetadataPolicy[row.metadata_policy],
        watermark=row.watermark,
    )


def is_to_be_marked(work: Work, version: AssetVersionRow) -> bool:
    """Whether the version is not approved, or its asset's last day of use is past."""
    standing = sa.select(ApprovalRow.id).where(ApprovalRow.version_id == version.id, ApprovalRow.revoked_at.is_(None))
    return work.session.scalar(standing.limit(1)) is None or crediting.has_run_out(work, version.asset_id)


def sees_bare(held: Holdings, org_id: int) -> bool:
    """Whether what an organisation has not approved or may no longer use is shown without a watermark."""
    return held.in_org(Permission.ASSET_VIEW_UNMARKED, org_id)


def may_be_bare(
    work: Work, held: Iterable[Holdings], rendition: RenditionRow, version: AssetVersionRow, org_id: int
) -> bool:
    """Whether all of these may see it without a watermark; what is only about to be marked is kept from them, too."""
    preset = work.session.get_one(RenditionPresetRow, rendition.preset_id)
    if preset.watermark is None and rendition.marked_sha256 is None:
        return True
    return all(sees_bare(each, org_id) for each in held) or not is_to_be_marked(work, version)
