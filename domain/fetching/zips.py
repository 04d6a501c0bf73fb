"""What is in a ZIP, read as a stream, an entry at a time, and never unpacked anywhere.

What an archive says of itself is believed only as a bound: of an entry no more is read than it announced, entries that
share bytes are refused, and so is an archive that would grow beyond `MOST_GROWTH` times its size. One that says what 32
bits cannot (ZIP64) is under the same bounds, and refused where its two ends do not say the same.
"""

from __future__ import annotations

import errno
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from domain.importing import walking
from domain.refusals import FileRefused

#: Entries of one archive, and bytes of its directory, that are read at all.
MOST_ENTRIES: Final = 10_000
MOST_DIRECTORY: Final = 16 * 1024 * 1024
#: Deflate reaches 1,032 : 1; pictures and documents stay far below this.
MOST_GROWTH: Final = 200
#: An archive may always grow to this, however small it is.
FREE_BYTES: Final = 64 * 1024 * 1024
#: Longest path of an entry, in characters.
MOST_PATH: Final = 1_000
PIECE: Final = 1 << 18

_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCAL_HEADER: Final = 30
_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_LOCATOR: Final = b"PK\x06\x07"
_LOCATOR_BYTES: Final = 20
_LARGE_END: Final = b"PK\x06\x06"
_LARGE_END_BYTES: Final = 56
#: Entries, directory and its start in the smaller end where the larger says them.
_MOST: Final = (0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF)
_MOST_COMMENT: Final = 65_535
_ENCRYPTED: Final = 0x1
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Entry:
    """A file of the archive; `reason` and `sentence` say why it is not taken, if it is not."""

    place: int
    path: str
    byte_size: int
    reason: str | None = None
    sentence: str | None = None

    @property
    def file_name(self) -> str:
        return PurePosixPath(self.path).name


class Archive:
    """An opened ZIP; `FileRefused` where it is none that is read here."""

    def __init__(self, stream: BinaryIO, byte_size: int) -> None:
        _check_end(stream, byte_size)
        try:
            self._file = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            # All that zipfile has for a directory that lies, ends early, or speaks of a later version of the format.
            raise _broken() from error
        except OSError as error:
            if error.errno != errno.EINVAL:  # what the disk says is not the archive's fault, and may pass
                raise
            raise _broken() from error
        self._infos = self._file.infolist()
        if len(self._infos) > MOST_ENTRIES:
            raise FileRefused(f"The archive has more than {MOST_ENTRIES:,} entries.", "TOO_MANY")
        _check_growth(self._infos, byte_size)
        self._shared = _sharing(self._infos, self._file.start_dir)

    def entries(self) -> list[Entry]:
        """Every file in it, in its order; folders are none."""
        return [self._entry(place, info) for place, info in enumerate(self._infos) if not info.is_dir()]

    def pieces(self, place: int) -> Iterator[bytes]:
        """The bytes of an entry; `FileRefused` where they are not what it announced."""
        info = self._infos[place]
        try:
            with self._file.open(info) as entry:
                while piece := entry.read(PIECE):
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
            # Bytes that do not fit their checksum, end early, are packed in an unknown way, or need a password.
            raise FileRefused("The entry is damaged.", "DAMAGED") from error

    def _entry(self, place: int, info: zipfile.ZipInfo) -> Entry:
        reason, sentence = _fault(info) or (_OVERLAPS if place in self._shared else (None, None))
        return Entry(place, info.filename[:MOST_PATH], info.file_size, reason, sentence)


_OVERLAPS: Final = ("OVERLAPS", "The entry shares its bytes with another one.")


