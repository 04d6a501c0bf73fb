"""Kinds of picture with readers of their own: the right colours in the right places, whatever the container."""

from pathlib import Path

import numpy as np
import pylibjxl
import pytest

from domain import media_types
from domain.recipes import FailureCode, Fit, Format, Recipe
from tests.formats import made_files, made_negatives, made_office, shown
from tests.imaging import made
from workers.imaging.failures import PictureError
from workers.imaging.formats.raw import MEDIA_TYPES as RAW_TYPES

FOUR_FIELDS = ("a.jxl", "a.svg", "a.psb", "deep.psd", "deep.tif", "a.mp4", "a.mov", "a.webm")
PHOTOSHOP = "image/vnd.adobe.photoshop"


@pytest.mark.parametrize("name", made_files.every_kind())
def test_a_file_is_recognised_for_what_it_is(name: str) -> None:
    kind, content = made_files.every_kind()[name]
    assert media_types.sniff(content[: media_types.HEAD_BYTES], name).type == kind


@pytest.mark.parametrize("name", FOUR_FIELDS)
def test_the_four_fields_stand_where_they_stood(name: str, tmp_path: Path) -> None:
    kind, content = made_files.every_kind()[name]
    seen = shown.picture(content, kind, tmp_path)
    assert seen.width == 120
    for found, meant in zip(made.corners(seen), made.CORNERS, strict=True):
        assert made.distance(found, meant) <= 6


#: Photoshop has no ink in 32 bits.
DEPTHS = [(mode, bits) for mode in ("L", "RGB", "CMYK") for bits in (8, 16, 32) if (mode, bits) != ("CMYK", 32)]


@pytest.mark.parametrize(("mode", "bits"), DEPTHS)
@pytest.mark.parametrize("version", [1, 2])
def test_photoshop_files_of_every_depth_show_the_same(bits: int, version: int, mode: str, tmp_path: Path) -> None:
    plain = shown.picture(made.photoshop(made.quadrants(mode=mode)), PHOTOSHOP, tmp_path)
    for packed in (True, False):
        content = made_files.large_photoshop(made.quadrants(mode=mode), bits, version, packed=packed)
        if mode == "CMYK" and version == 1 and bits == 8:
            continue  # Pillow's own, which `made.photoshop` writes uninverted
        seen = shown.picture(content, PHOTOSHOP, tmp_path)
        meant = made.quadrants(mode=mode) if mode != "CMYK" else None
        if meant is not None:
            assert np.abs(np.asarray(seen, np.int16) - np.asarray(plain, np.int16)).max() <= 1
        else:
            corners = made.corners(seen)
            assert corners[0][0] > corners[0][1]  # the first field is red
            assert corners[2][2] > corners[2][0]  # the third is blue


def test_a_large_photoshop_file_with_less_than_it_says_is_truncated(tmp_path: Path) -> None:
    content = made_files.large_photoshop(made.quadrants(), packed=False)
    code, _ = shown.refusal(content[:-1000], PHOTOSHOP, tmp_path)
    assert code == FailureCode.TRUNCATED


def test_jpeg_xl_keeps_its_transparency_and_leaves_its_colours_managed(tmp_path: Path) -> None:
    clear = pylibjxl.encode(np.asarray(made.half_transparent()), lossless=True)
    seen = shown.picture(clear, "image/jxl", tmp_path)
    assert seen.getpixel((10, 10)) == (255, 0, 0, 255)
    assert seen.getpixel((70, 10))[3] == 0  # type: ignore[index]  # a pixel with alpha is a tuple
    wide = pylibjxl.encode(np.asarray(made.solid((200, 60, 60))), lossless=True, icc=made.display_p3_profile())
    other = shown.picture(made.display_p3((200, 60, 60)), "image/png", tmp_path)
    red = shown.picture(wide, "image/jxl", tmp_path)
    assert made.distance(red.getpixel((9, 9)), other.getpixel((9, 9))) <= 2  # type: ignore[arg-type]  # RGB


def test_a_drawing_is_drawn_as_large_as_asked_and_stays_sharp(tmp_path: Path) -> None:
    seen = shown.picture(made_files.drawing(), "image/svg+xml", tmp_path, Recipe("large", Format.PNG, 1200, 1200))
    assert seen.size == (1200, 800)
    across = np.asarray(seen.convert("RGB"))[100, 590:610].astype(int)
    changes = np.abs(np.diff(across, axis=0)).max(axis=1)
    assert (changes > 8).sum() <= 2


@pytest.mark.parametrize(
    "named",
    ["file://{}", "{}", "data:image/svg+xml;base64,", "http://127.0.0.1:9/x.png"],
)
def test_a_drawing_reads_nothing_but_itself(named: str, tmp_path: Path) -> None:
    secret = made.kept(tmp_path, "secret.png", made.encoded(made.solid((255, 0, 0), size=(100, 100)), "PNG"))
    address = named.format(secret)
    content = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="100">'
        f'<image width="100" height="100" xlink:href="{address}"/>'
        f'<text font-size="9"><tspan>&#65;</tspan></text></svg>'
    ).encode()
    seen = shown.picture(content, "image/svg+xml", tmp_path).convert("RGBA")
    assert (255, 0, 0) not in {pixel[1][:3] for pixel in seen.getcolors(100_000) or [] if isinstance(pixel[1], tuple)}


