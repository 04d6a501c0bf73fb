"""What all tests share: a hub on each pair of stores, its administrator, and ways to ask and to wait."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import founding, identity
from domain.hub import Hub, open_hub
from domain.work import HUB, Viewer
from storage import database, events, migrate
from storage.settings import Settings
from tests.asking import Client
from tests.servers import postgres
from tests.servers.quick_s3 import QuickS3
from tests.servers.rgw import Rgw

pytest_plugins = ["tests.servers.plugin"]

#: Where rows and bytes are kept in one run of a test that takes `hub`.
STORES = ("sqlite+disk", "postgres+s3")
TEMPLATE = "imprimatur_template"


#: A disk of memory, where there is one, and how many bytes of it the whole run may want.
MEMORY, ENOUGH = Path("/dev/shm"), 6 << 30


def pytest_configure(config: pytest.Config) -> None:
    # What a test writes is gone at its end: every flush to a real disk, and there are many, is lost time.
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
    config.option.disable_socket = False
    config.option.allow_unix_socket = True
    config.option.allow_hosts = "127.0.0.1,::1,localhost"


def pytest_collection_finish() -> None:
    # What was imported stays, as in a server: looking through it for garbage again and again takes a seventh of a run.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The name of a migrated database to copy, on the server of `postgres_url`."""
    name = f"{TEMPLATE}_{uuid.uuid4().hex[:8]}"
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    admin.dispose()
    _migrate(sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False))
    return name


@pytest.fixture(scope="session")
def founded_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with what founding puts there."""
    path = tmp_path_factory.mktemp("founded") / "template.sqlite"
    shutil.copy(sqlite_template, path)
    _found(f"sqlite:///{path}", path.parent)
    return path


@pytest.fixture(scope="session")
def founded_postgres(postgres_url: str, postgres_template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = f"{postgres_template}_founded"
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"'))
    admin.dispose()
    url = sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    _found(url, tmp_path_factory.mktemp("founded"))
    return name


@pytest.fixture(scope="session")
def s3(request: pytest.FixtureRequest) -> QuickS3 | Rgw:
    """A real S3 where its programs are installed, else the stand-in; CI insists on the real one."""
    name = "rgw" if shutil.which("radosgw") or request.config.getoption("--require-servers") else "quick_s3"
    server: QuickS3 | Rgw = request.getfixturevalue(name)
    return server


@pytest.fixture(params=STORES)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings for a fresh hub that nobody has opened yet, on each pair of stores; one founded before for a `hub`."""
    founded = "hub" in request.fixturenames
    with ExitStack() as stack:
        if request.param == "sqlite+disk":
            path = tmp_path / "data" / "imprimatur.sqlite"
            path.parent.mkdir()
            shutil.copy(request.getfixturevalue("founded_sqlite" if founded else "sqlite_template"), path)
            yield settings_at(tmp_path / "data", database_url=f"sqlite:///{path}")
        else:
            server = request.getfixturevalue("postgres_url")
            template = request.getfixturevalue("founded_postgres" if founded else "postgres_template")
            url = stack.enter_context(postgres.fresh_database(server, template=template))
            bucket = request.getfixturevalue("s3").blob_url(f"hub-{uuid.uuid4().hex}")
            yield settings_at(tmp_path / "data", database_url=url, blob_url=bucket)


@pytest.fixture
def hub(stores: Settings) -> Iterator[Hub]:
    opened = open_hub(stores)
    founding.found(opened)
    with opened.reading(HUB) as work:
        known = events.last(work.session)
    with opened.index.writer_lock():
        opened.index.rebuild((), known)
    yield opened
    opened.close()


@pytest.fixture
def admin(hub: Hub) -> Viewer:
    with hub.writing(HUB) as work:
        return identity.administrator(work)


@pytest.fixture
def client(hub: Hub, admin: Viewer) -> Client:
    return Client(hub, admin)


def settings_at(data_dir: Path, **more: object) -> Settings:
    """Settings independent of the environment that the tests run in."""
    known = {"data_dir": data_dir, "secret_key": "for tests only", "admin_token": "imp_test", "workers": 0}
    known["rerenders_per_minute"] = 0  # whoever waits for all the work does not wait for the pace
    known |= {"import_buckets": "samples=s3://key:secret@127.0.0.1:9/samples?secure=false"}  # nothing answers there
    return Settings.model_validate({"public_url": "http://hub.test", **known, **more})


def _found(url: str, folder: Path) -> None:
    opened = open_hub(settings_at(folder / "data", database_url=url))
    founding.found(opened)
    with opened.writing(HUB) as work:
        events.number(work.session, work.secret)  # what waits for minutes to be linked is a fault to the check
    opened.close()


def _migrate(url: str) -> None:
    opened = database.open_database(url)
    migrate.ensure(opened, upgrade=True)
    opened.close()
