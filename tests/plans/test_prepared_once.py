"""SQLite prepares a statement again, at many times the price of running it, where it had weighed other values."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from domain import reads
from domain.global_ids import encode
from domain.hub import Hub
from domain.licensing import takedowns
from domain.work import HUB, Viewer
from schema import execution
from schema.execution import Asked
from schema.plans import kept
from storage.statements import Statement
from storage.tables import AssetVersionRow, RightsDecisionRow, TakedownRow
from tests.asking import Client
from tests.assets import acts
from tests.delivery import world as worlds

SHOWN = "id title tags { name } current { id renditions { preset url { url } } } licenses { code }"
ONE = f"query ($id: ID!) {{ asset(id: $id) {{ {SHOWN} }} }}"
LIST = f"""query ($kind: [AssetKind!]!) {{
  assets(first: 5, where: {{kind: {{oneOf: $kind}}}}) {{ totalCount nodes {{ {SHOWN} }} }} }}"""


#: Only SQLite weighs values anew at each run.
@pytest.mark.parametrize("stores", ["sqlite+disk"], indirect=True)
def test_no_statement_of_a_plan_is_prepared_anew_for_other_values(
    hub: Hub, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = worlds.laid_out(hub, admin, 8, 16)
    hub = world.at(worlds.FROM + worlds.SPAN / 2)
    assert world.given(hub.clock(), None)
    hub.database.refresh_statistics()
    with hub.reading(HUB) as work:
        decided = sa.select(AssetVersionRow.asset_id).join(
            RightsDecisionRow, RightsDecisionRow.version_id == AssetVersionRow.id
        )
        assets = sorted(set(work.session.scalars(decided)))[:4]
        known = set(work.session.scalars(sa.text("SELECT idx FROM sqlite_stat1")))
    assert len(assets) > 1
    assert {"ix_rights_decision_delivered", "ix_asset_listed"} <= known
    for number in range(200):  # what a server is asked besides
        with hub.reading(HUB) as work:
            for _ in range(3):
                work.session.execute(sa.text(f"SELECT {number}"))
    raw, told, prepared, run = hub.database.engine.raw_connection(), [0], list[str](), Statement.run

    def note(*_: Any) -> int:
        told[0] += 1
        return 0

    def noted(self: Statement, cursor: Any, **given: Any) -> list[tuple[Any, ...]]:
        before, found = told[0], run(self, cursor, **given)
        prepared.extend([self.sql] if told[0] > before else [])
        return found

    def ask(viewer: Viewer) -> int:
        """How many statements are prepared where nothing is kept of what was read."""
        prepared.clear()
        questions = [Asked(ONE, variables={"id": encode("Asset", each)}) for each in assets]
        for each in [*questions, Asked(LIST, variables={"kind": "IMAGE"})]:
            memory = kept.of(hub.database)
            memory.values, memory.answers = kept.Kept(), kept.Answers()
            assert b'"errors"' not in execution.answer(hub, viewer, each, "test").body
        return len(prepared)

    driver: Any = raw.driver_connection
    driver.set_authorizer(note)  # SQLite asks it whenever a statement is prepared
    raw.close()
    monkeypatch.setattr(Statement, "run", noted)
    for viewer in (admin, world.viewer):
        assert ask(viewer) > 0
        assert ask(viewer) == 0, prepared


@pytest.mark.parametrize("stores", ["sqlite+disk"], indirect=True)
def test_takedowns_that_stand_are_found_by_their_index(hub: Hub) -> None:
    statement = reads.found_below(takedowns.OF_ASSETS, [TakedownRow.id], hub.database.engine.dialect)
    with hub.database.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.sql}", ("[1]",)).all()
    assert any("USING INDEX ix_takedown_asset" in row[3] for row in plan), plan


@pytest.mark.parametrize("stores", ["sqlite+disk"], indirect=True)
def test_whoever_is_connected_looks_at_new_statistics(hub: Hub, client: Client) -> None:
    def schema() -> int:
        with hub.database.engine.connect() as connection:
            return int(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())

    hub.database.refresh_statistics()
    before = schema()
    hub.database.refresh_statistics()
    assert schema() == before
    for number in range(30):
        acts.created(client, acts.picture(number))
    hub.database.refresh_statistics()
    assert schema() > before
