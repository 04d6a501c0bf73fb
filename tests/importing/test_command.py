"""`python -m server import` as a whole: what it prints, how it ends, and what is left when it is ended by force."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import database
from storage.settings import Settings
from storage.tables import AssetRow, AssetVersionRow, ImportEntryRow
from tests.conftest import settings_at
from tests.importing.folders import png, write

ROOT = Path(__file__).parents[2]
IMPORT = [sys.executable, "-W", "ignore", "-m", "server", "import"]
#: Enough files that an import of them can be caught in the middle.
MANY = 150


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    """The embedded default on an empty data dir that no server has ever seen."""
    return settings_at(tmp_path / "data")


def _environment(settings: Settings) -> dict[str, str]:
    names = ("data_dir", "database_url", "blob_url", "secret_key", "admin_token", "max_upload_bytes")
    told = {f"IMPRIMATUR_{name.upper()}": str(getattr(settings, name)) for name in names}
    return {**os.environ, "COLUMNS": "300", **told}  # a narrow terminal breaks messages in the middle of words


def _run(settings: Settings, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [*IMPORT, str(folder), *options]
    return subprocess.run(command, cwd=ROOT, env=_environment(settings), capture_output=True, text=True, check=False)


@contextmanager
def _running(settings: Settings, folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [*IMPORT, str(folder), "--json", *options]
    pipe = subprocess.PIPE
    # Unbuffered: `communicate` reads the descriptor itself and would lose what `readline` had taken beyond its line.
    process = subprocess.Popen(command, cwd=ROOT, env=_environment(settings), stdout=pipe, stderr=pipe, bufsize=0)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _lines(output: str | bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The files and the summary of `--json`."""
    *files, last = [json.loads(line) for line in output.splitlines()]
    return files, last["summary"]


def _counted(settings: Settings) -> tuple[int, int, int]:
    """Assets, different digests among their versions, and finished entries."""
    opened = database.open_database(settings.database_url)
    with opened.reading() as session:
        found = [
            session.scalar(sa.select(count)) or 0
            for count in (
                sa.func.count(AssetRow.id),
                sa.func.count(sa.distinct(AssetVersionRow.sha256)),
                sa.func.count(ImportEntryRow.path),
            )
        ]
    opened.close()
    return found[0], found[1], found[2]


def _first_lines(process: subprocess.Popen[bytes], count: int) -> list[bytes]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def test_it_tells_what_became_of_every_file_and_in_the_end_how_many(stores: Settings, folder: Path) -> None:
    write(folder, "a.png", "sub/.hidden.png", b"bad\xff.png")
    (folder / "copy of a.png").write_bytes((folder / "a.png").read_bytes())
    (folder / "lie.jpg").write_text("no picture")
    (folder / "link").symlink_to("/etc/passwd")
    done = _run(stores, folder, "--json", "--jobs", "1")
    files, summary = _lines(done.stdout)
    assert done.returncode == 3, done.stderr
    assert {file["path"]: file["outcome"] for file in files} == {
        "a.png": "NEW",
        "bad\ufffd.png": "NEW",
        "copy of a.png": "DUPLICATE",
        "lie.jpg": "REFUSED",
        "link": "SKIPPED",
    }
    by_path = {file["path"]: file for file in files}
    assert by_path["copy of a.png"]["asset"] == by_path["a.png"]["asset"]
    assert by_path["copy of a.png"]["title"] == "a"
    assert by_path["lie.jpg"]["message"].startswith("The name “lie.jpg” promises a picture")
    assert by_path["bad\ufffd.png"]["pathBytes"] == "YmFk/y5wbmc="
    assert summary.pop("seconds") > 0
    assert summary == {
        "new": 2,
        "duplicate": 1,
        "unchanged": 0,
        "refused": 1,
        "skipped": 2,
        "refusedByReason": {"NOT_WHAT_IT_CLAIMS": 1},
        "skippedByReason": {"HIDDEN": 1, "LINK": 1},
        "readBytes": sum(by_path[path]["byteSize"] for path in by_path if "sha256" in by_path[path]),
        "ended": "COMPLETE",
        "message": None,
    }
    assert str(folder) not in done.stdout + done.stderr


def test_people_get_an_account_and_a_word_on_the_workers(embedded: Settings, folder: Path) -> None:
    write(folder, "a.png", "b.png")
    (folder / "c\n.png").write_bytes((folder / "b.png").read_bytes())
    done = _run(embedded, folder, "--jobs", "1")
    assert done.returncode == 0
    *account, speed = done.stdout.splitlines()
    assert account == [
        "       2 new",
        "       1 duplicate",
        "           c\\n.png: duplicate of “b” (QXNzZXQ6Mg)",
        "       0 imported earlier and unchanged since",
        "       0 refused",
        "       0 skipped",
    ]
    assert speed.startswith("72 bytes were read in ")
    assert "2 jobs wait for the workers" in done.stderr
    again = _run(embedded, folder)
    assert (again.returncode, again.stderr) == (0, "")
    assert "3 imported earlier and unchanged since" in again.stdout


