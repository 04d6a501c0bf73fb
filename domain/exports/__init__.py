"""Exports: everything that somebody is shown, as lines in one file (docs/exports.md)."""

from __future__ import annotations

from domain.exports.asking import MOST_AT_ONCE, WriteExport, by_id, cancel, count, jobs_of, page, run
from domain.exports.lines import ASSET_FIELDS
from domain.exports.writing import (
    BATCH,
    KEPT_DAYS,
    Batch,
    batch,
    begin,
    fail,
    finish,
    is_written,
    keep,
    owner_of,
    parts,
    sweep,
)

__all__ = [
    "ASSET_FIELDS",
    "BATCH",
    "KEPT_DAYS",
    "MOST_AT_ONCE",
    "Batch",
    "WriteExport",
    "batch",
    "begin",
    "by_id",
    "cancel",
    "count",
    "fail",
    "finish",
    "is_written",
    "jobs_of",
    "keep",
    "owner_of",
    "page",
    "parts",
    "run",
    "sweep",
]
