"""Many files that come together: uploads, addresses, a ZIP, a bucket; each file has an outcome of its own."""

from __future__ import annotations

from domain.fetching.fetching import fetch_next, fetch_zip, lanes_to_ask, sessions_of
from domain.fetching.messages import LANES, FetchLane, UnpackSession
from domain.fetching.sessions import (
    Brought,
    Counts,
    Terms,
    add,
    by_id,
    cancel,
    close,
    count,
    counts,
    from_addresses,
    from_bucket,
    from_zip,
    item_counts,
    items_of,
    open_,
    page,
)

__all__ = [
    "LANES",
    "Brought",
    "Counts",
    "FetchLane",
    "Terms",
    "UnpackSession",
    "add",
    "by_id",
    "cancel",
    "close",
    "count",
    "counts",
    "fetch_next",
    "fetch_zip",
    "from_addresses",
    "from_bucket",
    "from_zip",
    "item_counts",
    "items_of",
    "lanes_to_ask",
    "open_",
    "page",
    "sessions_of",
]
