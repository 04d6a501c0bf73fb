"""Assets and their versions: arriving, changing, being found by id, listed and put away.

An asset is never deleted and a version never changes. The same bytes are offered back instead of being stored as a
second asset, unless somebody says why they are distinct.
"""

from __future__ import annotations

from domain.assets.changing import Changes, archive, restore, update
from domain.assets.contents import Content, judge, of_upload, recognise
from domain.assets.creating import (
    Created,
    NewAsset,
    OnDuplicate,
    add_version,
    check_new,
    create,
    make_current_again,
)
from domain.assets.deciding import check_allowed, check_state, trashed, viewer_can
from domain.assets.filtering import TAGGED, is_narrow, sql_of
from domain.assets.listing import (
    Order,
    OrderField,
    OwnOrder,
    Stage,
    count,
    counting,
    counts_of_field,
    facets,
    given,
    page,
    shape,
    statement,
)
from domain.assets.reading import (
    ID,
    STAMPS,
    VERSIONS,
    VERSIONS_OF_ASSETS,
    by_any_id,
    by_id,
    is_kept,
    seen,
    shown_versions,
    survivors,
    version_counts,
    versions_by_id,
    versions_of,
    versions_seen,
    with_digest,
)

__all__ = [
    "ID",
    "STAMPS",
    "TAGGED",
    "VERSIONS",
    "VERSIONS_OF_ASSETS",
    "Changes",
    "Content",
    "Created",
    "NewAsset",
    "OnDuplicate",
    "Order",
    "OrderField",
    "OwnOrder",
    "Stage",
    "add_version",
    "archive",
    "by_any_id",
    "by_id",
    "check_allowed",
    "check_new",
    "check_state",
    "count",
    "counting",
    "counts_of_field",
    "create",
    "facets",
    "given",
    "is_kept",
    "is_narrow",
    "judge",
    "make_current_again",
    "of_upload",
    "page",
    "recognise",
    "restore",
    "seen",
    "shape",
    "shown_versions",
    "sql_of",
    "statement",
    "survivors",
    "trashed",
    "update",
    "version_counts",
    "versions_by_id",
    "versions_of",
    "versions_seen",
    "viewer_can",
    "with_digest",
]
