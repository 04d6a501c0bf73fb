"""ZIPs: each entry an outcome, tricks refused one by one, bombs refused whole, and nothing written beside the store."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
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


def larger(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The same as ZIP64, as it is written where 32 bits do not suffice."""
    with monkeypatch.context() as patched:
        patched.setattr(zipfile, "ZIP64_LIMIT", 8)
        return archive(files)


def beyond(path: Path, hole: int, data: bytes) -> int:
    """Writes an archive of two stored entries, the first of which is `hole` zeros and takes no room on the disk; the
    size of the archive.
    """

    def entry(name: bytes, size: int, crc: int, offset: int) -> tuple[bytes, bytes]:
        most = 0xFFFF_FFFF
        extra = struct.pack("<HHQQ", 1, 16, size, size)
        local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 45, 0, 0, 0, 33, crc, most, most, len(name), len(extra))
        far = struct.pack("<HHQQQ", 1, 24, size, size, offset)
        lengths = (len(name), len(far), 0, 0, 0)
        told = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 45, 45, 0, 0, 0, 33, crc, most, most, *lengths, 0, most)
        return local + name + extra, told + name + far

    with path.open("wb") as file:
        local, first = entry(b"large.tif", hole, 0, 0)
        file.write(local)
        second_at = file.seek(hole, io.SEEK_CUR)
        local, second = entry(b"small.png", len(data), zlib.crc32(data), second_at)
        file.write(local + data)
        start, directory = file.tell(), first + second
        end = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, len(directory), start)
        locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, start + len(directory), 1)
        file.write(directory + end + locator)
        file.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0))
        return file.tell()


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
    assert refused.value.reason in {"NOT_WHAT_IT_CLAIMS", "TOO_MANY"}


def test_an_archive_of_the_larger_kind_is_read_like_any_other(
    hub: Hub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = larger({"a.png": picture(1), "../b.png": picture(2), "c.png": picture(3)}, monkeypatch)
    assert b"PK\x06\x06" in data
    session = unpacked(hub, client, data)
    assert outcomes(client, session) == {"a.png": "CREATED", "../b.png": "REFUSED PATH", "c.png": "CREATED"}


def test_an_entry_beyond_four_gigabytes_is_found(tmp_path: Path) -> None:
    hole = 5 * 1024**3
    size = beyond(tmp_path / "large.zip", hole, picture(1))
    with (tmp_path / "large.zip").open("rb") as stream:
        opened = zips.Archive(stream, size)
        assert [(each.path, each.byte_size, each.reason) for each in opened.entries()] == [
            ("large.tif", hole, None),
            ("small.png", len(picture(1)), None),
        ]
        assert b"".join(opened.pieces(1)) == picture(1)
        assert next(opened.pieces(0)) == bytes(zips.PIECE)


def test_the_larger_kind_is_under_the_same_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = larger({f"{place}.png": bytes(9_000_000) for place in range(8)}, monkeypatch)
    many = larger({f"{place}.png": b"" for place in range(zips.MOST_ENTRIES + 1)}, monkeypatch)
    for data, reason in ((bomb, "BOMB"), (many, "TOO_MANY")):
        with pytest.raises(FileRefused) as refused:
            zips.Archive(io.BytesIO(data), len(data))
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("mark", "place", "value", "reason"),
    [
        (b"PK\x06\x06", 32, 2**63, "TOO_MANY"),  # entries, counted twice
        (b"PK\x06\x06", 40, 2**40, "NOT_WHAT_IT_CLAIMS"),  # bytes of the directory
        (b"PK\x06\x06", 48, 2**64 - 1, "NOT_WHAT_IT_CLAIMS"),  # where it begins
        (b"PK\x06\x06", 4, 2**32, "NOT_WHAT_IT_CLAIMS"),  # bytes of this end
        (b"PK\x06\x07", 8, 0, "NOT_WHAT_IT_CLAIMS"),  # where it stands
    ],
)
def test_a_larger_end_that_lies_is_refused_before_the_directory_is_read(
    mark: bytes, place: int, value: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(larger({"a.png": picture(1)}, monkeypatch))
    at = data.rindex(mark) + place
    struct.pack_into("<Q", data, at, value)
    if reason == "TOO_MANY":
        struct.pack_into("<Q", data, at - 8, value)
        struct.pack_into("<H", data, data.rindex(b"PK\x05\x06") + 10, 0xFFFF)
    with pytest.raises(FileRefused) as refused:
        zips.Archive(io.BytesIO(bytes(data)), len(data))
    assert refused.value.reason == reason


def test_two_ends_that_contradict_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another reader would see another archive."""
    data = bytearray(larger({"a.png": picture(1), "b.png": picture(2)}, monkeypatch))
    struct.pack_into("<H", data, data.rindex(b"PK\x05\x06") + 10, 1)
    with pytest.raises(FileRefused) as refused:
        zips.Archive(io.BytesIO(bytes(data)), len(data))
    assert refused.value.reason == "NOT_WHAT_IT_CLAIMS"


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