def test_entities_of_a_drawing_do_not_open_files(tmp_path: Path) -> None:
    secret = made.kept(tmp_path, "secret.txt", b"very secret words")
    content = (
        f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file://{secret}">]>'
        '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><title>&x;</title></svg>'
    ).encode()
    code, _ = shown.refusal(content, "image/svg+xml", tmp_path)
    assert code == FailureCode.DAMAGED
    with pytest.raises(PictureError) as refused:
        shown.facts(content, "image/svg+xml", tmp_path)
    assert refused.value.failure.code == FailureCode.DAMAGED


def test_a_raw_picture_is_developed_to_the_light_that_fell_on_it(tmp_path: Path) -> None:
    seen = shown.picture(made_negatives.negative(200, 120), "image/x-adobe-dng", tmp_path)
    red, green, blue = seen.getpixel((60, 36))  # type: ignore[misc]  # RGB
    assert red > green > blue
    assert seen.size == (120, 72)


def test_a_packed_raw_picture_is_unpacked_tile_by_tile_and_turned_upright(tmp_path: Path) -> None:
    """Its colours by the white balance and the black level that it tells; developing brightens the whole a little."""
    kind, content = made_files.every_kind()["packed.dng"]
    seen = shown.picture(content, kind, tmp_path, Recipe("whole", Format.PNG, 240, 240))
    assert seen.size == (240, 160)
    for found, meant in zip(made.corners(seen), made.CORNERS, strict=True):
        assert made.distance(found, meant) <= 20


def test_a_raw_picture_that_is_no_tiff_is_developed_as_its_camera_sees(tmp_path: Path) -> None:
    """What is red, green and blue there is more so here, for a camera sees each of them in the light of the others."""
    kind, content = made_files.every_kind()["a.mrw"]
    seen = shown.picture(content, kind, tmp_path, Recipe("whole", Format.PNG, 240, 240))
    assert seen.size == (240, 160)
    red, green, blue, white = (np.array(corner) for corner in made.corners(seen))
    assert [int(each.argmax()) for each in (red, green, blue)] == [0, 1, 2]
    assert min(red[0], green[1], blue[2], white.min()) > 200
    assert max(*red[1:], green[0], green[2], *blue[:2]) < 80


