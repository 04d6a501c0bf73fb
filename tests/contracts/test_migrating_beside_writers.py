"""A database is migrated while servers of the version before still write: what they commit is not lost to it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import migrate
from storage.database import Database, open_database
from storage.tables import AssetRow, AssetTagRow, PrincipalRow, TagListingRow, TagRow
from storage.types import Instant
from tests.servers import postgres

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def before(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """At the last revision without `tag_listing`, with one asset and one tag."""
    scripts = tmp_path / "migrations"
    later = [each.name for each in (migrate.SCRIPTS / "versions").glob("m*.py") if each.name >= "m0027"]
    shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__", *later))
    with postgres.fresh_database(postgres_url) as url:
        opened = open_database(url)
        with monkeypatch.context() as patched:
            patched.setattr(migrate, "SCRIPTS", scripts)
            migrate.ensure(opened, upgrade=True)
        assert migrate.current(opened) == "0026"
        with opened.writing() as session:
            session.execute(sa.insert(PrincipalRow), [filled(PrincipalRow, kind="PERSON")])
            told = {"kind": "IMAGE", "lifecycle": "DRAFT", "title_origin": "USER", "description_origin": "USER"}
            session.execute(sa.insert(AssetRow), [filled(AssetRow, **told)])
            session.execute(sa.insert(TagRow), [filled(TagRow)])
        yield opened
        opened.close()


def filled(row: Any, **given: Any) -> dict[str, Any]:
    """A row that says as little as may be said."""
    by_type = {Instant: NOW, sa.Boolean: False, sa.Integer: 1, sa.BigInteger: 1}
    told = {
        column.name: next((value for type_, value in by_type.items() if isinstance(column.type, type_)), "x")
        for column in row.__table__.columns
        if not column.nullable and column.server_default is None and column.default is None
    }
    return told | given


@pytest.mark.parametrize("what", ["a tag", "another kind"])
def test_what_is_committed_while_it_waits_is_listed(before: Database, what: str) -> None:
    tagged = sa.insert(AssetTagRow).values(asset_id=1, tag_id=1, origin="USER", created_at=NOW)
    if what == "another kind":
        with before.writing() as session:
            session.execute(tagged)
    done = threading.Thread(target=migrate.ensure, args=(before,), kwargs={"upgrade": True})
    with before.writing() as session:
        session.execute(tagged if what == "a tag" else sa.update(AssetRow).values(kind="VIDEO"))
        done.start()
        until = time.monotonic() + 30
        while not waiting(before) and done.is_alive() and time.monotonic() < until:
            time.sleep(0.02)
    done.join(60)
    assert migrate.current(before) == migrate.newest()
    with before.reading() as session:
        listed = session.execute(sa.select(TagListingRow.asset_id, TagListingRow.tag_id, TagListingRow.kind)).all()
    assert listed == [(1, 1, "IMAGE" if what == "a tag" else "VIDEO")]


def waiting(database: Database) -> bool:
    """Whether somebody waits for a lock."""
    asked = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with database.engine.connect() as connection:
        return bool(connection.scalar(asked))
