"""ZIPs: each entry an outcome, tricks refused one by one, bombs refused whole, and nothing written beside the store."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import fetching
from domain.fetching import zips
from domain.hub import Hub
from domain.refusals import FileRefused
from storage.tables import UploadItemRow
from tests.asking import Client
from tests.assets.acts import created, events, picture
from tests.importing.fetching import TERMS, look, outcomes, unpacked


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return made.getvalue()


def special(name: str, mode: int, data: bytes = b"/etc/passwd") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        opened.writestr(info, data)
    return made.getvalue()


def files_of(hub: Hub) -> set[Path]:
    return {
        path
        for path in hub.settings.data_dir.rglob("*")
        if path.is_file() and not {"blobs", "staging"} & set(path.parts)
    }


def test_every_entry_has_an_outcome_and_nothing_is_unpacked(hub: Hub, client: Client) -> None:
    known = created(client, picture(1))
    data = archive(
        {
            "shoot/": b"",
            "shoot/beach.png": picture(2),
            "shoot/again.png": picture(1),
            "shoot/wrong.jpg": b"%PDF-1.7 no picture",
            "shoot/empty.png": b"",
            "__MACOSX/._beach.png": b"litter",
        }
    )
    before = files_of(hub)
    session = unpacked(hub, client, data)
    found = look(client, session)
    assert (found["state"], found["failure"]) == ("DONE", None)
    assert outcomes(client, session) == {
        "shoot/beach.png": "CREATED",
        "shoot/again.png": "DUPLICATE",
        "shoot/wrong.jpg": "REFUSED NOT_WHAT_IT_CLAIMS",
        "shoot/empty.png": "REFUSED EMPTY",
        "__MACOSX/._beach.png": "REFUSED HIDDEN",
    }
    nodes = {each["name"]: each["asset"] for each in found["items"]["nodes"]}
    assert (nodes["shoot/beach.png"]["title"], nodes["shoot/beach.png"]["tags"]) == ("beach", [{"name": "imported"}])
    assert nodes["shoot/again.png"]["id"] == known["id"]
    assert {path for path in files_of(hub) - before if "sqlite" not in path.name} == set()


TRICKS = {
    "../../etc/passwd": "PATH",
    "/etc/passwd": "PATH",
    "C:\\windows\\a.png": "PATH",
    "C:/windows/a.png": "PATH",
    "a\\..\\b.png": "PATH",
    "a/../../b.png": "PATH",
    "a\nb.png": "PATH",
    ".hidden.png": "HIDDEN",
    "a/.git/b.png": "HIDDEN",
}


@pytest.mark.parametrize("name", TRICKS)
def test_a_name_that_plays_tricks_is_refused_and_the_rest_is_taken(hub: Hub, client: Client, name: str) -> None:
    session = unpacked(hub, client, archive({name: picture(1), "good.png": picture(2)}))
    assert sorted(outcomes(client, session).values()) == ["CREATED", f"REFUSED {TRICKS[name]}"]


@pytest.mark.parametrize(
    ("mode", "reason"), [(stat.S_IFLNK, "LINK"), (stat.S_IFIFO, "SPECIAL"), (stat.S_IFCHR, "SPECIAL")]
)
def test_links_and_devices_are_refused(hub: Hub, client: Client, mode: int, reason: str) -> None:
    session = unpacked(hub, client, special("a.png", mode))
    assert outcomes(client, session) == {"a.png": f"REFUSED {reason}"}


def test_other_methods_and_encrypted_entries_are_refused(hub: Hub, client: Client) -> None:
    squeezed = unpacked(hub, client, archive({"a.png": picture(1)}, zipfile.ZIP_BZIP2))
    assert outcomes(client, squeezed) == {"a.png": "REFUSED METHOD"}
    data = bytearray(archive({"a.png": picture(2)}))
    place = data.rindex(b"PK\x01\x02")
    struct.pack_into("<H", data, place + 8, 1)
    secret = unpacked(hub, client, bytes(data))
    assert outcomes(client, secret) == {"a.png": "REFUSED ENCRYPTED"}


def test_a_bomb_is_refused_whole(hub: Hub, client: Client) -> None:
    data = archive({f"{place}.png": bytes(9_000_000) for place in range(8)})
    session = unpacked(hub, client, data)
    assert look(client, session)["failure"]["code"] == "BOMB"
    assert (look(client, session)["state"], events(hub, "asset.created")) == ("FAILED", [])


def test_an_entry_that_lies_about_its_size_yields_no_more_than_it_announced() -> None:
    data = bytearray(archive({"a.png": bytes(1_000_000)}))
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        struct.pack_into("<I", data, data.index(mark) + place, 10)
    opened = zips.Archive(io.BytesIO(bytes(data)), len(data))
    with pytest.raises(FileRefused):
        b"".join(opened.pieces(0))
    with pytest.raises(FileRefused):
        assert len(b"".join(opened.pieces(0))) <= 10


def test_entries_that_share_bytes_are_refused(hub: Hub, client: Client) -> None:
    """As in overlapping bombs: two names for one run of bytes."""
    data = bytearray(archive({"a.png": picture(1), "b.png": picture(2)}))
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    session = unpacked(hub, client, bytes(data))
    assert set(outcomes(client, session).values()) == {"REFUSED OVERLAPS"}


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 nothing more",
        archive({"a.png": b"x"})[:-10],
        b"PK\x03\x04" + b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + bytes(18),
        b"PK\x03\x04" + b"PK\x05\x06" + bytes(4) + b"\xff\xff\xff\xff" + b"\xff" * 8 + bytes(2),
    ],
)
def test_what_is_no_archive_ends_its_session_with_a_reason(data: bytes) -> None:
    with pytest.raises(FileRefused) as refused:
        zips.Archive(io.BytesIO(data), len(data))
    assert refused.value.reason in {"NOT_WHAT_IT_CLAIMS", "TOO_LARGE", "TOO_MANY"}


def test_an_empty_archive_has_no_entries(hub: Hub, client: Client) -> None:
    session = unpacked(hub, client, archive({}))
    assert (look(client, session)["state"], outcomes(client, session)) == ("DONE", {})


def test_damaged_entries_are_refused_and_the_rest_is_taken(hub: Hub, client: Client) -> None:
    data = bytearray(archive({"a.png": picture(1), "b.png": picture(2)}, zipfile.ZIP_STORED))
    data[data.index(b"IHDR") + 8] ^= 0xFF
    session = unpacked(hub, client, bytes(data))
    assert outcomes(client, session) == {"a.png": "REFUSED DAMAGED", "b.png": "CREATED"}


def test_a_file_that_killed_whoever_fetched_it_again_and_again_is_given_up(hub: Hub, client: Client) -> None:
    upload = client.upload(archive({"a.png": picture(1), "b.png": picture(2)}), "files.zip")
    with hub.writing(client.viewer) as work:
        session = fetching.from_zip(work, TERMS, upload).id
    with pytest.raises(_Away):
        fetching.fetch_zip(hub, session, _away)  # an orderly stop spends nothing
    with hub.database.writing() as writing:
        attempts = writing.execute(sa.select(UploadItemRow.attempts).order_by(UploadItemRow.number)).scalars().all()
        assert attempts[1] == 0
        writing.execute(sa.update(UploadItemRow).where(UploadItemRow.number == 1).values(attempts=3))
    fetching.fetch_zip(hub, session, lambda: None)
    assert outcomes(client, session) == {"a.png": "REFUSED INTERRUPTED", "b.png": "CREATED"}


class _Away(BaseException):
    """The process must stop."""


def _away() -> None:
    raise _Away
