"""What a sandbox does about pictures, told in JSON: little is imported for it, so that it is cheap to fork."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from domain.recipes import Recipe
from workers.imaging import colour, render
from workers.imaging.failures import PictureError
from workers.imaging.limits import Limits
from workers.imaging.reductions import Shelf

#: What a nursery imports for it.
MODULES: Final = ("workers.imaging.inside",)


def warm() -> None:
    """Builds what every job needs; called once before forking."""
    colour.warm()


def rendered(
    source: Path, media_type: str, recipes: Sequence[Recipe], out_dir: Path, limits: Limits, shelf: Shelf | None = None
) -> dict[str, Any]:
    """What `render.render` answers, or how it refuses."""
    try:
        return asdict(render.render(source, media_type, recipes, out_dir, limits, shelf))
    except PictureError as error:
        return {"refused": asdict(error.failure)}
