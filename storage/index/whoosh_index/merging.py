"""Which segments are put together, and when.

Always true here:
- `merge_small` keeps applying cheap: it merges only small segments, once several have gathered, and moves at
  most SMALL times FEW documents, a fraction of a second.
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
SMALL: Final = 512
#: So many of them may gather.
FEW: Final = 8


def merge_small(directory: Path, writer: sidecar.Writer) -> list[str]:
    """Merge small segments when many have gathered; returns the names of those dropped."""
    small = [name for name, documents in writer.segments() if documents <= SMALL]
    return _merge(directory, writer, small) if len(small) > FEW else []


def merge_all(directory: Path, writer: sidecar.Writer) -> list[str]:
    """Merge everything into one segment, unless it is one already without a dead document."""
    names = [name for name, _ in writer.segments()]
    if len(names) < 2 and not any(writer.dead(name) for name in names):  # noqa: PLR2004 - one is merged already
        return []
    return _merge(directory, writer, names)


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
