"""SQLite prepares a statement again, at many times the price of running it, where it had weighed other values."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from domain.work import Viewer
from schema import execution
from schema.execution import Asked
from schema.plans import kept
from storage.statements import Statement
from storage.tables import AssetVersionRow, RightsDecisionRow
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
    with hub.database.aside() as session:
        session.execute(sa.text("ANALYZE"))
        decided = sa.select(AssetVersionRow.asset_id).join(
            RightsDecisionRow, RightsDecisionRow.version_id == AssetVersionRow.id
        )
        assets = sorted(set(session.scalars(decided)))[:4]
    assert len(assets) > 1
    hub.database.engine.dispose()  # statistics are read when a connection is made
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
