"""Which files an import has finished with: the same path, size and time of change means the same bytes.

Paths themselves are not kept, only the SHA-256 of the absolute one: a ledger that leaks tells nothing of the folders
that were imported, and a path of any length or spelling has its place. An entry stands in the transaction that made
its asset, so what a crash interrupts is simply not finished.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain.importing.walking import File
from domain.work import Work
from storage.tables import AssetRow, ImportEntryRow


@dataclass(frozen=True)
class Done:
    """What an earlier import made of a file."""

    asset_id: int
    title: str
    sha256: str


def finished(work: Work, root: Path, files: Sequence[File]) -> dict[str, Done]:
    """By path, those of `files` that an import has finished with and that are still as they were."""
    by_key = {_key(work, root, file.path): file for file in files}
    rows = (
        sa.select(ImportEntryRow, AssetRow.title)
        .join(AssetRow, AssetRow.id == ImportEntryRow.asset_id)
        .where(ImportEntryRow.path.in_(by_key))
    )
    return {
        by_key[row.path].path: Done(row.asset_id, title, row.sha256)
        for row, title in work.session.execute(rows)
        if (row.byte_size, row.modified_ns) == (by_key[row.path].byte_size, by_key[row.path].modified_ns)
    }


def finish(work: Work, root: Path, file: File, asset: AssetRow, sha256: str, *, is_new: bool) -> None:
    """Remembers the file as it was when it was read, in place of what was known of its path before."""
    values = {
        "path": _key(work, root, file.path),
        "org_id": work.viewer.org_id,
        "byte_size": file.byte_size,
        "modified_ns": file.modified_ns,
        "sha256": sha256,
        "outcome": "NEW" if is_new else "DUPLICATE",
        "asset_id": asset.id,
        "finished_at": work.now,
    }
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    entry = dialect.insert(ImportEntryRow).values(values)
    work.session.execute(entry.on_conflict_do_update(index_elements=[ImportEntryRow.path], set_=values))


def _key(work: Work, root: Path, path: str) -> str:
    absolute = os.fsencode(root / path)
    return hashlib.sha256(b"%d:%s" % (work.viewer.org_id, absolute)).hexdigest()
