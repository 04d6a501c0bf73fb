"""The change feed: what became different for one viewer, exactly and in order (docs/decisions/0020)."""

from __future__ import annotations

from domain.changes.feed import SUBJECTS, Page, cursor_now, page, settle
from domain.changes.holders import digest, sees_vocabulary
from domain.changes.past import Change, ChangeType, Reason

__all__ = [
    "SUBJECTS",
    "Change",
    "ChangeType",
    "Page",
    "Reason",
    "cursor_now",
    "digest",
    "page",
    "sees_vocabulary",
    "settle",
]
