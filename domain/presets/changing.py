"""Presets made, changed, taken back to an earlier version and put away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from domain import history, identity, tailoring
from domain.channels import Channel
from domain.permissions import Permission
from domain.presets import applying, rows
from domain.recipes import BEST_QUALITY, Colour, Fit, Format, Recipe
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.statements import MetadataPolicy
from domain.work import BRAND_ORG_ID, Work
from storage.tables import OrganisationRow, RenditionPresetRow, RenditionPresetVersionRow

MAX_PRESETS = 100
USUAL_QUALITY = 82


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
    colour: Colour | None = None
    #: These are taken back by an empty text.
    profile: str | None = None
    proof: str | None = None
    watermark: str | None = None
    page: int | None = None
    at_seconds: float | None = None
    animated: bool | None = None
    clip_seconds: int | None = None
    dpi: int | None = None
    metadata: MetadataPolicy | None = None
    channel: Channel | None = None


@dataclass(frozen=True)
class Changed:
    """A preset after a change, and the job that asks for what it makes anew; None where there is none."""

    preset: RenditionPresetRow
    job_id: int | None = None


def create(work: Work, wish: Wish) -> RenditionPresetRow:
    identity.require_in_org(work, Permission.PRESET_MANAGE)
    _take_turns(work)
    present = rows.all_of(work)
    if len(present) >= MAX_PRESETS:
        raise Conflict(f"There are {MAX_PRESETS} presets already: archive one first.")
    format_ = wish.format or Format.JPEG
    with _in_our_words():
        recipe = Recipe(
            preset=wish.name or "",
            format=format_,
            width=wish.width or 0,
            height=wish.height or 0,
            quality=_usual_quality(format_) if wish.quality is None else wish.quality,
            progressive=format_ is Format.JPEG,
        )
        recipe = _changed(recipe, replace(wish, format=None, quality=None))
    _name_is_free(present, recipe.preset)
    row = add(work, recipe, is_default=bool(wish.is_default), channel=wish.channel)
    applying.apply(work, row)
    return row


def foresee(work: Work, preset_id: int, wish: Wish, expected_revision: int) -> int | None:
    """How many versions `update` would have made anew; None where what it makes would not change. Refuses likewise."""
    identity.require_in_org(work, Permission.PRESET_MANAGE)
    row = _held(work, preset_id, expected_revision, writing=False)
    recipe, is_default = _wished(work, row, wish)
    if (row.params_digest, row.is_default) == (recipe.params_digest, is_default):
        return None
    return applying.count(work, row, recipe.params_digest, is_default=is_default)


def update(work: Work, preset_id: int, wish: Wish, expected_revision: int) -> Changed:
    identity.require_in_org(work, Permission.PRESET_MANAGE)
    _take_turns(work)
    row = _held(work, preset_id, expected_revision)
    recipe, is_default = _wished(work, row, wish)
    is_other = (row.params_digest, row.is_default) != (recipe.params_digest, is_default)
    rows.remember(work, row)
    if row.params_digest != recipe.params_digest:
        row.number += 1
    rows.write(row, recipe)
    row.is_default, row.updated_at = is_default, work.now
    row.channel = row.channel if wish.channel is None else wish.channel.value
    _flush(work, recipe.preset)
    rows.remember(work, row)
    history.record(work, "rendition_preset.updated", ("RenditionPreset", row.id), org_id=BRAND_ORG_ID)
    return Changed(row, applying.apply(work, row) if is_other else None)


def revert(work: Work, preset_id: int, number: int, expected_revision: int) -> Changed:
    """The preset as it was in one of its versions, which is a new version; its name stays."""
    identity.require_in_org(work, Permission.PRESET_MANAGE)
    _held(work, preset_id, expected_revision)
    version = work.session.get(RenditionPresetVersionRow, (preset_id, number))
    if version is None:
        raise NotFound("The preset has no such version.", ("number",))
    return update(work, preset_id, _wish_of(version.recipe), expected_revision)


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


def _wished(work: Work, row: RenditionPresetRow, wish: Wish) -> tuple[Recipe, bool]:
    """What the preset would make, and whether without being asked."""
    with _in_our_words():
        recipe = _changed(tailoring.recipe_of(row), wish)
    _name_is_free([other for other in rows.all_of(work) if other.id != row.id], recipe.preset)
    return recipe, row.is_default if wish.is_default is None else wish.is_default


def _held(work: Work, preset_id: int, expected_revision: int, *, writing: bool = True) -> RenditionPresetRow:
    rows = sa.select(RenditionPresetRow).where(
        RenditionPresetRow.id == preset_id,
        RenditionPresetRow.org_id == BRAND_ORG_ID,
        RenditionPresetRow.archived_at.is_(None),
    )
    row = work.session.scalars(rows.with_for_update() if writing else rows).one_or_none()
    if row is None:
        raise NotFound("There is no rendition preset with this id.", ("preset",))
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    return row


def _changed(recipe: Recipe, wish: Wish) -> Recipe:
    changes: dict[str, Any] = {name: getattr(wish, name) for name in rows.RECIPE if getattr(wish, name) is not None}
    for name in rows.TAKEN_BACK & changes.keys():
        changes[name] = changes[name].strip() or None
    if wish.name is not None:
        changes["preset"] = wish.name
    changed = replace(recipe, **changes)
    return replace(changed, progressive=changed.format is Format.JPEG)


def _wish_of(recipe: dict[str, Any]) -> Wish:
    words: dict[str, Any] = {"format": Format, "fit": Fit, "colour": Colour, "metadata": MetadataPolicy}
    kept = {name: words[name][value] if name in words else value for name, value in recipe.items()}
    return Wish(**kept)


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


def add(work: Work, recipe: Recipe, *, is_default: bool, channel: Channel | None = None) -> RenditionPresetRow:
    row = rows.new(work, channel, recipe)
    row.is_default = is_default
    work.session.add(row)
    _flush(work, recipe.preset)
    rows.remember(work, row)
    history.record(work, "rendition_preset.created", ("RenditionPreset", row.id), org_id=BRAND_ORG_ID)
    return row
