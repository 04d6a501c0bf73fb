"""GraphiQL in a real browser, over the real server: questions over HTTP, and subscriptions over a WebSocket."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.iiif.house import TOKEN, open_house
from tests.imaging import made
from tests.servers import npm

HERE = Path(__file__).parent


@pytest.mark.timeout(600)
def test_the_explorer_answers_and_follows(request: pytest.FixtureRequest, tmp_path: Path, chromium: str) -> None:
    driver = npm.required(request.config, HERE / "npm")
    shutil.copytree(HERE / "scripts", tmp_path / "scripts")
    (tmp_path / "scripts" / "node_modules").symlink_to(driver / "node_modules")
    with open_house(tmp_path / "data") as house:
        asset = house.asset(made.encoded(made.quadrants(40, 30), "PNG"), "quadrants.png")
        done = subprocess.run(
            ["node", "explore.mjs", chromium, f"{house.program.address()}/graphql", TOKEN, asset, str(tmp_path)],
            cwd=tmp_path / "scripts",
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["complaints"] == []
    assert json.loads(found["answer"])["data"] == {"me": {"__typename": "Viewer"}}
    told = json.loads(found["told"])["data"]["assetChanged"]
    assert told["change"] == "UPDATED"
    assert told["asset"]["title"].startswith("Renamed ")
