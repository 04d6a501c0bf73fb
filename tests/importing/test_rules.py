"""What an import meets in a folder, and how it tells of it; nothing is brought in."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.importing import Outcome, Word, bringing, sources, walking
from domain.importing.walking import File, Passed
from server.commands.import_ import telling
from tests.importing.folders import write

NOBODY = 65534


def _walked(folder: Path, *own: Path) -> list[tuple[str, str]]:
    return [(found.path, found.reason if isinstance(found, Passed) else "") for found in walking.walk(folder, own)]


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Without root's power to read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def test_files_come_in_one_fixed_order_with_a_folder_before_its_subfolders(tmp_path: Path) -> None:
    write(tmp_path, "b/2.png", "b/1.png", "a/x/1.png", "a/2.png", "z.png")
    assert [path for path, _ in _walked(tmp_path)] == ["z.png", "a/2.png", "a/x/1.png", "b/1.png", "b/2.png"]


def test_a_file_is_told_with_its_size_and_its_time_of_change(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"12345")
    os.utime(tmp_path / "a.png", ns=(1, 1_700_000_000_123_456_789))
    assert list(walking.walk(tmp_path)) == [File("a.png", 5, 1_700_000_000_123_456_789)]


def test_links_pipes_sockets_and_hidden_things_are_passed_over_with_a_reason(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write(folder, "a.png", ".hidden/b.png", ".DS_Store", "sub/Thumbs.db", "sub/desktop.ini")
    (folder / "out").symlink_to(tmp_path)
    (folder / "in").symlink_to(folder / "a.png")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "socket"))
    assert _walked(folder) == [
        (".DS_Store", "HIDDEN"),
        (".hidden", "HIDDEN"),
        ("a.png", ""),
        ("in", "LINK"),
        ("loop", "LINK"),
        ("out", "LINK"),
        ("pipe", "SPECIAL"),
        ("socket", "SPECIAL"),
        ("sub/Thumbs.db", "HIDDEN"),
        ("sub/desktop.ini", "HIDDEN"),
    ]


def test_the_hubs_own_data_inside_the_folder_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "a.png", "data/blobs/sha256/ab/cd/x.png")
    assert _walked(tmp_path, tmp_path / "data") == [("a.png", ""), ("data", "OWN_DATA")]


def test_a_folder_that_may_not_be_read_is_refused_with_a_sentence_and_the_others_come(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, "a/1.png", "b/2.png", "c/3.png")
        folder.chmod(0o755)
        (folder / "b").chmod(0)
        with _as_nobody():
            found = list(walking.walk(folder))
        (folder / "b").chmod(0o755)
    assert found[1] == Passed("b", "UNREADABLE", "It cannot be read: Permission denied.")
    assert [each.path for each in found] == ["a/1.png", "b", "c/3.png"]


def test_a_file_that_may_not_be_read_raises_what_the_system_says() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, "a.png")
        folder.chmod(0o755)
        (folder / "a.png").chmod(0)
        with _as_nobody(), pytest.raises(PermissionError), sources.opened(folder / "a.png", threading.Event(), print):
            pass


def test_a_path_longer_than_the_system_takes_is_refused_and_the_walk_goes_on(tmp_path: Path) -> None:
    write(tmp_path, "z/last.png")
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        here, before = os.open("d" * 250, os.O_RDONLY, dir_fd=here), here
        os.close(before)
    os.close(here)
    found = list(walking.walk(tmp_path))
    assert isinstance(found[0], Passed)
    assert found[0].sentence == "It cannot be read: File name too long."
    assert found[-1].path == "z/last.png"


def test_what_stands_in_place_of_a_file_since_the_walk_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in ("pipe", "."):
        with pytest.raises(sources.Changed), sources.opened(tmp_path / path, threading.Event(), print):
            pass


def test_folder_names_become_tags_as_far_as_they_can() -> None:
    long, many = "x" * 150, "/".join(str(number) for number in range(300))
    assert bringing._folder_tags("a.png") == []
    assert bringing._folder_tags("Sommer 2026/Berlin \t/Sommer 2026/a.png") == ["Sommer 2026", "Berlin"]
    assert bringing._folder_tags(f"\udcff\n/{long}/a.png") == ["x" * 100]
    assert bringing._folder_tags(f"{many}/a.png") == [str(number) for number in range(100, 300)]


def test_a_path_is_shown_in_one_line_that_cannot_steer_a_terminal() -> None:
    family = "\U0001f468\u200d\U0001f469"
    assert telling.printable("Кошка שלום " + family + ".png") == "Кошка שלום " + family + ".png"
    assert telling.printable("a\nb\x1b[2J\u202egpj.exe\udcff") == r"a\nb\x1b[2J\u202egpj.exe\xff"


def test_a_path_that_is_no_utf8_comes_as_json_with_its_bytes() -> None:
    told = telling.file_as_json(Outcome("a\udcff.png", Word.SKIPPED, reason="LINK", sentence="It is a link."))
    assert told == {
        "path": "a\ufffd.png",
        "pathBytes": "Yf8ucG5n",
        "outcome": "SKIPPED",
        "byteSize": 0,
        "reason": "LINK",
        "message": "It is a link.",
    }


def test_the_account_names_a_few_of_each_group_and_counts_the_rest() -> None:
    account = telling.Account()
    for number in range(8):
        account.note(Outcome(f"{number}.png", Word.DUPLICATE, 10, asset_id=7, title="Cat"))
        account.note(Outcome(f"{number}.jpg", Word.REFUSED, 0, reason="EMPTY", sentence="The file is empty."))
        account.note(Outcome(f".{number}", Word.SKIPPED, reason="HIDDEN", sentence="It is hidden."))
    lines = list(account.as_lines())
    assert lines[:3] == [
        "       0 new",
        "       8 duplicates",
        "           0.png: duplicate of “Cat” (QXNzZXQ6Nw)",
    ]
    assert lines.count("           … and 3 more") == 2
    assert "           4.jpg: The file is empty." in lines
    assert lines[-3:-1] == ["       8 skipped", "         8 hidden or left behind by a system"]
