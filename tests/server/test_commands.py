"""The command line, in process: what each command prints, and how it ends."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain import identity
from domain.hub import open_hub
from domain.refusals import NotSignedIn
from server.__main__ import main
from storage.settings import load


@dataclass(frozen=True)
class Ended:
    code: int
    printed: str
    told: str


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command over a data dir of its own, with settings by keyword."""
    for name in os.environ:
        if name.startswith("IMPRIMATUR_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("IMPRIMATUR_DATA_DIR", str(tmp_path / "data"))

    def ran(*arguments: str, **settings: str) -> Ended:
        with monkeypatch.context() as patch:
            patch.setattr("sys.argv", ["server", *arguments])
            for name, value in settings.items():
                patch.setenv(f"IMPRIMATUR_{name}", value)
            try:
                code = main()
            except SystemExit as error:  # how typer ends
                code = int(error.code or 0)
        told = capfd.readouterr()
        return Ended(code, told.out, told.err)

    return ran


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("WORKERS", "many"),
        ("LOG_LEVEL", "loud"),
        ("DATABASE_URL", "mysql://someone:hunter2@x/y"),
        ("DATABASE_URL", "nonsense"),
        ("BLOB_URL", "ftp://hunter2@x"),
        ("DATA_DIR", "/proc/nowhere"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_sentence(run: Run, name: str, value: str) -> None:
    ended = run("migrate", **{name: value})
    assert ended.code in {1, 2}
    assert ended.printed == ""
    assert ended.told.count("\n") == 1
    assert ended.told.strip().endswith(".")
    assert "hunter2" not in ended.told


def test_a_database_that_cannot_be_reached_is_one_sentence_without_its_password(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ended = run("check", DATABASE_URL=f"postgresql://someone:hunter2@127.0.0.1:{port}/x")
    assert ended.code == 1
    assert ended.told.startswith("The database cannot be used: ")
    assert ended.told.count("\n") == 1
    assert "hunter2" not in ended.told


def test_a_file_that_is_no_database_is_one_sentence_and_stays_as_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    something_else = tmp_path / "data" / "imprimatur.sqlite"
    something_else.write_text("a shopping list, long enough to be looked at as a header")
    ended = run("check", DATA_DIR=str(tmp_path / "data"))
    assert ended.code == 1
    assert ended.told.startswith("The database cannot be used: ")
    assert ended.told.count("\n") == 1
    assert something_else.read_text().startswith("a shopping list")


def test_every_setting_is_listed_with_its_meaning_and_no_secret(run: Run) -> None:
    told = {
        "ADMIN_TOKEN": "imp_hunter2",
        "SECRET_KEY": "hunter2",
        "BLOB_URL": "s3://key:hunter2@host:9000/bucket",
        "DATABASE_URL": "postgresql://someone:hunter2@host/x",
    }
    ended = run("settings", "--json", **told)
    assert ended.code == 0
    assert "hunter2" not in ended.printed
    rows = {row["name"]: row for row in json.loads(ended.printed)}
    assert rows["IMPRIMATUR_BLOB_URL"]["value"] == "s3://key:•••@host:9000/bucket"
    assert all(row["description"].endswith(".") for row in rows.values())
    table = run("settings", **told)
    assert "hunter2" not in table.printed
    assert all(name in table.printed for name in rows)


@pytest.mark.parametrize(
    ("name", "url", "shown"),
    [
        ("BLOB_URL", "s3://KEY:ab/cdhunter2@host/bucket", "s3://•••"),
        ("BLOB_URL", "s3://KEY:12/cdhunter2@host/bucket", "s3://•••"),
        ("BLOB_URL", "s3://KEY:12#hunter2@host/bucket", "s3://•••"),
        ("BLOB_URL", "s3://KEY:12?hunter2@host/bucket", "s3://•••"),
        ("BLOB_URL", "s3://hunter2@host/bucket", "s3://•••"),
        ("BLOB_URL", "s3://host/hunter2", "s3://•••"),
        ("BLOB_URL", "s3://k:hunter2@host:9000/b?secure=false", "s3://k:•••@host:9000/b?secure=false"),
        ("BLOB_URL", "hunter2", "•••"),
        ("BLOB_URL", "file:", "file:"),
        ("BLOB_URL", "file:///srv/a@b", "file:///srv/a@b"),
        ("DATABASE_URL", "postgresql://h/db?user=u&password=hunter2", "postgresql://h/db?user=•••&password=•••"),
        ("DATABASE_URL", "postgresql://h/db?hunter2", "postgresql://h/db?•••"),
        ("DATABASE_URL", "postgresql://u:p@hunter2@h/db", "postgresql://•••"),
        ("DATABASE_URL", "postgresql://u:hunter2@[::1]:5432/db", "postgresql://u:•••@[::1]:5432/db"),
        ("DATABASE_URL", "postgresql://u:hunter2@/db?host=/run", "postgresql://u:•••@/db?host=/run"),
        ("DATABASE_URL", "sqlite:////srv/x.sqlite", "sqlite:////srv/x.sqlite"),
        ("PUBLIC_URL", "https://brand.example/hub", "https://brand.example/hub"),
    ],
)
def test_an_address_is_listed_as_far_as_it_is_sure_to_hold_no_secret(run: Run, name: str, url: str, shown: str) -> None:
    rows = {row["name"]: row["value"] for row in json.loads(run("settings", "--json", **{name: url}).printed)}
    assert rows[f"IMPRIMATUR_{name}"] == shown


def test_a_token_is_made_listed_and_revoked(run: Run) -> None:
    made = run("token", "create", "--name", "printer", "--days", "3")
    secret = made.printed.strip()
    assert made.code == 0
    assert secret.startswith("imp_")
    hub = open_hub(load())
    try:
        assert identity.viewer_of_token(hub, secret).is_administrator
        listed = run("token", "list").printed
        assert "printer" in listed
        assert secret not in listed
        number = made.told.split()[1]
        assert run("token", "revoke", number).code == 0
        with pytest.raises(NotSignedIn):
            identity.viewer_of_token(hub, secret)
        assert "revoked" in run("token", "list").printed
    finally:
        hub.close()


@pytest.mark.parametrize("arguments", [("token", "revoke", "999"), ("token", "create", "--name", "x", "--days", "0")])
def test_what_the_domain_refuses_is_one_sentence_on_the_command_line(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert ended.code == 1
    assert ended.printed == ""
    assert ended.told.strip().endswith(".")
    assert ended.told.count("\n") == 1


def test_migrating_twice_is_no_error(run: Run) -> None:
    assert [run("migrate").code, run("migrate").code] == [0, 0]


def test_the_schema_is_printed_without_opening_anything(run: Run, tmp_path: Path) -> None:
    ended = run("sdl")
    assert ended.code == 0
    assert "type Query" in ended.printed
    assert not (tmp_path / "data").exists()


def test_a_fresh_hub_has_nothing_that_was_approved_before_anybody_asked_whose_it_is(run: Run) -> None:
    for arguments in ((), ("--dry-run",)):
        ended = run("own-work", *arguments)
        assert (ended.code, ended.printed.split()[-4:]) == (0, ["0", "assets", "own", "work."])


def test_a_fresh_hub_is_found_whole_and_can_be_indexed_anew(run: Run) -> None:
    assert run("reindex").code == 0
    ended = run("check", "--deep")
    assert (ended.code, ended.printed.count("\n")) == (0, 1)
    assert "no findings" in ended.printed
