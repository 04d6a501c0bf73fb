"""What comes by many at once is declared own work where somebody says so, and can be approved."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import importing
from domain.hub import Hub
from domain.work import Viewer
from storage.tables import AssetRightsRow, AssetRow, OwnWorkRow
from tests.asking import Client
from tests.assets.acts import accepted, picture
from tests.importing.folders import write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


def own(hub: Hub) -> list[str]:
    """Titles of the assets that are under their organisation's own licence."""
    rows = (
        sa.select(AssetRow.title)
        .join(AssetRightsRow, AssetRightsRow.asset_id == AssetRow.id)
        .join(OwnWorkRow, OwnWorkRow.license_id == AssetRightsRow.license_id)
        .order_by(AssetRow.title)
    )
    with hub.database.reading() as session:
        return list(session.scalars(rows))


def brought(hub: Hub, admin: Viewer, folder: Path, *, own_work: bool) -> None:
    told = {"threads": 3, "tag_folders": False, "stop": threading.Event()}
    assert list(importing.run(hub, admin, folder, own_work=own_work, **told))  # type: ignore[arg-type]  # of many kinds


def test_a_folder_of_own_work_is_declared_and_what_was_here_already_is_not(
    hub: Hub, admin: Viewer, folder: Path
) -> None:
    write(folder, "a.png")
    brought(hub, admin, folder, own_work=False)
    assert own(hub) == []
    write(folder, "b.png", "c.png", "d.png")
    (folder / "again.png").write_bytes((folder / "a.png").read_bytes())
    brought(hub, admin, folder, own_work=True)
    assert own(hub) == ["b", "c", "d"]


@pytest.mark.parametrize("own_work", [False, True])
def test_the_hot_folder_declares_what_the_operator_says(hub: Hub, folder: Path, own_work: bool) -> None:
    write(folder, "a.png")
    told = {"hot_folder": str(folder), "hot_folder_seconds": 0, "hot_folder_own_work": own_work}
    watching = dataclasses.replace(hub, settings=hub.settings.model_copy(update=told))
    assert len(list(importing.watch(watching, folder, stop=threading.Event()))) == 1
    assert own(hub) == (["a"] if own_work else [])


def test_a_session_of_own_work_declares_each_of_its_files(hub: Hub, client: Client) -> None:
    for name, own_work in (("Bought", False), ("Ours", True)):
        terms = {"name": name, "ownWork": own_work}
        session = accepted(client.mutate("uploadSessionOpen", "session { id }", terms=terms))["session"]
        upload = client.upload(picture(1 if own_work else 2), f"{name}.png")
        told = {"session": session["id"], "uploads": [{"upload": upload}]}
        accepted(client.mutate("uploadSessionAdd", "session { id }", **told))
    assert own(hub) == ["Ours"]
