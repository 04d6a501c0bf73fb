"""What becomes of a file that is imported from a folder."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Word(Enum):
    """What became of a file."""

    NEW = "NEW"
    #: Its bytes are here already.
    DUPLICATE = "DUPLICATE"
    #: An earlier import has finished with it, and it is as it was.
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"
    #: It is nothing to import.
    SKIPPED = "SKIPPED"


@dataclass(frozen=True)
class Outcome:
    """`path` is relative to the folder; `asset_id` is the new asset, or the one that holds the bytes.

    `reason` is a stable word and `sentence` for people; both are there for what was refused or skipped.
    """

    path: str
    word: Word
    byte_size: int = 0
    asset_id: int | None = None
    title: str | None = None
    sha256: str | None = None
    reason: str | None = None
    sentence: str | None = None
