"""That the servers tests run on are what they claim to be, and that nothing of them stays."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.servers import postgres, programs, rgw
from tests.servers.programs import ServerFailed, ServerMissing

ROOT = Path(__file__).parents[2]


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@contextmanager
def by_hand(module: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server started by hand, with its own folder in this one, and the line it printed."""
    command, environment = [sys.executable, "-m", module], {**os.environ, "TMPDIR": str(folder)}
    environment.pop(postgres.GIVEN, None)
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may enter, as those of pytest are not."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


def test_databases_sort_by_bytes_and_know_unicode(postgres_url: str) -> None:
    with postgres.fresh_database(postgres_url) as url:
        assert ask(url, "SELECT 'Z' < 'a', lower('ÄÖÜ'), current_setting('server_encoding')") == [(True, "äöü", "UTF8")]


def test_a_fresh_database_is_empty_and_dropped_even_when_in_use(postgres_url: str) -> None:
    with postgres.fresh_database(postgres_url) as url:
        assert ask(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        left_open = psycopg.connect(plain)
    with pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")
    left_open.close()
    name = make_url(url).database
    assert ask(postgres_url, f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == [(0,)]


def test_a_database_may_be_a_copy_of_a_template(postgres_url: str) -> None:
    with postgres.fresh_database(postgres_url) as template:
        ask(template, "CREATE TABLE campaign (name text)")
        name = make_url(template).database

        def copy(_: int) -> list[tuple[object, ...]]:
            with postgres.fresh_database(postgres_url, template=name) as url:
                return ask(url, "SELECT count(*) FROM campaign")

        with ThreadPoolExecutor(2) as threads:
            assert list(threads.map(copy, range(4))) == [[(0,)]] * 4


def test_a_server_that_is_given_is_used(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = make_url(postgres_url).set(drivername="postgres").render_as_string(hide_password=False)
    monkeypatch.setenv(postgres.GIVEN, given)
    with postgres.running_postgres() as url:
        assert url == postgres_url


@pytest.mark.parametrize("start", [postgres.running_postgres, rgw.running_rgw])
def test_missing_programs_are_told_with_the_packages_to_install(
    start: Callable[[], AbstractContextManager[object]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(postgres.GIVEN, raising=False)
    monkeypatch.setattr(postgres, "DEBIAN", tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerMissing, match="apt-get install"), start():
        pytest.fail("It started without its programs.")


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match=r"sleep ended with 1:\n.*invalid time interval"):
        programs.run(["sleep", "soon"], tmp_path)


def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with programs.running(["sleep", "soon"], tmp_path) as process, pytest.raises(ServerFailed, match="invalid time"):
        programs.wait_until(lambda: False, process, tmp_path / "sleep.out")


def test_what_does_not_start_is_tried_again(tmp_path: Path) -> None:
    attempts: list[int] = []

    @contextmanager
    def third_time() -> Iterator[str]:
        attempts.append(len(attempts))
        if len(attempts) < 3:
            raise ServerFailed("The port was taken.")
        yield "ready"

    with programs.persistently(third_time) as server:
        assert (server, attempts) == ("ready", [0, 1, 2])
    attempts.clear()
    with pytest.raises(ServerFailed, match="port was taken"), programs.persistently(third_time, attempts=2):
        pytest.fail("It was said to have started.")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("name", ["postgres", "rgw"])
def test_a_server_started_by_hand_goes_when_it_is_told_and_when_it_is_killed(
    name: str, end: signal.Signals, request: pytest.FixtureRequest, open_folder: Path
) -> None:
    request.getfixturevalue("postgres_url" if name == "postgres" else "rgw")  # or skip: the programs are missing
    with by_hand(f"tests.servers.{name}", open_folder) as (process, line):
        variable, _, url = line.partition("=")
        assert variable == ("IMPRIMATUR_DATABASE_URL" if name == "postgres" else "IMPRIMATUR_BLOB_URL")
        port = urlsplit(url).port
        assert port
        assert is_open(port)
        process.send_signal(end)
        assert process.wait(30) == (-end if end == signal.SIGKILL else 0)
        assert eventually(lambda: not is_open(port))
        assert end == signal.SIGKILL or list(open_folder.iterdir()) == []


def run_where_ceph_is_missing(folder: Path, *options: str, **variables: str) -> tuple[int, str]:
    """What pytest ends with and prints for a test that asks for it."""
    (folder / "test_it.py").write_text("def test_it(rgw):\n    pass\n")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CI", "PYTEST"))}
    command = [sys.executable, "-m", "pytest", "-p", "tests.servers.plugin", "--rootdir", str(folder), *options]
    done = subprocess.run(
        [*command, str(folder / "test_it.py")],
        cwd=ROOT,
        env={**environment, **variables, "PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_missing_server_is_told_loudly_even_by_parallel_workers(tmp_path: Path) -> None:
    code, said = run_where_ceph_is_missing(tmp_path, "-n", "1")
    assert code == 0, said
    assert "NOT TESTED (1 skipped): No Ceph for the tests (radosgw, " in said


def test_a_missing_server_fails_the_tests_in_ci(tmp_path: Path) -> None:
    code, said = run_where_ceph_is_missing(tmp_path, CI="true")
    assert code == 1, said
    assert "SERVER MISSING: No Ceph for the tests (radosgw, " in said


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def eventually(question: Callable[[], bool]) -> bool:
    """Whether it comes true: what the operating system does by itself it does in its own time."""
    deadline = time.monotonic() + 20
    while not (true := question()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return true
