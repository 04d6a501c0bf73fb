"""A picture of 201 megapixels looked at from afar and from close by: cut once, and every tile shows what stands there.

How long that takes is `python -m bench.deepzoom`'s to say.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from domain.hub import Hub
from domain.work import HUB, Viewer
from storage.tables import JobRow, TransformRow
from tests.iiif.conftest import Gallery

SIZE = (16_384, 12_288)
TILE = 512
ACROSS, DOWN = SIZE[0] // TILE, SIZE[1] // TILE


def greys() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Of every tile its own grey, none like its neighbours'."""
    places = np.arange(ACROSS * DOWN).reshape(DOWN, ACROSS)
    found: np.ndarray[tuple[int, int], np.dtype[np.uint8]] = (30 + places * 71 % 200).astype(np.uint8)
    return found


def content() -> bytes:
    whole = greys().repeat(TILE, axis=0).repeat(TILE, axis=1)
    target = io.BytesIO()
    Image.fromarray(whole).save(target, "JPEG", quality=90)
    return target.getvalue()


def seen(gallery: Gallery, path: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    answer = gallery.get(path)
    assert answer.status_code == 200
    with Image.open(io.BytesIO(answer.content)) as opened:
        return np.asarray(opened.convert("L"))


@pytest.mark.timeout(900)
def test_every_tile_of_201_megapixels_shows_what_stands_there_at_every_distance(
    hub: Hub, hang: Callable[..., Gallery], admin: Viewer
) -> None:
    gallery, meant = hang(admin, content(), "city.jpg"), greys()
    base = gallery.iiif()
    told = gallery.get(f"{base}/info.json").json()
    assert (told["width"], told["height"]) == SIZE
    assert told["tiles"] == [{"width": TILE, "scaleFactors": [1, 2, 4, 8, 16, 32]}]
    for column, row in ((0, 0), (ACROSS - 1, 0), (0, DOWN - 1), (ACROSS - 1, DOWN - 1), (17, 11)):
        left, top = column * TILE, row * TILE
        tile = seen(gallery, f"{base}/{left},{top},{TILE},{TILE}/{TILE},{TILE}/0/default.jpg")
        assert tile.shape == (TILE, TILE)
        assert np.abs(tile.astype(int) - int(meant[row, column])).max() <= 3
    for factor in (2, 8, 32):
        wide, high = min(TILE * factor, SIZE[0]), min(TILE * factor, SIZE[1])
        tile = seen(gallery, f"{base}/0,0,{wide},{high}/{wide // factor},{high // factor}/0/default.jpg")
        side = TILE // factor
        middles = tile[side // 2 :: side, side // 2 :: side].astype(int)
        assert np.abs(middles - meant[: high // TILE, : wide // TILE]).max() <= 6
    with hub.reading(HUB) as work:
        (kept,) = work.session.scalars(sa.select(TransformRow))
        assert (kept.kind, kept.state, kept.width, kept.height) == ("PYRAMID", "READY", *SIZE)
        jobs = sa.select(sa.func.count()).select_from(JobRow).where(JobRow.kind == "build_pyramid")
        assert work.session.scalar(jobs) == 1
