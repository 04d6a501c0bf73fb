"""Changing many assets at once, looking first at what that would do, and taking it back.

Always true here:
- An operation is done with the rights that whoever asked holds at that moment; each asset is changed whole or, where
  that is refused, not at all, and the operation says which and why.
- Which assets it is about is settled when it is asked for.
- Taking it back returns each asset that it changed to what it was, unless what it changed was changed since: that
  asset is left alone, and told. Of the operations that take one back only one comes to its end.
"""

from __future__ import annotations

from domain.bulk.asking import (
    AT_ONCE,
    MAX_ASSETS,
    MAX_NAMED,
    RunBulkOperation,
    Selection,
    ask,
    by_id,
    cancel,
    count,
    items_count,
    items_of,
    jobs_of,
    page,
    undo,
    undoings_of,
)
from domain.bulk.edits import Edit, Input, foreseen_edit, read
from domain.bulk.foreseeing import Outcome
from domain.bulk.previewing import Change, Preview, Reason, changes_of, preview
from domain.bulk.running import BATCH, batch, fail, owner

__all__ = [
    "AT_ONCE",
    "BATCH",
    "MAX_ASSETS",
    "MAX_NAMED",
    "Change",
    "Edit",
    "Input",
    "Outcome",
    "Preview",
    "Reason",
    "RunBulkOperation",
    "Selection",
    "ask",
    "batch",
    "by_id",
    "cancel",
    "changes_of",
    "count",
    "fail",
    "foreseen_edit",
    "items_count",
    "items_of",
    "jobs_of",
    "owner",
    "page",
    "preview",
    "read",
    "undo",
    "undoings_of",
]
