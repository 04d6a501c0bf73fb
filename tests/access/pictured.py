"""Addresses of pictures that are made when they are opened, with everything made already."""

from __future__ import annotations

import io
from collections.abc import Mapping

import httpx

from domain import iiif, transforms
from domain.hub import Hub
from domain.iiif import pyramids
from domain.recipes import Format, Recipe
from domain.transforms import Made, Wanted
from domain.work import HUB, Viewer
from storage.tables import AssetVersionRow
from tests.assets import acts
from tests.delivery.brand import Brand

RECIPE = Recipe("transform", Format.PNG, 10, 10)
SIZE = (42, 30)


def picture(hub: Hub, brand: Brand, number: int) -> AssetVersionRow:
    """The version of a new asset, read, and with its tiles."""
    version = brand.asset(acts.picture(number), f"picture{number}.png")
    with hub.writing(HUB) as work:
        row = work.session.get_one(AssetVersionRow, version.id)
        row.width, row.height = SIZE
        work.session.flush()
        tile = f"the one tile of {number}".encode()
        made = hub.blobs.put(io.BytesIO(tile + pyramids.index_of([len(tile)])))
        pyramid = transforms.ask(work, Wanted(version.sha256, transforms.PYRAMID))
        transforms.finish(work, pyramid, Made(made.sha256, made.size, "image/jpeg", *SIZE, index_at=len(tile)))
        return row


def addresses(hub: Hub, version: AssetVersionRow, viewers: Mapping[str, Viewer], original: str) -> dict[str, str]:
    """By the names of the table; what the transform makes stands ready."""
    found: dict[str, str] = {}
    for name, viewer in viewers.items():
        with hub.reading(viewer) as work:
            made = transforms.urls(work, RECIPE)(version.id, version.sha256)
            base = iiif.urls(work)(version.id, version.sha256, version.media_type, version.width, version.height)
        assert base is not None
        found[f"/transforms: {name}"] = httpx.URL(made.url).path
        found[f"/iiif: {name}"] = f"{httpx.URL(base.url).path}/info.json"
        found[f"/iiif: a tile {name}"] = f"{httpx.URL(base.url).path}/full/max/0/default.jpg"
    _make(hub, found[f"/transforms: {next(iter(viewers))}"])
    token = original.rsplit("/", 1)[1]
    for name, text in (("made up", "A" * 120), ("signed as a file's", token)):
        found[f"/transforms: {name}"] = f"/transforms/{text}"
        found[f"/iiif: {name}"] = f"/iiif/3/{text}/info.json"
        found[f"/iiif: a tile {name}"] = f"/iiif/3/{text}/full/max/0/default.jpg"
    found["/transforms: with a parameter that nobody signed"] = f"/transforms/{token}?width=9999"
    found["/iiif: where the document is"] = f"/iiif/3/{'A' * 120}"
    return found


def _make(hub: Hub, path: str) -> None:
    with hub.writing(HUB) as work:
        wanted = transforms.open_door(work, path.rsplit("/", 1)[1])
        if isinstance(wanted, Wanted):
            kept = hub.blobs.put(io.BytesIO(b"a small picture of " + wanted.source_sha256.encode()))
            number = transforms.ask(work, wanted)
            transforms.finish(work, number, Made(kept.sha256, kept.size, "image/png", 10, 7))
