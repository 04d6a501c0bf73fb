"""Many pictures from one: the file is opened once, decoded once and resized downwards.

JPEG is decoded at a fraction of its size where that suffices; what comes of the pixels then is `pictures`'. One recipe
that fails does not take the others with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.recipes import FailureCode, Recipe, RenderFailure
from workers.imaging import failures, master, moving, pictures
from workers.imaging.failures import PictureError
from workers.imaging.limits import Limits
from workers.imaging.pictures import Made
from workers.imaging.reductions import Shelf


@dataclass(frozen=True)
class Rendered:
    """`made` and `failed` (preset → why) together name every recipe that was asked for, each exactly once."""

    made: tuple[Made, ...]
    failed: dict[str, RenderFailure]


def render(
    source: Path,
    media_type: str,
    recipes: Sequence[Recipe],
    out_dir: Path,
    limits: Limits | None = None,
    shelf: Shelf | None = None,
) -> Rendered:
    """Writes one file per recipe into `out_dir`, named after the preset.

    `media_type` is what sniffing said, not what was claimed. `PictureError` when the source gives no picture at
    all; an operating system error (a full disk) goes through as it is. Presets must differ. What a JPEG is reduced to
    is taken from the `shelf`, or laid on it.
    """
    outcomes: dict[str, Made | RenderFailure] = {}
    refused: list[PictureError] = []
    limits = limits or Limits()
    in_motion = [recipe for recipe in recipes if moving.is_meant(recipe, source, media_type, limits)]
    groups = _by_moment([recipe for recipe in recipes if recipe not in in_motion])
    for recipe in in_motion:
        outcomes[recipe.preset] = _moving(source, media_type, recipe, out_dir, limits)
    for group in groups:
        try:
            outcomes |= pictures.of_master(master.opened(source, media_type, group, limits, shelf), group, out_dir)
        except PictureError as error:
            refused.append(error)
            outcomes |= {recipe.preset: error.failure for recipe in group}
    if refused and len(refused) == len(groups) and not in_motion:
        raise refused[0]
    done = {recipe.preset: outcomes[recipe.preset] for recipe in recipes}
    return Rendered(
        tuple(one for one in done.values() if isinstance(one, Made)),
        {preset: one for preset, one in done.items() if isinstance(one, RenderFailure)},
    )


def _by_moment(recipes: Sequence[Recipe]) -> list[list[Recipe]]:
    """What shows one page or one moment of a film is made from one decoding."""
    groups: dict[tuple[int, float], list[Recipe]] = {}
    for recipe in recipes:
        groups.setdefault((recipe.page, recipe.at_seconds), []).append(recipe)
    return list(groups.values())


def _moving(source: Path, media_type: str, recipe: Recipe, out_dir: Path, limits: Limits) -> Made | RenderFailure:
    target = out_dir / recipe.file_name
    try:
        size = moving.write(source, media_type, recipe, target, limits, pictures.finished)
    except PictureError as error:
        return error.failure
    except MemoryError:
        return failures.failure(FailureCode.OUT_OF_MEMORY)
    except OSError as error:
        if error.errno is not None:
            raise
        return pictures.unwritable(recipe)
    except (ValueError, RuntimeError):
        return pictures.unwritable(recipe)
    return Made(recipe.preset, target.name, recipe.format.media_type, *size, target.stat().st_size)