def test_the_camera_s_own_preview_is_taken_only_where_it_is_large_enough(tmp_path: Path) -> None:
    """The preview is blue, the sensor's light orange: one sees which of them was shown."""
    preview = made.encoded(made.solid((20, 30, 200), size=(100, 60)), "JPEG", quality=95)
    content = made_negatives.negative(400, 240, preview=preview)
    for side, is_preview in ((100, True), (300, False)):
        recipe = Recipe("at", Format.PNG, side, side)
        seen = shown.picture(content, "image/x-adobe-dng", tmp_path, recipe)
        assert seen.size == (side, side * 6 // 10)
        red, _, blue = seen.getpixel((20, 20))  # type: ignore[misc]  # RGB
        assert (blue > red) is is_preview


def test_a_raw_picture_that_is_none_is_refused(tmp_path: Path) -> None:
    for kind in sorted(RAW_TYPES):
        code, _ = shown.refusal(b"IIRO\x08\0\0\0" + b"\0" * 400, kind, tmp_path)
        assert code in {FailureCode.DAMAGED, FailureCode.TRUNCATED, FailureCode.UNSUPPORTED_FORMAT}, kind


def test_a_film_s_poster_is_not_the_black_it_begins_with(tmp_path: Path) -> None:
    seen = shown.picture(made_files.film(3, black=1), "video/mp4", tmp_path)
    assert made.distance(made.corners(seen)[0], made.CORNERS[0]) <= 6
    dark = shown.picture(
        made_files.film(3, black=1), "video/mp4", tmp_path, Recipe("at", Format.PNG, 120, 120, at_seconds=0.4)
    )
    assert max(made.corners(dark)[0]) < 20


def test_a_moment_after_the_end_of_a_film_is_out_of_range(tmp_path: Path) -> None:
    late = Recipe("late", Format.PNG, 120, 120, at_seconds=60)
    code, sentence = shown.refusal(made_files.film(3), "video/mp4", tmp_path, late)
    assert (code, sentence) == (FailureCode.OUT_OF_RANGE, "The film is shorter than the moment asked for.")


def test_a_play_list_that_names_other_files_is_no_film(tmp_path: Path) -> None:
    made.kept(tmp_path, "secret.mp4", made_files.film(3))
    content = f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://{tmp_path}/secret.mp4\n#EXT-X-ENDLIST\n".encode()
    for kind in ("video/mp4", "video/mp2t", "audio/mpeg", "video/mpeg"):
        code, _ = shown.refusal(content, kind, tmp_path)
        assert code in {FailureCode.DAMAGED, FailureCode.UNSUPPORTED_FORMAT}


def test_a_waveform_is_high_where_the_sound_is_loud(tmp_path: Path) -> None:
    sound = made_files.waves((1, 0.2), (1, 0.9), (1, 0.05))
    seen = shown.picture(sound, "audio/wav", tmp_path, Recipe("wave", Format.PNG, 800, 200))
    ink = (np.asarray(seen.convert("L")) < 128).sum(axis=0)
    first, second, third = (ink[at * 800 // 3 + 60 : at * 800 // 3 + 200].max() for at in range(3))
    assert second > 150
    assert 25 < first < 60
    assert 5 < third < 25


def test_a_film_that_holds_sound_only_is_shown_as_its_waveform(tmp_path: Path) -> None:
    heard = made_files.recording(2, "mp4", "aac")
    seen = shown.picture(heard, "video/mp4", tmp_path, Recipe("wave", Format.PNG, 400, 400))
    assert seen.size == (400, 100)
    assert (np.asarray(seen.convert("L")) < 128).any()


def test_a_specimen_shows_the_font_s_own_letters(tmp_path: Path) -> None:
    seen = shown.picture(made_files.font(), "font/ttf", tmp_path, Recipe("specimen", Format.PNG, 800, 500))
    assert seen.size == (800, 500)
    ink = np.asarray(seen.convert("L")) < 128
    assert ink[40:260, :400].sum() > 3000
    assert all(ink[top : top + 50].any() for top in (290, 354, 418))


@pytest.mark.parametrize("name", ["a.otf", "a.woff", "a.woff2"])
def test_fonts_of_every_sort_show_the_same_letters(name: str, tmp_path: Path) -> None:
    """They are all the same font: PostScript outlines, and two packings for the web. Only the large letters are held to
    each other, for what was taken out of some of the files is how far letters stand apart.
    """
    recipe = Recipe("specimen", Format.PNG, 800, 500)
    kind, content = made_files.every_kind()[name]
    seen = shown.picture(content, kind, tmp_path, recipe).convert("L")
    plain = shown.picture(made_files.font(), "font/ttf", tmp_path, recipe).convert("L")
    ink = [np.asarray(one)[:270] < 128 for one in (seen, plain)]
    assert (ink[0] ^ ink[1]).sum() < 0.03 * ink[1].sum() > 300


def test_what_an_archive_lists_is_drawn_as_a_page(tmp_path: Path) -> None:
    content = made_office.archive(first__txt=b"1" * 2000, second__jpg=b"2")
    seen = shown.picture(content, "application/zip", tmp_path, Recipe("page", Format.PNG, 420, 595))
    assert seen.size == (420, 595)
    ink = (np.asarray(seen.convert("L")) < 128).any(axis=1)
    lines = int((np.diff(ink.astype(int)) == 1).sum())
    assert lines >= 3


@pytest.mark.parametrize(("page", "corner"), [(0, 60), (1, 80)])
def test_any_page_of_a_document_can_be_shown(page: int, corner: int, tmp_path: Path) -> None:
    content = made_files.pages("First", "Second")
    seen = shown.picture(content, "application/pdf", tmp_path, Recipe("page", Format.PNG, 300, 300, page=page))
    rows = np.nonzero((np.asarray(seen.convert("L")) < 128).any(axis=1))[0]
    assert abs((200 - rows.max()) - corner) <= 8


def test_any_page_of_a_tiff_can_be_shown_and_none_beyond(tmp_path: Path) -> None:
    content = made.animation("TIFF", 3)
    second = shown.picture(content, "image/tiff", tmp_path, Recipe("p", Format.PNG, 60, 60, page=1))
    assert second.convert("RGB").getpixel((5, 5)) == (30, 0, 220)
    for kind, data in (
        ("image/tiff", content),
        ("application/pdf", made_files.pages("One")),
        ("image/jpeg", made.photograph("coffee.jpg").read_bytes()),
        ("image/jxl", made_files.jpeg_xl()),
    ):
        code, sentence = shown.refusal(data, kind, tmp_path, Recipe("p", Format.PNG, 60, 60, page=7))
        assert code == FailureCode.OUT_OF_RANGE
        assert "page 8" in sentence


def test_a_crop_of_a_drawing_is_as_sharp_as_the_whole(tmp_path: Path) -> None:
    recipe = Recipe("square", Format.PNG, 400, 400, Fit.COVER)
    assert shown.picture(made_files.drawing(), "image/svg+xml", tmp_path, recipe).size == (400, 400)


@pytest.mark.parametrize("name", ["a.svg", "a.pdf"])
def test_a_region_of_what_has_no_pixels_is_named_in_its_own_units(name: str, tmp_path: Path) -> None:
    """The second quarter of the drawing, at several times its own size."""
    content = made_files.drawing() if name == "a.svg" else made.encoded(made.quadrants(), "PDF", resolution=72)
    kind = "image/svg+xml" if name == "a.svg" else "application/pdf"
    recipe = Recipe("part", Format.PNG, 480, 480, region=(120, 0, 120, 80))
    seen = shown.picture(content, kind, tmp_path, recipe)
    assert seen.size == (480, 320)
    for found in made.corners(seen):
        assert made.distance(found, made.CORNERS[1]) <= 6
