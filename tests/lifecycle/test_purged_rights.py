"""What a purge leaves of rights: everything, for it is the record of what was allowed and done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import trash
from domain.hub import Hub
from domain.licensing import components, embargoes, takedowns
from domain.work import HUB, Viewer
from storage.tables import (
    ApprovalRow,
    AssetRightsRow,
    AssetRow,
    AssetTrashRow,
    ComponentRow,
    EmbargoRow,
    RightsDecisionRow,
    Row,
    TakedownRow,
    UsageRecordRow,
    UsageRow,
)
from tests.delivery.licensed import FLYER, FLYERS, HOME, Licensed
from tests.lifecycle.turning import purge

RECORDS = (
    ApprovalRow, AssetRightsRow, ComponentRow, EmbargoRow, RightsDecisionRow, TakedownRow, UsageRecordRow, UsageRow,
)  # fmt: skip

#: Tables with what their triggers say.
_ON_SQLITE = "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
_ON_POSTGRES = """SELECT tgrelid::regclass::text, pg_get_triggerdef(pg_trigger.oid) || pg_get_functiondef(tgfoid)
  FROM pg_trigger WHERE NOT tgisinternal"""


def _all(hub: Hub) -> dict[str, list[tuple[object, ...]]]:
    with hub.reading(HUB) as work:
        tables: list[Any] = [table.__table__ for table in RECORDS]
        return {each.name: [tuple(row) for row in work.session.execute(sa.select(each))] for each in tables}


def test_what_was_licensed_used_and_barred_stays_when_the_picture_is_purged(hub: Hub, admin: Viewer) -> None:
    it = Licensed(hub, admin, {"grants": [HOME, FLYERS]})
    asset_id = it.version.asset_id
    assert it.get(it.paths(it.partner)[0]).status_code == 200
    assert it.get(it.paths(it.partner, FLYER)[0]).status_code == 200
    poster = it.brand.asset(b"Poster. " * 50)
    with hub.writing(admin) as work:
        components.add(work, poster.id, it.version.id)
        placed = embargoes.place(work, asset_id, work.now + timedelta(days=1), None, "The fair opens then.")
        embargoes.lift(work, placed.id, "It was told.")
        taken = takedowns.open_(work, asset_id, "The photographer wrote.")
        takedowns.lift(work, taken.id, taken.revision, "It was somebody else's.")
    before = _all(hub)
    assert all(before.values()), before
    with hub.writing(admin) as work:
        revision = work.session.get_one(AssetRow, asset_id).revision
        with pytest.raises(trash.InUse) as used:
            trash.throw_away(work, asset_id, revision)
        trash.throw_away(work, asset_id, revision, confirmation=used.value.confirmation)
    purge(hub)
    with hub.reading(HUB) as work:
        assert work.session.get_one(AssetTrashRow, asset_id).purged_at is not None
    assert it.version.sha256 not in set(hub.blobs.keys())
    assert _all(hub) == before


def test_whatever_the_database_lets_nobody_delete_stays(hub: Hub) -> None:
    with hub.reading(HUB) as work:
        rows = work.session.execute(sa.text(_ON_POSTGRES if hub.database.is_postgres else _ON_SQLITE)).all()
    barred = {name for name, text in rows if "is never deleted" in text}
    pointing = {table.name for table in Row.metadata.sorted_tables if _ends(table) & {"asset", "asset_version"}}
    assert {"asset_rights", "usage"} <= barred & pointing
    assert barred & pointing <= trash.KEPT_TABLES


def _ends(table: sa.Table) -> set[str]:
    return {key.column.table.name for column in table.columns for key in column.foreign_keys}
