"""`check` walks every organisation's chain, and says where one is broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import sqlalchemy as sa

from domain import integrity
from domain.hub import Hub, open_hub
from domain.integrity import Tally
from domain.work import BRAND_ORG_ID, Viewer
from storage.settings import Settings
from tests import acting
from tests.audit.chains import change, link, rows, write
from tests.server.program import run


def test_the_check_counts_events_and_finds_nothing_where_all_is_well(hub: Hub, admin: Viewer) -> None:
    org_id = acting.organisation(hub, "Affiliate")
    write(hub, admin, org_id, 3)
    write(hub, admin, BRAND_ORG_ID, 2)
    link(hub)
    tally = Tally()
    assert list(integrity.check(hub, tally)) == []
    assert tally.events == len(rows(hub, BRAND_ORG_ID)) + 3


def test_the_check_names_organisation_and_place(hub: Hub, admin: Viewer) -> None:
    org_id = acting.organisation(hub, "Affiliate")
    write(hub, admin, org_id, 3)
    link(hub)
    second = rows(hub, org_id)[1]["id"]
    with hub.database.writing() as session:
        session.execute(sa.text(f"DROP TRIGGER event_frozen {'ON event' if hub.database.is_postgres else ''}"))
        change(session, second, type="asset.archived")
    (found,) = integrity.check(hub, Tally())
    assert (found.kind, found.subject) == ("AUDIT_ALTERED", f"organisation {org_id}:2")
    assert found.sentence == f"In the audit of organisation {org_id}: Event 2 is not what was recorded."


def test_the_command_ends_with_an_error(sqlite_template: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(sqlite_template, data / "imprimatur.sqlite")
    told = {"data_dir": data, "secret_key": "s", "workers": 0}
    hub = open_hub(Settings.model_validate(told))
    write(hub, Viewer(None, 1, "the hub", is_administrator=True), BRAND_ORG_ID, 3)
    link(hub)
    with hub.database.writing() as session:
        session.execute(sa.text("DROP TRIGGER event_kept"))
        session.execute(sa.text("DELETE FROM event WHERE chain_seq = 3"))
    hub.close()
    ended = run(data, "check", SECRET_KEY="s")
    assert "AUDIT_MISSING: In the audit of organisation 1: Event 3 is gone." in ended.stdout.splitlines()
    assert ended.returncode == 1
