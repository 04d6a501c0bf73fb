"""What tests of assets say again and again: pictures that differ, refusals that change nothing, small questions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from domain.hub import Hub
from storage.tables import EventRow
from tests.asking import Client, rows_everywhere
from tests.imaging import made

WHOLE_ASSET = """
  id title description lifecycle revision viewerCan tags { id name }
  current { id number sha256 changeNote madeFrom { id } } approved { id number }
"""


def picture(number: int) -> bytes:
    """A small PNG; another number, other bytes."""
    return made.encoded(made.quadrants(40 + number, 30), "PNG")


def everything(hub: Hub) -> tuple[dict[str, list[tuple[Any, ...]]], list[str]]:
    """All that is kept: every row, and the key of every blob."""
    return rows_everywhere(hub), list(hub.blobs.keys())


@contextmanager
def unchanged(hub: Hub) -> Iterator[None]:
    """Proves that whatever is refused in the block leaves every row and blob as it was."""
    before = everything(hub)
    yield
    assert everything(hub) == before


def refusal(payload: dict[str, Any]) -> dict[str, Any]:
    """The one error of a payload, whose entities are all null."""
    assert {name: value for name, value in payload.items() if name != "errors" and value is not None} == {}
    (error,) = payload["errors"]
    found: dict[str, Any] = error
    return found


def accepted(payload: dict[str, Any]) -> dict[str, Any]:
    assert payload["errors"] == []
    return payload


def create(client: Client, data: bytes, file_name: str = "picture.png", **fields: Any) -> dict[str, Any]:
    """The payload of `assetCreate` with a fresh upload of these bytes."""
    return client.mutate(
        "assetCreate",
        f"asset {{ {WHOLE_ASSET} }} duplicateOf {{ id }}",
        upload=client.upload(data, file_name),
        **fields,
    )


def created(client: Client, data: bytes, file_name: str = "picture.png", **fields: Any) -> dict[str, Any]:
    asset: dict[str, Any] = accepted(create(client, data, file_name, **fields))["asset"]
    return asset


def add_version(client: Client, asset: dict[str, Any], data: bytes, **fields: Any) -> dict[str, Any]:
    """The payload of `assetVersionAdd` with a fresh upload, at the revision that `asset` shows."""
    return client.mutate(
        "assetVersionAdd",
        f"asset {{ {WHOLE_ASSET} }} version {{ id number sha256 fileName }}",
        asset=asset["id"],
        upload=client.upload(data, fields.pop("file_name", "picture.png")),
        expectedRevision=fields.pop("revision", asset["revision"]),
        **fields,
    )


def change(client: Client, mutation: str, asset: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The payload of `assetUpdate`, `assetArchive` or `assetRestore`, at the revision that `asset` shows."""
    revision = fields.pop("revision", asset["revision"])
    return client.mutate(mutation, f"asset {{ {WHOLE_ASSET} }}", asset=asset["id"], expectedRevision=revision, **fields)


def look(client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    """The asset as it stands now."""
    found: dict[str, Any] = client.ask(f"query ($id: ID!) {{ asset(id: $id) {{ {WHOLE_ASSET} }} }}", id=asset["id"])[
        "asset"
    ]
    return found


def queries(sent: list[str]) -> list[str]:
    """Without what begins and ends a transaction."""
    return [each for each in sent if each.split()[0] not in {"BEGIN", "COMMIT", "ROLLBACK", "SET", "PRAGMA"}]


def reasons(hub: Hub, type_: str) -> list[str | None]:
    """Why all events of a type happened, oldest first."""
    with hub.database.reading() as session:
        return list(session.scalars(sa.select(EventRow.reason).where(EventRow.type == type_).order_by(EventRow.id)))


def events(hub: Hub, type_: str) -> list[dict[str, Any]]:
    """Payloads of all events of a type, oldest first."""
    with hub.database.reading() as session:
        return list(session.scalars(sa.select(EventRow.payload).where(EventRow.type == type_).order_by(EventRow.id)))
