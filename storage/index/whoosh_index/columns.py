"""A segment's attributes and vocabulary: numpy arrays in one file, mapped and never changed.

The file: the length of a JSON table (8 bytes, little-endian), the table, then the arrays, each on a multiple
of eight.

Always true here:
- Plain columns have one value per document. `x_document` and `x_value` are pairs, in order of document: which
  document has which of the values, for lists (tags, access terms, exact names, facts).
- Words are coded: `kind` holds numbers into `names["kind"]`. A tag's value is a number into `tag_id` and
  `names["tag"]`.
- The vocabulary: `names["word"]` sorted by UTF-8; word i stands in the documents
  `word_document[word_start[i]: word_start[i + 1]]` (ascending), in the fields of `word_mask`.
"""

import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from storage.index.ordering import TITLE_COLUMNS

Array = NDArray[Any]

#: One integer per document.
NUMBERS: Final = (
    "id",
    "org_id",
    "revision",
    "width",
    "height",
    "byte_size",
    "created_at",
    "updated_at",
    "captured_at",
    "year",
    "length",
    "exact_title",
    *TITLE_COLUMNS,
)
#: One word per document, coded; UNSAID where there is none.
WORDS: Final = ("kind", "lifecycle", "media_type")
#: Several values per document, coded except for `exact` and `fact`.
LISTS: Final = ("tag", "access", "exact", "fact")
UNSAID: Final = -1
VERSION: Final = "2"


@dataclass(frozen=True, slots=True)
class Columns:
    arrays: Mapping[str, Array]
    names: Mapping[str, list[str]]

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    @property
    def documents(self) -> int:
        return len(self.arrays["id"])


def write(path: Path, columns: Columns) -> None:
    """Write the file; it is not synced."""
    table: dict[str, Any] = {"names": columns.names, "arrays": {}}
    at = 0
    for name, array in columns.arrays.items():
        table["arrays"][name] = (array.dtype.str, len(array), at)
        at += array.nbytes + -array.nbytes % 8
    head = orjson.dumps(table)
    head += b" " * (-len(head) % 8)
    with path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for array in columns.arrays.values():
            file.write(array.tobytes() + bytes(-array.nbytes % 8))


def read(path: Path) -> Columns:
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), os.fstat(file.fileno()).st_size, access=mmap.ACCESS_READ)
    head = int.from_bytes(data[:8], "little")
    table = orjson.loads(data[8 : 8 + head])
    arrays = {
        name: np.frombuffer(data, np.dtype(kind), count, 8 + head + at) if count else np.empty(0, np.dtype(kind))
        for name, (kind, count, at) in table["arrays"].items()
    }
    return Columns(arrays, table["names"])
