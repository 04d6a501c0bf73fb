"""Which part of a picture is shown: focal points, regions, padding, stretching, turning."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from domain.recipes import FailureCode, Fit, Format, Recipe
from tests.imaging import made
from workers.imaging import geometry, render
from workers.imaging.failures import PictureError

WHOLE = Recipe("whole", Format.PNG, 4000, 4000)


def seen(content: bytes, kind: str, recipe: Recipe, folder: Path) -> Image.Image:
    out = folder / "out"
    out.mkdir(exist_ok=True)
    result = render.render(made.kept(folder, "source", content), kind, [recipe], out)
    assert result.failed == {}
    with Image.open(out / recipe.file_name) as opened:
        opened.load()
        return opened


@pytest.mark.parametrize(
    ("focal", "left"),
    [((0.5, 0.5), 350), ((0.0, 0.5), 0), ((1.0, 0.5), 700), ((0.25, 0.9), 100), ((0.7, 0.1), 550)],
)
def test_a_crop_lies_around_its_focal_point_as_far_as_the_picture_goes(focal: tuple[float, float], left: float) -> None:
    framing = geometry.framing(Recipe("c", Format.PNG, 300, 300, Fit.COVER, focal=focal), 1000, 300)
    assert framing.box == (left, 0, left + 300, 300)
    assert framing.size == (300, 300)


def test_a_crop_around_a_corner_shows_that_corner(tmp_path: Path) -> None:
    content = made.encoded(made.quadrants(), "PNG")
    for focal, expected in (((0.1, 0.5), made.CORNERS[0]), ((0.9, 0.5), made.CORNERS[1])):
        recipe = Recipe("c", Format.PNG, 40, 80, Fit.COVER, focal=focal)
        assert made.distance(made.corners(seen(content, "image/png", recipe, tmp_path))[0], expected) <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_focal_point_means_the_picture_as_it_is_displayed(orientation: int, tmp_path: Path) -> None:
    recipe = Recipe("c", Format.PNG, 40, 40, Fit.COVER, focal=(0.9, 0.1))
    picture = seen(made.lying(orientation, "JPEG"), "image/jpeg", recipe, tmp_path)
    assert made.distance(made.corners(picture)[1], made.CORNERS[1]) <= 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_region_means_the_picture_as_it_is_displayed(orientation: int, tmp_path: Path) -> None:
    recipe = Recipe("r", Format.PNG, 400, 400, region=(120, 80, 120, 80))
    picture = seen(made.lying(orientation, "PNG"), "image/png", recipe, tmp_path)
    assert picture.size == (120, 80)
    assert all(made.distance(each, made.CORNERS[2]) <= 2 for each in made.corners(picture))


def test_a_region_ends_where_the_picture_does_and_one_outside_is_no_picture(tmp_path: Path) -> None:
    content = made.encoded(made.quadrants(), "PNG")
    clipped = Recipe("r", Format.PNG, 400, 400, region=(200, 100, 500, 500))
    assert seen(content, "image/png", clipped, tmp_path).size == (40, 60)
    out = tmp_path / "other"
    out.mkdir()
    outside = Recipe("o", Format.PNG, 9, 9, region=(240, 0, 1, 1))
    result = render.render(made.kept(tmp_path, "x.png", content), "image/png", [outside, WHOLE], out)
    assert result.failed["o"].code is FailureCode.OUT_OF_RANGE
    assert [one.preset for one in result.made] == ["whole"]


def test_padding_shows_all_of_it_in_the_middle_of_the_background(tmp_path: Path) -> None:
    content = made.encoded(made.solid((200, 0, 0), size=(200, 100)), "PNG")
    recipe = Recipe("p", Format.PNG, 100, 100, Fit.PAD, background="#0000ff")
    pixels = np.asarray(seen(content, "image/png", recipe, tmp_path))
    assert pixels.shape == (100, 100, 3)
    assert (pixels[:24] == (0, 0, 255)).all()
    assert (pixels[76:] == (0, 0, 255)).all()
    assert (pixels[26:74] == (200, 0, 0)).all()


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.MP4])
def test_padding_has_exactly_the_size_of_the_box_in_every_format(form: Format, tmp_path: Path) -> None:
    content = made.encoded(made.quadrants(), "PNG")
    out = tmp_path / "out"
    out.mkdir()
    recipe = Recipe("p", form, 90, 130, Fit.PAD, background="#102030")
    (one,) = render.render(made.kept(tmp_path, "a.png", content), "image/png", [recipe], out).made
    assert (one.width, one.height) == (90, 130)


def test_stretching_fills_the_box_and_only_what_says_so_is_enlarged(tmp_path: Path) -> None:
    content = made.encoded(made.quadrants(), "PNG")
    exact = Recipe("e", Format.PNG, 120, 120, Fit.EXACT)
    assert seen(content, "image/png", exact, tmp_path).size == (120, 120)
    larger = Recipe("e", Format.PNG, 480, 400, Fit.EXACT)
    assert seen(content, "image/png", larger, tmp_path).size == (240, 160)
    enlarged = Recipe("e", Format.PNG, 480, 400, Fit.EXACT, enlarge=True)
    assert seen(content, "image/png", enlarged, tmp_path).size == (480, 400)
    contained = Recipe("e", Format.PNG, 480, 480, enlarge=True)
    assert seen(content, "image/png", contained, tmp_path).size == (480, 320)


def test_a_quarter_turn_goes_clockwise_and_comes_last(tmp_path: Path) -> None:
    content = made.encoded(made.quadrants(), "PNG")
    first, second, third, fourth = made.CORNERS
    for rotation, expected in (
        (90, (fourth, first, second, third)),
        (180, (third, fourth, first, second)),
        (270, (second, third, fourth, first)),
    ):
        picture = seen(content, "image/png", Recipe("t", Format.PNG, 120, 500, rotation=rotation), tmp_path)
        assert picture.size == ((120, 80) if rotation == 180 else (80, 120))
        assert made.corners(picture) == expected


def test_another_page_is_shown_and_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    pages = [made.solid(colour, size=(60, 40)) for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]
    content = made.encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    recipe = Recipe("p", Format.PNG, 60, 60, page=2)
    assert made.corners(seen(content, "image/tiff", recipe, tmp_path))[0] == (0, 0, 200)
    with pytest.raises(PictureError) as refused:
        seen(content, "image/tiff", Recipe("p", Format.PNG, 60, 60, page=3), tmp_path)
    assert refused.value.failure.code is FailureCode.OUT_OF_RANGE


def test_pages_that_are_asked_for_together_do_not_take_each_other_with_them(tmp_path: Path) -> None:
    pages = [made.solid(colour, size=(60, 40)) for colour in ((200, 0, 0), (0, 200, 0))]
    source = made.kept(tmp_path, "x.tif", made.encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    recipes = [Recipe(f"p{page}", Format.PNG, 60, 60, page=page) for page in range(3)]
    out = tmp_path / "out"
    out.mkdir()
    result = render.render(source, "image/tiff", recipes, out)
    assert [one.preset for one in result.made] == ["p0", "p1"]
    assert result.failed["p2"].code is FailureCode.OUT_OF_RANGE
