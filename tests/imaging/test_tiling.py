"""Pyramids: every level is the picture, each tile stands where its index says, and little memory is held."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from domain.iiif import pyramids
from domain.recipes import Colour, FailureCode, Fit, Format, Recipe
from tests.imaging import made, made_hostile
from workers.imaging import tiling, tiling_safely
from workers.imaging.failures import PictureError
from workers.imaging.limits import Limits
from workers.imaging.tiling import Piece, Pyramid
from workers.sandbox import SandboxLimits

ROOT = Path(__file__).parents[2]
PLENTY = 4096 * tiling.MEBIBYTE
#: So little that nothing is decoded as a whole.
NOTHING = 1


def gradient(width: int, height: int) -> Image.Image:
    """Every pixel says where it stands, smoothly enough for JPEG."""
    across = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    down = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([across, down, 255 - across], axis=-1).astype(np.uint8), "RGB")


def level_of(target: Path, pyramid: Pyramid, scale: int) -> Image.Image:
    """A whole level put together from its tiles."""
    content = target.read_bytes()
    spans = pyramids.spans(content[pyramid.index_at :], pyramid.width, pyramid.height)
    level = next(each for each in pyramids.levels(pyramid.width, pyramid.height) if each.scale == scale)
    canvas = Image.new("RGB", (level.width, level.height))
    for left, top, number in pyramids.covering(level, (0, 0, level.width, level.height)):
        tile = Image.open(io.BytesIO(content[spans[number].start : spans[number].stop]))
        assert tile.size == (min(512, level.width - left), min(512, level.height - top))
        canvas.paste(tile, (left, top))
    return canvas


def difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other.convert("RGB"), np.int16)).max())


@pytest.mark.parametrize("memory", [PLENTY, NOTHING], ids=["pillow", "vips"])
@pytest.mark.parametrize("size", [(1, 1), (512, 512), (513, 511), (1500, 1100), (700, 2600), (1025, 1)])
def test_every_level_is_the_picture_and_no_tile_is_missing(tmp_path: Path, size: tuple[int, int], memory: int) -> None:
    if memory == NOTHING:
        pytest.importorskip("pyvips", exc_type=ImportError)
    source = made.kept(tmp_path, "g.png", made.encoded(gradient(*size), "PNG"))
    target = tmp_path / "pyramid"
    pyramid = tiling.build(source, "image/png", target, memory, Limits())
    assert (pyramid.width, pyramid.height) == size
    original = gradient(*size)
    for level in pyramids.levels(*size):
        expected = original.resize((level.width, level.height), Image.Resampling.BOX)
        assert difference(level_of(target, pyramid, level.scale), expected) <= 12
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("pyramid")] == ["pyramid"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_that_lies_is_cut_as_it_is_displayed(tmp_path: Path, orientation: int) -> None:
    source = made.kept(tmp_path, "l.jpg", made.lying(orientation, width=900, height=620, quality=95))
    target = tmp_path / "pyramid"
    pyramid = tiling.build(source, "image/jpeg", target, PLENTY, Limits())
    assert (pyramid.width, pyramid.height) == (900, 620)
    for scale in (1, 2):
        shown, expected = made.corners(level_of(target, pyramid, scale)), made.corners(made.quadrants(900, 620))
        assert all(made.distance(*pair) < 12 for pair in zip(shown, expected, strict=True))


def test_transparency_stands_on_white_and_colours_are_managed(tmp_path: Path) -> None:
    see_through = made.kept(tmp_path, "t.png", made.encoded(Image.new("RGBA", (600, 40), (255, 0, 0, 0)), "PNG"))
    pyramid = tiling.build(see_through, "image/png", tmp_path / "one", PLENTY, Limits())
    assert made.distance(level_of(tmp_path / "one", pyramid, 1).getpixel((5, 5)), (255, 255, 255)) < 4  # type: ignore[arg-type]
    ink = made.kept(tmp_path, "c.jpg", made.in_cmyk((0, 255, 255, 0), with_profile=True))
    pyramid = tiling.build(ink, "image/jpeg", tmp_path / "two", PLENTY, Limits())
    red, green, blue = level_of(tmp_path / "two", pyramid, 1).getpixel((5, 5))  # type: ignore[misc]
    assert red - max(green, blue) > 90


def test_what_is_no_picture_makes_no_pyramid(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "x.png", b"\x89PNG\r\n\x1a\n and then nothing")
    with pytest.raises(PictureError) as refused:
        tiling.build(source, "image/png", tmp_path / "p", PLENTY, Limits())
    assert refused.value.failure.code in {FailureCode.DAMAGED, FailureCode.TRUNCATED}


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_part_shows_its_region_turned_clockwise(tmp_path: Path, rotation: int) -> None:
    source = made.kept(tmp_path, "g.png", made.encoded(gradient(1800, 1300), "PNG"))
    target = tmp_path / "pyramid"
    pyramid = tiling.build(source, "image/png", target, PLENTY, Limits())
    region = (400, 300, 900, 700)
    recipe = Recipe("p", Format.PNG, 300, 200, Fit.EXACT, region=region, rotation=rotation)
    out = part(tmp_path, target, pyramid, recipe)
    expected = gradient(1800, 1300).resize((300, 200), Image.Resampling.LANCZOS, box=(400, 300, 1300, 1000))
    assert difference(out.convert("RGB"), expected.rotate(-rotation, expand=True)) <= 10


def test_a_grey_part_has_no_colours(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "g.png", made.encoded(gradient(600, 600), "PNG"))
    target = tmp_path / "pyramid"
    pyramid = tiling.build(source, "image/png", target, PLENTY, Limits())
    recipe = Recipe("p", Format.JPEG, 50, 50, Fit.EXACT, region=(0, 0, 600, 600), colour=Colour.GREY)
    assert part(tmp_path, target, pyramid, recipe).mode == "L"


#: A process of its own: what this one holds free, a child may take beyond its limit.
ALONE = """
import sys
from pathlib import Path
from workers.imaging import tiling, tiling_safely
from workers.imaging.failures import PictureError
from workers.imaging.limits import Limits
from workers.sandbox import SandboxLimits
tiling._STREAMED = frozenset()
limits = SandboxLimits(memory_bytes=128 * tiling.MEBIBYTE)
try:
    tiling_safely.build(Path(sys.argv[1]), "image/png", Path(sys.argv[2]), Limits(), limits, lambda: None)
