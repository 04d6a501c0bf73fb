"""Office documents: their words, read out of their own XML. Pictures of them come by way of PDF, from `workers.office`.

Nothing is unpacked to disk, and no part is read beyond a bound, whatever its directory says.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

from domain.recipes import FailureCode
from workers.imaging import failures
from workers.imaging.embedded import letters
from workers.imaging.formats.still import Known
from workers.imaging.limits import Limits

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
#: Where the words stand, by the beginning of the media type's name.
_PARTS = (
    (_OPEN_XML + "wordprocessingml", re.compile(r"word/(?:document|footnotes|endnotes)\.xml")),
    (_OPEN_XML + "presentationml", re.compile(r"ppt/(?:slides|notesSlides)/[a-zA-Z]+\d+\.xml")),
    (_OPEN_XML + "spreadsheetml", re.compile(r"xl/(?:sharedStrings|worksheets/sheet\d+)\.xml")),
    (_OPEN_DOCUMENT, re.compile(r"content\.xml")),
)
MEDIA_TYPES = frozenset(
    {
        _OPEN_XML + "wordprocessingml.document",
        _OPEN_XML + "wordprocessingml.template",
        _OPEN_XML + "spreadsheetml.sheet",
        _OPEN_XML + "presentationml.presentation",
        _OPEN_XML + "presentationml.template",
        _OPEN_DOCUMENT + "text",
        _OPEN_DOCUMENT + "spreadsheet",
        _OPEN_DOCUMENT + "presentation",
        _OPEN_DOCUMENT + "graphics",
    }
)

_ABOUT = frozenset({"docProps/core.xml", "meta.xml"})
_FACTS = frozenset({"title", "creator", "subject", "description", "initial-creator"})
#: A line ends with these; within them, one word goes on. And these stand for blanks.
_LINES = frozenset({"p", "h", "si", "is"})
_BREAKS = frozenset({"tab", "br", "line-break", "s"})
#: In a sheet only these hold words: what stands beside them are numbers, and the places of shared words.
_CELLS = frozenset({"t"})
_PART_BYTES, _ALL_BYTES = 33_554_432, 134_217_728
_CHUNK = 65_536
_MOST_PARTS = 400
_ENCRYPTED = 1


def known(source: Path, media_type: str, limits: Limits) -> Known:
    if source.stat().st_size == 0:
        raise failures.refused(FailureCode.EMPTY)
    wanted = next(pattern for beginning, pattern in _PARTS if media_type.startswith(beginning))
    try:
        with zipfile.ZipFile(source) as archive:
            if any(one.flag_bits & _ENCRYPTED for one in archive.infolist()[:_MOST_PARTS]):
                raise failures.refused(FailureCode.ENCRYPTED)
            names = sorted(filter(wanted.fullmatch, archive.namelist()), key=_in_order)[:_MOST_PARTS]
            within = _CELLS if media_type.startswith(_OPEN_XML + "spreadsheetml") else None
            text = _words(archive, names, limits.text_letters, within)
            about = _about(archive, limits)
    except zipfile.BadZipFile as error:
        raise failures.refused(FailureCode.DAMAGED) from error
    slides = sum(name.startswith("ppt/slides/") for name in names)
    return Known(
        text=letters.bounded(text, limits.text_letters),
        title=about.get("title", ""),
        creator=about.get("creator", ""),
        frames=max(1, slides),
        entries=tuple(("office", name, value) for name, value in about.items()),
    )


def _in_order(name: str) -> tuple[str, int]:
    """The tenth slide comes after the second."""
    number = re.search(r"(\d+)\.xml$", name)
    return (name[: number.start()] if number else name, int(number[1]) if number else 0)


def _words(archive: zipfile.ZipFile, names: list[str], most: int, within: frozenset[str] | None) -> str:
    heard = _Heard(most, within)
    room = _ALL_BYTES
    for name in names:
        room -= _read(archive, name, heard)
        heard.pieces.append("\n")
        if heard.left <= 0 or room <= 0:
            break
    return "".join(heard.pieces)


class _Heard:
    """Listens to a part as it is read: letters in their order, a new line where a paragraph ends; with `within`, only
    those directly in such elements.
    """

    def __init__(self, most: int, within: frozenset[str] | None) -> None:
        self.left = most
        self.within = within
        self.is_open = within is None
        self.pieces: list[str] = []

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self.is_open = self.within is None or _local(tag) in self.within
        if _local(tag) in _BREAKS:
            self.pieces.append("\n")

    def end(self, tag: str) -> None:
        self.is_open = self.within is None
        if _local(tag) in _LINES:
            self.pieces.append("\n")

    def data(self, text: str) -> None:
        if self.is_open and self.left > 0:
            self.pieces.append(text)
            self.left -= len(text)

    def close(self) -> None: ...


def _about(archive: zipfile.ZipFile, limits: Limits) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted(_ABOUT & set(archive.namelist())):
        told = _Told(found, limits)
        _read(archive, name, told)
    return found


class _Told:
    """Listens to what a document says about itself."""

    def __init__(self, found: dict[str, str], limits: Limits) -> None:
        self.found = found
        self.limits = limits
        self.text: list[str] = []

    def start(self, _tag: str, _attributes: dict[str, str]) -> None:
        self.text.clear()

    def end(self, tag: str) -> None:
        text = letters.clean("".join(self.text), self.limits)
        if _local(tag) in _FACTS and text:
            self.found.setdefault(_local(tag), text)
        self.text.clear()

    def data(self, text: str) -> None:
        self.text.append(text)

    def close(self) -> None: ...


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _read(archive: zipfile.ZipFile, name: str, listener: _Heard | _Told) -> int:
    """As far as the part is well-formed and not longer than the bound; how many bytes that was."""
    # In the sandbox, and expat bounds what entities may grow to.
    parser = ET.XMLParser(target=listener)  # noqa: S314 - see above
    left = _PART_BYTES
    with archive.open(name) as part:
        try:
            while left > 0 and (piece := part.read(min(_CHUNK, left))):
                left -= len(piece)
                parser.feed(piece)
        except ET.ParseError:
            pass
    return _PART_BYTES - left
