"""File names as they may be shown, stored and offered for download."""

from __future__ import annotations

import re
import unicodedata

LONGEST_IN_LETTERS = 200
LONGEST_IN_BYTES = 255
_NAMELESS = "unnamed"
_LONGEST_EXTENSION = 20

#: Marks that turn the reading direction show `gpj.exe` as `exe.jpg`; scripts read right to left need none.
_DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200c\u200d")
_INVISIBLE = frozenset({"Cc", "Cs", "Cf", "Zl", "Zp"})
_FORBIDDEN_ON_WINDOWS = re.compile(r'[<>:"|?*]')
_RESERVED_ON_WINDOWS = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|\s*$)", re.IGNORECASE
)


def safe_file_name(raw: str) -> str:
    """`raw` without folders, controls or traps; the letters of every script, emoji included, stay.

    At most 200 characters and 255 bytes of UTF-8, the extension kept; never empty, never beginning with a
    dot, never a device name of Windows. Safe names come back unchanged.
    """
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", raw))[-1]
    name = "".join(letter for letter in name if _is_visible(letter))
    name = _FORBIDDEN_ON_WINDOWS.sub("_", re.sub(r"\s+", " ", name)).strip(" ")
    name = name.lstrip(". ").rstrip(". ")
    if _RESERVED_ON_WINDOWS.match(name):
        name = "_" + name
    return _shortened(name) or _NAMELESS


def _is_visible(letter: str) -> bool:
    """Joiners hold emoji families and Persian words together; tag letters make the flag of Scotland."""
    if letter in _DIRECTION_MARKS:
        return False
    return letter in _JOINERS or "\U000e0020" <= letter <= "\U000e007f" or not _is_invisible(letter)


def _is_invisible(letter: str) -> bool:
    # Tabs and line ends are controls too, but become spaces below instead of joining two words.
    return letter not in "\t\n\r" and unicodedata.category(letter) in _INVISIBLE


def _shortened(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or len(extension) > _LONGEST_EXTENSION:
        stem, dot, extension = name, "", ""
    tail = dot + extension
    stem = stem[: LONGEST_IN_LETTERS - len(tail)]
    while len((stem + tail).encode()) > LONGEST_IN_BYTES:
        stem = stem[:-1]
    return stem.rstrip(". ") + tail if stem.strip(". ") else tail.lstrip(".")