def _fault(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    path = info.orig_filename
    parts = path.split("/")
    mode = stat.S_IFMT(info.external_attr >> 16)
    faults = (
        (len(path) > MOST_PATH or not path.isprintable() or "\\" in path, "PATH", "Its name is no plain path."),
        (path.startswith("/") or _DRIVE.match(path) or ".." in parts, "PATH", "Its name leads out of the archive."),
        (any(map(_is_litter, parts)), "HIDDEN", "It is hidden, or litter that a system left behind."),
        (mode == stat.S_IFLNK, "LINK", "It is a link: links are not followed."),
        (mode not in {0, stat.S_IFREG, stat.S_IFLNK}, "SPECIAL", "It is no file but a pipe, a socket or a device."),
        (info.flag_bits & _ENCRYPTED, "ENCRYPTED", "The entry is encrypted."),
        (info.compress_type not in _METHODS, "METHOD", "It is neither stored nor deflated, and not read here."),
    )
    return next(((reason, sentence) for is_so, reason, sentence in faults if is_so), None)


def _is_litter(part: str) -> bool:
    return part.startswith(".") or part.lower() in walking.LITTER or part == "__MACOSX"


def _check_end(stream: BinaryIO, byte_size: int) -> None:
    """The directory is read whole, so what it claims is looked at first: what zipfile would go by."""
    size = min(byte_size, _LARGE_END_BYTES + _LOCATOR_BYTES + _END_BYTES + _MOST_COMMENT)
    stream.seek(byte_size - size)
    tail = stream.read(size)
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_BYTES:
        raise _broken()
    entries, directory, start = struct.unpack_from("<HII", tail, place + 10)
    if tail[max(0, place - _LOCATOR_BYTES) : place].startswith(_LOCATOR):
        entries, directory = _large_end(tail[:place], byte_size - size, (entries, directory, start))
    if directory > MOST_DIRECTORY:
        raise FileRefused("The directory of the archive is too large.", "TOO_MANY")
    if entries > MOST_ENTRIES:
        raise FileRefused(f"The archive has more than {MOST_ENTRIES:,} entries.", "TOO_MANY")
    stream.seek(0)


def _large_end(tail: bytes, begins: int, small: tuple[int, int, int]) -> tuple[int, int]:
    """Entries, and bytes of the directory, as the end of the larger kind says them: right behind the directory, right
    before its locator, on one disk, and contradicted nowhere by the `small` end.
    """
    at = len(tail) - _LOCATOR_BYTES - _LARGE_END_BYTES
    if at < 0 or not tail.startswith(_LARGE_END, at):
        raise _broken()
    disk, place, disks = struct.unpack_from("<IQI", tail, at + _LARGE_END_BYTES + 4)
    length, _, _, own, first, here, entries, directory, start = struct.unpack_from("<QHHIIQQQQ", tail, at + 4)
    stands = begins + at
    whole = (disk, own, first, length, here) == (0, 0, 0, _LARGE_END_BYTES - 12, entries) and disks <= 1
    agrees = all(a in {b, most} for a, b, most in zip(small, (entries, directory, start), _MOST, strict=True))
    if not (whole and agrees and place == stands == start + directory):
        raise _broken()
    return entries, directory


def _check_growth(infos: Sequence[zipfile.ZipInfo], byte_size: int) -> None:
    if sum(info.file_size for info in infos) > max(FREE_BYTES, MOST_GROWTH * byte_size):
        raise FileRefused(f"The archive would grow to more than {MOST_GROWTH} times its size.", "BOMB")


def _sharing(infos: Sequence[zipfile.ZipInfo], end: int) -> set[int]:
    """Places of entries whose bytes reach into the next one's, or into the directory."""
    ordered = sorted(range(len(infos)), key=lambda place: infos[place].header_offset)
    starts = [infos[place].header_offset for place in ordered] + [end]
    shared: set[int] = set()
    for at, place in enumerate(ordered):
        info = infos[place]
        if info.header_offset + _LOCAL_HEADER + len(info.orig_filename) + info.compress_size > starts[at + 1]:
            shared |= {place, *ordered[at + 1 : at + 2]}
    return shared


def _broken() -> FileRefused:
    return FileRefused("This is no ZIP archive that can be read.", "NOT_WHAT_IT_CLAIMS")
