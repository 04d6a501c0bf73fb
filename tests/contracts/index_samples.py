"""Documents to index in tests, and an index of each kind to put them in."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from storage import index
from storage.index import Access, Document, Door, Hits, Put, Search, SearchIndex, query

KINDS = ("whoosh", "tantivy")
START = datetime(2024, 1, 1, tzinfo=UTC)
#: Where hundreds of indexes are made without waiting for a disk, if there is such a place.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
EVERYONE = frozenset({"everyone"})
ANYONE: Access = (Door((EVERYONE,)),)


def document(id_: int, title: str = "An asset", **facts: Any) -> Document:
    """An asset everyone may see, created `id_` days after the start of 2024."""
    base: dict[str, Any] = {
        "id": id_,
        "org_id": 1,
        "access": EVERYONE,
        "title": title,
        "kind": "PHOTO",
        "lifecycle": "ACTIVE",
        "created_at": START + timedelta(days=id_),
        "updated_at": START,
    }
    return Document(**(base | facts))


def with_one_of(*terms: str) -> Access:
    """Sees what carries one of these terms."""
    return (Door((frozenset(terms),)),)


def filled(kind: str, directory: Path, documents: Iterable[Document], seq: int = 1) -> SearchIndex:
    """An index that holds these documents."""
    made = index.open_index(kind, directory)
    with made.writer_lock():
        made.apply([Put(each) for each in documents], seq)
    return made


def find(searched: SearchIndex, text: str, **facts: Any) -> Hits:
    return searched.search(Search(query=query.parse(text), **facts))


def found(searched: SearchIndex, text: str, **facts: Any) -> list[int]:
    return [hit.id for hit in find(searched, text, **facts).hits]
