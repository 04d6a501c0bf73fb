"""Where the hub proposes to lay a crop."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from domain.recipes import Fit, Format, Recipe
from tests.imaging import made
from workers.imaging import render, saliency


def with_a_disc(x: float, y: float, size: tuple[int, int] = (600, 400)) -> Image.Image:
    """A red disc on a grey ground with a little noise."""
    noise = np.random.default_rng(7).normal(120, 6, (size[1], size[0], 1)).clip(0, 255)
    picture = Image.fromarray(np.repeat(noise, 3, axis=2).astype(np.uint8))
    at, radius = (x * size[0], y * size[1]), min(size) / 7
    ImageDraw.Draw(picture).ellipse(
        (at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), fill=(220, 30, 20)
    )
    return picture


@pytest.mark.parametrize("at", [(0.2, 0.3), (0.8, 0.25), (0.5, 0.5), (0.25, 0.8), (0.85, 0.8)])
def test_what_stands_out_is_where_the_point_is_proposed(at: tuple[float, float]) -> None:
    found = saliency.proposed(with_a_disc(*at))
    assert found is not None
    assert abs(found[0] - at[0]) < 0.06
    assert abs(found[1] - at[1]) < 0.06


@pytest.mark.parametrize(
    "picture",
    [made.solid((90, 120, 30), size=(400, 300)), Image.new("RGB", (3, 900)), Image.new("L", (1, 1))],
    ids=["plain", "a needle", "a pixel"],
)
def test_where_nothing_stands_out_nothing_is_proposed(picture: Image.Image) -> None:
    assert saliency.proposed(picture) is None


def test_a_starry_sky_has_no_point_and_a_cup_of_coffee_has_one() -> None:
    with Image.open(made.photograph("hubble.jpg")) as sky, Image.open(made.photograph("coffee.jpg")) as cup:
        assert saliency.proposed(sky) is None
        found = saliency.proposed(cup)
    assert found is not None
    assert 0.4 < found[0] < 0.6


@pytest.mark.parametrize("seeks", [True, False])
def test_a_crop_that_seeks_lies_around_the_point_and_says_where(seeks: bool, tmp_path: Path) -> None:
    source = made.kept(tmp_path, "x.png", made.encoded(with_a_disc(0.85, 0.5, (900, 300)), "PNG"))
    recipe = Recipe("c", Format.PNG, 150, 150, Fit.COVER, seeks=seeks)
    whole = Recipe("w", Format.PNG, 150, 150, seeks=seeks)
    crop, other = render.render(source, "image/png", [recipe, whole], tmp_path).made
    assert other.focal is None
    with Image.open(tmp_path / "c.png") as opened:
        reds = int((np.asarray(opened)[..., 0] > 180).sum())
    assert (reds > 1000) is seeks
    assert (crop.focal is not None) is seeks


def test_a_point_that_was_said_is_not_sought(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "x.png", made.encoded(with_a_disc(0.85, 0.5, (900, 300)), "PNG"))
    recipe = Recipe("c", Format.PNG, 150, 150, Fit.COVER, seeks=True, focal=(0.1, 0.5))
    render.render(source, "image/png", [recipe], tmp_path)
    with Image.open(tmp_path / "c.png") as opened:
        assert (np.asarray(opened)[..., 0] < 180).all()
