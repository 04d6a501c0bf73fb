"""How much of a JPEG is decoded for the pictures that are asked for, and that the cheap ways show the same picture."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from domain.recipes import Fit, Format, Recipe
from tests.imaging import made
from workers.imaging import encoding, master, render
from workers.imaging.limits import Limits

#: Grey levels that two ways of making the same picture of grainy photographs may lie apart, on average.
NEAR = 1.5


@cache
def large() -> bytes:
    return made.encoded(made.photo_like(3200, 2400, "astronaut.jpg"), "JPEG", quality=92)


def large_jpeg(folder: Path) -> Path:
    return made.kept(folder, "large", large())


def box(side: int, preset: str = "box") -> Recipe:
    return Recipe(preset, Format.PNG, side, side)


@pytest.mark.parametrize(
    ("side", "decoded"),
    [
        (3200, 3200),
        (1281, 3200),  # halved, less than a quarter more than this would be left
        (1280, 1600),
        (401, 1600),  # by four, less than twice this
        (400, 800),
        (201, 800),
        (200, 400),
        (20, 400),
    ],
)
def test_so_much_of_a_jpeg_is_decoded(side: int, decoded: int, tmp_path: Path) -> None:
    found = master.opened(large_jpeg(tmp_path), "image/jpeg", [box(side)], Limits())
    assert found.picture.size == (decoded, decoded * 3 // 4)
    assert (found.width, found.height) == (3200, 2400)


def test_a_jpeg_on_its_side_is_reduced_by_what_is_displayed(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "lying", made.lying(6, width=1600, height=800))
    found = master.opened(source, "image/jpeg", [Recipe("low", Format.PNG, 1600, 300)], Limits())
    assert (found.width, found.height) == (1600, 800)
    assert found.picture.size == (400, 800)


def test_the_largest_of_all_decides(tmp_path: Path) -> None:
    asked = [box(100, "small"), box(1300, "large")]
    assert master.opened(large_jpeg(tmp_path), "image/jpeg", asked, Limits()).picture.width == 3200


@pytest.mark.parametrize("side", [1280, 1000, 800, 320])
def test_a_reduced_jpeg_gives_the_picture_that_the_whole_one_gives(side: int, tmp_path: Path) -> None:
    source = large_jpeg(tmp_path)
    render.render(source, "image/jpeg", [box(side)], tmp_path)
    with Image.open(source) as opened, Image.open(tmp_path / "box.png") as small:
        exact = opened.resize(small.size, Image.Resampling.LANCZOS)
        assert apart(exact, small) < NEAR


def test_a_part_made_from_a_picture_beside_it_is_that_part(tmp_path: Path) -> None:
    source = large_jpeg(tmp_path)
    part = Recipe("part", Format.PNG, 1000, 1000, Fit.COVER)
    render.render(source, "image/jpeg", [part], tmp_path)
    with Image.open(tmp_path / "part.png") as opened:
        alone = opened.copy()
    made_together = render.render(source, "image/jpeg", [part, box(1500, "whole")], tmp_path)
    assert [(one.width, one.height) for one in made_together.made] == [(1000, 1000), (1500, 1125)]
    with Image.open(tmp_path / "part.png") as opened:
        assert apart(alone, opened) < NEAR


def test_what_a_picture_knows_is_lent_for_writing_and_given_back(tmp_path: Path) -> None:
    picture = made.solid((10, 20, 30))
    picture.info = {"comment": b"mine alone", "dpi": (300, 300)}
    encoding.write(picture, Recipe("plain", Format.JPEG, 64, 64), tmp_path / "plain.jpg")
    assert picture.info == {"comment": b"mine alone", "dpi": (300, 300)}
    assert b"mine alone" not in (tmp_path / "plain.jpg").read_bytes()
    with pytest.raises(FileNotFoundError):
        encoding.write(picture, Recipe("plain", Format.JPEG, 64, 64), tmp_path / "nowhere" / "plain.jpg")
    assert picture.info == {"comment": b"mine alone", "dpi": (300, 300)}


def apart(one: Image.Image, other: Image.Image) -> float:
    first, second = (np.asarray(each.convert("L"), dtype=np.float64) for each in (one, other))
    return float(np.abs(first - second).mean())
