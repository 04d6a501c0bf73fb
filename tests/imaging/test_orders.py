"""What a studio is asked, and how its answers are understood: whole, in the size that was asked for, or not at all."""

from __future__ import annotations

import pytest

from domain import studio
from domain.recipes import Colour, Fit, Format, Recipe
from domain.statements import Statement
from domain.studio import Order, Picture

SHA256 = "a" * 64
RECIPE = Recipe("transform", Format.JPEG, 100, 100)


@pytest.mark.parametrize(
    ("recipe", "is_small"),
    [
        (Recipe("transform", Format.JPEG, 300, 16_383), True),
        (Recipe("transform", Format.WEBP, 1400, 1400, Fit.COVER), True),
        (Recipe("transform", Format.JPEG, 1500, 1500, Fit.COVER), False),
        (Recipe("transform", Format.JPEG, 300, 300, enlarge=True), False),
        (Recipe("transform", Format.AVIF, 300, 300), False),
        (Recipe("transform", Format.JPEG, 300, 300, colour=Colour.CMYK), False),
        (Recipe("transform", Format.JPEG, 300, 300, watermark="Not approved"), False),
        (Recipe("transform", Format.JPEG, 300, 300, page=1), False),
    ],
)
def test_only_small_still_pictures_for_the_screen_are_made_at_once(recipe: Recipe, *, is_small: bool) -> None:
    assert studio.is_small(recipe) is is_small


def test_half_an_answer_is_none() -> None:
    recipe = Recipe("transform", Format.JPEG, 300, 200)
    whole = studio.answer(Picture(300, 200, b"picture"))
    assert studio.understood(whole, recipe) == Picture(300, 200, b"picture")
    for said in (b"", whole[:5], whole[:-1], whole + b"!", studio.answer(Picture(0, 9, b"x"))):
        assert studio.understood(said, recipe) is None


def test_an_order_is_heard_as_it_was_told() -> None:
    order = Order(SHA256, Recipe("transform", Format.JPEG, 300, 200, region=(1, 2, 3, 4)))
    said = studio.told(order) or b""
    assert (studio.digest_of(said), studio.heard(said)) == (SHA256, order)


def test_an_order_that_is_too_long_or_of_no_file_is_not_told() -> None:
    said = Statement(notice="x" * studio.LONGEST)
    assert studio.told(Order(SHA256, Recipe("transform", Format.JPEG, 1, 1, statement=said))) is None
    assert studio.told(Order("a", RECIPE)) is None


def test_an_answer_is_whole_when_all_that_it_announced_is_there() -> None:
    whole = studio.answer(Picture(300, 200, b"picture"))
    assert [studio.is_whole(whole[:length]) for length in range(len(whole) + 1)] == [False] * len(whole) + [True]
    assert studio.is_whole(studio.NOTHING)
    assert studio.understood(studio.NOTHING, RECIPE) is None
