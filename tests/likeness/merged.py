"""Merging as tests do it: two assets, one merged into the other, and what is told of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.global_ids import number_of
from domain.hub import Hub
from storage.tables import EventRow
from tests.asking import Client
from tests.assets import acts

LOOK = (
    "id revision title lifecycle tags { name } current { id sha256 } approved { id } versions { nodes { id number } }"
)


def number(asset: dict[str, Any]) -> int:
    return number_of("Asset", asset["id"])


def looked_at(client: Client, asset: dict[str, Any] | str) -> Any:
    id_ = asset if isinstance(asset, str) else asset["id"]
    return client.ask(f"query ($id: ID!) {{ asset(id: $id) {{ {LOOK} }} }}", id=id_)["asset"]


def merge(client: Client, into: Any, gone: Any, **fields: Any) -> dict[str, Any]:
    """The payload, at the revisions that stand."""
    told = {
        "expectedRevision": looked_at(client, into)["revision"],
        "fromRevision": looked_at(client, gone)["revision"],
    }
    told |= {"into": into["id"], "from": gone["id"], **fields}
    return client.mutate("assetMerge", f"asset {{ {LOOK} }}", **told)


def approve(client: Client, version: dict[str, Any]) -> None:
    given = {"version": version["id"], "sha256": version["sha256"]}
    acts.accepted(client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **given))


def two(client: Client) -> tuple[dict[str, Any], dict[str, Any]]:
    """Assets that differ in everything; nobody needs to look at them for what is tested."""
    return acts.created(client, acts.picture(1), title="One"), acts.created(client, acts.picture(2), title="Other")


def events(hub: Hub, type_: str) -> list[EventRow]:
    with hub.database.reading() as session:
        return list(session.scalars(sa.select(EventRow).where(EventRow.type == type_).order_by(EventRow.id)))
