"""From an empty database to the present schema, by one process or by many, wholly or not at all."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from storage import migrate
from storage.database import Database, open_database
from storage.tables import Row
from tests.servers import postgres

ROOT = Path(__file__).parents[2]
STARTING = """
import sys
from storage import migrate
from storage.database import open_database
print("ready", flush=True)
sys.stdin.readline()
opened = open_database(sys.argv[1])
migrate.ensure(opened, upgrade=True)
print(migrate.current(opened))
opened.close()
"""
FAILING = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "half", "0028", None, None

def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO half (id) VALUES (1)")
    op.execute("UPDATE organisation SET name = 'Half'")
    op.add_column("asset", sa.Column("half", sa.Text))
    op.execute("SELECT nothing FROM nowhere")
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database that is empty."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'hub.sqlite'}"
        return
    with postgres.fresh_database(request.getfixturevalue("postgres_url")) as address:
        yield address


@pytest.fixture
def empty(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()


def test_an_empty_database_comes_to_the_newest_revision_and_stays_there(empty: Database) -> None:
    assert migrate.current(empty) is None
    migrate.ensure(empty, upgrade=True)
    assert migrate.current(empty) == migrate.newest()
    before = shape(empty)
    migrate.ensure(empty, upgrade=True)
    migrate.ensure(empty, upgrade=False)
    assert shape(empty) == before


def test_the_connection_that_migrated_serves_nobody_afterwards(empty: Database) -> None:
    with empty.engine.connect() as connection:
        first = connection.connection.driver_connection
    migrate.ensure(empty, upgrade=True)
    with empty.engine.connect() as connection:
        assert connection.connection.driver_connection is not first


def test_the_migrations_make_exactly_what_the_tables_say(empty: Database) -> None:
    migrate.ensure(empty, upgrade=True)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        differences = compare_metadata(context, Row.metadata)
    assert [each for each in differences if not known(each, empty)] == []


def test_the_index_that_cannot_be_compared_is_as_it_should_be_on_both(empty: Database) -> None:
    migrate.ensure(empty, upgrade=True)
    told = (
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_job_ready'"
        if empty.is_postgres
        else "SELECT sql FROM sqlite_master WHERE name = 'ix_job_ready'"
    )
    with empty.reading() as session:
        (text,) = session.scalars(sa.text(told))
    assert "(queue, priority DESC, run_at, id) WHERE" in text


def test_every_check_of_the_tables_stands_in_the_database(empty: Database) -> None:
    """Alembic does not compare checks, so they are compared here, by name."""
    migrate.ensure(empty, upgrade=True)
    looking = sa.inspect(empty.engine)
    for table in Row.metadata.sorted_tables:
        declared = {each.name for each in table.constraints if isinstance(each, sa.CheckConstraint)}
        assert {each["name"] for each in looking.get_check_constraints(table.name)} == declared, table.name


def test_a_database_that_is_behind_is_refused_where_it_may_not_be_changed(empty: Database) -> None:
    with pytest.raises(migrate.Behind, match=r"^The database is behind this program: run `python -m server migrate`"):
        migrate.ensure(empty, upgrade=False)
    assert shape(empty) == []


def test_a_database_of_a_newer_program_is_refused_untouched(empty: Database) -> None:
    migrate.ensure(empty, upgrade=True)
    with empty.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    before = shape(empty)
    for upgrade in (True, False):
        with pytest.raises(migrate.Behind, match=r"^The database was made by a newer version of this program"):
            migrate.ensure(empty, upgrade=upgrade)
    assert (migrate.current(empty), shape(empty)) == ("9999", before)


@pytest.mark.parametrize("_round", range(3))
def test_of_four_processes_that_start_at_once_one_migrates_and_all_find_it_done(url: str, _round: int) -> None:
    command = [sys.executable, "-c", STARTING, url]
    starters = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for each in starters:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in starters:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    answers = [each.communicate(timeout=120)[0].strip() for each in starters]
    assert answers == [migrate.newest()] * 4
    assert [each.returncode for each in starters] == [0] * 4
    opened = open_database(url)
    with opened.reading() as session:
        assert session.execute(sa.text("SELECT id, name FROM organisation")).all() == [(1, "Brand")]
        assert session.execute(sa.text("SELECT version_num FROM alembic_version")).all() == [(migrate.newest(),)]
    opened.close()


def test_a_migration_that_fails_leaves_nothing_behind(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both from the revision before and from an empty database, which must then still be empty."""
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "m0002_fails_half_way.py").write_text(FAILING)
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "SCRIPTS", scripts)
        with pytest.raises(sa.exc.DBAPIError):
            migrate.ensure(empty, upgrade=True)
        assert (migrate.current(empty), shape(empty)) == (None, [])
    migrate.ensure(empty, upgrade=True)
    before = shape(empty)
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "SCRIPTS", scripts)
        with pytest.raises(sa.exc.DBAPIError):
            migrate.ensure(empty, upgrade=True)
    assert (migrate.current(empty), shape(empty)) == (migrate.newest(), before)
    with empty.reading() as session:
        assert session.scalars(sa.text("SELECT name FROM organisation")).all() == ["Brand"]


def shape(database: Database) -> list[str]:
    """Every table with its columns and indexes, and every trigger, as words."""
    looking = sa.inspect(database.engine)
    tables = [
        f"{name}: {[column['name'] for column in looking.get_columns(name)]}"
        f" {sorted(str(index['name']) for index in looking.get_indexes(name))}"
        for name in sorted(looking.get_table_names())
    ]
    triggers = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"
        if database.is_postgres
        else "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    )
    with database.reading() as session:
        return tables + list(session.scalars(sa.text(triggers)))


def known(difference: object, database: Database) -> bool:
    """SQLite's reflection cannot see an expression in an index, so Alembic would make the same one again."""
    if database.is_postgres or not isinstance(difference, tuple):
        return False
    what, index = difference[0], difference[-1]
    return what in {"add_index", "remove_index"} and isinstance(index, sa.Index) and index.name == "ix_job_ready"