except PictureError as error:
    print(error.failure.code.value, error.failure.sentence)
"""


def test_a_job_that_has_too_little_memory_says_so_and_what_would_help(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "big.png", made_hostile.png_of_black(15_000, 15_000))
    command = [sys.executable, "-c", ALONE, str(source), str(tmp_path / "p")]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout
    assert told.startswith(FailureCode.OUT_OF_MEMORY.value)
    assert "IMPRIMATUR_RENDER_MEMORY_MB" in told


def test_with_little_memory_the_rows_are_streamed(tmp_path: Path) -> None:
    pytest.importorskip("pyvips", exc_type=ImportError)
    source = made.kept(tmp_path, "big.jpg", made.encoded(gradient(9_000, 9_000), "JPEG", quality=80))
    limits = SandboxLimits(memory_bytes=256 * tiling.MEBIBYTE)  # decoded, it would take 309 of these
    pyramid = tiling_safely.build(source, "image/jpeg", tmp_path / "p", Limits(), limits, lambda: None)
    small = level_of(tmp_path / "p", pyramid, 32)
    assert difference(small, gradient(9_000, 9_000).resize(small.size, Image.Resampling.BOX)) <= 12


def test_an_answer_that_does_not_fit_its_file_is_not_believed(tmp_path: Path) -> None:
    target = tmp_path / "pyramid"
    target.write_bytes(b"tile" + pyramids.index_of([4]))
    assert tiling_safely._checked(Pyramid(10, 10, 4), target) == Pyramid(10, 10, 4)
    for lie in (Pyramid(10, 10, 0), Pyramid(600, 600, 4), Pyramid(0, 10, 4)):
        with pytest.raises(ValueError):  # noqa: PT011  # whatever it says, it is not believed
            tiling_safely._checked(lie, target)
    target.write_bytes(b"til" + pyramids.index_of([4]))
    with pytest.raises(ValueError):  # noqa: PT011  # likewise
        tiling_safely._checked(Pyramid(10, 10, 3), target)


def part(folder: Path, target: Path, pyramid: Pyramid, recipe: Recipe) -> Image.Image:
    content = target.read_bytes()
    spans = pyramids.spans(content[pyramid.index_at :], pyramid.width, pyramid.height)
    assert recipe.region is not None
    whole = (pyramid.width, pyramid.height)
    level = pyramids.level_for(*whole, recipe.region, (recipe.width, recipe.height))
    left, top, width, height = recipe.region
    across, down = level.width / whole[0], level.height / whole[1]
    box = (left * across, top * down, (left + width) * across, (top + height) * down)
    pieces = [Piece(x, y, spans[n].start, spans[n].stop) for x, y, n in pyramids.covering(level, box)]
    out = folder / recipe.file_name
    limits = SandboxLimits()
    tiling_safely.part(target, pieces, level, whole, recipe, out, limits, lambda: None)
    return Image.open(io.BytesIO(out.read_bytes()))
