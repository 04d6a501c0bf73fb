"""Near-duplicates: what looks like an asset or an upload, what waits to be decided, and merging.

What pictures look like, and which look alike, workers find out (`domain.looks`); here it is told to those who may see
it, and acted upon.
"""

from __future__ import annotations

from domain.likeness.deciding import Decision, Kept, decide, merge
from domain.likeness.merging import Merge
from domain.likeness.parting import forget, undo
from domain.likeness.parting import of_assets as merges_of
from domain.likeness.reading import Looked, Looking, Similar, of_assets, of_upload
from domain.likeness.review import Cluster, by_id, cluster_count, clusters, count, evidence, page

__all__ = [
    "Cluster",
    "Decision",
    "Kept",
    "Looked",
    "Looking",
    "Merge",
    "Similar",
    "by_id",
    "cluster_count",
    "clusters",
    "count",
    "decide",
    "evidence",
    "forget",
    "merge",
    "merges_of",
    "of_assets",
    "of_upload",
    "page",
    "undo",
]
