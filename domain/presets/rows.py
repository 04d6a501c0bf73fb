"""A preset as a row: read, filled from a recipe, and remembered version by version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

import sqlalchemy as sa

from domain import reads, tailoring
from domain.channels import Channel
from domain.reads import By
from domain.recipes import Recipe
from domain.work import BRAND_ORG_ID, Work
from storage.tables import RenditionPresetRow, RenditionPresetVersionRow

#: What `by_id` answers, as a read.
BY_ID: Final = By(sa.select(RenditionPresetRow).where(RenditionPresetRow.org_id == BRAND_ORG_ID), RenditionPresetRow.id)
_LIVING: Final = (
    sa.select(RenditionPresetRow)
    .where(RenditionPresetRow.org_id == BRAND_ORG_ID, RenditionPresetRow.archived_at.is_(None))
    .order_by(RenditionPresetRow.id)
)
#: Fields of a wish that are a recipe's; the name is `preset` there.
RECIPE: Final = (
    *("format", "width", "height", "fit", "quality", "background", "colour", "page", "at_seconds", "animated"),
    *("clip_seconds", "dpi", "metadata", "profile", "proof", "watermark"),
)
TAKEN_BACK: Final = frozenset({"profile", "proof", "watermark"})


def all_of(work: Work, channel: Channel | None = None) -> list[RenditionPresetRow]:
    """The living presets, of one channel or all, oldest first: they are the brand's, and serve every organisation
    below it.
    """
    rows = _LIVING if channel is None else _LIVING.where(RenditionPresetRow.channel == channel.value)
    return list(work.session.scalars(rows))


def defaults(work: Work) -> list[RenditionPresetRow]:
    return list(work.session.scalars(_LIVING.where(RenditionPresetRow.is_default)))


def by_id(work: Work, ids: Iterable[int]) -> dict[int, RenditionPresetRow]:
    """Archived ones too: renditions made by them still name them."""
    return reads.by_id(work, BY_ID, ids)


def versions(work: Work, preset_ids: Iterable[int]) -> dict[int, list[RenditionPresetVersionRow]]:
    """What each preset made, the newest first."""
    rows = sa.select(RenditionPresetVersionRow).where(RenditionPresetVersionRow.preset_id.in_(set(preset_ids)))
    found: dict[int, list[RenditionPresetVersionRow]] = {}
    for row in work.session.scalars(rows.order_by(RenditionPresetVersionRow.number.desc())):
        found.setdefault(row.preset_id, []).append(row)
    return found


def new(work: Work, channel: Channel | None, recipe: Recipe) -> RenditionPresetRow:
    row = RenditionPresetRow(
        org_id=BRAND_ORG_ID,
        is_default=False,
        created_at=work.now,
        updated_at=work.now,
        channel=None if channel is None else channel.value,
        number=1,
    )
    write(row, recipe)
    return row


def write(row: RenditionPresetRow, recipe: Recipe) -> None:
    row.name, row.format, row.fit = recipe.preset, recipe.format.name, recipe.fit.name
    row.width, row.height, row.quality = recipe.width, recipe.height, recipe.quality
    row.background, row.params_digest = recipe.background, recipe.params_digest
    row.colour, row.metadata_policy = recipe.colour.name, recipe.metadata.name
    row.profile, row.proof, row.watermark = recipe.profile, recipe.proof, recipe.watermark
    row.page, row.at_seconds, row.is_animated, row.dpi = recipe.page, recipe.at_seconds, recipe.animated, recipe.dpi
    row.clip_seconds = recipe.clip_seconds


def remember(work: Work, row: RenditionPresetRow) -> None:
    """A preset from before there were versions is remembered when it is first changed."""
    if work.session.get(RenditionPresetVersionRow, (row.id, row.number)) is None:
        work.session.add(version(work, row))
        work.session.flush()


def version(work: Work, row: RenditionPresetRow) -> RenditionPresetVersionRow:
    recipe = asdict(tailoring.recipe_of(row))
    said = {name: getattr(recipe[name], "name", recipe[name]) for name in RECIPE}
    said |= {name: said[name] or "" for name in TAKEN_BACK}
    return RenditionPresetVersionRow(
        preset_id=row.id,
        number=row.number,
        params_digest=row.params_digest,
        recipe=said,
        made_at=work.now,
        made_by=work.viewer.principal_id,
    )
