"""Which segments are put together, and when.

Always true here:
- `merge_small` keeps applying cheap: it touches only segments of at most SMALL documents, of which one more than FEW
  have gathered. Larger ones wait for `merge_idle`: merged on the way, nine batches of 500 stalled one apply by 4 s.
- Merging changes no answer: dead documents are left out, living ones keep their texts and score.
- Files of merged segments go after the transaction that dropped them; what a crash leaves is swept by the
  next writer.
"""

from pathlib import Path
from typing import Final

import numpy as np

from storage.index.whoosh_index import segment as segments
from storage.index.whoosh_index import sidecar
from storage.index.whoosh_index.segment import Merger

#: Segments up to this size are merged on the way.
SMALL: Final = 64
#: So many of them may gather.
FEW: Final = 8
#: A segment with fewer than this share of its documents alive is written anew.
_STILL_FULL: Final = 0.75


def merge_small(directory: Path, writer: sidecar.Writer) -> list[str]:
    """Merge small segments when many have gathered; returns the names of those dropped."""
    small = [name for name, documents in writer.segments() if documents <= SMALL]
    return _merge(directory, writer, small) if len(small) > FEW else []


def merge_idle(directory: Path, writer: sidecar.Writer) -> list[str]:
    """Merge the segments that are small beside those smaller still, and those with many dead; returns those dropped.

    What remains is each more than twice as large as all before it together: few segments, and a document moves only as
    often as the index doubles.
    """
    alive = sorted((documents - len(writer.dead(name)), documents, name) for name, documents in writer.segments())
    names: list[str] = []
    gathered = 0
    for at, (living, documents, name) in enumerate(alive):
        if at == 0 or living <= 2 * gathered or living < documents * _STILL_FULL:
            names.append(name)
            gathered += living
    wasteful = any(living < documents * _STILL_FULL for living, documents, name in alive if name in names)
    return _merge(directory, writer, names) if len(names) > 1 or wasteful else []


def remove(directory: Path, names: list[str]) -> None:
    """Remove the files of dropped segments; readers that have them open keep them."""
    for name in names:
        for path in segments.files(directory, name):
            path.unlink(missing_ok=True)


def sweep(directory: Path) -> None:
    """Remove what a dead writer wrote and never committed."""
    writer = sidecar.Writer(directory)
    try:
        known = {path.name for name, _ in writer.segments() for path in segments.files(directory, name)}
    finally:
        writer.close()
    for path in directory.glob(segments.PATTERN):
        if path.name not in known:
            path.unlink(missing_ok=True)


def _merge(directory: Path, writer: sidecar.Writer, names: list[str]) -> list[str]:
    parts = []
    for name in names:
        opened = segments.open_segment(directory, name)
        alive = np.ones(opened.documents, np.bool_)
        alive[writer.dead(name)] = False
        parts.append((opened, alive))
    merger = Merger(parts)
    table = merger.columns()
    if table.documents:
        name = segments.new_name()
        segments.write(directory, name, table, merger.postings())
        writer.add_segment(name, table.documents)
        writer.move(name, table["id"].tolist())
    writer.drop_segments(names)
    return names
