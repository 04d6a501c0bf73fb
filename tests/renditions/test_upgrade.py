"""Presets and renditions from before there were versions, marks and statements come through the upgrade unharmed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from storage import migrate
from storage.database import Database, open_database
from tests.servers import postgres

PRESET = """INSERT INTO rendition_preset (id, org_id, name, format, width, height, fit, quality, background, is_default,
  params_digest, created_at, updated_at, revision)
  VALUES ({id}, 1, '{name}', 'WEBP', 320, 320, 'CONTAIN', 80, '#ffffff', true, 'd{id}', {now}, {now}, 1)"""


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database as it was before, with a preset, a role and a rendition that names both its preset and its version."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / 'hub.sqlite'}"
        else:
            url = stack.enter_context(postgres.fresh_database(request.getfixturevalue("postgres_url")))
        opened = open_database(url)
        stack.callback(opened.close)
        with opened.engine.begin() as connection:
            config = migrate._config()
            config.attributes["connection"] = connection
            command.upgrade(config, "0009")
        now = "'2025-01-01T00:00:00+00:00'" if opened.is_postgres else "1735689600000000"
        with opened.engine.begin() as connection:
            for statement in _rows(now):
                connection.execute(sa.text(statement))
        yield opened


def test_rows_constraints_and_triggers_are_as_they_were(old: Database) -> None:
    before = _told(old)
    migrate.ensure(old, upgrade=True)
    assert _told(old) == before
    with old.engine.begin() as connection:
        colour = connection.execute(
            sa.text("SELECT colour, metadata_policy, page, number, watermark FROM rendition_preset")
        )
        assert colour.all() == [("SRGB", "RIGHTS", 0, 1, None)] * 2
        moved = sa.text("SELECT epoch FROM table_epoch WHERE name = 'rendition_preset'")
        epoch = connection.scalar(moved)
        connection.execute(sa.text("UPDATE rendition_preset SET format = 'TIFF', fit = 'PAD' WHERE id = 1"))
        assert connection.scalar(moved) == epoch + 1
    for wrong in ("format = 'BMP'", "fit = 'SHRINK'", "channel = 'FAX'", "name = 'thumb'"):
        with pytest.raises(sa.exc.IntegrityError), old.engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE rendition_preset SET {wrong} WHERE id = 2"))
    with pytest.raises(sa.exc.IntegrityError), old.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM rendition_preset WHERE id = 1"))


def test_whoever_saw_drafts_bare_goes_on_seeing_them_so(old: Database) -> None:
    migrate.ensure(old, upgrade=True)
    with old.engine.begin() as connection:
        role = sa.table("role", sa.column("name"), sa.column("permissions", sa.JSON))
        held = dict(connection.execute(sa.select(role.c.name, role.c.permissions)).all())
    assert held == {
        "maker": ["asset.view", "asset.view_unapproved", "asset.view_unmarked"],
        "partner": ["asset.view"],
    }


def _told(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        presets = connection.execute(
            sa.text("SELECT id, name, format, width, params_digest FROM rendition_preset ORDER BY id")
        )
        renditions = connection.execute(sa.text("SELECT id, version_id, preset_id, state FROM rendition"))
        return [presets.all(), renditions.all()]


def _rows(now: str) -> Iterator[str]:
    for number, name in ((1, "thumb"), (2, "web")):
        yield PRESET.format(id=number, name=name, now=now)
    roles = ((1, "maker", '["asset.view", "asset.view_unapproved"]'), (2, "partner", '["asset.view"]'))
    for number, name, held in roles:
        told = f"{number}, '{name}', '{held}', {now}, 1"
        yield f"INSERT INTO role (id, name, permissions, created_at, revision) VALUES ({told})"
    yield (
        "INSERT INTO principal (id, org_id, kind, name, is_administrator, created_at, revision) "
        f"VALUES (1, 1, 'PERSON', 'A', false, {now}, 1)"
    )
    yield f"INSERT INTO blob (sha256, byte_size, created_at) VALUES ('{'a' * 64}', 1, {now})"
    yield (
        "INSERT INTO asset (id, org_id, kind, title, title_folded, title_origin, description_origin, lifecycle, "
        f"created_at, created_by, updated_at, public_updated_at, revision) VALUES (1, 1, 'IMAGE', 'A', 'a', 'USER', "
        f"'USER', 'DRAFT', {now}, 1, {now}, {now}, 1)"
    )
    yield (
        "INSERT INTO asset_version (id, asset_id, number, sha256, byte_size, file_name, media_type, created_at, "
        f"created_by, analysis_state) VALUES (1, 1, 1, '{'a' * 64}', 1, 'a.png', 'image/png', {now}, 1, 'READY')"
    )
    yield (
        "INSERT INTO rendition (id, org_id, version_id, preset_id, params_digest, state, updated_at) "
        f"VALUES (1, 1, 1, 1, 'd1', 'QUEUED', {now})"
    )
