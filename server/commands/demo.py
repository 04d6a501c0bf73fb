"""`demo`: a small brand with real pictures, from `examples/brand`."""

from __future__ import annotations

from pathlib import Path

import typer
from pydantic import TypeAdapter

from domain import assets, demo, founding, identity
from domain.assets import Content
from domain.demo import Added, Brand
from domain.hub import Hub
from domain.work import HUB
from server.opening import opened
from storage.settings import load

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "brand"


def register(app: typer.Typer) -> None:
    app.command("demo")(lay_out)


def lay_out() -> None:
    """Lay out a small brand with real pictures to try things on; running it again adds nothing."""
    brand = TypeAdapter(Brand).validate_json((FOLDER / "brand.json").read_bytes())
    with opened(load()) as hub:
        founding.found(hub)
        contents = {file: _stored(hub, FOLDER / file) for file in _files(brand)}
        # One transaction, so that two of these commands at once take turns and an interrupted one leaves nothing.
        with hub.writing(HUB) as work:
            viewer = identity.administrator(work)
        with hub.writing(viewer) as work:
            added = demo.lay_out(work, brand, contents)
    typer.echo(_told(added))


def _files(brand: Brand) -> list[str]:
    newer = [asset.newer.file for asset in brand.assets if asset.newer is not None]
    return [asset.file for asset in brand.assets] + newer


def _stored(hub: Hub, path: Path) -> Content:
    with path.open("rb") as file:
        stored = hub.blobs.put(file)
    return assets.recognise(hub.blobs, stored.sha256, stored.size, path.name)


def _told(added: Added) -> str:
    if not any((added.tags, added.assets, added.lightboxes)):
        return "The demo brand is here already: nothing was added."
    return (
        f"The demo brand “Perihelion Coffee” is laid out: {added.assets} assets, {added.tags} tags, "
        f"{added.versions} newer version, {added.approvals} approval, {added.lightboxes} lightboxes. "
        "Its renditions are made by the workers, beside `python -m server` or as `python -m workers`."
    )
