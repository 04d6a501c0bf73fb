"""Colours come out as they were meant, judged by published values and not by our own code."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from domain.recipes import Format, Recipe
from tests.imaging import made
from tests.imaging.made import Rgb
from workers.imaging import colour, render

EXACT = Recipe("exact", Format.PNG, 4000, 4000)

#: ISO Coated v2 (FOGRA39) inks in sRGB, relative colorimetric, as print shops publish them.
INKS = [
    ((255, 0, 0, 0), (0, 158, 227)),
    ((0, 255, 0, 0), (230, 0, 126)),
    ((0, 0, 255, 0), (255, 237, 0)),
    ((0, 255, 255, 0), (227, 6, 19)),
    ((255, 0, 255, 0), (0, 150, 64)),
    ((255, 255, 0, 0), (49, 39, 131)),
    ((0, 0, 0, 0), (255, 255, 255)),
]


def shown(content: bytes, kind: str, folder: Path) -> Image.Image:
    out = folder / "out"
    out.mkdir(exist_ok=True)
    result = render.render(made.kept(folder, "source", content), kind, [EXACT], out)
    assert result.failed == {}
    with Image.open(out / EXACT.file_name) as opened:
        opened.load()
        return opened


def middle(picture: Image.Image) -> Rgb:
    return made.corners(picture)[0]


@pytest.mark.parametrize(("ink", "expected"), INKS)
@pytest.mark.parametrize("with_profile", [True, False])
@pytest.mark.parametrize("reader", ["JPEG", "TIFF"])
def test_cmyk_looks_as_printed_on_coated_paper(
    ink: tuple[int, int, int, int], expected: Rgb, with_profile: bool, reader: str, tmp_path: Path
) -> None:
    content = made.in_cmyk(ink, reader, with_profile=with_profile)
    assert made.distance(middle(shown(content, f"image/{reader.lower()}", tmp_path)), expected) <= 14


def test_cmyk_is_not_taken_for_the_complement_of_rgb(tmp_path: Path) -> None:
    """What Pillow does on its own: pure cyan would be (0, 255, 255)."""
    assert middle(shown(made.in_cmyk((255, 0, 0, 0)), "image/jpeg", tmp_path))[1] < 180


def test_cmyk_in_a_photoshop_file_looks_the_same(tmp_path: Path) -> None:
    # Photoshop stores the absence of ink.
    content = made.photoshop(made.solid((0, 255, 255, 255), "CMYK"))
    assert made.distance(middle(shown(content, "image/vnd.adobe.photoshop", tmp_path)), (0, 158, 227)) <= 14


#: sRGB's own colours written in Display P3 (CSS Color 4, sample conversions).
P3 = [
    ((234, 51, 35), (255, 0, 0)),
    ((117, 251, 76), (0, 255, 0)),
    ((0, 0, 245), (0, 0, 255)),
    ((128, 128, 128), (128, 128, 128)),
    ((255, 255, 255), (255, 255, 255)),
]


@pytest.mark.parametrize(("in_p3", "in_srgb"), P3)
@pytest.mark.parametrize("reader", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_wide_gamut_picture_keeps_its_colours(in_p3: Rgb, in_srgb: Rgb, reader: str, tmp_path: Path) -> None:
    seen = middle(shown(made.display_p3(in_p3, reader), f"image/{reader.lower()}", tmp_path))
    assert made.distance(seen, in_srgb) <= (16 if reader in {"JPEG", "WEBP"} else 4)


def test_a_profile_that_is_srgb_under_another_name_changes_no_pixel(tmp_path: Path) -> None:
    original = made.photo_like(120, 80)
    content = made.encoded(original, "PNG", icc_profile=made.srgb_profile())
    assert np.array_equal(np.asarray(shown(content, "image/png", tmp_path)), np.asarray(original))


@pytest.mark.parametrize(
    "profile", [b"no profile at all", b"\0" * 128, made.press_profile(), made.display_p3_profile()[:200]]
)
def test_a_profile_that_is_broken_or_for_other_pictures_counts_as_absent(profile: bytes, tmp_path: Path) -> None:
    content = made.encoded(made.quadrants(), "PNG", icc_profile=profile)
    seen = shown(content, "image/png", tmp_path)
    assert made.corners(seen) == made.CORNERS


def test_transparency_survives_colour_management(tmp_path: Path) -> None:
    content = made.encoded(made.half_transparent(), "PNG", icc_profile=made.display_p3_profile())
    seen = shown(content, "image/png", tmp_path)
    assert seen.mode == "RGBA"
    assert seen.getpixel((60, 30)) == (0, 0, 0, 0)
    assert np.asarray(seen)[30, 10, 3] == 255


@pytest.mark.parametrize(
    ("lab", "expected"),
    [
        ((54, 81, 70), (255, 0, 0)),
        ((100, 0, 0), (255, 255, 255)),
        ((53, 0, 0), (126, 126, 126)),
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_lab_becomes_the_colour_it_names(lab: tuple[int, int, int], expected: Rgb, tmp_path: Path) -> None:
    assert made.distance(middle(shown(made.lab_tiff(*lab), "image/tiff", tmp_path)), expected) <= 6


def test_sixteen_bits_of_grey_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    ramp = made.sixteen_bit_ramp()
    for content, kind in (
        (made.sixteen_bit_png(ramp), "image/png"),
        (made.grey_tiff(ramp), "image/tiff"),
        (made.grey_tiff(ramp, order=">"), "image/tiff"),
    ):
        seen = np.asarray(shown(content, kind, tmp_path).convert("L"))
        assert np.array_equal(seen[0], np.arange(256))


def test_sixteen_bits_of_colour_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    ramp = made.sixteen_bit_ramp()
    pixels = np.stack([ramp, ramp[:, ::-1], np.full_like(ramp, 32_896)], axis=-1)
    seen = np.asarray(shown(made.sixteen_bit_png(pixels), "image/png", tmp_path)).astype(int)
    assert np.abs(seen[0, :, 0] - np.arange(256)).max() <= 1
    assert np.abs(seen[0, :, 1] - np.arange(256)[::-1]).max() <= 1
    assert np.abs(seen[0, :, 2] - 128).max() <= 1


def test_a_sixteen_bit_negative_is_shown_as_a_positive(tmp_path: Path) -> None:
    content = made.grey_tiff(made.sixteen_bit_ramp(), photometric=0)
    assert np.array_equal(np.asarray(shown(content, "image/tiff", tmp_path).convert("L"))[0], np.arange(256)[::-1])


def test_floating_point_grey_between_zero_and_one_is_shown_in_full(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 1, 256, dtype=np.float32), (64, 1))
    content = made.grey_tiff(ramp, bits=32, sample_format=3)
    assert (
        np.abs(np.asarray(shown(content, "image/tiff", tmp_path).convert("L"))[0].astype(int) - np.arange(256)).max()
        <= 1
    )


def test_black_and_white_becomes_grey_when_it_shrinks(tmp_path: Path) -> None:
    fine = Image.fromarray(np.indices((200, 200)).sum(axis=0) % 2 == 0)
    content = made.encoded(fine, "PNG")
    out = tmp_path / "o"
    out.mkdir()
    render.render(made.kept(tmp_path, "x.png", content), "image/png", [Recipe("s", Format.PNG, 50, 50)], out)
    with Image.open(out / "s.png") as small:
        assert 118 <= np.asarray(small.convert("L")).mean() <= 138


def test_grey_stays_grey(tmp_path: Path) -> None:
    out = tmp_path / "o"
    out.mkdir()
    recipes = [Recipe("j", Format.JPEG, 100, 100), Recipe("p", Format.PNG, 100, 100)]
    render.render(made.photograph("camera.png"), "image/png", recipes, out)
    for recipe in recipes:
        with Image.open(out / recipe.file_name) as seen:
            assert seen.mode == "L"


def test_jpeg_carries_an_srgb_profile_and_png_says_srgb(tmp_path: Path) -> None:
    out = tmp_path / "o"
    out.mkdir()
    recipes = [Recipe("j", Format.JPEG, 100, 100), Recipe("p", Format.PNG, 100, 100)]
    render.render(made.kept(tmp_path, "x", made.display_p3((10, 20, 30))), "image/png", recipes, out)
    with Image.open(out / "j.jpg") as seen:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(seen.info["icc_profile"]))
        assert profile.profile.profile_description == "sRGB"
    with Image.open(out / "p.png") as seen:
        assert seen.info["srgb"] == 0
        assert "icc_profile" not in seen.info


def test_warming_up_builds_what_every_job_needs() -> None:
    colour.warm()
    assert colour.colour_space(colour.srgb_tag()) == "RGB"
