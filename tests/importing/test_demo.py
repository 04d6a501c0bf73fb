"""The demo brand: whole, licensed, and laid out only once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from domain import assets, demo
from domain.assets import Content
from domain.demo import Added, Brand
from domain.hub import Hub
from domain.work import Viewer
from server.commands.demo import FOLDER
from tests.asking import Client, rows_everywhere
from tests.importing.folders import outcomes

ROOT = Path(__file__).parents[2]
WHOLE = Added(tags=9, assets=8, versions=1, approvals=1, lightboxes=2)


@pytest.fixture
def brand() -> Brand:
    return TypeAdapter(Brand).validate_json((FOLDER / "brand.json").read_bytes())


@pytest.fixture
def contents(hub: Hub) -> dict[str, Content]:
    found = {}
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in {".jpg", ".png"}:
            with path.open("rb") as file:
                stored = hub.blobs.put(file)
            found[path.name] = assets.recognise(hub.blobs, stored.sha256, stored.size, path.name)
    return found


def test_every_picture_of_the_demo_is_used_and_has_a_line_on_where_it_comes_from(brand: Brand) -> None:
    there = {path.name for path in FOLDER.iterdir()} - {"brand.json", "PROVENANCE.md"}
    used = {asset.file for asset in brand.assets} | {asset.newer.file for asset in brand.assets if asset.newer}
    assert used == there
    provenance = (FOLDER / "PROVENANCE.md").read_text()
    assert [name for name in sorted(there) if f"| `{name}` |" not in provenance] == []
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2_000_000


def test_the_demo_brand_has_tags_in_a_hierarchy_versions_an_approval_and_lightboxes(
    hub: Hub, admin: Viewer, client: Client, brand: Brand, contents: dict[str, Content]
) -> None:
    with hub.writing(admin) as work:
        assert demo.lay_out(work, brand, contents) == WHOLE
    told = client.ask(
        """{
          assets(first: 100) {
            nodes { title lifecycle tags { name parent { name } } versions { totalCount } approved { fileName } }
          }
          lightboxes { nodes { title assets { nodes { title } } } }
        }"""
    )
    by_title = {node["title"]: node for node in told["assets"]["nodes"]}
    cup, mark = by_title["First cup of the morning"], by_title["Perihelion mark, dark on light"]
    assert cup["versions"]["totalCount"] == 2
    assert {(tag["name"], tag["parent"]["name"]) for tag in cup["tags"]} == {
        ("Coffee", "Subject"),
        ("Closest to the Sun 2026", "Campaign"),
    }
    assert (mark["lifecycle"], mark["approved"]["fileName"]) == ("APPROVED", "logo.png")
    chosen = {box["title"]: [each["title"] for each in box["assets"]["nodes"]] for box in told["lightboxes"]["nodes"]}
    assert chosen["Early risers, autumn magazine"] == [
        "Commander",
        "First cup of the morning",
        "Chelsea, our roastery cat",
    ]


def test_laying_it_out_again_adds_nothing(hub: Hub, admin: Viewer, brand: Brand, contents: dict[str, Content]) -> None:
    with hub.writing(admin) as work:
        demo.lay_out(work, brand, contents)
    before = rows_everywhere(hub)
    with hub.writing(admin) as work:
        assert demo.lay_out(work, brand, contents) == Added(0, 0, 0, 0, 0)
    assert rows_everywhere(hub) == before


def test_pictures_that_were_imported_before_stay_as_they_are(
    hub: Hub, admin: Viewer, client: Client, brand: Brand, contents: dict[str, Content], tmp_path: Path
) -> None:
    (tmp_path / "mine.jpg").write_bytes((FOLDER / "coffee.jpg").read_bytes())
    (tmp_path / "warm.jpg").write_bytes((FOLDER / "coffee-warm.jpg").read_bytes())
    outcomes(hub, admin, tmp_path)
    with hub.writing(admin) as work:
        added = demo.lay_out(work, brand, contents)
    assert (added.assets, added.versions, added.lightboxes) == (7, 0, 2)
    titles = {node["title"] for node in client.ask("{ assets { nodes { title } } }")["assets"]["nodes"]}
    assert {"mine", "warm"} <= titles
    assert "First cup of the morning" not in titles


def test_the_command_lays_it_out_once_on_an_empty_data_dir(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "server", "demo"]
    environment = {**os.environ, "IMPRIMATUR_DATA_DIR": str(tmp_path / "data")}
    first, second = (
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert "8 assets, 9 tags, 1 newer version, 1 approval, 2 lightboxes" in first
    assert second == "The demo brand is here already: nothing was added.\n"
