"""Taking merges back as tests do it, and everything that may differ afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from storage.tables import (
    AssetRow,
    Row,
)
from tests.acting import member, organisation
from tests.asking import Client
from tests.assets import acts
from tests.likeness.merged import approve, looked_at, number
from tests.working import mutate

#: What counts changes, what is a record of its own, and what is worked out anew.
NOT_COMPARED = frozenset(
    {"asset_stamp", "audit_head", "deliverable_due", "deliverable_version", "event", "idempotency", "job"}
    | {"table_epoch", "cron_slot"}
)
MADE_ANEW = {"share": frozenset({"id", "created_at", "created_by"}), "asset_rights": frozenset({"id"})}
COUNTERS = frozenset({"revision", "updated_at", "public_revision", "public_updated_at", "rights_epoch"})


def unmerge(client: Client, into: Any, gone: Any, **fields: Any) -> dict[str, Any]:
    """The payload, at the revision that stands."""
    told = {"from": gone["id"], "expectedRevision": looked_at(client, into)["revision"], **fields}
    return client.mutate("assetMergeUndo", "asset { id } restored { id }", **told)


def everything(hub: Hub) -> dict[str, list[Any]]:
    """Every row but for counters; of shares and assessments what stands, however it came."""
    with hub.database.reading() as session:
        found = {}
        for table in Row.metadata.sorted_tables:
            if table.name in NOT_COMPARED:
                continue
            hidden = COUNTERS | MADE_ANEW.get(table.name, frozenset())
            rows = sa.select(*(column for column in table.columns if column.name not in hidden))
            if table.name in MADE_ANEW:
                rows = rows.where(table.c.ended_at.is_(None))
            told = [tuple(str(value) for value in row) for row in session.execute(rows)]
            found[table.name] = sorted(told)
    return found


def rich(client: Client, *, newest: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two assets of which everything is said that can be, some of it alike."""
    hub = client.hub
    partner = organisation(hub, "partner")
    into = acts.created(client, acts.picture(1), title="One", tags=["red", "both"])
    gone = acts.created(client, acts.picture(2), title="Other", tags=["blue", "both"])
    gone = acts.accepted(acts.add_version(client, gone, acts.picture(3)))["asset"]
    if newest:
        into = acts.accepted(acts.add_version(client, into, acts.picture(4)))["asset"]
    third = acts.created(client, acts.picture(9), title="Third")
    approve(client, looked_at(client, gone)["current"])
    for inside in ([gone], [into, gone]):
        box = client.mutate("lightboxCreate", "lightbox { id revision }", title="A selection")["lightbox"]
        told = {"lightbox": box["id"], "expectedRevision": box["revision"], "assets": [each["id"] for each in inside]}
        acts.accepted(client.mutate("lightboxAssetsAdd", "lightbox { id }", **told))
    share = {"asset": gone["id"], "organisation": encode("Organisation", partner), "access": "READ"}
    acts.accepted(client.mutate("shareCreate", "share { id }", **share))
    for is_denial in (False, True):
        member(hub, "designer", scope="ASSET", asset_id=number(gone), is_denial=is_denial)
    link = {"asset": gone["id"], "name": "A guest", "expiresAt": (hub.clock() + timedelta(days=3)).isoformat()}
    acts.accepted(mutate(client, "guestLinkCreate", "guestLink { id }", **link))
    for first, second in ((third, gone), (into, gone)):
        related = {"from": first["id"], "to": second["id"], "kind": "LANGUAGE_VARIANT"}
        acts.accepted(client.mutate("assetRelationCreate", "relation { id }", **related))
    for asset, credit in ((into, "Ours"), (gone, "Theirs")):
        told = {"asset": asset["id"], "expectedRevision": 0, "credit": credit}
        acts.accepted(client.mutate("assetStatementSet", "asset { id }", **told))
        texts = [{"locale": "de", "text": credit}, {"locale": "fr" if asset is gone else "it", "text": credit}]
        acts.accepted(acts.change(client, "assetUpdate", looked_at(client, asset), titles=texts))
    return into, gone


def epochs(hub: Hub) -> dict[int, int]:
    with hub.database.reading() as session:
        return dict(session.execute(sa.select(AssetRow.id, AssetRow.rights_epoch)).all())
