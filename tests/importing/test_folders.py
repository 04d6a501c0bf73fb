"""A folder is imported into a hub on each pair of stores."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from domain import assets, importing
from domain.hub import Hub
from domain.importing import Word
from domain.work import Viewer
from storage import blobs
from storage.tables import AssetRow, AssetTagRow, AssetVersionRow, ImportEntryRow, JobRow, TagRow
from tests.asking import Client, rows_everywhere
from tests.importing.folders import outcomes, png, words, write

ODD_NAMES: tuple[str | bytes, ...] = (
    "Кошка на окне.png",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f600.png",
    "שלום עולם.png",
    'quo\'te "d".png',
    "new\nline\ttab.png",
    "back\\slash.png",
    "con.png",
    "-rf.png",
    "%s{0}$HOME`id`.png",
    "x" * 251 + ".png",
    b"latin \xe9\xff.png",
    "e\u0301 decomposed.png",
)


def _count(hub: Hub, table: type, *conditions: sa.ColumnElement[bool]) -> int:
    with hub.database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0


def _at_first_piece(act: Callable[[], object]) -> Callable[[int], None]:
    """To be told of read bytes: acts once."""
    done: list[int] = []

    def moved(count: int) -> None:
        if not done:
            done.append(count)
            act()

    return moved


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


def test_every_file_becomes_an_asset_with_its_name_its_bytes_and_a_job_for_its_renditions(
    hub: Hub, admin: Viewer, client: Client, folder: Path
) -> None:
    write(folder, "Spring_2026.png", "deep/er/cat.png")
    told = outcomes(hub, admin, folder)
    assert words(told) == {"Spring_2026.png": "NEW", "deep/er/cat.png": "NEW"}
    found = client.ask("{ assets { nodes { title tags { name } current { fileName sha256 renditions { state } } } } }")
    by_title = {node["title"]: node for node in found["assets"]["nodes"]}
    assert sorted(by_title) == ["Spring 2026", "cat"]
    assert by_title["cat"]["tags"] == []
    assert by_title["cat"]["current"]["sha256"] == told["deep/er/cat.png"].sha256
    assert {made["state"] for made in by_title["cat"]["current"]["renditions"]} == {"QUEUED"}
    assert _count(hub, JobRow, JobRow.kind == "render_version") == 2


def test_odd_names_are_no_hindrance(hub: Hub, admin: Viewer, folder: Path) -> None:
    write(folder, *ODD_NAMES)
    told = outcomes(hub, admin, folder, threads=3)
    assert {outcome.word for outcome in told.values()} == {Word.NEW}
    assert {os.fsencode(path) for path in told} == {os.fsencode(name) for name in ODD_NAMES}
    again = outcomes(hub, admin, folder, threads=3)
    assert {outcome.word for outcome in again.values()} == {Word.UNCHANGED}


def test_what_is_finished_is_not_read_again_until_its_size_or_time_changes(
    hub: Hub, admin: Viewer, folder: Path
) -> None:
    write(folder, "a.png", "b.png", "c.png")
    first = outcomes(hub, admin, folder)
    os.utime(folder / "b.png", ns=(1, 1))
    (folder / "c.png").write_bytes(png("other"))
    read: list[int] = []
    told = outcomes(hub, admin, folder, moved=read.append)
    assert words(told) == {"a.png": "UNCHANGED", "b.png": "DUPLICATE", "c.png": "NEW"}
    assert sum(read) == len(png(b"b.png")) + len(png("other"))
    assert (told["a.png"].asset_id, told["a.png"].title) == (first["a.png"].asset_id, "a")
    assert told["b.png"].asset_id == first["b.png"].asset_id
    assert set(words(outcomes(hub, admin, folder)).values()) == {"UNCHANGED"}


def test_the_ledger_knows_a_folder_by_whatever_way_it_is_named(hub: Hub, admin: Viewer, folder: Path) -> None:
    write(folder, "sub/a.png")
    outcomes(hub, admin, folder)
    link = folder.with_name("link")
    link.symlink_to(folder)
    assert words(outcomes(hub, admin, link)) == {"sub/a.png": "UNCHANGED"}
    assert words(outcomes(hub, admin, folder / "sub")) == {"a.png": "UNCHANGED"}


def test_the_ledger_keeps_no_path(hub: Hub, admin: Viewer, folder: Path) -> None:
    write(folder, "very-secret-project/a.png")
    outcomes(hub, admin, folder)
    with hub.database.reading() as session:
        entry = session.scalars(sa.select(ImportEntryRow)).one()
    assert (len(entry.path), entry.outcome) == (64, "NEW")
    assert "secret-project" not in str(rows_everywhere(hub))


def test_the_same_bytes_make_one_asset_wherever_they_come_from(
    hub: Hub, admin: Viewer, client: Client, folder: Path
) -> None:
    here = client.create(png("uploaded"), title="Uploaded")
    archived = client.create(png("archived"), title="Put away")
    client.mutate("assetArchive", "asset { id }", asset=archived["id"], expectedRevision=archived["revision"])
    (folder / "1.png").write_bytes(png("uploaded"))
    (folder / "2.png").write_bytes(png("archived"))
    (folder / "3.png").write_bytes(png("fresh"))
    (folder / "4 copy.png").write_bytes(png("fresh"))
    told = outcomes(hub, admin, folder)
    assert words(told) == {"1.png": "DUPLICATE", "2.png": "DUPLICATE", "3.png": "NEW", "4 copy.png": "DUPLICATE"}
    assert [told[path].title for path in sorted(told)] == ["Uploaded", "Put away", "3", "3"]
    assert told["4 copy.png"].asset_id == told["3.png"].asset_id
    assert _count(hub, AssetRow) == 3
    assert client.ask("query ($id: ID!) { asset(id: $id) { title } }", id=here["id"])["asset"]["title"] == "Uploaded"


def test_many_threads_bringing_the_same_bytes_make_one_asset(hub: Hub, admin: Viewer, folder: Path) -> None:
    for number in range(24):
        (folder / f"{number:02}.png").write_bytes(png(number % 3))
    told = words(outcomes(hub, admin, folder, threads=6))
    assert sorted(told.values()) == ["DUPLICATE"] * 21 + ["NEW"] * 3
    assert (_count(hub, AssetRow), _count(hub, AssetVersionRow), len(list(hub.blobs.keys()))) == (3, 3, 3)


def test_two_imports_of_one_folder_at_once_make_each_asset_once(hub: Hub, admin: Viewer, folder: Path) -> None:
    write(folder, *(f"{number:02}.png" for number in range(20)))
    told: list[dict[str, str]] = []
    threads = [threading.Thread(target=lambda: told.append(words(outcomes(hub, admin, folder)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _count(hub, AssetRow) == 20
    new = [path for one in told for path, word in one.items() if word == "NEW"]
    assert len(new) == len(set(new)) == 20


def test_folder_names_become_tags_only_when_asked_and_are_marked_as_such(hub: Hub, admin: Viewer, folder: Path) -> None:
    write(folder, "Summer/Berlin/a.png", "summer/b.png", "c.png")
    outcomes(hub, admin, folder, tag_folders=True, threads=3)
    carried = sa.select(AssetRow.title, TagRow.name, AssetTagRow.origin)
    carried = carried.join(AssetTagRow, AssetTagRow.asset_id == AssetRow.id).join(
        TagRow, TagRow.id == AssetTagRow.tag_id
    )
    with hub.database.reading() as session:
        found = [(title, name.lower(), origin) for title, name, origin in session.execute(carried)]
    assert sorted(found) == [("a", "berlin", "FOLDER"), ("a", "summer", "FOLDER"), ("b", "summer", "FOLDER")]


def test_files_that_are_not_taken_are_refused_with_a_sentence_and_leave_nothing(
    hub: Hub, admin: Viewer, folder: Path
) -> None:
    (folder / "empty.png").touch()
    (folder / "text.jpg").write_text("I am a text and no picture.")
    (folder / "large.png").write_bytes(png("large", 2000))
    small = replace(hub, settings=hub.settings.model_copy(update={"max_upload_bytes": 1999}))
    before = rows_everywhere(hub)
    told = outcomes(small, admin, folder)
    assert {path: (outcome.reason, outcome.sentence) for path, outcome in told.items()} == {
        "empty.png": ("EMPTY", "The file is empty: there is nothing to keep."),
        "large.png": ("TOO_LARGE", "The file has 2,000 bytes; this hub takes at most 1,999."),
        "text.jpg": (
            "NOT_WHAT_IT_CLAIMS",
            "The name “text.jpg” promises a picture, but what the file holds is text (text/plain): nothing was taken.",
        ),
    }
    assert {outcome.word for outcome in told.values()} == {Word.REFUSED}
    assert rows_everywhere(hub) == before
    assert list(hub.blobs.keys()) == []


def test_a_file_that_changes_while_it_is_read_is_read_once_more(hub: Hub, admin: Viewer, folder: Path) -> None:
    file = folder / "a.png"
    file.write_bytes(png("before", 3 << 20))
    told = outcomes(hub, admin, folder, moved=_at_first_piece(lambda: file.write_bytes(png("after"))))
    assert words(told) == {"a.png": "NEW"}
    assert told["a.png"].byte_size == len(png("after"))
    assert list(hub.blobs.keys()) == [told["a.png"].sha256]


def test_a_file_that_never_rests_is_refused_and_nothing_of_it_stays(hub: Hub, admin: Viewer, folder: Path) -> None:
    file = folder / "growing.png"
    file.write_bytes(png("growing", 2 << 20))

    def grow(_count: int) -> None:
        with file.open("ab") as opened:
            opened.write(bytes(1 << 20))

    told = outcomes(hub, admin, folder, moved=grow)
    assert words(told) == {"growing.png": "REFUSED CHANGED"}
    assert list(hub.blobs.keys()) == []
    assert words(outcomes(hub, admin, folder)) == {"growing.png": "NEW"}


def test_what_vanishes_or_turns_into_a_link_meanwhile_is_told(hub: Hub, admin: Viewer, folder: Path) -> None:
    write(folder, "a.png", "b.png", "c.png", "d.png")

    def meddle() -> None:
        (folder / "b.png").unlink()
        (folder / "c.png").unlink()
        (folder / "c.png").symlink_to(folder / "a.png")

    told = outcomes(hub, admin, folder, moved=_at_first_piece(meddle))
    assert words(told) == {"a.png": "NEW", "b.png": "SKIPPED GONE", "c.png": "REFUSED UNREADABLE", "d.png": "NEW"}


def test_told_to_stop_it_ends_in_the_middle_of_a_file_and_goes_on_another_time(
    hub: Hub, admin: Viewer, folder: Path
) -> None:
    (folder / "a.png").write_bytes(png("a"))
    (folder / "b.png").write_bytes(png("b", 8 << 20))
    (folder / "c.png").write_bytes(png("c"))
    stop, read = threading.Event(), list[int]()

    def moved(count: int) -> None:
        read.append(count)
        if sum(read) > 2 << 20:
            stop.set()

    assert words(outcomes(hub, admin, folder, stop=stop, moved=moved)) == {"a.png": "NEW"}
    assert sum(read) < 4 << 20
    assert len(list(hub.blobs.keys())) == 1
    assert words(outcomes(hub, admin, folder)) == {"a.png": "UNCHANGED", "b.png": "NEW", "c.png": "NEW"}


def test_a_full_blob_store_ends_the_import_with_a_sentence_and_keeps_what_was_taken(
    hub: Hub, admin: Viewer, folder: Path
) -> None:
    write(folder, "a.png")
    (folder / "b.png").write_bytes(png("b", 5000))
    write(folder, "c.png")
    narrow = replace(hub, blobs=blobs.MemoryBlobs(limit=4000))
    told: list[str] = []
    with pytest.raises(importing.Halted, match=r"full.*What was imported so far is safe"):
        told.extend(
            outcome.path
            for outcome in importing.run(narrow, admin, folder, threads=1, tag_folders=False, stop=threading.Event())
        )
    assert _count(hub, AssetRow) == _count(hub, ImportEntryRow) == 1
    roomy = replace(hub, blobs=blobs.MemoryBlobs())
    assert words(outcomes(roomy, admin, folder)) == {"a.png": "UNCHANGED", "b.png": "NEW", "c.png": "NEW"}


@pytest.mark.parametrize("stores", ["sqlite+disk"], indirect=True)
def test_a_full_disk_under_the_database_ends_the_import_with_a_sentence(hub: Hub, admin: Viewer, folder: Path) -> None:
    write(folder, *(f"{number}.png" for number in range(300)))
    hub.database.close()
    event.listen(
        hub.database.engine,
        "connect",
        lambda connection, _: connection.execute(f"PRAGMA max_page_count={_pages(connection) + 8}"),
    )
    with pytest.raises(importing.Halted, match="The disk of the database is full"):
        outcomes(hub, admin, folder, threads=2)
    made = _count(hub, AssetRow)
    assert made == _count(hub, ImportEntryRow) == _count(hub, AssetVersionRow) < 300


def _pages(connection: object) -> int:
    return int(connection.execute("PRAGMA page_count").fetchone()[0])  # type: ignore[attr-defined]


def test_an_asset_that_was_imported_reads_like_one_that_was_uploaded(
    hub: Hub, admin: Viewer, client: Client, folder: Path
) -> None:
    (folder / "same.png").write_bytes(png("imported"))
    outcome = outcomes(hub, admin, folder)["same.png"]
    client.create(png("uploaded"), file_name="same.png")
    with hub.reading(admin) as work:
        imported, uploaded = assets.by_id(work, range(1, 100)).values()
    assert imported.id == outcome.asset_id
    for name in ("title", "title_origin", "kind", "lifecycle", "revision", "created_by", "description_origin"):
        assert getattr(imported, name) == getattr(uploaded, name)
