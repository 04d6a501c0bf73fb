"""Rendition presets: named ways to make a rendition, kept as rows and changed over the API.

Changing what a default preset makes asks for it anew for every current version, in the background; until then the
old bytes stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import sqlalchemy as sa

from domain import asking, history, identity, reads, renditions
from domain.permissions import Permission
from domain.reads import By
from domain.recipes import BEST_QUALITY, SEEDS, WHITE, Fit, Format, Recipe
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.work import BRAND_ORG_ID, Work
from storage.tables import (
    ApprovalRow,
    AssetRow,
    AssetVersionRow,
    OrganisationRow,
    RenditionPresetRow,
    RenditionRow,
)

MAX_PRESETS = 100
USUAL_QUALITY = 82

#: What `by_id` answers, as a read.
BY_ID: Final = By(sa.select(RenditionPresetRow).where(RenditionPresetRow.org_id == BRAND_ORG_ID), RenditionPresetRow.id)


@dataclass(frozen=True)
class ApplyPreset:
    """Queue this preset for every current version that lacks it."""

    kind: ClassVar[str] = "apply_preset"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 5

    preset_id: int
    params_digest: str

    def unique_key(self) -> str:
        return f"apply_preset:{self.preset_id}:{self.params_digest}"


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a preset; a new one needs everything but what has a default here."""

    name: str | None = None
    format: Format | None = None
    width: int | None = None
    height: int | None = None
    fit: Fit | None = None
    quality: int | None = None
    background: str | None = None
    is_default: bool | None = None


def all_of(work: Work) -> list[RenditionPresetRow]:
    """The living presets, oldest first: they are the brand's, and serve every organisation below it."""
    rows = sa.select(RenditionPresetRow).where(
        RenditionPresetRow.org_id == BRAND_ORG_ID,
        RenditionPresetRow.archived_at.is_(None),
    )
    return list(work.session.scalars(rows.order_by(RenditionPresetRow.id)))


def defaults(work: Work) -> list[RenditionPresetRow]:
    return [preset for preset in all_of(work) if preset.is_default]


def by_id(work: Work, ids: Iterable[int]) -> dict[int, RenditionPresetRow]:
    """Archived ones too: renditions made by them still name them."""
    return reads.by_id(work, BY_ID, ids)


def ensure_seeds(work: Work) -> None:
    """A brand that has never had a preset gets the first ones."""
    if work.session.scalar(sa.select(RenditionPresetRow.id).limit(1)) is None:
        for recipe in SEEDS:
            _add(work, recipe, is_default=True)


def create(work: Work, wish: Wish) -> RenditionPresetRow:
    identity.require_in_org(work, Permission.PRESET_MANAGE)
    _take_turns(work)
    present = all_of(work)
    if len(present) >= MAX_PRESETS:
        raise Conflict(f"There are {MAX_PRESETS} presets already: archive one first.")
    format_ = wish.format or Format.JPEG
    with _in_our_words():
        recipe = Recipe(
            preset=wish.name or "",
            format=format_,
            width=wish.width or 0,
            height=wish.height or 0,
            fit=wish.fit or Fit.CONTAIN,
            quality=_usual_quality(format_) if wish.quality is None else wish.quality,
            background=WHITE if wish.background is None else wish.background,
            progressive=format_ is Format.JPEG,
        )
    _name_is_free(present, recipe.preset)
    row = _add(work, recipe, is_default=bool(wish.is_default))
    _apply(work, row)
    return row


def update(work: Work, preset_id: int, wish: Wish, expected_revision: int) -> RenditionPresetRow:
    identity.require_in_org(work, Permission.PRESET_MANAGE)
    _take_turns(work)
    row = _held(work, preset_id, expected_revision)
    recipe = renditions.recipe_of(row)
    changes = {
        name: getattr(wish, name)
        for name in ("format", "width", "height", "fit", "quality", "background")
        if getattr(wish, name) is not None
    }
    if wish.name is not None:
        changes["preset"] = wish.name
    with _in_our_words():
        recipe = replace(recipe, **changes)
    recipe = replace(recipe, progressive=recipe.format is Format.JPEG)
    _name_is_free([other for other in all_of(work) if other.id != row.id], recipe.preset)
    was = (row.params_digest, row.is_default)
    _write(row, recipe)
    row.is_default = row.is_default if wish.is_default is None else wish.is_default
    row.updated_at = work.now
    _flush(work, recipe.preset)
    history.record(work, "rendition_preset.updated", ("RenditionPreset", row.id), org_id=BRAND_ORG_ID)
    if was != (row.params_digest, row.is_default):
        _apply(work, row)
    return row


