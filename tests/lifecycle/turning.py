"""A hub whose clock is turned by hand, and small questions about what it still has."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from domain import intake, sweeping
from domain.global_ids import decode
from domain.hub import Hub
from domain.work import HUB
from storage.staging import Staging
from storage.tables import AssetVersionRow, BlobRow
from tests.asking import Client
from tests.assets import acts
from tests.working import tools_of
from workers import trash as trashing


def later(hub: Hub, **more: float) -> Hub:
    """The same hub, so much later."""
    return dataclasses.replace(hub, clock=lambda: hub.clock() + timedelta(**more))


def thrown(client: Client, asset: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The payload of `assetTrash` at the revision that `asset` shows."""
    told = {"asset": asset["id"], "expectedRevision": asset["revision"], **more}
    return mutate(client, "assetTrash", f"asset {{ {acts.WHOLE_ASSET} trash {{ purgeAfter purgedAt }} }}", **told)


def brought_back(client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    told = {"asset": asset["id"], "expectedRevision": asset["revision"]}
    return mutate(client, "assetRestoreFromTrash", f"asset {{ {acts.WHOLE_ASSET} }}", **told)


def mutate(client: Client, name: str, selection: str, **fields: Any) -> dict[str, Any]:
    """Like `Client.mutate`, with what stands in the way of throwing something away."""
    query = f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {selection}
      errors {{ __typename code message path
        ... on InUseError {{ confirmation uses {{ kind nodeId blocks }} }} }} }} }}"""
    found: dict[str, Any] = client.ask(query, input=fields)[name]
    return found


def purge(hub: Hub) -> None:
    """As the worker does once the time in the trash is over, long after every upload has expired."""
    then = later(hub, days=31)
    with then.writing(HUB) as work:
        intake.expire(work, Staging(hub.settings.staging_dir))
    trashing.purge_trash(tools_of(then), job())


def job() -> Any:
    """Chores look at nothing of theirs."""
    return None


def number(asset: dict[str, Any]) -> int:
    return decode(asset["id"])[1]


def states(hub: Hub) -> dict[str, str]:
    """Of every row of bytes whether it says that they are here."""
    with hub.reading(HUB) as work:
        return dict(work.session.execute(sa.select(BlobRow.sha256, BlobRow.state)).all())


def digests(hub: Hub, asset: dict[str, Any]) -> set[str]:
    with hub.reading(HUB) as work:
        rows = sa.select(AssetVersionRow.sha256).where(AssetVersionRow.asset_id == number(asset))
        return set(work.session.scalars(rows))


def swept(hub: Hub, *, dry_run: bool = False) -> set[str]:
    return {each.sha256 for each in sweeping.sweep(hub, dry_run=dry_run) if not each.is_stray}
