"""What fields of an asset ask of its row itself, for all rows that are due together."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import strawberry

from domain import assets, completeness, identity
from domain.completeness import Completeness
from domain.work import Work
from schema.context import Context
from storage.tables import AssetRow


def of_change(info: strawberry.Info[Context], row: AssetRow, told: attrgetter[Any]) -> Any:
    """Of the last change that the viewer is shown. Without waiting where all assets are alike to them, as to most who
    ask for many.
    """
    if identity.sees_all_alike(info.context.work):
        return told(identity.shown_changes(info.context.work, [row])[row.id])
    return _in_time(info, row, told)


def complete(work: Work, rows: Iterable[AssetRow]) -> dict[AssetRow, Completeness]:
    """Per asset that a template holds for, how much of what it asks for is said."""
    kept = list(rows)
    found = completeness.of_assets(work, kept)
    return {row: found[row.id] for row in kept if row.id in found}


def viewer_can(work: Work, rows: Iterable[AssetRow]) -> dict[AssetRow, list[str]]:
    """Per asset what the viewer may do with it now."""
    kept = list(rows)
    found = assets.viewer_can(work, kept)
    return {row: found[row.id] for row in kept}


async def _in_time(info: strawberry.Info[Context], row: AssetRow, told: attrgetter[Any]) -> Any:
    return told(await info.context.load(_changes, row))


def _changes(work: Work, rows: Iterable[AssetRow]) -> dict[AssetRow, identity.Change]:
    kept = list(rows)
    found = identity.shown_changes(work, kept)
    return {row: found[row.id] for row in kept}
