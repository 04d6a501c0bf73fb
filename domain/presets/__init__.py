"""Rendition presets: named ways to make a rendition, kept as rows and changed over the API.

Every change of what a preset makes is a version of it. It is made anew in the background, of what is shown and has it,
at the pace that the operator allows; until a new rendition is finished the old one stays, and originals are only read.
"""

from __future__ import annotations

from domain.presets.applying import ApplyPreset, Rollout, count_after, queue_after, rollout
from domain.presets.changing import MAX_PRESETS, Changed, Wish, archive, create, foresee, revert, update
from domain.presets.rows import BY_ID, all_of, by_id, defaults, versions
from domain.presets.seeding import ensure_seeds
from domain.refreshing import Pace

__all__ = [
    "BY_ID",
    "MAX_PRESETS",
    "ApplyPreset",
    "Changed",
    "Pace",
    "Rollout",
    "Wish",
    "all_of",
    "archive",
    "by_id",
    "count_after",
    "create",
    "defaults",
    "ensure_seeds",
    "foresee",
    "queue_after",
    "revert",
    "rollout",
    "update",
    "versions",
]
