"""Renditions: every format in, every format out, upright, never enlarged, nothing personal left in them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from domain.recipes import SEEDS, FailureCode, Fit, Format, Recipe
from tests.imaging import made, made_metadata
from workers.imaging import geometry, render
from workers.imaging.failures import PictureError
from workers.imaging.render import Rendered

PICTURES = tuple(form for form in Format if form is not Format.MP4)
EVERY_OUTPUT = tuple(Recipe(f"out-{form.value}", form, 120, 120, quality=92) for form in PICTURES)
LOSSLESS = Recipe("exact", Format.PNG, 4000, 4000)


def rendered(source: Path, kind: str, recipes: Sequence[Recipe], folder: Path) -> Rendered:
    out = folder / "out"
    out.mkdir(exist_ok=True)
    return render.render(source, kind, recipes, out)


def picture(folder: Path, recipe: Recipe) -> Image.Image:
    if recipe.format is Format.PDF:
        with pypdfium2.PdfDocument(folder / "out" / recipe.file_name) as document:
            drawn: Image.Image = document[0].render().to_pil()
            return drawn.copy()
    with Image.open(folder / "out" / recipe.file_name) as opened:
        opened.load()
        return opened


def only(content: bytes, kind: str, recipe: Recipe, folder: Path) -> Image.Image:
    result = rendered(made.kept(folder, "source", content), kind, [recipe], folder)
    assert result.failed == {}
    return picture(folder, recipe)


@pytest.mark.parametrize("name", made.every_format())
def test_every_format_becomes_every_rendition(name: str, tmp_path: Path) -> None:
    kind, content = made.every_format()[name]
    result = rendered(made.kept(tmp_path, name, content), kind, EVERY_OUTPUT, tmp_path)
    assert result.failed == {}
    assert [(one.preset, one.media_type, one.width, one.height) for one in result.made] == [
        (recipe.preset, recipe.format.media_type, 120, 80) for recipe in EVERY_OUTPUT
    ]
    for one, recipe in zip(result.made, EVERY_OUTPUT, strict=True):
        seen = picture(tmp_path, recipe)
        assert seen.size == (120, 80)
        assert (tmp_path / "out" / one.file_name).stat().st_size == one.byte_size
        for colour, expected in zip(made.corners(seen), made.CORNERS, strict=True):
            assert made.distance(colour, expected) <= 12, (recipe.preset, made.corners(seen))


def test_a_heic_photograph_becomes_a_rendition(tmp_path: Path) -> None:
    source = made.photograph("coffee.heic")
    result = rendered(source, "image/heic", SEEDS, tmp_path)
    assert [(one.preset, one.width, one.height) for one in result.made] == [
        ("thumb", 240, 160),
        ("web", 240, 160),
        ("avif", 240, 160),
    ]
    with Image.open(made.photograph("coffee.jpg")) as original:
        expected = np.asarray(original.resize((240, 160), Image.Resampling.LANCZOS), dtype=np.int16)
    seen = np.asarray(picture(tmp_path, SEEDS[1]), dtype=np.int16)
    assert np.abs(seen - expected).mean() < 5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("reader", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_is_shown_upright(orientation: int, reader: str, tmp_path: Path) -> None:
    content = made.lying(orientation, reader)
    whole = Recipe("whole", Format.PNG, 120, 500)
    square = Recipe("square", Format.PNG, 60, 60, Fit.COVER)
    wide = Recipe("wide", Format.PNG, 100, 20, Fit.COVER)
    result = rendered(made.kept(tmp_path, "x", content), f"image/{reader.lower()}", [whole, square, wide], tmp_path)
    assert [(one.width, one.height) for one in result.made] == [(120, 80), (60, 60), (100, 20)]
    for recipe in (whole, square, wide):
        for colour, expected in zip(made.corners(picture(tmp_path, recipe)), made.CORNERS, strict=True):
            assert made.distance(colour, expected) <= 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_compressed_tiff_is_turned_once_and_not_twice(orientation: int, tmp_path: Path) -> None:
    content = made.lying(orientation, "TIFF", compression="tiff_lzw")
    seen = only(content, "image/tiff", LOSSLESS, tmp_path)
    assert made.corners(seen) == made.CORNERS


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_orientation_is_honoured_by_avif_too(orientation: int, tmp_path: Path) -> None:
    seen = only(made.lying(orientation, "AVIF"), "image/avif", LOSSLESS, tmp_path)
    assert seen.size == (240, 160)
    for colour, expected in zip(made.corners(seen), made.CORNERS, strict=True):
        assert made.distance(colour, expected) <= 16


@pytest.mark.parametrize("value", [0, 9, 65_535])
def test_a_senseless_orientation_turns_nothing(value: int, tmp_path: Path) -> None:
    content = made_metadata.jpeg(exif=made_metadata.exif({0x0112: value}))
    assert only(content, "image/jpeg", LOSSLESS, tmp_path).size == (240, 160)


@pytest.mark.parametrize("fit", list(Fit))
@pytest.mark.parametrize("name", ["coffee.jpg", "camera.png"])
def test_nothing_is_ever_enlarged(name: str, fit: Fit, tmp_path: Path) -> None:
    with Image.open(made.photograph(name)) as original:
        width, height = original.size
    recipes = [Recipe(f"r{side}", Format.PNG, side, side, fit) for side in (50, 399, 400, 512, 5000)]
    kind = "image/png" if name.endswith("png") else "image/jpeg"
    for one, recipe in zip(rendered(made.photograph(name), kind, recipes, tmp_path).made, recipes, strict=True):
        if fit is Fit.PAD:
            assert (one.width, one.height) == (recipe.width, recipe.height)
            continue
        assert one.width <= min(recipe.width, width)
        assert one.height <= min(recipe.height, height)
        if fit is Fit.COVER:
            assert one.width == one.height == min(recipe.width, width, height)


def test_a_picture_smaller_than_the_box_keeps_its_size_and_its_pixels(tmp_path: Path) -> None:
    content = made.encoded(made.photo_like(130, 70), "PNG")
    seen = only(content, "image/png", LOSSLESS, tmp_path)
    assert seen.size == (130, 70)
    assert np.array_equal(np.asarray(seen), np.asarray(made.photo_like(130, 70)))


def test_cover_shows_the_centre_in_exactly_the_shape_of_the_box(tmp_path: Path) -> None:
    stripes = made.solid((255, 255, 255), size=(900, 300))
    stripes.paste((200, 0, 0), (300, 0, 600, 300))
    seen = only(made.encoded(stripes, "PNG"), "image/png", Recipe("c", Format.PNG, 100, 100, Fit.COVER), tmp_path)
    inside = np.asarray(seen)[:, 3:-3]
    assert seen.size == (100, 100)
    assert np.abs(inside.astype(int) - (200, 0, 0)).max() <= 2


@pytest.mark.parametrize(
    ("width", "height", "box", "fit", "expected"),
    [
        (6000, 4000, (1600, 1600), Fit.CONTAIN, (1600, 1067)),
        (4000, 6000, (1600, 1600), Fit.CONTAIN, (1067, 1600)),
        (3, 1999, (320, 320), Fit.CONTAIN, (1, 320)),
        (6000, 4000, (1080, 1080), Fit.COVER, (1080, 1080)),
        (1000, 500, (2000, 2000), Fit.COVER, (500, 500)),
        (500, 2000, (1000, 250), Fit.COVER, (500, 125)),
        (10, 10, (1, 16_383), Fit.COVER, (1, 10)),
    ],
)
def test_the_size_of_a_rendition_follows_from_box_and_fit(
    width: int, height: int, box: tuple[int, int], fit: Fit, expected: tuple[int, int]
) -> None:
    framing = geometry.framing(Recipe("x", Format.PNG, *box, fit), width, height)
    assert framing.size == expected
    assert framing.scale <= 1


def test_a_large_photograph_looks_the_same_as_when_each_rendition_is_made_from_the_original(tmp_path: Path) -> None:
    master = made.photo_like(4200, 2800)
    content = made.encoded(master, "JPEG", quality=95, subsampling=0)
    recipes = [Recipe(f"s{side}", Format.PNG, side, side) for side in (1600, 800, 320, 100)]
    recipes.append(Recipe("crop", Format.PNG, 500, 500, Fit.COVER))
    rendered(made.kept(tmp_path, "x.jpg", content), "image/jpeg", recipes, tmp_path)
    for recipe in recipes:
        seen = picture(tmp_path, recipe)
        box = (700, 0, 3500, 2800) if recipe.fit is Fit.COVER else None
        expected = master.resize(seen.size, Image.Resampling.LANCZOS, box=box)
        difference = np.asarray(seen, dtype=np.int16) - np.asarray(expected, dtype=np.int16)
        assert np.sqrt((difference.astype(float) ** 2).mean()) < 2.5, recipe.preset


def test_the_first_frame_of_an_animation_is_the_rendition(tmp_path: Path) -> None:
    for reader in ("GIF", "WEBP", "PNG", "AVIF", "TIFF"):
        seen = only(made.animation(reader), f"image/{reader.lower()}", LOSSLESS, tmp_path)
        assert made.distance(made.corners(seen)[0], (220, 30, 30)) <= 12


def test_the_first_page_of_a_pdf_is_drawn_as_large_as_asked(tmp_path: Path) -> None:
    kind, content = made.every_format()["a.pdf"]
    large = Recipe("large", Format.PNG, 960, 960)
    seen = only(content, kind, large, tmp_path)
    assert seen.size == (960, 640)
    for colour, expected in zip(made.corners(seen), made.CORNERS, strict=True):
        assert made.distance(colour, expected) <= 12


@pytest.mark.parametrize("form", [Format.PNG, Format.WEBP, Format.AVIF])
def test_transparency_stays_where_the_format_has_it(form: Format, tmp_path: Path) -> None:
    sources = {
        "RGBA": made.encoded(made.half_transparent(), "PNG"),
        "palette": made.transparent_palette_png(),
        "colour key": made.colour_key_png(),
    }
    for name, content in sources.items():
        seen = only(content, "image/png", Recipe("t", form, 40, 40, quality=95), tmp_path).convert("RGBA")
        left, right = seen.getpixel((8, 15)), seen.getpixel((32, 15))
        assert isinstance(left, tuple)
        assert isinstance(right, tuple)
        assert left[3] == 255, name
        assert right[3] == 0, name
        assert made.distance((left[0], left[1], left[2]), (255, 0, 0)) <= 12, name


def test_transparent_pixels_leave_no_dark_fringe(tmp_path: Path) -> None:
    """Red on transparent black: an edge resized without regard to alpha would turn brown."""
    recipe = Recipe("t", Format.PNG, 27, 27)
    seen = np.asarray(only(made.encoded(made.half_transparent(), "PNG"), "image/png", recipe, tmp_path))
    edge = seen[(seen[..., 3] > 16) & (seen[..., 3] < 240)]
    assert len(edge) > 0
    assert edge[:, 0].min() > 200


def test_jpeg_shows_the_background_behind_transparent_pixels(tmp_path: Path) -> None:
    content = made.encoded(made.half_transparent(), "PNG")
    for background, expected in (("#ffffff", (255, 255, 255)), ("#0000ff", (0, 0, 255))):
        recipe = Recipe("flat", Format.JPEG, 80, 80, quality=95, background=background)
        seen = only(content, "image/png", recipe, tmp_path)
        assert made.distance(made.corners(seen)[1], expected) <= 6
        assert made.distance(made.corners(seen)[0], (255, 0, 0)) <= 6


def test_an_alpha_channel_that_hides_nothing_is_dropped(tmp_path: Path) -> None:
    content = made.encoded(made.quadrants(mode="RGBA"), "PNG")
    assert only(content, "image/png", LOSSLESS, tmp_path).mode == "RGB"


def test_nothing_personal_is_left_in_a_rendition(tmp_path: Path) -> None:
    secret = b"GeheimXYZ"
    place: dict[int, made_metadata.Field] = {
        1: b"N",
        2: made_metadata.degrees(52.5),
        3: b"E",
        4: made_metadata.degrees(13.4),
    }
    content = made_metadata.jpeg(
        exif=made_metadata.exif({0x010E: secret, 0x013B: secret}, {0x9003: b"2024:01:01 00:00:00"}, place),
        xmp=made_metadata.xmp(f"<dc:title>{secret.decode()}</dc:title>"),
        iptc=made_metadata.iptc((2, 120, secret)),
        comment=secret,
    )
    assert content.count(secret) == 5
    rendered(made.kept(tmp_path, "x.jpg", content), "image/jpeg", EVERY_OUTPUT, tmp_path)
    for recipe in EVERY_OUTPUT:
        assert secret not in (tmp_path / "out" / recipe.file_name).read_bytes()
        seen = picture(tmp_path, recipe)
        assert len(seen.getexif()) == 0 or recipe.format is Format.TIFF
        assert not {"exif", "xmp", "comment", "photoshop"} & set(seen.info)


def test_the_same_source_and_recipe_give_the_same_bytes(tmp_path: Path) -> None:
    bytes_of = []
    for attempt in ("one", "two"):
        folder = tmp_path / attempt
        folder.mkdir()
        rendered(made.photograph("coffee.jpg"), "image/jpeg", EVERY_OUTPUT, folder)
        bytes_of.append([(folder / "out" / recipe.file_name).read_bytes() for recipe in EVERY_OUTPUT])
    assert bytes_of[0] == bytes_of[1]


def test_the_progressive_recipe_makes_a_progressive_jpeg(tmp_path: Path) -> None:
    with_it = Recipe("p", Format.JPEG, 200, 200, progressive=True)
    without = Recipe("b", Format.JPEG, 200, 200)
    rendered(made.photograph("coffee.jpg"), "image/jpeg", [with_it, without], tmp_path)
    assert "progressive" in picture(tmp_path, with_it).info
    assert "progressive" not in picture(tmp_path, without).info


def test_a_rendition_of_one_pixel_exists_in_every_format(tmp_path: Path) -> None:
    recipes = [Recipe(f"one-{form.value}", form, 1, 1) for form in PICTURES]
    result = rendered(made.photograph("coffee.jpg"), "image/jpeg", recipes, tmp_path)
    assert [(one.width, one.height) for one in result.made] == [(1, 1)] * len(recipes)


@pytest.mark.parametrize("kind", ["application/postscript", "text/plain", "image/x-icon", "image/x-exr", "audio/midi"])
def test_a_kind_without_a_reader_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(PictureError) as refused:
        rendered(made.photograph("coffee.jpg"), kind, SEEDS, tmp_path)
    assert refused.value.failure.code == FailureCode.UNSUPPORTED_FORMAT
    assert list((tmp_path / "out").iterdir()) == []


def test_a_full_disk_is_no_failure_of_the_picture(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        render.render(made.photograph("coffee.jpg"), "image/jpeg", SEEDS, tmp_path / "absent")
