"""Searching by words, and keeping the index in step with the rows."""

from __future__ import annotations

from domain.search.asking import MAX_SUGGESTIONS, Found, counts_of_facts, facets, page, suggest
from domain.search.documents import documents
from domain.search.feeding import Watch, catch_up, is_astray, lag_ms, rebuild, reindex, reindex_was_asked
from domain.search.reconciling import Reconciled, reconcile

__all__ = [
    "MAX_SUGGESTIONS",
    "Found",
    "Reconciled",
    "Watch",
    "catch_up",
    "counts_of_facts",
    "documents",
    "facets",
    "is_astray",
    "lag_ms",
    "page",
    "rebuild",
    "reconcile",
    "reindex",
    "reindex_was_asked",
    "suggest",
]