def test_a_folder_that_is_none_is_an_error_of_its_own(embedded: Settings, tmp_path: Path) -> None:
    write(tmp_path, "file.png")
    for path in ("missing", "file.png"):
        done = _run(embedded, tmp_path / path)
        assert (done.returncode, done.stdout) == (2, "")
        assert path in done.stderr


def test_on_a_terminal_it_shows_how_far_it_is(embedded: Settings, folder: Path) -> None:
    write(folder, *(f"{number}.png" for number in range(40)))
    ours, theirs = pty.openpty()
    environment = {**_environment(embedded), "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [*IMPORT, str(folder), "--json"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    shown, _ = _read_all(ours), process.communicate()
    os.close(ours)
    assert "40/40 files" in shown
    assert "kB" in shown
    assert "0:00:00" in shown


def _read_all(terminal: int) -> str:
    """What a program writes to a terminal until it closes it."""
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            return shown.decode()
        shown += piece


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_with_an_account_and_the_next_run_does_the_rest(
    embedded: Settings, folder: Path, number: signal.Signals
) -> None:
    write(folder, *(f"{each:03}.png" for each in range(MANY)))
    with _running(embedded, folder) as process:
        first = _first_lines(process, 5)
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)
    files, summary = _lines(b"".join(first) + rest)
    assert process.returncode == 130
    assert summary["ended"] == "STOPPED"
    assert 5 <= summary["new"] == len(files) < MANY
    assert b"run the same command again to go on from there" in errors
    _, summary = _lines(_run(embedded, folder, "--json").stdout)
    assert (summary["unchanged"], summary["new"]) == (len(files), MANY - len(files))
    assert _counted(embedded) == (MANY, MANY, MANY)


def test_killed_at_any_moment_it_loses_and_doubles_nothing(embedded: Settings, folder: Path) -> None:
    write(folder, *(f"{each:03}.png" for each in range(MANY)))
    told: Counter[str] = Counter()
    for after in (1, 3, 40):
        with _running(embedded, folder) as process:
            lines = _first_lines(process, after)
            process.kill()
            rest, _ = process.communicate()
        whole = [line for line in b"".join([*lines, rest]).splitlines(keepends=True) if line.endswith(b"\n")]
        told.update(file["path"] for line in whole if (file := json.loads(line)).get("outcome") == "NEW")
    assert max(told.values()) == 1
    done = _run(embedded, folder, "--json")
    files, summary = _lines(done.stdout)
    assert done.returncode == 0
    unchanged = {file["path"] for file in files if file["outcome"] == "UNCHANGED"}
    assert unchanged >= set(told)
    assert summary["unchanged"] + summary["new"] == MANY
    assert _counted(embedded) == (MANY, MANY, MANY)


def test_two_commands_on_one_folder_at_once_make_each_asset_once(embedded: Settings, folder: Path) -> None:
    write(folder, *(f"{each:03}.png" for each in range(60)))
    with _running(embedded, folder) as one, _running(embedded, folder) as other:
        outputs = [process.communicate(timeout=120)[0] for process in (one, other)]
    summaries = [_lines(output)[1] for output in outputs]
    assert sum(summary["new"] for summary in summaries) == 60
    assert {sum(summary[word] for word in ("new", "duplicate", "unchanged")) for summary in summaries} == {60}
    assert _counted(embedded) == (60, 60, 60)


def test_when_nobody_reads_its_output_any_more_it_ends(embedded: Settings, folder: Path) -> None:
    write(folder, *(f"{each:03}.png" for each in range(MANY)))
    with _running(embedded, folder) as process:
        _first_lines(process, 1)
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
        process.stdout = None
    assert _counted(embedded)[0] < MANY


def test_a_file_beyond_the_limit_is_refused_and_nothing_else(tmp_path: Path, folder: Path) -> None:
    settings = settings_at(tmp_path / "data", max_upload_bytes=5000)
    (folder / "large.png").write_bytes(png("large", 5001))
    (folder / "small.png").write_bytes(png("small", 5000))
    done = _run(settings, folder, "--json")
    assert done.returncode == 3
    assert _lines(done.stdout)[1]["refusedByReason"] == {"TOO_LARGE": 1}
    assert _words(done.stdout) == {"large.png": "REFUSED", "small.png": "NEW"}


def _words(output: str) -> Mapping[str, str]:
    return {file["path"]: file["outcome"] for file in _lines(output)[0]}
