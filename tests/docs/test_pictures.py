"""The pictures of the documentation are what the hub makes today, and every one is shown somewhere."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from domain import channels
from tests.docs.pictures import HERE, PICTURES

PAGE = HERE.parent / "renditions.md"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_the_documentation_is_what_the_hub_makes(name: str) -> None:
    fresh = PICTURES[name]()
    with Image.open(HERE / name) as kept:
        assert kept.size == fresh.size
        difference = np.asarray(kept.convert("RGB"), np.int16) - np.asarray(fresh, np.int16)
    assert np.sqrt((difference.astype(float) ** 2).mean()) < 8, "make them anew: python -m tests.docs.pictures"


def test_every_picture_is_shown_and_is_small() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert {path.name for path in HERE.glob("*.jpg")} >= set(PICTURES)
    for name in PICTURES:
        assert f"](pictures/{name})" in page
        assert (HERE / name).stat().st_size < 120_000


def test_every_preset_of_a_channel_stands_in_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for channel, recipe in channels.seeds():
        assert f"| `{recipe.preset}` | {channel.name} | {recipe.width} × {recipe.height} |" in page, recipe.preset
