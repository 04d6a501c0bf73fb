"""Files of every kind put through the sandbox, as workers do it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from domain.recipes import FailureCode, Format, Recipe
from tests.imaging import made
from workers.imaging import safely
from workers.imaging.failures import PictureError
from workers.imaging.metadata import Facts
from workers.imaging.render import Rendered

SMALL = Recipe("small", Format.PNG, 120, 120)


def rendered(content: bytes, kind: str, folder: Path, *recipes: Recipe) -> Rendered:
    out = folder / "out"
    out.mkdir(exist_ok=True)
    return safely.rendered(made.kept(folder, "source", content), kind, recipes or [SMALL], out)


def picture(content: bytes, kind: str, folder: Path, recipe: Recipe = SMALL) -> Image.Image:
    result = rendered(content, kind, folder, recipe)
    assert result.failed == {}
    with Image.open(folder / "out" / recipe.file_name) as opened:
        opened.load()
        return opened.copy()


def facts(content: bytes, kind: str, folder: Path) -> Facts:
    return safely.facts(made.kept(folder, "source", content), kind)


def entries(found: Facts) -> dict[str, object]:
    return {f"{space}:{name}": value for space, name, value in found.entries}


def refusal(content: bytes, kind: str, folder: Path, recipe: Recipe = SMALL) -> tuple[FailureCode, str]:
    """Of making a picture."""
    with pytest.raises(PictureError) as refused:
        rendered(content, kind, folder, recipe)
    return refused.value.failure.code, refused.value.failure.sentence
