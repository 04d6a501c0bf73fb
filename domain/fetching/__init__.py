"""Many files that come together: uploads, addresses, a ZIP, a bucket; each file has an outcome of its own."""

from __future__ import annotations

from domain.fetching.fetching import fetch_next, fetch_zip, lanes_to_ask, sessions_of
from domain.fetching.foreseeing import Foreseen, foresee
from domain.fetching.messages import LANES, FetchLane, UnpackSession
from domain.fetching.sessions import (
    Counts,
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
from domain.fetching.terms import Brought, Terms

__all__ = [
    "LANES",
    "Brought",
    "Counts",
    "FetchLane",
    "Foreseen",
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
    "foresee",
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
