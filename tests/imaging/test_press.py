"""Colours for a press and back: CMYK through the profile, soft proofs, grey."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageCms

from domain.recipes import Colour, Fit, Format, Recipe
from tests.imaging import made
from workers.imaging import colour, render, watermark

PRESS = [Format.JPEG, Format.TIFF, Format.PDF]
CMYK = {"colour": Colour.CMYK, "quality": 100}


def rendered(source: Path, kind: str, recipe: Recipe) -> Path:
    out = source.parent / "out"
    out.mkdir(exist_ok=True)
    assert render.render(source, kind, [recipe], out).failed == {}
    return out / recipe.file_name


def on_paper(content: bytes, kind: str, folder: Path, **more: object) -> Image.Image:
    recipe = Recipe("p", Format.TIFF, 4000, 4000, colour=Colour.CMYK, **more)  # type: ignore[arg-type]
    with Image.open(rendered(made.kept(folder, "x", content), kind, recipe)) as opened:
        opened.load()
        return opened


def to_cmyk(picture: Image.Image) -> Image.Image:
    """By littleCMS itself, asked the long way round."""
    made_of = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    press = ImageCms.ImageCmsProfile(BytesIO(colour.press_profile("FOGRA39L")))
    way = ImageCms.buildTransform(
        made_of,
        press,
        "RGB",
        "CMYK",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    told = ImageCms.applyTransform(picture, way)
    assert told is not None
    return told


def test_print_is_separated_by_the_press_profile_and_carries_it(tmp_path: Path) -> None:
    with Image.open(made.photograph("coffee.jpg")) as photograph:
        expected = np.asarray(to_cmyk(photograph.convert("RGB")), np.int16)
        content = made.encoded(photograph, "PNG")
    seen = on_paper(content, "image/png", tmp_path, dpi=300)
    assert seen.mode == "CMYK"
    assert seen.info["icc_profile"] == colour.press_profile("FOGRA39L")
    assert seen.info["dpi"] == (300, 300)
    assert np.abs(np.asarray(seen, np.int16) - expected).max() <= 1


def test_paper_white_and_the_deepest_black_are_reached(tmp_path: Path) -> None:
    both = made.solid((255, 255, 255), size=(40, 20))
    both.paste((0, 0, 0), (20, 0, 40, 20))
    seen = on_paper(made.encoded(both, "PNG"), "image/png", tmp_path)
    assert seen.getpixel((5, 10)) == (0, 0, 0, 0)
    black = seen.getpixel((35, 10))
    assert isinstance(black, tuple)
    assert sum(black) > 2.5 * 255  # a rich black: black point compensation goes down to the press's own


def test_what_is_separated_for_this_press_already_is_not_touched(tmp_path: Path) -> None:
    with Image.open(made.photograph("coffee.jpg")) as photograph:
        separated = to_cmyk(photograph.convert("RGB"))
    content = made.encoded(separated, "TIFF", icc_profile=colour.press_profile("FOGRA39L"))
    seen = on_paper(content, "image/tiff", tmp_path)
    assert np.array_equal(np.asarray(seen), np.asarray(separated))


def test_there_and_back_again_the_colours_are_nearly_the_same(tmp_path: Path) -> None:
    colours = made.quadrants()
    for form in PRESS[:2]:
        printed = rendered(made.kept(tmp_path, "x.png", made.encoded(colours, "PNG")), "image/png",
                           Recipe("p", form, 400, 400, **CMYK))  # type: ignore[arg-type] # fmt: skip
        kind = form.media_type
        back = rendered(printed, kind, Recipe("back", Format.PNG, 400, 400))
        with Image.open(back) as opened:
            # Green beyond the press's gamut comes back duller; white, red and blue hold.
            assert made.distance(made.corners(opened)[3], made.CORNERS[3]) <= 4
            assert made.distance(made.corners(opened)[0], made.CORNERS[0]) <= 14


def test_a_pdf_for_the_press_holds_cmyk_its_profile_and_a_page_of_the_right_size(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "x.png", made.encoded(made.quadrants(600, 400), "PNG"))
    path = rendered(source, "image/png", Recipe("p", Format.PDF, 600, 600, dpi=300, **CMYK))  # type: ignore[arg-type]
    content = path.read_bytes()
    assert b"/OutputIntent" in content
    assert b"/N 4" in content
    with pypdfium2.PdfDocument(path) as document:
        assert len(document) == 1
        assert document[0].get_size() == pytest.approx((144, 96))
        seen = document[0].render(scale=2).to_pil()
        (held,) = document[0].get_objects()
        assert isinstance(held, pypdfium2.PdfImage)
        assert held.get_px_size() == (600, 400)
    printed = colour.to_srgb(colour.to_press(made.quadrants(), None, "FOGRA39L"), None)
    for shown, expected in zip(made.corners(seen), made.corners(printed), strict=True):
        assert made.distance(shown, expected) <= 40, shown  # a reader of its own; negatives would be far off


def test_a_soft_proof_is_an_srgb_picture_with_the_colours_of_the_print(tmp_path: Path) -> None:
    green = made.encoded(made.solid((0, 255, 0), size=(30, 30)), "PNG")
    source = made.kept(tmp_path, "x.png", green)
    with Image.open(rendered(source, "image/png", Recipe("p", Format.PNG, 99, 99, proof="FOGRA39L"))) as opened:
        assert opened.mode == "RGB"
        shown = made.corners(opened)[0]
    press = colour.to_press(Image.new("RGB", (1, 1), (0, 255, 0)), None, "FOGRA39L")
    screen = colour.to_srgb(press, None).getpixel((0, 0))
    assert isinstance(screen, tuple)
    assert made.distance(shown, (int(screen[0]), int(screen[1]), int(screen[2]))) <= 10
    assert made.distance(shown, (0, 255, 0)) > 50


def test_a_proof_keeps_transparency_and_paper_stays_white(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "x.png", made.encoded(made.half_transparent(), "PNG"))
    with Image.open(rendered(source, "image/png", Recipe("p", Format.PNG, 80, 80, proof="FOGRA39L"))) as opened:
        assert opened.mode == "RGBA"
    white = made.kept(tmp_path, "w.png", made.encoded(made.solid((255, 255, 255)), "PNG"))
    with Image.open(rendered(white, "image/png", Recipe("w", Format.PNG, 80, 80, proof="FOGRA39L"))) as opened:
        assert made.corners(opened)[0] == (255, 255, 255)


def test_transparent_pixels_are_printed_on_the_background(tmp_path: Path) -> None:
    seen = on_paper(made.encoded(made.half_transparent(), "PNG"), "image/png", tmp_path, background="#ffffff")
    assert seen.getpixel((seen.width - 5, 10)) == (0, 0, 0, 0)


def test_the_margin_of_a_padded_print_is_the_background_in_cmyk(tmp_path: Path) -> None:
    content = made.encoded(made.solid((200, 0, 0), size=(200, 100)), "PNG")
    source = made.kept(tmp_path, "x.png", content)
    recipe = Recipe("p", Format.TIFF, 100, 100, Fit.PAD, colour=Colour.CMYK, background="#ff0000")
    with Image.open(rendered(source, "image/png", recipe)) as opened:
        assert opened.getpixel((50, 5)) == colour.to_press(
            Image.new("RGB", (1, 1), (255, 0, 0)), None, "FOGRA39L"
        ).getpixel((0, 0))


@pytest.mark.parametrize("form", [Format.JPEG, Format.PNG, Format.WEBP, Format.AVIF, Format.TIFF, Format.GIF])
def test_grey_has_no_colour_in_any_format(form: Format, tmp_path: Path) -> None:
    source = made.kept(tmp_path, "x.png", made.encoded(made.quadrants(), "PNG"))
    with Image.open(rendered(source, "image/png", Recipe("g", form, 99, 99, colour=Colour.GREY))) as opened:
        pixels = np.asarray(opened.convert("RGB"), np.int16)
    assert np.abs(pixels - pixels[..., :1]).max() <= 2


def test_a_screen_and_a_print_of_the_same_job_are_what_they_are_alone(tmp_path: Path) -> None:
    source = made.photograph("coffee.jpg")
    recipes = [
        Recipe("print", Format.TIFF, 600, 600, colour=Colour.CMYK),
        Recipe("web", Format.PNG, 300, 300),
        Recipe("small", Format.TIFF, 150, 150, colour=Colour.CMYK),
    ]
    together, alone = tmp_path / "together", tmp_path / "alone"
    together.mkdir()
    alone.mkdir()
    assert render.render(source, "image/jpeg", recipes, together).failed == {}
    for recipe in recipes:
        render.render(source, "image/jpeg", [recipe], alone)
        with Image.open(together / recipe.file_name) as one, Image.open(alone / recipe.file_name) as other:
            assert one.mode == other.mode
            difference = np.asarray(one, np.int16) - np.asarray(other, np.int16)
        assert np.sqrt((difference.astype(float) ** 2).mean()) < 3, recipe.preset


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK"])
def test_a_watermark_shows_on_any_ground_and_hides_nothing_transparent(mode: str) -> None:
    for ground in ("white", "black", "#808080"):
        picture = Image.new("RGB", (300, 200), ground).convert(mode)
        if "A" in picture.getbands():
            picture.putalpha(Image.linear_gradient("L").resize(picture.size))
        seen = watermark.marked(picture, "DRAFT")
        assert (seen.mode, seen.size) == (picture.mode, picture.size)
        plain, shown = (np.asarray(each.convert("RGB").convert("L"), np.int16) for each in (picture, seen))
        touched = np.abs(plain - shown) > 20
        assert 0.02 < touched.mean() < 0.6
        halves = (touched[:, :150], touched[:, 150:], touched[:100], touched[100:])
        assert all(half.any() for half in halves)
        if "A" in picture.getbands():
            assert seen.getchannel("A").tobytes() == picture.getchannel("A").tobytes()


def test_a_watermark_is_drawn_into_the_file_and_the_rest_stays_to_be_judged(tmp_path: Path) -> None:
    source = made.photograph("coffee.jpg")
    bare, marked = Recipe("b", Format.PNG, 300, 300), Recipe("m", Format.PNG, 300, 300, watermark="NOT APPROVED")
    assert render.render(source, "image/jpeg", [bare, marked], tmp_path).failed == {}
    with Image.open(tmp_path / "b.png") as one, Image.open(tmp_path / "m.png") as other:
        difference = np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).max(axis=2)
    assert 0.05 < (difference > 10).mean() < 0.5
