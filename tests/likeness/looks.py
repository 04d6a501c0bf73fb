"""Pictures that look alike as files, and what a hub makes of them."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from PIL import Image

from bench.likeness import changes, pictures
from tests.asking import Client
from tests.working import work_off


@cache
def jpeg(number: int, change: str | None = None, quality: int = 85) -> bytes:
    """A photograph by its number, perhaps changed; always the same bytes."""
    picture = pictures.photograph(number)
    return _written(picture if change is None else changes.CHANGES[change](picture), quality)


@cache
def page(number: int) -> bytes:
    return _written(pictures.page(number), 90)


@cache
def plain() -> bytes:
    return _written(Image.new("RGB", (300, 200), "navy"), 90)


def brought(client: Client, data: bytes, **fields: Any) -> dict[str, Any]:
    """A new asset of these bytes, which were looked at and compared."""
    asset = client.create(data, "picture.jpg", **fields)
    work_off(client.hub)
    return asset


def similar(client: Client, asset: str, selection: str = "asset { id } distance mirrored sameBytes") -> Any:
    found = client.ask(f"query ($id: ID!) {{ asset(id: $id) {{ similar {{ {selection} }} }} }}", id=asset)["asset"]
    return None if found is None else found["similar"]


def waiting(client: Client) -> list[dict[str, Any]]:
    """Pairs that wait for a decision."""
    asked = "{ nearDuplicates { nodes { id distance assets { id revision } } totalCount } }"
    found = client.ask(asked)["nearDuplicates"]
    assert found["totalCount"] == len(found["nodes"])
    nodes: list[dict[str, Any]] = found["nodes"]
    return nodes


def of_upload(client: Client, upload: str) -> dict[str, Any]:
    asked = """query ($upload: ID!) { similarTo(upload: $upload) {
      state failure { code message } similar { asset { id } own { id } distance sameBytes } } }"""
    found: dict[str, Any] = client.ask(asked, upload=upload)["similarTo"]
    return found


def _written(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
