"""What the parts of an address ask for, by the text of the Image API 3.0."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.iiif import NotSupported, asked, pyramids, requests
from domain.recipes import Format
from domain.refusals import Invalid

WIDTH, HEIGHT = 300, 200


def region(text: str) -> requests.Region:
    return asked(WIDTH, HEIGHT, text, "max", "0", "default.jpg").region


def size(text: str, shown: str = "full") -> requests.Size:
    return asked(WIDTH, HEIGHT, shown, text, "0", "default.jpg").size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("full", (0, 0, 300, 200)),
        ("square", (50, 0, 200, 200)),
        ("10,20,30,40", (10, 20, 30, 40)),
        ("290,190,100,100", (290, 190, 10, 10)),  # cropped at the edges
        ("pct:10,10,50,50", (30, 20, 150, 100)),
        ("pct:41.6,7.5,40,70", (125, 15, 120, 140)),
        ("pct:.5,0,99.5,100", (2, 0, 298, 200)),
    ],
)
def test_a_region_is_in_pixels_of_the_picture(text: str, expected: requests.Region) -> None:
    assert region(text) == expected


@pytest.mark.parametrize(
    ("text", "shown", "expected"),
    [
        ("max", "full", (300, 200)),
        ("150,", "full", (150, 100)),
        (",150", "full", (225, 150)),
        ("pct:50", "full", (150, 100)),
        ("225,100", "full", (225, 100)),  # distorted
        ("!225,100", "full", (150, 100)),
        ("!1000,1000", "full", (300, 200)),
        ("300,", "full", (300, 200)),
        ("max", "10,10,20,10", (20, 10)),
        ("pct:100", "10,10,20,10", (20, 10)),
        ("10,", "0,0,300,1", None),  # no row would be left
    ],
)
def test_a_size_is_in_pixels_of_the_answer(text: str, shown: str, expected: requests.Size | None) -> None:
    if expected is None:
        with pytest.raises(Invalid):
            size(text, shown)
    else:
        assert size(text, shown) == expected


def test_the_largest_answer_keeps_the_shape_within_what_is_answered_at_most() -> None:
    width, height = requests.largest((0, 0, 16_384, 12_288))
    assert width * height <= requests.MOST_PIXELS < (width + 2) * (height + 2)
    assert abs(width / height - 4 / 3) < 0.001
    assert requests.largest((0, 0, 90_000, 20)) == (16_383, 3)


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("half/max/0/default.jpg", Invalid),
        ("1,2,3/max/0/default.jpg", Invalid),
        ("-1,0,3,3/max/0/default.jpg", Invalid),
        ("1.5,0,3,3/max/0/default.jpg", Invalid),
        ("0,0,0,3/max/0/default.jpg", Invalid),
        ("300,0,3,3/max/0/default.jpg", Invalid),
        ("pct:0,0,0,3/max/0/default.jpg", Invalid),
        ("pct:.,0,1,1/max/0/default.jpg", Invalid),
        ("pct:100,0,1,1/max/0/default.jpg", Invalid),
        ("full/full/0/default.jpg", Invalid),  # of version 2
        ("full/0,/0/default.jpg", Invalid),
        ("full/301,/0/default.jpg", Invalid),
        ("full/,201/0/default.jpg", Invalid),
        ("full/pct:101/0/default.jpg", Invalid),
        ("full/pct:0/0/default.jpg", Invalid),
        ("full/!10,/0/default.jpg", Invalid),
        ("full/,/0/default.jpg", Invalid),
        ("full/١٠,/0/default.jpg", Invalid),  # digits of another script
        ("full/max/361/default.jpg", Invalid),
        ("full/max/-90/default.jpg", Invalid),
        ("full/max/left/default.jpg", Invalid),
        ("full/max//default.jpg", Invalid),
        ("full/max/0/lovely.jpg", Invalid),
        ("full/max/0/default.exe", Invalid),
        ("full/max/0/default", Invalid),
        ("full/^max/0/default.jpg", NotSupported),
        ("full/^600,/0/default.jpg", NotSupported),
        ("full/max/45/default.jpg", NotSupported),
        ("full/max/!0/default.jpg", NotSupported),
        ("full/max/0/default.tif", NotSupported),
    ],
)
def test_what_cannot_be_read_and_what_is_not_done_are_told_apart(path: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        asked(WIDTH, HEIGHT, *path.split("/"))


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("full/max/0/default.jpg", "full/max/0/default.jpg"),
        ("0,0,300,200/300,200/0/color.jpg", "full/max/0/default.jpg"),
        ("pct:0,0,50,50/pct:50/360/gray.png", "0,0,150,100/75,50/0/gray.png"),
        ("square/,100/90.0/default.webp", "50,0,200,200/100,100/90/default.webp"),
    ],
)
def test_every_request_has_one_canonical_spelling(path: str, canonical: str) -> None:
    assert asked(WIDTH, HEIGHT, *path.split("/")).canonical == canonical
    assert asked(WIDTH, HEIGHT, *canonical.split("/")).canonical == canonical


def test_only_plain_jpegs_are_answered_by_tiles() -> None:
    def tile(path: str) -> int | None:
        return asked(1500, 900, *path.split("/")).tile

    assert tile("0,0,512,512/512,512/0/default.jpg") == 0
    assert tile("0,0,512,512/512,/0/color.jpg") == 0
    assert tile("1024,512,476,388/476,388/0/default.jpg") == 5
    assert tile("1024,512,476,388/max/0/default.jpg") == 5
    assert tile("0,0,1024,900/512,450/0/default.jpg") == 6
    assert tile("full/375,225/0/default.jpg") == 8
    for other in (
        "0,0,512,512/512,512/90/default.jpg",
        "0,0,512,512/512,512/0/gray.jpg",
        "0,0,512,512/512,512/0/default.png",
        "0,0,512,512/511,512/0/default.jpg",
        "1,0,512,512/512,512/0/default.jpg",
        "0,0,511,512/511,512/0/default.jpg",
    ):
        assert tile(other) is None, other


sides = st.integers(1, 20_000)


@given(sides, sides)
def test_levels_halve_until_one_tile_is_left_and_number_every_tile_once(width: int, height: int) -> None:
    levels = pyramids.levels(width, height)
    assert (levels[0].width, levels[0].height) == (width, height)
    assert max(levels[-1].width, levels[-1].height) <= pyramids.TILE
    expected = 0
    for level in levels:
        assert (level.width, level.height) == (-(-width // level.scale), -(-height // level.scale))
        assert level.first == expected
        expected += level.columns * level.rows
    assert pyramids.tile_count(width, height) == expected


@given(sides, sides, st.data())
def test_every_tile_is_found_by_its_region_and_by_no_other_size(width: int, height: int, data: st.DataObject) -> None:
    level = data.draw(st.sampled_from(pyramids.levels(width, height)))
    column = data.draw(st.integers(0, level.columns - 1))
    row = data.draw(st.integers(0, level.rows - 1))
    step = pyramids.TILE * level.scale
    left, top = column * step, row * step
    region = (left, top, min(step, width - left), min(step, height - top))
    size = (
        min(pyramids.TILE, level.width - column * pyramids.TILE),
        min(pyramids.TILE, level.height - row * pyramids.TILE),
    )
    assert pyramids.tile_for(width, height, region, size) == level.tile(column, row)
    assert pyramids.tile_for(width, height, region, (size[0] + 1, size[1])) is None


@given(sides, sides, st.data())
def test_a_part_is_made_of_the_smallest_level_that_has_the_pixels_and_of_tiles_that_cover_it(
    width: int, height: int, data: st.DataObject
) -> None:
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    region = (left, top, data.draw(st.integers(1, width - left)), data.draw(st.integers(1, height - top)))
    size = data.draw(st.integers(1, region[2])), data.draw(st.integers(1, region[3]))
    level = pyramids.level_for(width, height, region, size)
    across, down = level.width / width, level.height / height
    box = (left * across, top * down, (left + region[2]) * across, (top + region[3]) * down)
    tiles = list(pyramids.covering(level, box))
    assert tiles
    assert min(x for x, _, _ in tiles) <= box[0]
    assert min(y for _, y, _ in tiles) <= box[1]
    assert max(x for x, _, _ in tiles) + pyramids.TILE >= box[2] - 1e-6
    assert max(y for _, y, _ in tiles) + pyramids.TILE >= box[3] - 1e-6
    assert size[0] * level.scale <= region[2] or level.scale == 1


def test_an_index_of_another_picture_is_refused() -> None:
    index = pyramids.index_of([5, 7, 9])
    with pytest.raises(ValueError, match="no index"):
        pyramids.spans(index, 100, 100)
    assert pyramids.spans(pyramids.index_of([5]), 100, 100) == [pyramids.Span(0, 5)]


def test_the_formats_of_level_two_are_answered() -> None:
    assert {"jpg": Format.JPEG, "png": Format.PNG}.items() <= requests.FORMATS.items()
