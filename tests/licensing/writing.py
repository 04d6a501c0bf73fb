"""Licences, releases and assessments as tests write them over GraphQL, and what the database says of an asset."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from domain.global_ids import decode
from domain.hub import Hub
from storage.tables import AssetRow
from tests.asking import Client
from tests.assets.acts import accepted

PERMIT: Final = {"actions": ["PRINT", "VIEW"], "channels": ["print"], "territories": ["DE", "AT"]}
LICENSE: Final = "license { id number title status revision startsOn endsOn }"


def draft(client: Client, title: str = "Alpine sunrise", **more: Any) -> dict[str, Any]:
    told = {"title": title, "startsOn": "2026-01-01", "kind": "RIGHTS_MANAGED", "grants": [PERMIT], **more}
    found: dict[str, Any] = accepted(client.mutate("licenseCreate", LICENSE, **told))["license"]
    return found


def moved(client: Client, verb: str, row: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The payload of `licenseActivate` and the like, at the revision that the licence shows."""
    return client.mutate(f"license{verb}", LICENSE, license=row["id"], expectedRevision=row["revision"], **more)


def active(client: Client, title: str = "Alpine sunrise", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = accepted(moved(client, "Activate", draft(client, title, **more)))["license"]
    return found


def party(client: Client, name: str = "Alpine Photos", kind: str = "ORGANISATION") -> dict[str, Any]:
    query = """mutation ($input: PartyCreateInput!) { partyCreate(input: $input) {
      party { id revision } errors { message } } }"""
    answer = client.ask(query, input={"kind": kind, "name": name})
    found: dict[str, Any] = accepted(answer["partyCreate"])["party"]
    return found


def release(client: Client, **more: Any) -> dict[str, Any]:
    told = {"kind": "MODEL", "about": party(client, "Jane Doe", "PERSON")["id"], **more}
    answer = accepted(client.mutate("releaseCreate", "release { id revision status }", **told))
    found: dict[str, Any] = answer["release"]
    return found


def assessed(client: Client, asset: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """What is said of the asset afterwards."""
    selection = "asset { rights { id license { id } release { id } } }"
    answer = accepted(client.mutate("assetRightsAssess", selection, asset=asset["id"], **more))
    found: list[dict[str, Any]] = answer["asset"]["rights"]
    return found


def put_in(client: Client, whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The payload of `componentAdd`."""
    told = {"composite": whole["current"]["id"], "part": part["current"]["id"]}
    return client.mutate("componentAdd", "composite { id components { id } }", **told)


def number(thing: dict[str, Any]) -> int:
    return decode(thing["id"])[1]


def epoch(hub: Hub, asset: dict[str, Any]) -> int:
    with hub.database.reading() as session:
        return session.scalars(sa.select(AssetRow.rights_epoch).where(AssetRow.id == number(asset))).one()