def queue_after(work: Work, preset_id: int, params_digest: str, after: int, limit: int) -> list[int]:
    """Queues the preset for the next versions that lack it, by id beyond `after`; their ids.

    These are the current versions and the approved ones: what anybody is shown or given.

    Empty once the preset has changed again, been archived or stopped being a default: a later job speaks for that.
    """
    preset = work.session.get(RenditionPresetRow, preset_id)
    if preset is None or preset.archived_at or not preset.is_default or preset.params_digest != params_digest:
        return []
    made = sa.select(RenditionRow.version_id).where(
        RenditionRow.preset_id == preset_id,
        RenditionRow.params_digest == params_digest,
    )
    approved = sa.select(ApprovalRow.version_id).where(ApprovalRow.revoked_at.is_(None))
    shown = (AssetRow.current_version_id == AssetVersionRow.id) | AssetVersionRow.id.in_(approved)
    current = (
        sa.select(AssetVersionRow)
        .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
        .where(shown, AssetVersionRow.id > after, AssetVersionRow.id.not_in(made))
        .order_by(AssetVersionRow.id)
        .limit(limit)
    )
    versions = list(work.session.scalars(current))
    for version in versions:
        renditions.queue_for(work, version, [preset], again=True)
    return [version.id for version in versions]


def archive(work: Work, preset_id: int, expected_revision: int) -> RenditionPresetRow:
    """No new rendition is made by it and none of its is shown; its name becomes free."""
    identity.require_in_org(work, Permission.PRESET_MANAGE)
    row = _held(work, preset_id, expected_revision)
    row.archived_at = row.updated_at = work.now
    work.session.flush()
    history.record(work, "rendition_preset.archived", ("RenditionPreset", row.id), org_id=BRAND_ORG_ID)
    return row


def _take_turns(work: Work) -> None:
    """Waits for everybody who is bringing an asset: they read the defaults before or after this change, never amid it.

    Whoever inserts a row of the organisation holds its key until they commit, and this lock waits for them: bringing an
    asset inserts renditions, which are the brand's.
    """
    row = sa.select(OrganisationRow.id).where(OrganisationRow.id == BRAND_ORG_ID)
    work.session.execute(row.with_for_update())


def _held(work: Work, preset_id: int, expected_revision: int) -> RenditionPresetRow:
    rows = sa.select(RenditionPresetRow).where(
        RenditionPresetRow.id == preset_id,
        RenditionPresetRow.org_id == BRAND_ORG_ID,
        RenditionPresetRow.archived_at.is_(None),
    )
    row = work.session.scalars(rows.with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no rendition preset with this id.", ("preset",))
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    return row


@contextmanager
def _in_our_words() -> Iterator[None]:
    """A recipe calls `preset` what is the preset's `name` here."""
    try:
        yield
    except Invalid as refusal:
        path = tuple("name" if part == "preset" else part for part in refusal.path)
        raise Invalid(refusal.message, path, refusal.constraint) from None


def _usual_quality(format_: Format) -> int:
    return BEST_QUALITY if format_ is Format.PNG else USUAL_QUALITY


def _name_is_free(present: list[RenditionPresetRow], name: str) -> None:
    if any(preset.name == name for preset in present):
        raise _taken(name)


def _flush(work: Work, name: str) -> None:
    """Somebody may have taken the name this very moment: then the unique index says so."""
    try:
        work.session.flush()
    except sa.exc.IntegrityError:
        raise _taken(name) from None


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a preset called {name} already.", ("name",))


def _add(work: Work, recipe: Recipe, *, is_default: bool) -> RenditionPresetRow:
    row = RenditionPresetRow(
        org_id=BRAND_ORG_ID,
        is_default=is_default,
        created_at=work.now,
        updated_at=work.now,
    )
    _write(row, recipe)
    work.session.add(row)
    _flush(work, recipe.preset)
    history.record(work, "rendition_preset.created", ("RenditionPreset", row.id), org_id=BRAND_ORG_ID)
    return row


def _write(row: RenditionPresetRow, recipe: Recipe) -> None:
    row.name, row.format, row.fit = recipe.preset, recipe.format.name, recipe.fit.name
    row.width, row.height, row.quality = recipe.width, recipe.height, recipe.quality
    row.background, row.params_digest = recipe.background, recipe.params_digest


def _apply(work: Work, row: RenditionPresetRow) -> None:
    if row.is_default:
        asking.ask(work, ApplyPreset(row.id, row.params_digest))
