"""The pictures of docs/renditions.md, made by the hub's own renderer: `uv run python -m tests.docs.pictures`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PIL import Image

from domain import channels
from domain.channels import Channel
from domain.recipes import Colour, Fit, Format, Recipe
from tests.imaging import made
from workers.imaging import render

HERE: Final = Path(__file__).parents[2] / "docs" / "pictures"
GAP: Final = 8
#: Of the social presets, so that all of them stand on one sheet.
SOCIAL_SCALE: Final = 0.09
ROW: Final = 760


def fits() -> Image.Image:
    """CONTAIN, COVER, PAD and EXACT of one photograph in the same box."""
    wanted = [Recipe(fit.value, Format.PNG, 170, 170, fit, background="#d9d4c7") for fit in Fit]
    return row(rendered("coffee.jpg", wanted))


def focal() -> Image.Image:
    """A tall crop of a wide photograph: around the middle, where the hub proposes it, and set by hand."""
    box = {"format": Format.PNG, "width": 180, "height": 320, "fit": Fit.COVER}
    points = {"middle": {}, "sought": {"seeks": True}, "by-hand": {"focal": (0.75, 0.4)}}
    return row(rendered("camera.png", [Recipe(name, **box, **more) for name, more in points.items()]))  # type: ignore[arg-type]


def social() -> Image.Image:
    """The whole social set, each in its shape."""
    recipes = [recipe for channel, recipe in channels.seeds() if channel is Channel.SOCIAL]
    small = [
        Recipe(
            recipe.preset,
            Format.PNG,
            round(recipe.width * SOCIAL_SCALE),
            round(recipe.height * SOCIAL_SCALE),
            recipe.fit,
            seeks=True,
        )
        for recipe in recipes
    ]
    return rows(rendered("cat.jpg", small))


def press() -> Image.Image:
    """On the screen, as a soft proof of the print, and in grey."""
    box = {"format": Format.PNG, "width": 240, "height": 240}
    kinds = {"screen": {}, "proof": {"proof": "FOGRA39L"}, "grey": {"colour": Colour.GREY}}
    return row(rendered("rocket.jpg", [Recipe(name, **box, **more) for name, more in kinds.items()]))  # type: ignore[arg-type]


def marked() -> Image.Image:
    """Bare, and with the watermark that others see across it."""
    bare = Recipe("bare", Format.PNG, 300, 300)
    return row(rendered("coffee.jpg", [bare, Recipe("marked", Format.PNG, 300, 300, watermark="NOT APPROVED")]))


def transforms() -> Image.Image:
    """What three signed wishes answer: all of it in a box, a part of it turned, and a part in grey."""
    wishes = [
        Recipe("box", Format.PNG, 300, 200, Fit.COVER),
        Recipe("turned", Format.PNG, 200, 200, region=(150, 80, 300, 200), rotation=90),
        Recipe("grey", Format.PNG, 200, 200, region=(60, 40, 240, 240), colour=Colour.GREY),
    ]
    return row(rendered("coffee.jpg", wishes))


PICTURES: Final[dict[str, Callable[[], Image.Image]]] = {
    "fits.jpg": fits,
    "focal.jpg": focal,
    "social.jpg": social,
    "press.jpg": press,
    "watermark.jpg": marked,
    "transforms.jpg": transforms,
}


def rendered(photograph: str, recipes: Sequence[Recipe]) -> list[Image.Image]:
    """In the order of the recipes, in RGB."""
    with tempfile.TemporaryDirectory() as folder:
        kind = "image/png" if photograph.endswith(".png") else "image/jpeg"
        result = render.render(made.photograph(photograph), kind, recipes, Path(folder))
        assert result.failed == {}
        finished = []
        for recipe in recipes:
            with Image.open(Path(folder) / recipe.file_name) as opened:
                finished.append(opened.convert("RGB"))
        return finished


def row(pictures: Sequence[Image.Image]) -> Image.Image:
    """Side by side on white, each in the middle of the row."""
    height = max(picture.height for picture in pictures)
    width = sum(picture.width + GAP for picture in pictures) - GAP
    sheet = Image.new("RGB", (width, height), "white")
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, (height - picture.height) // 2))
        left += picture.width + GAP
    return sheet


def rows(pictures: Sequence[Image.Image]) -> Image.Image:
    """In as many rows as they need, the tallest first."""
    lines: list[list[Image.Image]] = [[]]
    for picture in sorted(pictures, key=lambda each: (-each.height, each.width)):
        if sum(each.width + GAP for each in lines[-1]) + picture.width > ROW:
            lines.append([])
        lines[-1].append(picture)
    made_rows = [row(line) for line in lines]
    sheet = Image.new(
        "RGB", (max(each.width for each in made_rows), sum(each.height + GAP for each in made_rows) - GAP)
    )
    sheet.paste("white", (0, 0, *sheet.size))
    top = 0
    for line in made_rows:
        sheet.paste(line, (0, top))
        top += line.height + GAP
    return sheet


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for name, make in PICTURES.items():
        make().save(HERE / name, "JPEG", quality=88, optimize=True)
        sys.stdout.write(f"{HERE / name}\n")
