"""Recipes: what may be asked for, and which requests are the same."""

import dataclasses

import pytest

from domain import recipes, refusals
from domain.recipes import Fit, Format, Recipe

WEB = Recipe("web", Format.JPEG, 1600, 1600, quality=82, progressive=True)


def test_the_seeds_are_a_thumbnail_a_web_picture_and_an_avif() -> None:
    assert [(r.preset, r.format.media_type, r.width, r.quality) for r in recipes.SEEDS] == [
        ("thumb", "image/webp", 320, 80),
        ("web", "image/jpeg", 1600, 82),
        ("avif", "image/avif", 800, 60),
    ]


def test_the_digest_does_not_depend_on_the_name() -> None:
    assert dataclasses.replace(WEB, preset="large").params_digest == WEB.params_digest


def test_the_digest_of_a_recipe_never_changes_unnoticed() -> None:
    assert WEB.params_digest == "2066424d89de863abcc7d1d5ea08507ed151abd1dfe6458fd928d5e5fc1b7b8e"


@pytest.mark.parametrize(
    "change",
    [{"width": 1599}, {"height": 1599}, {"quality": 81}, {"fit": Fit.COVER}, {"progressive": False},
     {"background": "#000000"}, {"format": Format.WEBP}],
)  # fmt: skip
def test_whatever_changes_the_bytes_changes_the_digest(change: dict[str, object]) -> None:
    assert dataclasses.replace(WEB, **change).params_digest != WEB.params_digest  # type: ignore[arg-type]


def test_a_knob_the_format_ignores_does_not_change_the_digest() -> None:
    assert dataclasses.replace(WEB, speed=3).params_digest == WEB.params_digest
    lossless = Recipe("p", Format.PNG, 10, 10, quality=50)
    assert dataclasses.replace(lossless, quality=90).params_digest == lossless.params_digest


@pytest.mark.parametrize(
    ("field", "value"),
    [("preset", ""), ("preset", "Upper"), ("preset", "../etc"), ("preset", "a" * 41), ("width", 0), ("width", 16_384),
     ("height", -1), ("quality", 0), ("quality", 101), ("speed", 11), ("background", "white"),
     ("background", "#FFFFFF"), ("background", "#fffffff")],
)  # fmt: skip
def test_a_recipe_out_of_range_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    with pytest.raises(refusals.Invalid) as refused:
        dataclasses.replace(WEB, **{field: value})  # type: ignore[arg-type]
    assert refused.value.path == (field,)
    assert refused.value.message.endswith(".")


def test_only_failures_of_circumstance_are_worth_another_try() -> None:
    assert {code for code in recipes.FailureCode if code.is_retryable} == {
        "TIMEOUT",
        "OUT_OF_MEMORY",
        "CRASHED",
        "NOT_INSTALLED",
    }
