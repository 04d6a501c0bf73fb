"""What a preset makes, made anew of what is shown: how many versions lack it, and queueing it at a bearable pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from domain import asking, identity, renditions
from domain.permissions import Permission
from domain.refreshing import Pace
from domain.work import Work
from storage.tables import ApprovalRow, AssetRow, AssetVersionRow, RenditionPresetRow, RenditionRow


@dataclass(frozen=True)
class ApplyPreset:
    """Queue this preset for every version that is shown and lacks it."""

    kind: ClassVar[str] = "apply_preset"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 5

    preset_id: int
    params_digest: str

    def unique_key(self) -> str:
        return f"apply_preset:{self.preset_id}:{self.params_digest}"


@dataclass(frozen=True)
class Rollout:
    """How far a preset has come: versions that have it as it is now, wait for it, failed, or still show an earlier."""

    ready: int
    waiting: int
    failed: int
    outdated: int


def rollout(work: Work, preset: RenditionPresetRow) -> Rollout:
    """Counted over the whole store: for those who manage presets."""
    identity.require_in_org(work, Permission.PRESET_MANAGE)
    counted = (
        sa.select(RenditionRow.state, sa.func.count())
        .where(RenditionRow.preset_id == preset.id, RenditionRow.params_digest == preset.params_digest)
        .group_by(RenditionRow.state)
    )
    states: dict[str, int] = dict(work.session.execute(counted).all())
    return Rollout(
        ready=states.get("READY", 0),
        waiting=states.get("QUEUED", 0) + states.get("RUNNING", 0),
        failed=states.get("FAILED", 0),
        outdated=count(work, preset, preset.params_digest, is_default=preset.is_default),
    )


def apply(work: Work, row: RenditionPresetRow) -> int | None:
    """The id of the job that queues it; None where one is there that will see the change, or there is nothing to do."""
    if row.is_default or work.session.scalar(_lacking(row, row.params_digest, is_default=False).limit(1)):
        return asking.ask(work, ApplyPreset(row.id, row.params_digest))
    return None


def count_after(work: Work, preset_id: int, params_digest: str) -> int:
    """How many versions `queue_after` has still to queue."""
    preset = _standing(work, preset_id, params_digest)
    return 0 if preset is None else count(work, preset, params_digest, is_default=preset.is_default)


def queue_after(
    work: Work, preset_id: int, params_digest: str, after: int, limit: int, pace: Pace | None = None
) -> list[int]:
    """Queues the preset for the next versions that lack it, by id beyond `after`; their ids.

    These are the current versions and the approved ones, what anybody is shown or given; of a preset that is no
    default those that have it already.

    Empty once the preset has changed again or been archived: a later job speaks for that.
    """
    preset = _standing(work, preset_id, params_digest)
    if preset is None:
        return []
    lacking = _lacking(preset, params_digest, is_default=preset.is_default)
    due = lacking.where(AssetVersionRow.id > after).order_by(AssetVersionRow.id).limit(limit)
    versions = list(work.session.scalars(due))
    for place, version in enumerate(versions):
        renditions.queue_for(work, version, [preset], again=True, run_at=pace.at(place) if pace else None)
    return [version.id for version in versions]


def count(work: Work, preset: RenditionPresetRow, params_digest: str, *, is_default: bool) -> int:
    lacking = _lacking(preset, params_digest, is_default=is_default)
    return work.session.scalar(sa.select(sa.func.count()).select_from(lacking.subquery())) or 0


def _standing(work: Work, preset_id: int, params_digest: str) -> RenditionPresetRow | None:
    preset = work.session.get(RenditionPresetRow, preset_id)
    if preset is None or preset.archived_at is not None or preset.params_digest != params_digest:
        return None
    return preset


def _lacking(preset: RenditionPresetRow, params_digest: str, *, is_default: bool = True) -> sa.Select[AssetVersionRow]:
    """Versions that are shown, were made by the preset or are to be, and lack it by these parameters."""
    made = sa.select(RenditionRow.version_id).where(
        RenditionRow.preset_id == preset.id,
        RenditionRow.params_digest == params_digest,
    )
    approved = sa.select(ApprovalRow.version_id).where(ApprovalRow.revoked_at.is_(None))
    shown = (AssetRow.current_version_id == AssetVersionRow.id) | AssetVersionRow.id.in_(approved)
    lacking = (
        sa.select(AssetVersionRow)
        .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
        .where(shown, AssetVersionRow.id.not_in(made))
    )
    if is_default:
        return lacking
    ever = sa.select(RenditionRow.version_id).where(RenditionRow.preset_id == preset.id)
    return lacking.where(AssetVersionRow.id.in_(ever))
