"""The example's page in a real browser: OpenSeadragon in Chromium, over the real server."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pytest
from PIL import Image

from domain.iiif import asked
from tests.iiif.house import TOKEN, House, open_house
from tests.servers import npm

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "deepzoom"
#: Large enough for five levels; every quarter has a colour of its own.
SIZE = (6000, 4400)
QUARTERS = ((200, 40, 40), (40, 160, 40), (40, 40, 200), (220, 200, 40))
PATIENCE = 240


def quarters() -> bytes:
    """Clockwise from the upper left, with some grain, so that tiles have something to hold."""
    picture = Image.new("RGB", SIZE)
    wide, high = SIZE[0] // 2, SIZE[1] // 2
    for colour, place in zip(QUARTERS, ((0, 0), (wide, 0), (wide, high), (0, high)), strict=True):
        picture.paste(colour, (*place, place[0] + wide, place[1] + high))
    grain = np.random.default_rng(7).integers(-6, 7, (SIZE[1], SIZE[0], 1), dtype=np.int16)
    content = io.BytesIO()
    noisy = np.clip(np.asarray(picture, np.int16) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(noisy, "RGB").save(content, "JPEG", quality=90)
    return content.getvalue()


@contextmanager
def page(folder: Path, packages: Path, hub: str) -> Iterator[str]:
    """The example as it stands, with what npm brought; its address without the asset."""
    shutil.copytree(EXAMPLE, folder / "page")
    (folder / "page" / "node_modules").symlink_to(packages / "node_modules")
    told = {"IMPRIMATUR_HUB": hub, "IMPRIMATUR_TOKEN": TOKEN, "PORT": "0", "PATH": npm_path()}
    with subprocess.Popen(
        ["node", "serve.mjs"], cwd=folder / "page", env=told, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            said = server.stdout.readline()
            found = re.match(r"(http://127\.0\.0\.1:\d+/\?asset=)", said)
            assert found, said
            yield found[1]
        finally:
            server.kill()


def npm_path() -> str:
    node = shutil.which("node")
    assert node is not None
    return str(Path(node).parent)


def looked_at(house: House, request: pytest.FixtureRequest, folder: Path, chromium: str, asset: str) -> dict[str, Any]:
    driver = npm.required(request.config, HERE / "npm")
    viewer = npm.required(request.config, EXAMPLE)
    shutil.copytree(HERE / "scripts", folder / "scripts")
    (folder / "scripts" / "node_modules").symlink_to(driver / "node_modules")
    with page(folder, viewer, house.program.address()) as address:
        done = subprocess.run(
            ["node", "zoom.mjs", chromium, address + quote(asset), str(folder)],
            cwd=folder / "scripts",
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(600)
def test_a_picture_is_looked_at_closely_in_a_browser(
    request: pytest.FixtureRequest, tmp_path: Path, chromium: str
) -> None:
    npm.required(request.config, HERE / "npm")
    with open_house(tmp_path / "data") as house:
        asset = house.asset(quarters(), "quarters.jpg")
        found = looked_at(house, request, tmp_path, chromium, asset)
        assert urlsplit(house.look(asset)["iiif"]["url"]).path.startswith("/iiif/3/")
    assert found["complaints"] == []
    assert (found["size"]["x"], found["size"]["y"]) == SIZE
    for seen, colour in zip(found["seen"], QUARTERS, strict=True):
        assert max(abs(one - other) for one, other in zip(seen, colour, strict=True)) < 14, found["seen"]
    # Everything that the viewer asked for was a tile: nothing had to be made beside the pyramid.
    assert found["tiles"] >= 12
    assert {200} <= set(found["statuses"]) <= {200, 503}
    assert [part for part in found["parts"] if asked(*SIZE, *part.split("/")).tile is None] == []
    for shot in ("whole.png", "close.png"):
        with Image.open(tmp_path / shot) as seen:
            assert seen.size == (1024, 768)
